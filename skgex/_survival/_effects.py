"""Effects of covariates: coefficients without a penalty, and how sure they are."""

import numpy as np
from scipy.stats import norm
from sklearn.utils.validation import check_is_fitted

from .._covariates import covariate_labels, covariate_places
from .._warn import warn_caller

# Of a standardised covariate, what is left of its variation beside the others.
_COLLINEAR = 1e-7
# Of information for each event, what a coefficient cannot be told from.
_UNKNOWN = 1e-7


class CovariateEffects:
    """Mixin of estimators that have covariates; `_fit` sets the private attributes."""

    @property
    def coef_covariates_(self):
        """Effects of the covariates, in a table."""
        from pandas import DataFrame, Index

        check_is_fitted(self)
        index = Index(covariate_labels(self))
        coef, error = np.zeros((2, 0))
        if len(index):
            coef = self._covariate_coef / self._covariate_scale
            error = np.sqrt(np.diag(self._covariate_covariance))
        z, width = coef / error, norm.ppf(0.975) * error
        with np.errstate(over="ignore"):  # infinite, where nothing is known
            lower, upper = np.exp(coef - width), np.exp(coef + width)
        columns = {
            "coef": coef,
            "standard_error": error,
            "hazard_ratio": np.exp(coef),
            "lower": lower,
            "upper": upper,
            "z": z,
            "pvalue": 2 * norm.sf(np.abs(z)),
        }
        return DataFrame(columns, index)

    @property
    def coef_table_(self):
        """Coefficients of all columns of `X`, in its order, in a table."""
        from pandas import DataFrame, Index

        effects, names = self.coef_covariates_, getattr(self, "feature_names_in_", None)
        if names is None:
            names = [f"x{i}" for i in range(self.n_features_in_)]
        table = DataFrame(np.nan, Index(names), ["kind", *effects.columns])
        table["kind"] = "gene"
        genes = np.delete(np.arange(len(table)), covariate_places(self))
        table.iloc[genes, 1] = self.coef_
        table.iloc[genes, 3] = np.exp(self.coef_)
        table.iloc[covariate_places(self), 0] = "covariate"
        table.iloc[covariate_places(self), 1:] = effects.to_numpy()
        return table

    def _covariate_risk(self, C):
        """Return what covariates say of the log risk."""
        return covariate_risk(C, vars(self)) if C.shape[1] else np.zeros(len(C))


def covariate_risk(C, learnt):
    """Return the part of the log risk that covariates have, of shape (n_samples,).

    Zero at the mean. Summed covariate by covariate: so it is the same to the last bit
    whatever other samples there are.
    """
    risk = np.zeros(len(C))
    columns = (learnt[f"_covariate_{name}"] for name in ("center", "scale", "coef"))
    for values, center, scale, coef in zip(C.T, *columns, strict=True):
        risk += coef * ((values - center) / scale)
    return risk


def fit_scale(estimator, C):
    """Return mean and standard deviation of each covariate.

    Raises
    ------
    ValueError
        If a covariate is constant, or follows from those before it.
    """
    names = covariate_labels(estimator)
    center, scale = C.mean(axis=0), C.std(axis=0)
    for name, mean, std in zip(names, center, scale, strict=True):
        if not std > 1e-9 * max(abs(mean), 1e-300):
            raise ValueError(
                f"Covariate {str(name)!r} has the same value, {mean:g}, in all samples "
                "of fit: leave it out of X and of covariates."
            )
    standard = (C - center) / scale
    for last in range(1, C.shape[1]):
        before, own = standard[:, :last], standard[:, last]
        rest = own - before @ np.linalg.lstsq(before, own, rcond=None)[0]
        if rest.std() < _COLLINEAR:
            raise ValueError(
                f"Covariate {str(names[last])!r} is a linear combination of "
                f"{', '.join(repr(str(name)) for name in names[:last])}: without a "
                "penalty such coefficients are not defined. Leave one out; of the "
                "columns of a category, by OneHotEncoder(drop='first')."
            )
    return center, scale


def learnt_effects(estimator, risk, center, scale, n_events):
    """Return the private attributes that `CovariateEffects` needs.

    Parameters
    ----------
    estimator : estimator
        With `covariates_`.
    risk : LinearRisk
        What was fitted.
    center, scale : ndarray of shape (n_covariates,)
        From `fit_scale`.
    n_events : float
        Weight of the events.
    """
    covariance = _invert(estimator, risk.information, n_events, scale)
    return {
        "_covariate_center": center,
        "_covariate_scale": scale,
        "_covariate_coef": risk.covariates,
        "_covariate_covariance": covariance,
    }


def _invert(estimator, information, n_events, scale):
    """Return the covariance of coefficients of covariates, in their units.

    Warns where an event or its absence follows from a covariate, or a covariate has but
    one value within each stratum: then there is no finite coefficient, or none at all.
    """
    values, vectors = np.linalg.eigh((information + information.T) / 2)
    if len(values) and values[0] < _UNKNOWN * n_events:
        name = covariate_labels(estimator)[np.abs(vectors[:, 0]).argmax()]
        place = covariate_places(estimator)[np.abs(vectors[:, 0]).argmax()]
        warn_caller(
            f"The follow-up says next to nothing of covariate {str(name)!r} (column "
            f"{place}): it is constant within strata, or separates those with the "
            "event from those without, so that its coefficient has no bound. Don't "
            "report it; leave it out, or use coarser categories."
        )
    values = np.maximum(values, 1e-14 * values.max(initial=0))
    covariance = (vectors / values) @ vectors.T
    return covariance / np.outer(scale, scale)
