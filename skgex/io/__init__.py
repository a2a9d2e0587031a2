"""Read expression tables from files, and tables that are larger than memory."""

from .._mapped_table import MappedTable
from ._archs4 import read_archs4
from ._check import ExpressionReport, check_expression
from ._expression import read_expression
from ._gct import read_gct
from ._h5ad import read_h5ad
from ._open import open_memmap
from ._to_memmap import to_memmap
from ._write import write_expression
from ._xena import read_xena

__all__ = [
    "ExpressionReport",
    "MappedTable",
    "check_expression",
    "open_memmap",
    "read_archs4",
    "read_expression",
    "read_gct",
    "read_h5ad",
    "read_xena",
    "to_memmap",
    "write_expression",
]
