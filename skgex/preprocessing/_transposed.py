"""Tables that have genes in rows."""

from .._gene_names import id_kind, share_of_genes, share_of_samples
from .._inputs import some_names

# Of fewer labels nothing can be said without genes to compare them with.
_MIN_LABELS = 5
# Numbers may be those of patients too.
_SURE_KINDS = {"symbol", "Ensembl gene", "Ensembl transcript"}


def row_labels(X):
    """Return the labels of rows of a table that are strings."""
    labels = getattr(X, "index", ())
    return [] if callable(labels) else [x for x in labels if isinstance(x, str)]


def refuse_transposed(n_rows, n_columns, n_genes):
    """Refuse a table whose rows are more of the genes than its columns are."""
    if n_rows > n_columns:
        raise ValueError(
            f"X has {n_rows} of the {n_genes} genes as rows, and {n_columns} as "
            "columns: it is transposed. Give X.T, which has a sample in each row."
        )


def refuse_genes_in_rows(labels, names):
    """Refuse a table whose rows are named like genes, and its columns are not."""
    if min(len(labels), len(names)) < _MIN_LABELS or share_of_genes(names) > 0.1:
        return
    step = -(-len(labels) // 2000)
    taken = labels[::step]
    share = sum(id_kind(label) in _SURE_KINDS for label in taken) / len(taken)
    if share > 0.5 and share_of_samples(labels) < share:
        raise ValueError(
            f"X seems to be transposed: its rows are named like genes, such as "
            f"{some_names(labels)}, and its columns {some_names(names)} are not. Give "
            "X.T, which has a sample in each row, or name the genes by the parameter "
            "genes."
        )
