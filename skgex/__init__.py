"""scikit-learn estimators for bulk gene expression."""

import lazy_loader

__version__ = "0.2.0.dev0"

# torch and skorch load with the first estimator that is asked for, not before. The
# names stand in __init__.pyi, where type checkers find them as well.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
