"""Where things stand in a table of text."""

from dataclasses import dataclass, field

from ._columns import Columns
from ._dialect import Dialect
from ._open import Storage


@dataclass
class TextLayout:
    """Where things stand in a table of text.

    Attributes
    ----------
    storage : Storage
        How the text is stored.
    dialect : Dialect
        How fields are separated.
    n_header_lines : int
        Lines of the file before the first with values.
    n_fields : int
        Number of fields of each line with values.
    columns : Columns
        What they hold.
    format : str, default="text"
        Name of the format.
    n_lines : int, default=None
        How many lines with values there must be.
    sample_fields : list of (str, list of str)
        What the header says of the samples.
    decimals : int, default=None
        How many decimals all numbers have.
    notes : list of str
        What was found, in sentences.
    """

    storage: Storage
    dialect: Dialect
    n_header_lines: int
    n_fields: int
    columns: Columns
    format: str = "text"
    n_lines: int | None = None
    sample_fields: list = field(default_factory=list)
    decimals: int | None = None
    notes: list = field(default_factory=list)

    def __post_init__(self):
        self.samples = [self.columns.names[i] for i in self.columns.values]
