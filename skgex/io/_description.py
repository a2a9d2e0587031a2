"""What stands beside a table on disk: its shape, its genes and its samples."""

import json

from ._journal import FORMAT

# What each entry has to be.
_ENTRIES = {
    "shape": lambda v: _is_list_of(v, int) and len(v) == 2 and min(v) >= 0,
    "dtype": lambda v: v in ("float32", "float64"),
    "size": lambda v: type(v) is int and v >= 0,
    "unit": lambda v: isinstance(v, str | None),
    "genes": lambda v: _is_list_of(v, str),
    "samples": lambda v: _is_list_of(v, str),
}


def read_description(path):
    """Return the description of a table, of which each entry is as it should be.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is damaged, or of another format.
    """
    try:
        with open(f"{path}.json", encoding="utf-8") as file:
            about = json.load(file)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{path} has no description {path}.json, which to_memmap writes beside it: "
            "move both files together, or convert again."
        ) from None
    except RecursionError:
        raise _no_description(path, "it is nested too deeply") from None
    except ValueError as error:
        raise _no_description(path, error) from None
    if not isinstance(about, dict) or "format" not in about:
        raise _no_description(path, "it has no format")
    if about["format"] != FORMAT:
        raise ValueError(
            f"{path}.json is of format {about['format']!r}, this version of skgex "
            f"reads {FORMAT}: update skgex, or convert again."
        )
    _check_entries(path, about)
    return about


def _check_entries(path, about):
    for name, is_right in _ENTRIES.items():
        if name not in about:
            raise _no_description(path, f"it lacks {name}")
        if not is_right(about[name]):
            raise _no_description(path, f"its {name} is not what it should be")
    for name, n_expected in zip(("samples", "genes"), about["shape"], strict=True):
        known = set(about[name])
        if len(known) != len(about[name]):
            twice = next(v for v in about[name] if v not in known or known.remove(v))
            raise _no_description(path, f"it has {twice!r} twice among the {name}")
        if len(known) != n_expected:
            raise _no_description(
                path, f"it has {len(known):,d} {name}, its shape says {n_expected:,d}"
            )


def _is_list_of(value, kind):
    return type(value) is list and all(type(item) is kind for item in value)


def _no_description(path, why):
    return ValueError(
        f"{path}.json is no description of a table ({why}): convert again with "
        "to_memmap."
    )
