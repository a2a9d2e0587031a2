"""Samples in the coordinates of their singular vectors."""

import numpy as np
import torch
from sklearn.utils.extmath import randomized_svd

_MAX_EXACT, _N_LEADING = 3000, 2000
_MAX_EXACT_AXES = 1200
_CHUNK_VALUES = 2**24


class SampleSpan:
    """Features in the coordinates of their singular vectors.

    The ridge solution lies in the span of the samples, where it has no more coordinates
    than there are samples, and the same penalty. So it is exact, however many features
    there are. Where both samples and features are more than 3,000, only the 2,000
    leading coordinates are kept, to bound time and memory: an approximation, which a
    ridge penalty, strongest on what varies least, should hardly notice.

    Parameters
    ----------
    features : ndarray of shape (n_samples, n_features)
        Centred, in the units in which their coefficients are to be penalised alike.

    Attributes
    ----------
    scores : tensor of shape (n_samples, rank), dtype float64
        The samples; the leading coordinates, of most variance, are the last.
    """

    def __init__(self, features):
        self._features = features = torch.as_tensor(features)
        n_samples, n_features = features.shape
        self._wide = n_features > n_samples
        if min(features.shape) > _MAX_EXACT:
            left, values, right = randomized_svd(
                features.numpy(), _N_LEADING, random_state=0
            )
            vectors = torch.from_numpy(left if self._wide else right.T).double().flip(1)
            values = torch.from_numpy(values).double().square().flip(0)
        else:
            # From the smaller Gram matrix: ten times as fast as a singular value
            # decomposition, and directions it cannot resolve carry no risk.
            values, vectors = torch.linalg.eigh(_gram(features, self._wide))
        keep = values > values.max().clamp(min=0) * 1e-10
        values, vectors = values[keep], vectors[:, keep]
        if self._wide:
            self.scores = vectors * values.sqrt()
            self._vectors = vectors / values.sqrt()
        else:
            self.scores = features.double() @ vectors
            self._vectors = vectors

    def coefficients(self, theta):
        """Return what a solution in the span is for the features."""
        if not self._wide:
            return self._vectors @ theta
        samples = self._vectors @ theta
        parts = self._features.split(_chunk(self._features), dim=1)
        return torch.cat([part.double().T @ samples for part in parts])


def _gram(features, wide):
    """Return inner products of samples, or of features, in double precision."""
    gram = 0
    for part in features.split(_chunk(features if wide else features.T), dim=int(wide)):
        part = part.double()
        gram = gram + (part @ part.T if wide else part.T @ part)
    return gram


def _chunk(features):
    return max(1, _CHUNK_VALUES // len(features))


def principal_axes(features, n_axes):
    """Return the directions of most variance.

    Parameters
    ----------
    features : ndarray of shape (n_samples, n_features)
        Centred.
    n_axes : int
        Number of directions, if there are as many.

    Returns
    -------
    axes : ndarray of shape (n_features, n_axes), dtype float64
        Orthonormal columns.
    """
    if min(features.shape) > _MAX_EXACT_AXES:
        axes = randomized_svd(features, n_axes, random_state=0)[2].T
        return axes.astype(np.float64)
    span = SampleSpan(features)
    # The coefficients of one coordinate are its direction.
    leading = torch.eye(span.scores.shape[1], dtype=torch.float64)[:, -n_axes:]
    return span.coefficients(leading).numpy()
