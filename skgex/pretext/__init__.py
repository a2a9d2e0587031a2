"""Self-supervised embedders, one file for each pretext method."""

from ._byol import BYOL
from ._gexbert import GexBERT
from ._scarf import SCARF
from ._vime import VIME

__all__ = ["BYOL", "SCARF", "VIME", "GexBERT"]
