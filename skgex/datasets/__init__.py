"""Real expression data that ship with the package, and synthetic ones."""

import lazy_loader

# Pretrained weights need torch, which the data do not.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_breast": ["load_breast_nki"],
        "_cohort": ["make_cohort"],
        "_expression": ["make_expression"],
        "_pretrained": ["load_pretrained"],
        "_tcga": ["load_tcga_genomewide", "load_tcga_pancancer"],
        "_tissues": ["load_tissues_u133"],
    },
)
