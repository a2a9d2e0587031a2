"""Leave out warnings that say nothing to the user, also in threads."""

import warnings
from contextlib import contextmanager
from threading import Lock

_LOCK = Lock()
_inside = []


@contextmanager
def quiet(category=Warning, message=""):
    """Leave out warnings of a kind.

    Filters belong to the process: of several contexts of `warnings` that overlap in
    threads, the last to end puts back what it found, the filters of another. Here the
    first saves them, and the last that is inside puts them back.

    Parameters
    ----------
    category : type, default=Warning
        Class of the warnings.
    message : str, default=""
        Regular expression that their beginning must match.

    Examples
    --------
    >>> import warnings
    >>> from skgex._training import quiet
    >>> with quiet(UserWarning, "known"):
    ...     warnings.warn("known to all", stacklevel=1)
    """
    with _LOCK:
        if not _inside:
            _inside.append(warnings.catch_warnings())
            _inside[0].__enter__()
        _inside.append(None)
        warnings.filterwarnings("ignore", message, category)
    try:
        yield
    finally:
        with _LOCK:
            _inside.pop()
            if len(_inside) == 1:
                _inside.pop().__exit__(None, None, None)
