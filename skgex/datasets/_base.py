"""What all loaders share: reading the shipped files and assembling a Bunch."""

from importlib.resources import files

import numpy as np
from sklearn.utils import Bunch

# pandas is imported inside the functions that need it, so that importing
# `skgex.datasets` for synthetic data stays light.

LOADER_PARAMETERS = {"return_X_y": ["boolean"], "as_frame": ["boolean"]}
SURVIVAL_DTYPE = np.dtype([("event", bool), ("time", float)])


def _open(name):
    return files("skgex.datasets").joinpath("data", name).open("rb")


def read_arrays(name):
    """Read the expression matrix ``X``, the gene names and further arrays of a set."""
    with _open(f"{name}.npz") as file, np.load(file) as arrays:
        return dict(arrays)


def read_metadata(name):
    """Read what is known of the samples of a set: a DataFrame indexed by sample."""
    import pandas as pd

    with _open(f"{name}.csv.gz") as file:
        return pd.read_csv(
            file, index_col="sample", compression="gzip", dtype={"patient": str}
        )


def make_survival(event, time):
    """Make the structured array of scikit-survival's ``Surv`` from two columns.

    Where follow-up is missing, ``time`` is NaN and ``event`` is False.
    """
    survival = np.empty(len(time), SURVIVAL_DTYPE)
    survival["event"] = np.asarray(event, float) == 1
    survival["time"] = time
    return survival


def _to_frames(X, target, target_name, genes, index):
    import pandas as pd

    X = pd.DataFrame(X, index, genes)
    if target.dtype.names:
        return X, pd.DataFrame(target, index)
    return X, pd.Series(target, index, name=target_name)


def make_bunch(
    name,
    X,
    target,
    genes,
    metadata,
    *,
    target_name,
    return_X_y,
    as_frame,
    **fields,
):
    """Return what a loader returns: ``(X, y)`` or a Bunch, as arrays or frames."""
    names = target.dtype.names
    target_names = np.array(names) if names else np.unique(target)
    frame = None
    if as_frame:
        X, target = _to_frames(X, target, target_name, genes, metadata.index)
    if return_X_y:
        return X, target
    if as_frame:
        frame = X.join(target)
    return Bunch(
        data=X,
        target=target,
        frame=frame,
        feature_names=genes,
        target_names=target_names,
        sample_names=metadata.index.to_numpy(str),
        metadata=metadata,
        DESCR=files("skgex.datasets")
        .joinpath("data", f"{name}.rst")
        .read_text(encoding="utf-8"),
        **fields,
    )
