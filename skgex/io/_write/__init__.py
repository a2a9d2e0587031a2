"""Tables to files, in many formats."""

from ._atomic import check_free, is_stream, replacing
from ._h5ad import copy_h5ad
from ._number_lines import round_like
from ._write_expression import TEXT, file_format, write_expression

__all__ = [
    "TEXT",
    "check_free",
    "copy_h5ad",
    "file_format",
    "is_stream",
    "replacing",
    "round_like",
    "write_expression",
]
