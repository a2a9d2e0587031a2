"""The method `save`."""

import platform
from importlib import import_module
from typing import Any

import numpy as np
import sklearn
import torch
from sklearn.utils.validation import check_is_fitted

from .._training import launched_rank
from ._classes import PACKAGE, class_name
from ._encode import Encoder
from ._file import write


class SaveMixin:
    """Mixin of estimators that can be saved."""

    # Learnt in fit; named here for type checkers, which do not see how it is set.
    n_features_in_: int
    feature_names_in_: Any
    unit_: Any

    def save(self, path, *, unit=None, half_precision=False) -> None:
        """Save the fitted estimator in one file, for :func:`skgex.load`.

        The file is of the safetensors format, with parameters, names of genes and all
        else in JSON: reading it runs no code. Neither training data nor the state of
        the optimiser are in it. It is written at once, or not at all. Of processes that
        `torchrun` or `accelerate launch` started, only the first one writes.

        Parameters
        ----------
        path : path-like
            Where to. A file that is there is replaced, unless it is read-only; a
            symbolic link stays, and the file that it points to is replaced.
        unit : str, default=None
            The unit that expression is in, such as ``"log2(TPM + 0.001)"``, for those
            who will use the weights. The loaded estimator has it as `unit_`, and saves
            it again.
        half_precision : bool, default=False
            Whether large arrays are written with three digits: such files are half as
            large. What is loaded computes in single precision, with rounded weights.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        OSError
            If the file cannot be written, of the kind that the reason is: a full disk,
            a folder that is not there, a file that is read-only, a name that is too
            long. Nothing is left of it, and an older file is as it was.
        ValueError
            If a parameter cannot be saved, or the estimator is of a class of your own.

        See Also
        --------
        skgex.load : Load it again.

        Examples
        --------
        >>> import tempfile
        >>> import skgex
        >>> from skgex.datasets import load_tissues_u133
        >>> X, tissue = load_tissues_u133(return_X_y=True)
        >>> embedder = skgex.VIME(max_epochs=1, random_state=0).fit(X)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     embedder.save(f"{folder}/vime.safetensors", unit="RMA, log2")
        ...     loaded = skgex.load(f"{folder}/vime.safetensors")
        >>> loaded.unit_
        'RMA, log2'
        >>> bool((loaded.transform(X) == embedder.transform(X)).all())
        True
        """
        check_is_fitted(self)
        unit = getattr(self, "unit_", None) if unit is None else unit
        if unit is not None and not isinstance(unit, str):
            raise ValueError(f"unit={unit!r} must be a str, such as 'log2(TPM + 1)'.")
        encoder = Encoder(half_precision)
        header = {
            "class": class_name(type(self)),
            "unit": unit,
            "versions": _versions(),
            "estimator": encoder.encode(self, type(self).__name__),
        }
        if not launched_rank():
            # Or else of several processes all would write the same file.
            write(path, header, encoder.arrays, encoder.digests())


def _versions():
    return {
        PACKAGE: import_module(PACKAGE).__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
        "torch": torch.__version__,
    }
