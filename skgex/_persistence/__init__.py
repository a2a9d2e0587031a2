"""Save fitted estimators in one file that holds no code, and load them again."""

from ._load import load
from ._save import SaveMixin

__all__ = ["SaveMixin", "load"]
