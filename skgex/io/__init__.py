"""Read expression tables from files, and tables that are larger than memory."""

from ._archs4 import read_archs4
from ._gct import read_gct
from ._h5ad import read_h5ad
from ._open import open_memmap
from ._to_memmap import to_memmap
from ._xena import read_xena

__all__ = [
    "open_memmap",
    "read_archs4",
    "read_gct",
    "read_h5ad",
    "read_xena",
    "to_memmap",
]
