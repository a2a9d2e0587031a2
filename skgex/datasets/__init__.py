"""Real expression data that ship with the package, and synthetic ones."""

from ._breast import load_breast_nki
from ._cohort import make_cohort
from ._expression import make_expression
from ._tcga import load_tcga_genomewide, load_tcga_pancancer
from ._tissues import load_tissues_u133

__all__ = [
    "load_breast_nki",
    "load_tcga_genomewide",
    "load_tcga_pancancer",
    "load_tissues_u133",
    "make_cohort",
    "make_expression",
]
