"""skgex embed: a few numbers for each sample."""

import tempfile
from pathlib import Path

import skgex

from ._models import kind_of, load_model, with_genes_of
from ._options import Device, Input, Layout, Matching, Model, Output, Reading
from ._results import destination_of_table, is_h5ad, write_table
from ._tables import read_table


def embed(
    model: Model,
    input: Input,
    reading: Reading,
    writing: Layout,
    matching: Matching,
    output: Output = None,
    device: Device = "auto",
):
    """Embed the samples of a table by a model.

    Genes are brought to those of the model; those that the table lacks count as not
    measured. In OUT, dimensions stand where IN has genes. A file .h5ad has the
    embedding in obsm, beside all that IN has if that is one too.

    For example:
      skgex embed model.safetensors cohort.tsv embedding.tsv
      skgex embed model.safetensors cohort.h5ad embedded.h5ad
      skgex embed scarf-tcga90 cohort.csv - --out-orient samples_in_rows
    """
    target = destination_of_table(output, writing)
    estimator = load_model(model, device)
    if kind_of(estimator) in ("imputer", "survival model"):
        raise ValueError(
            f"{model} is a {type(estimator).__name__}, which does not embed: embedders "
            "do, and classifiers and regressors that were fine-tuned."
        )
    table = read_table(input, reading)
    X = with_genes_of(estimator, table.X, model, matching)
    embedding = estimator.set_output(transform="pandas").transform(X)
    embedding.index.name, embedding.columns.name = "sample", "dimension"
    if is_h5ad(target):
        key = f"X_{type(estimator).__name__.lower()}"
        _to_h5ad(table, target, {key: embedding}, writing.force)
        return
    # Dimensions are no genes, and have decimals of their own.
    like = {**table.source, "decimals": None}
    write_table(embedding, target, writing, like)


def _to_h5ad(table, target, obsm, force):
    copy = skgex.io._write.copy_h5ad
    if table.is_h5ad:
        copy(table.path, target, obsm=obsm, overwrite=force)
        return
    with tempfile.TemporaryDirectory("skgex") as folder:
        path = Path(folder, "table.h5ad")
        skgex.io.write_expression(table.X, path)
        copy(path, target, obsm=obsm, overwrite=force)
