"""skgex inspect: what is in a model."""

import inspect as inspect_library
import json
from pathlib import Path
from typing import Annotated

import typer

from ._models import genes_of, kind_of, load_model
from ._options import Model


def inspect(
    model: Model,
    genes: Annotated[
        bool, typer.Option("--genes", help="List its genes, one in each line.")
    ] = False,
):
    """Tell what is in a model.

    Its kind, genes, unit and parameters, and what wrote it.

    For example:
      skgex inspect model.safetensors
      skgex inspect gexbert-tcga --genes > genes.txt
    """
    estimator = load_model(model)
    if genes:
        known = getattr(estimator, "restorable_genes_", None)
        if known is None:
            known = _columns(estimator, genes_of(estimator, model))[0]
        print("\n".join(known))
        return
    for name, text in _about(estimator, model).items():
        print(f"{name + ':':12}{text}")


def _about(estimator, model):
    names = getattr(estimator, "feature_names_in_", None)
    unnamed = [f"column {place}" for place in range(estimator.n_features_in_)]
    genes, covariates = _columns(estimator, unnamed if names is None else names)
    some = "without names" if names is None else f"{', '.join(genes[:3])}, ..."
    about = {
        "model": model,
        "kind": f"{kind_of(estimator)}, {type(estimator).__name__}",
        "genes": f"{len(genes):,d}: {some}",
    }
    if covariates:
        about["covariates"] = ", ".join(covariates)
    about["unit"] = getattr(estimator, "unit_", None) or "not said"
    if hasattr(estimator, "restorable_genes_"):
        about["restores"] = f"{len(estimator.restorable_genes_):,d} genes"
    if hasattr(estimator, "classes_"):
        about["classes"] = ", ".join(map(str, estimator.classes_))
    if hasattr(estimator, "n_iter_"):
        about["epochs"] = estimator.n_iter_
    about["parameters"] = _parameters(estimator) or "as usual"
    return about | _written_by(model)


def _columns(estimator, names):
    """Return which of some names are of genes, and which of covariates."""
    # Older files lack the attribute.
    places = [int(place) for place in getattr(estimator, "covariates_", ())]
    genes = [name for place, name in enumerate(names) if place not in places]
    return genes, [names[place] for place in places]


def _parameters(estimator):
    """Return the parameters that are not as usual; older files lack newer ones."""
    known = inspect_library.signature(type(estimator)).parameters
    set_here = {name: vars(estimator).get(name, p.default) for name, p in known.items()}
    texts = (
        f"{name}={' '.join(repr(value).split())}"
        for name, value in set_here.items()
        if repr(value) != repr(known[name].default)
    )
    return ", ".join(texts)


def _written_by(model):
    """Return which versions wrote a file, from its header."""
    if not Path(model).is_file():
        return {"written by": "ships with the package"}
    with open(model, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(json.loads(file.read(size))["__metadata__"]["header"])
    versions = (f"{name} {text}" for name, text in header["versions"].items())
    return {"written by": ", ".join(versions)}
