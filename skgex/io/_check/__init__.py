"""What is odd about a table, and what to do: findings, and the words for them."""

from . import _words as words
from ._check_expression import check_expression, names_report
from ._report import ExpressionReport

__all__ = ["ExpressionReport", "check_expression", "names_report", "words"]
