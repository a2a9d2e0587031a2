"""Labels of batches: what is checked of them, and which batch each sample is of."""

import numpy as np


def check_batch(batch, n_samples):
    """Return the batches among the labels, and the number of the batch of each sample.

    Parameters
    ----------
    batch : array-like of shape (n_samples,) or None
        Labels, strings or numbers. None for samples that are all of one batch, whose
        label is None.
    n_samples : int
        How many there have to be.

    Returns
    -------
    labels : ndarray of shape (n_batches,)
        The batches, in order.
    codes : ndarray of shape (n_samples,)
        The place of each sample's batch among them.

    Raises
    ------
    ValueError
        If there is not one label for each sample, one is missing, or strings and
        numbers are mixed.
    """
    if batch is None:
        return np.array([None]), np.zeros(n_samples, dtype=int)
    labels = np.asarray(batch)
    if labels.ndim != 1:
        raise ValueError(
            "batch has to be one label for each sample, of shape (n_samples,); it has "
            f"the shape {labels.shape}."
        )
    if len(labels) != n_samples:
        raise ValueError(
            f"batch has {len(labels)} labels, but X has {n_samples} samples."
        )
    missing = [_is_missing(label) for label in labels.tolist()]
    if any(missing):
        raise ValueError(
            f"batch has no label for sample {np.argmax(missing)} ({sum(missing)} are "
            "missing): give such samples a label of their own, or leave them out."
        )
    try:
        return np.unique(labels, return_inverse=True)
    except TypeError:
        kinds = sorted({type(label).__name__ for label in labels.tolist()})
        raise ValueError(
            f"batch mixes labels of types {', '.join(kinds)}, such as 1 and '1': make "
            "all of them strings."
        ) from None


def match_batches(known, labels):
    """Return the place of each label among the known ones, -1 for a new batch.

    Parameters
    ----------
    known, labels : ndarray of shape (n_batches,)
        Batches, as `check_batch` returns them.

    Raises
    ------
    ValueError
        If there are none although some are known, or ones of another type.
    """
    if known[0] is not None:
        if labels[0] is None:
            raise ValueError(
                "fit was given batch, and transform was not: pass batch=... to it too. "
                "In a Pipeline enable metadata routing, and call "
                "set_fit_request(batch=True).set_transform_request(batch=True)."
            )
        if _is_string(known[0]) != _is_string(labels[0]):
            raise ValueError(
                f"batch has labels such as {labels.tolist()[0]!r}, where fit had "
                f"{known.tolist()[0]!r}: labels have to be strings in both, or numbers."
            )
    place = {label: i for i, label in enumerate(known.tolist())}
    return np.array([place.get(label, -1) for label in labels.tolist()])


def _is_missing(label):
    # Missing values are not equal to themselves; that of pandas does not even say so.
    equal = label == label
    return label is None or not isinstance(equal, bool | np.bool_) or not equal


def _is_string(label):
    return isinstance(label, str)
