"""skgex predict: classes, values or risks."""

from pathlib import Path
from typing import Annotated

import typer

from ._errors import WrongUsage
from ._models import kind_of, load_model, with_genes_of
from ._options import Device, Input, Matching, Model, Output, Reading, Writing
from ._results import destination, write_columns
from ._tables import STREAM, read_table

_TEXT = {".tsv", ".csv", ".txt", ".tab"}


def predict(
    model: Model,
    input: Input,
    reading: Reading,
    writing: Writing,
    matching: Matching,
    output: Output = None,
    proba: Annotated[
        bool,
        typer.Option("--proba", help="Write the probability of each class as well."),
    ] = False,
    device: Device = "auto",
):
    """Predict the class, the value or the risk of each sample.

    OUT is text with a sample in each line: its class from a classifier, its value or
    values from a regressor, its risk from a survival model, where a higher one means
    earlier events.

    For example:
      skgex predict tissues.safetensors cohort.tsv classes.tsv --proba
      skgex predict cox-tcga cohort.tsv risks.csv
    """
    target = destination(output, writing)
    _check_text(target)
    estimator = load_model(model, device)
    kind = kind_of(estimator)
    if kind in ("embedder", "imputer"):
        raise ValueError(
            f"{model} is a {type(estimator).__name__}, which predicts nothing: fit a "
            "classifier, a regressor or a survival model on top of it in Python."
        )
    if proba and kind != "classifier":
        raise WrongUsage(f"--proba is for classifiers; {model} is a {kind}.")
    X = with_genes_of(estimator, read_table(input, reading).X, model, matching)
    write_columns(_predictions(estimator, kind, X, proba), target, writing.force)


def _predictions(estimator, kind, X, proba):
    from pandas import DataFrame

    found = estimator.predict(X)
    name = {"classifier": "class", "regressor": "value"}.get(kind, "risk")
    names = [name] if found.ndim == 1 else [f"{name}{i}" for i in range(found.shape[1])]
    frame = DataFrame(found, X.index.rename("sample"), names)
    if proba:
        classes = [f"p({label})" for label in estimator.classes_]
        frame[classes] = estimator.predict_proba(X)
    return frame


def _check_text(target):
    suffixes = Path(target).suffixes
    if target != STREAM and Path(target).is_file() | bool(suffixes):
        if not _TEXT & {suffix.lower() for suffix in suffixes}:
            raise ValueError(
                f"{target}: predictions are text: end the name in .tsv or .csv."
            )
