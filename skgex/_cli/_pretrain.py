"""skgex pretrain: learn from a table without labels."""

from enum import StrEnum
from typing import Annotated

import typer

import skgex

from ._errors import WrongUsage
from ._models import by_genes_of, load_model, progress_of
from ._options import Device, Input, Mapping, Reading, Seed, Start, Writing
from ._results import destination
from ._session import SESSION
from ._tables import STREAM, read_table


class Method(StrEnum):
    """What is learnt."""

    scarf = "scarf"
    vime = "vime"
    byol = "byol"
    gexbert = "gexbert"


_CLASSES = {"scarf": "SCARF", "vime": "VIME", "byol": "BYOL", "gexbert": "GexBERT"}


def pretrain(
    input: Input,
    reading: Reading,
    writing: Writing,
    mapping: Mapping,
    output: Annotated[
        str | None,
        typer.Argument(metavar="MODEL", help="Where to write the model."),
    ] = None,
    method: Annotated[
        Method,
        typer.Option(
            help="gexbert restores genes and stands missing values best; scarf, vime "
            "and byol embed, for prediction with few labels."
        ),
    ] = Method.gexbert,
    start: Start = None,
    max_epochs: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=0, help="Passes over the table, if not as many as usual."
        ),
    ] = None,
    unit: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="Unit of the table, for those who will use the model."
        ),
    ] = None,
    seed: Seed = 0,
    device: Device = "auto",
):
    """Pretrain a model on a table, without labels.

    Give expression on a logarithmic scale. The model goes to one file, with its genes;
    reading it runs no code.

    For example:
      skgex pretrain cohorts.npy gexbert.safetensors --unit "log2(TPM + 1)"
      skgex pretrain cohort.tsv model.safetensors --method vime --max-epochs 100
      skgex pretrain cohort.tsv mine.safetensors --start gexbert-tcga
    """
    target = destination(output, writing)
    if target == STREAM:
        raise WrongUsage("a model is written to a file, not to -.")
    X = read_table(input, reading).X
    options = {"random_state": seed, "device": device}
    if max_epochs is not None:
        options["max_epochs"] = max_epochs
    if start is not None:
        model = load_model(start)
        X = by_genes_of(model, X, start, mapping)
        options["start"] = _frozen(model, method)
    embedder = getattr(skgex, _CLASSES[method])(**options)
    with progress_of(embedder):
        embedder.fit(X)
    embedder.set_params(device="auto", **({} if start is None else {"start": None}))
    embedder.save(target, unit=unit)
    SESSION.say(f"{type(embedder).__name__} of {X.shape[1]:,d} genes: {target}")


def _frozen(model, method):
    from sklearn.frozen import FrozenEstimator

    if type(model).__name__ != _CLASSES[method]:
        raise ValueError(
            f"--start is a {type(model).__name__}, and --method {method} starts from a "
            f"{_CLASSES[method]} only."
        )
    return FrozenEstimator(model)
