"""GeneAligner: any table in, the genes of a model in their order out."""

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from .._inputs import check_genes
from ._column_plan import ColumnPlan
from ._coverage import check_coverage, refuse_duplicates
from ._gene_ids import IdMapper
from ._gene_matches import FIELDS, GeneMatches
from ._rows import check_rows, checked_rows
from ._table import table_names, table_values
from ._transposed import refuse_genes_in_rows, refuse_transposed, row_labels
from ._wanted_genes import check_number, wanted_genes


class GeneAligner(TransformerMixin, BaseEstimator):
    """Bring any table to the genes of a model, in their order.

    Columns are matched by name, also where tools have changed names: see Notes. Genes
    that a table lacks become NaN, which stands for not measured; columns of other genes
    are dropped, and several columns of one gene are merged. Tables in `transform` may
    have other columns than that of `fit`.

    Parameters
    ----------
    genes : array-like of str, fitted estimator or None, default=None
        The genes of the output, or what was fitted with them: anything that has
        `feature_names_in_`. In a pipeline that is cloned, as in a search, write
        ``FrozenEstimator(embedder)``. None takes the genes of the table in `fit`.
    mapping : dict, pandas.Series or None, default=None
        From ids in tables to the names of genes, such as from Ensembl ids to symbols.
        An id that is mapped to None or NaN is dropped, one that is not in the mapping
        stays as it is.
    strip_version : bool, default=True
        Whether Ensembl ids [1]_ are compared without their version, so that
        ENSG00000141510.17 is ENSG00000141510. Other names, such as RP11-34P13.7, stay
        as they are.
    on_duplicate : {"mean", "sum", "max", "first", "error"}, default="mean"
        What becomes of several columns of one gene, in each sample: their mean, for
        logarithms; their sum, for counts; the largest value, for probes of an array;
        the first of the columns; or a ValueError. Missing values are left out of the
        first three. The sum takes in the copies of genes on the Y chromosome.
    min_coverage : float, default=0.5
        A table that has a smaller share of the genes is refused, in `fit` and in
        `transform`. One gene is needed in any case.

    Attributes
    ----------
    genes_ : ndarray of shape (n_genes,)
        The genes of the output.
    coverage_ : float
        The share of them that the table in `fit` had.
    matches_ : ndarray
        How: a record with the fields "column", "gene" and "rule" for each column that
        is used. The rule is one of "exact", "spaces", "version", "mapping", "PAR_Y",
        "double name" and "R name". Empty for an array.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if `X` had any.

    See Also
    --------
    GeneRestorer : Restores the genes that a table lacks.
    QuantileNormalizer : Brings values to the units of the training data.

    Notes
    -----
    `mapping` comes first, then the name as it is, then these rules:

    - spaces: without spaces, quotes and byte order marks around it; 7157.0 is 7157;
    - double names: of TP53|7157 and TP53 (7157) the symbol, or else the id, is the
      gene, in tables as well as among the genes. Equal symbols with different numbers
      are different genes;
    - names changed by R: HLA.A is HLA-A, and X7157 is 7157.

    The last two give way to columns that need neither. A column that may be several of
    the genes is refused, unless one of these has a surer column. Names that say there
    is none, such as NA and ---, are no gene, nor are numbers of columns, X1, X2, X3.

    The copy of a gene on the Y chromosome, whose id ends in _PAR_Y, is a gene of its
    own, unless `mapping` says otherwise. Where `genes` lack it, it is dropped, as it
    halves means; but a sum takes it in if the table has the other copy too.

    An array has no names. It is passed through if it has as many columns as there are
    genes, in `transform` as many as in `fit`, and taken to be in that order.

    References
    ----------
    .. [1] Zerbino D. R. et al. "Ensembl 2018", Nucleic Acids Research 46(D1),
       D754-D761, 2018. :doi:`10.1093/nar/gkx1098`

    Examples
    --------
    >>> import pandas as pd
    >>> from skgex import GeneAligner
    >>> cohort = pd.DataFrame(
    ...     {"ENSG00000141510.17": [5.0], "ENSG00000075624.16": [9.0], "age": [61.0]},
    ...     index=["patient"],
    ... )
    >>> aligner = GeneAligner(
    ...     ["ACTB", "TP53", "MYC"],
    ...     mapping={"ENSG00000141510": "TP53", "ENSG00000075624": "ACTB"},
    ... )
    >>> aligner.set_output(transform="pandas").fit_transform(cohort)
             ACTB  TP53  MYC
    patient   9.0   5.0  NaN
    """

    _parameter_constraints: dict = {
        "genes": ["array-like", HasMethods(["fit"]), None],
        "mapping": [HasMethods(["items"]), None],
        "strip_version": ["boolean"],
        "on_duplicate": [StrOptions({"mean", "sum", "max", "first", "error"})],
        "min_coverage": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(
        self,
        genes=None,
        *,
        mapping=None,
        strip_version=True,
        on_duplicate="mean",
        min_coverage=0.5,
    ):
        self.genes = genes
        self.mapping = mapping
        self.strip_version = strip_version
        self.on_duplicate = on_duplicate
        self.min_coverage = min_coverage

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Find the genes in a table; nothing is learnt of its values.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Expression profiles, with the names of the genes as columns.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted aligner.
        """
        names, wanted = table_names(X), wanted_genes(self.genes)
        if names is None:
            X = check_genes(self, X, reset=True, lazy=True)
            genes = _check_feature_names_in(self, None) if wanted is None else wanted
            check_number(genes, self.n_features_in_)
            plan, matches = ColumnPlan(range(len(genes))), np.array([], dtype=FIELDS)
        else:
            self.n_features_in_, self.feature_names_in_ = len(names), names
            plan, genes, matches = self._match(X, names, wanted)
            X = table_values(X, plan.columns)
            names = names[plan.columns]
        check_rows(X, names)
        self._plan = plan
        self._by_name = wanted is not None or names is not None
        self.coverage_, self.matches_ = len(plan.genes) / len(genes), matches
        self.genes_ = genes
        return self

    def transform(self, X):
        """Put the columns of a table in the order of the genes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Expression profiles, with the names of genes as columns.

        Returns
        -------
        X_aligned : ndarray of shape (n_samples, n_genes), float32 or float64
            NaN in genes that the table lacks. An array that is passed through is `X`
            itself.
        """
        check_is_fitted(self)
        names = table_names(X)
        if names is not None and self._by_name:
            plan, _, _ = self._match(X, names, self.genes_)
            X = table_values(X, plan.columns)
            names, columns = names[plan.columns], slice(None)
        else:
            plan, n_columns = self._plan, self.n_features_in_
            passed = plan.changes_nothing(n_columns, len(self.genes_))
            X = check_genes(self, X, reset=False, lazy=not passed)
            names, columns = getattr(self, "feature_names_in_", None), plan.columns
            if passed:
                check_rows(X, names)  # the copy of a memory map may not fit
                return X
        output = np.empty((len(X), len(self.genes_)), X.dtype)
        for rows, chunk in checked_rows(X, names, allow_empty=True):
            plan.write(chunk[:, columns], self.on_duplicate, output[rows])
        return output

    def get_feature_names_out(self, input_features=None):
        """Return the genes.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns, if `fit` was given none.

        Returns
        -------
        feature_names_out : ndarray of str
            The genes of the output.
        """
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        return self.genes_.copy() if self._by_name else names

    def _match(self, X, names, genes):
        """Find the columns of each gene; None stands for the genes of the table."""
        mapper = IdMapper(self.mapping, self.strip_version)
        if genes is None:
            refuse_genes_in_rows(row_labels(X), names)
            genes = mapper.genes_of(names)
        matches = GeneMatches(names, genes, mapper, self.on_duplicate == "sum")
        plan = ColumnPlan(matches.places)
        if 2 * len(plan.genes) < len(genes):
            found = matches.count(row_labels(X))
            refuse_transposed(found, len(plan.genes), len(genes))
        check_coverage(plan, names, genes, self.min_coverage)
        if self.on_duplicate == "error":
            refuse_duplicates(plan, names, genes)
        return plan, genes, matches.table

    def __sklearn_is_fitted__(self):
        # A fit that was refused has learnt the columns, but no genes.
        return hasattr(self, "genes_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
