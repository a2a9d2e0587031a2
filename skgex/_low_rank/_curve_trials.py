"""The kinds of curves that are tried on samples held out."""

import torch

from ._curve_equations import solve_curves
from ._shared_curves import features, shared_curves

# Prior weights, in samples, of what curves are drawn to.
PENALTIES = (10.0, 40.0)


class CurveTrials:
    """The kinds of curves that are tried.

    Parameters
    ----------
    powers : sequence of tensor of shape (4, n_genes), or None
        Power sums of the samples of each fold, where curves are to be shared.
    known : GeneCurves or None
        Curves that were learnt elsewhere.
    """

    def __init__(self, powers, known):
        self.known = known
        self.bases = [None] if known is None else [None, known]
        self.kinds = [(weight, 0, False) for weight in PENALTIES]
        if known is not None:
            self.kinds += [(weight, 1, False) for weight in (*PENALTIES, torch.inf)]
        if powers is None:
            return
        self.kinds += [
            (weight, base, True)
            for base in range(len(self.bases))
            for weight in (*PENALTIES, torch.inf)
        ]
        # Genes that are new are shrunk by the number of samples, others hardly: these
        # alone can share a slope.
        with_level = known is not None and bool(known.heights.flatten(1).any(1).all())
        self.features = features(sum(powers), with_level)
        self.fold_features = [features(sum(powers) - own, with_level) for own in powers]

    def without(self, fold, sums):
        """Return the curves of each kind by the normal equations of the other folds."""
        others = [f for f in range(len(sums)) if f != fold]
        at = self.fold_features[fold] if self._is_shared else None
        return self._solve([sums[f] for f in others], others, at, self.kinds)

    def of_all(self, sums, number):
        """Return the curves of one kind by the normal equations of all folds."""
        at = self.features if self._is_shared else None
        return self._solve(sums, range(len(sums)), at, [self.kinds[number]])[0]

    @property
    def _is_shared(self):
        return any(is_shared for *_, is_shared in self.kinds)

    def _solve(self, sums, folds, at, kinds):
        total = [torch.stack(parts).sum(0) for parts in zip(*sums, strict=True)]
        shared, found = {}, []
        for weight, base, is_shared in kinds:
            drawn_to = self.bases[base]
            if is_shared:
                if base not in shared:
                    designs = [self.fold_features[f] for f in folds]
                    shared[base] = shared_curves(sums, designs, at, drawn_to)
                drawn_to = shared[base]
            found.append(solve_curves(*total, weight, drawn_to))
        return found
