"""check_expression: what is odd about a table."""

import numpy as np
from sklearn.utils._param_validation import HasMethods, validate_params

from ._alike import alike_findings
from ._coverage import coverage
from ._finding import SEVERITIES
from ._measures import measure
from ._mixed_units import main_rows, mixed_units
from ._names import gene_findings
from ._odd_columns import odd_columns
from ._report import ExpressionReport
from ._sample_names import sample_findings, transposition, transposition_by_shape
from ._samples import row_findings, usable_rows
from ._scales import odd_scales
from ._selected import select
from ._table import Table
from ._units import find_unit
from ._values import missing_findings, value_findings, zero_findings
from ._words import not_numbers
from ._words import odd_columns as odd_columns_found

# So many samples tell the unit.
_MOST_SAMPLES = 200


@validate_params(
    {"genes": ["array-like", HasMethods(["fit"]), None]},
    prefer_skip_nested_validation=True,
)
def check_expression(X, *, genes=None):
    """Tell what is odd about a table of expression, and what to do.

    Looks at names of genes and samples and at values, and changes nothing. A table
    over a memory map is read in blocks of rows.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_genes)
        The table, best a DataFrame with names of genes as columns. Of an array only
        the values are looked at.
    genes : array-like of str or fitted estimator, default=None
        The genes of a model, or what was fitted with them: the report then says how
        many of them the table has, as :class:`~skgex.GeneAligner` finds them.

    Returns
    -------
    report : ExpressionReport
        ``print(report)`` shows it, ``report.to_frame()`` is a table with a line for
        each finding. ``report.unit`` is "counts", "TPM or CPM", "logarithms",
        "z-scores" or "unknown", and ``report["summary_rows"].where`` the names that a
        finding is about.

    Raises
    ------
    ValueError
        If `X` is no table, or has no samples or no genes.

    See Also
    --------
    skgex.GeneAligner : Brings a table to the genes of a model.

    Notes
    -----
    An "error" makes results wrong, a "warning" may, and a "note" is worth knowing.
    Limits were set so that public tables give no false alarm; what is odd in a less
    clear way is not found. Values tell units only from about 50 genes on.

    Examples
    --------
    >>> import pandas as pd
    >>> from skgex.io import check_expression
    >>> X = pd.DataFrame(
    ...     {"1-Mar": [5, 0], "TP53": [812, 455], "__no_feature": [9031, 8777]},
    ...     index=["patient 1", "patient 2"],
    ... )
    >>> report = check_expression(X)
    >>> print(report)
    2 samples x 3 genes. Values are counts, whole numbers.
    error: 1 gene is a sum that a counting program wrote: '__no_feature'. Leave them
           out, as they are no genes, and change totals and logarithms of counts per
           million.
    warning: 1 gene name became a date in a spreadsheet: '1-Mar' (MARCHF1 or
             MTARC1). Take the names from the file before it was opened there, as
             two symbols may have become one date.
    >>> report.unit, report["summary_rows"].where
    ('counts', ('__no_feature',))
    """
    table = Table(X)
    found = [*_about_names(table), *([not_numbers(table.text)] if table.text else [])]
    if genes is not None:
        found.append(coverage([*table.genes, *table.text], genes))
    unit = None
    if table.shape[1]:
        # Values near the limits of float32 have infinite squares.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            unit, about_values = _about_values(table)
        found += about_values
    found.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return ExpressionReport(
        *table.shape,
        unit.name if unit else "unknown",
        unit.detail if unit else "There are no numbers.",
        tuple(found),
    )


def names_report(gene_names=None, sample_names=None):
    """Return what names alone tell, for readers to warn of.

    Parameters
    ----------
    gene_names, sample_names : sequence of str or None
        Names of columns and rows, None where they have none.

    Returns
    -------
    findings : list of Finding
        As in the report; their text is the warning.
    """
    transposed = transposition(gene_names, sample_names)
    if transposed:
        # The names of genes are those of samples: more is said in vain.
        return [transposed]
    found = [] if gene_names is None else gene_findings(gene_names)
    return found + ([] if sample_names is None else sample_findings(sample_names))


def _about_names(table):
    found = names_report(
        table.genes if table.has_genes else None,
        table.samples if table.has_samples else None,
    )
    by_shape = transposition_by_shape(table)
    return [*found, by_shape] if by_shape else found


def _about_values(table):
    n_samples, n_genes = table.shape
    step = max(1, -(-n_samples // _MOST_SAMPLES))
    rows = main_rows(table.take(range(0, n_samples, step)))
    large = odd_columns(rows)
    unit = find_unit(rows[:, ~large])
    logarithm = _log2 if unit.linear else _unchanged
    measures = measure(table, logarithm, _floor(rows))
    profiles, missing, zero = select(table, measures, logarithm)
    mixed = mixed_units(table, measures)
    usable = usable_rows(measures, n_genes)
    found = [*unit.findings, *([mixed] if mixed else [])]
    if large.any():
        found.append(odd_columns_found([table.genes[i] for i in np.flatnonzero(large)]))
    found += value_findings(table, measures, unit)
    found += row_findings(table, measures, unit)
    found += missing_findings(table, measures, missing)
    found += zero_findings(table, zero)
    found += alike_findings(
        profiles,
        table.samples,
        measures.row_key,
        usable,
        levels=unit.linear or unit.name == "logarithms",
    )
    if unit.name == "logarithms" and not mixed:
        found += odd_scales(profiles, measures, usable, table.samples)
    return unit, found


def _floor(rows):
    """Return what stands for no expression: the lowest value, if many have it."""
    lowest = np.fmin.reduce(rows, axis=None)
    return lowest if np.mean(rows == lowest) > 0.01 else 0.0


def _log2(values):
    return np.log2(np.maximum(values, 0) + np.float32(1))


def _unchanged(values):
    return values
