"""Tables of text: how they are stored, what stands where, and their numbers."""

from ._cells import is_missing, is_number, remedy
from ._columns import find_columns
from ._decisions import (
    describe,
    genes_of,
    orientation_of,
    samples_of,
    say_notes,
    say_odd_samples,
)
from ._dialect import Dialect
from ._layout import TextLayout
from ._no_text import refuse_no_text
from ._one_sample import GENERIC_NAMES, ONE_SAMPLE_FORMATS
from ._open import Storage, storage_of
from ._orientation import GENES, SAMPLES
from ._table import frames_about, open_table

__all__ = [
    "GENERIC_NAMES",
    "GENES",
    "ONE_SAMPLE_FORMATS",
    "SAMPLES",
    "Dialect",
    "Storage",
    "TextLayout",
    "describe",
    "find_columns",
    "frames_about",
    "genes_of",
    "is_missing",
    "is_number",
    "open_table",
    "orientation_of",
    "refuse_no_text",
    "remedy",
    "samples_of",
    "say_notes",
    "say_odd_samples",
    "storage_of",
]
