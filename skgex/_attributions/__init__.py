"""Which genes an output is due to."""

from ._gene_attributions import gene_attributions

__all__ = ["gene_attributions"]
