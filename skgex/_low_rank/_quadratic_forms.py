"""The variance of many genes by the covariances of their factors."""

# Bound on the matrix of products of loadings that is held at a time.
_PAIRS_BYTES = 64 * 2**20


def quadratic_forms(matrices, loadings):
    """Return ``w' C w`` for symmetric matrices `C` and the loadings `w` of genes."""
    if len(matrices) == 1:
        return ((loadings @ matrices[0]) * loadings).sum(1)[None]
    found = matrices.new_zeros(len(matrices), len(loadings))
    for factors, pairs in _pairs(loadings):
        # The pairs are those of one triangle; the others count alike.
        part = matrices[:, factors, : factors.stop].clone()
        part[:, :, : factors.start] *= 2
        part[:, :, factors.start :].tril_().mul_(2)
        part[:, :, factors.start :].diagonal(dim1=1, dim2=2).mul_(0.5)
        found.addmm_(part.flatten(1), pairs.T)
    return found


def _pairs(loadings):
    """Yield products of the loadings of each gene, for some factors at a time.

    The factors are a slice; their products with all factors up to its end are
    flattened, in shape (n_genes, n_factors * end).
    """
    n_genes, rank = loadings.shape
    per_factor = n_genes * rank * loadings.element_size()
    size = max(1, min(16, _PAIRS_BYTES // per_factor))
    for start in range(0, rank, size):
        factors = slice(start, min(start + size, rank))
        upto = loadings[:, None, : factors.stop]
        yield factors, (loadings[:, factors, None] * upto).flatten(1)
