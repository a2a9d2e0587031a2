"""Refuse models whose parts contradict each other."""

import inspect
from numbers import Integral
from operator import attrgetter

from torch import nn

from .._warn import warn_caller
from ._classes import PACKAGE

# The sizes that layers say they have, and which of their tensors are of that size.
_SIZES = {
    nn.Linear: (
        lambda layer: (layer.out_features, layer.in_features),
        ("weight",),
        ("bias",),
    ),
    nn.LayerNorm: (
        lambda layer: tuple(layer.normalized_shape),
        ("weight", "bias"),
        (),
    ),
    nn.BatchNorm1d: (
        lambda layer: (layer.num_features,),
        ("weight", "bias", "running_mean", "running_var"),
        (),
    ),
}


def check_layer(layer):
    """Refuse a layer that lacks a part, or has one that is not of its size."""
    if type(layer) in _SIZES:
        size_of, whole, rows = _SIZES[type(layer)]
        size = size_of(layer)
        for name in whole:
            _check_shape(layer, name, size)
        for name in rows:
            _check_shape(layer, name, size[:1])
    if isinstance(layer, nn.Sequential | nn.ModuleList):
        places = [name for name, _ in layer.named_children()]
        if places != [str(i) for i in range(len(places))]:
            raise ValueError(f"layers have the places {', '.join(places)}")
    if getattr(layer, "clip", None) is not None and not layer.clip > 0:
        raise ValueError(f"values are clipped at {layer.clip}")


def _check_shape(layer, name, size):
    """Refuse a tensor of another shape; one that is None is not there on purpose."""
    tensor = getattr(layer, name)
    if tensor is not None and tuple(tensor.shape) != size:
        raise ValueError(
            f"{name} of a {type(layer).__name__} has shape {tuple(tensor.shape)}, not "
            f"{size}"
        )
    if tensor is not None and tensor.isnan().any():
        raise ValueError(f"{name} of a {type(layer).__name__} has NaN")


def check_estimator(estimator):
    """Refuse an estimator whose genes or classes are not those of its network.

    Warn of what is no parameter in this version.
    """
    kind, found = type(estimator).__name__, vars(estimator)
    _warn_of_parameters(type(estimator), found)
    classes, head = found.get("classes_"), found.get("head_")
    if head is not None and classes is not None and len(classes) != head.out_features:
        raise ValueError(f"{len(classes)} classes, and {head.out_features} outputs")
    n_genes, names = found.get("n_features_in_"), found.get("feature_names_in_")
    if n_genes is None and names is None:
        return
    if not isinstance(n_genes, Integral) or n_genes < 1:
        raise ValueError(f"a {kind} with {n_genes!r} genes")
    if names is not None and len(set(names)) != n_genes:
        raise ValueError(
            f"a {kind} of {n_genes} genes, of which {len(set(names))} have a name of "
            "their own"
        )
    n_genes -= len(found.get("covariates_", ()))
    _check_tensors(kind, found, _genes_of_network(kind, found, n_genes))


def _warn_of_parameters(Estimator, found):
    known = inspect.signature(Estimator.__init__).parameters
    for name in found:
        if name not in known and "_" not in (name[0], name[-1]):
            warn_caller(
                f"This version of {PACKAGE} does not know the parameter {name!r} of "
                f"{Estimator.__name__}, and does without it."
            )


def _genes_of_network(kind, found, n_genes):
    """Return how many genes a network knows, which may be others than the table has."""
    standardizer = found.get("standardizer_")
    for part in standardizer.modules() if standardizer is not None else ():
        places = getattr(part, "places", None)
        if places is None:
            continue
        if not ((places >= -1) & (places < n_genes)).all():
            raise ValueError(f"a {kind} takes genes from beyond the {n_genes} it has")
        n_genes = len(places)
    return n_genes


def _check_tensors(kind, found, n_genes):
    for name in ("standardizer_", "encoder_"):
        for tensor, values, axis in _of_genes(found.get(name)):
            if values.shape[axis] != n_genes:
                raise ValueError(
                    f"{name}.{tensor} of a {kind} is of {values.shape[axis]} genes, "
                    f"not {n_genes}"
                )
            if values.isnan().any():
                raise ValueError(f"{name}.{tensor} of a {kind} has NaN")


def _of_genes(module):
    """Yield name and values of tensors with an axis of genes, and the axis."""
    for prefix, part in module.named_modules() if module is not None else ():
        for name, axis in getattr(part, "gene_axes", {}).items():
            values = attrgetter(name)(part)
            yield f"{prefix}.{name}".strip("."), values, axis or 0
