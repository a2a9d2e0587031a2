"""What names of genes and samples are, and what tools have made of them."""

from ._clean import clean_name, is_scientific, is_unnamed
from ._forms import split_double, strip_version
from ._kinds import id_kind, is_run, share_of_genes
from ._r_names import r_name, r_names
from ._samples import sample_kind, share_of_samples
from ._spreadsheet import is_date, spreadsheet_symbols
from ._summary_rows import is_summary_row
from ._symbols import known_symbols

__all__ = [
    "clean_name",
    "id_kind",
    "is_date",
    "is_run",
    "is_scientific",
    "is_summary_row",
    "is_unnamed",
    "known_symbols",
    "r_name",
    "r_names",
    "sample_kind",
    "share_of_genes",
    "share_of_samples",
    "split_double",
    "spreadsheet_symbols",
    "strip_version",
]
