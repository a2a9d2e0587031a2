"""Rows that counters write beside those of genes."""

import re

from ._clean import clean_name

_HTSEQ = r"no_feature|ambiguous|too_low_aqual|not_aligned|alignment_not_unique"
_STAR = r"n_(?:unmapped|multimapping|nofeature|ambiguous)"
_FEATURE_COUNTS = r"assigned|unassigned_\w+"
_TOTALS = r"totals?|grand[ _.]total|total[ _.](?:counts?|reads?)|library[ _.]size"
# Older versions of HTSeq have no underscores; R puts an X before them. The asterisk
# is that of samtools idxstats.
_ROW = re.compile(
    rf"X?(?:__)?(?:{_HTSEQ})|X?__[a-z_]+|{_STAR}|{_FEATURE_COUNTS}|{_TOTALS}|\*",
    re.IGNORECASE | re.ASCII,
)


def is_summary_row(name):
    """Whether a name is that of reads without a gene, or of a sum over genes."""
    return _ROW.fullmatch(clean_name(name)) is not None
