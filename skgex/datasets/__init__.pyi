# The public names, and where they come from, for lazy_loader and for type checkers.
from ._breast import load_breast_nki as load_breast_nki
from ._cohort import make_cohort as make_cohort
from ._expression import make_expression as make_expression
from ._pretrained import load_pretrained as load_pretrained
from ._tcga import load_tcga_genomewide as load_tcga_genomewide
from ._tcga import load_tcga_pancancer as load_tcga_pancancer
from ._tissues import load_tissues_u133 as load_tissues_u133
