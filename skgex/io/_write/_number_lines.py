"""Numbers as text: as short as they can be, or with so many decimals."""

import numpy as np

MISSING = "NA"
_AT_A_TIME = 2**18


def number_lines(values, delimiter, decimal=".", decimals=None, *, rounds=False):
    """Yield the text of each row of values.

    Without decimals a value is written by the fewest digits from which it is read back
    equal, whole numbers without a point. With them it has so many, unless that would
    change it.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        Numbers; NaN is written as NA.
    delimiter : str
        What stands between them.
    decimal : str, default="."
        The decimal mark.
    decimals : int or None, default=None
        How many decimals.
    rounds : bool, default=False
        Whether values that have more decimals are rounded.
    """
    size = max(1, _AT_A_TIME // max(1, values.shape[1]))
    for start in range(0, len(values), size):
        part = values[start : start + size]
        yield from _lines(part, delimiter, decimal, decimals, rounds)


def _lines(values, delimiter, decimal, decimals, rounds):
    shown = shortest(values)
    if decimals is None or (values.dtype.kind in "iu" and not rounds):
        for row in shown:
            yield _free(row.tolist(), delimiter, decimal)
        return
    shown = shown.astype(np.float64, copy=False)
    with np.errstate(over="ignore"):
        rounded = np.round(shown, decimals)
        fits = np.isnan(shown) | (rounded.astype(values.dtype) == values) | rounds
    if rounds:
        shown = np.where(rounded == 0, 0.0, shown)
    fixed = delimiter.join([f"%.{decimals}f"] * values.shape[1])
    for row, row_fits in zip(shown, fits, strict=True):
        if row_fits.all():
            yield _finish(fixed % tuple((row + 0.0).tolist()), delimiter, decimal)
        else:
            texts = (
                f"{value + 0.0:.{decimals}f}" if fit else _free([value], "\t", ".")
                for value, fit in zip(row.tolist(), row_fits, strict=True)
            )
            yield _finish(delimiter.join(texts), delimiter, decimal)


def shortest(values):
    """Return values whose `repr` in double precision is the shortest of each.

    The value 0.1 in single precision is 0.10000000149011612 in double precision; of all
    doubles that are read as that value, 0.1 is the shortest to write.

    Parameters
    ----------
    values : ndarray
        Numbers of any kind.
    """
    if values.dtype != np.float32:
        return values
    found = values.astype(np.float64)
    left = np.isfinite(values) & (values != 0)
    # Six digits are never too many for single precision, nine are always enough.
    for n_digits in range(6, 10):
        places = np.flatnonzero(left)
        candidates = to_digits(values.flat[places].astype(np.float64), n_digits)
        good = candidates.astype(np.float32) == values.flat[places]
        found.flat[places[good]] = candidates[good]
        left.flat[places[good]] = False
    return found


def round_like(values, decimals):
    """Round what was computed, for text.

    Parameters
    ----------
    values : ndarray
        Numbers, of which six digits are enough.
    decimals : int or None
        How many decimals the other values of the table have, if that is known.
    """
    values = values.astype(np.float64)
    if decimals is None:
        return to_digits(values, 6)
    return np.round(values, decimals) + 0.0


def to_digits(values, n_digits):
    """Round to so many significant digits.

    Parameters
    ----------
    values : ndarray of float64
        Numbers, NaN among them.
    n_digits : int
        How many.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        size = np.floor(np.log10(np.abs(values)))
        n_decimals = np.where(np.isfinite(size), n_digits - 1 - size, 0)
        scale = 10.0 ** np.abs(n_decimals)
        # Powers of ten up to the 22nd are exact, and so is what is divided by them.
        fine, coarse = np.rint(values * scale) / scale, np.rint(values / scale) * scale
        rounded = np.where(n_decimals >= 0, fine, coarse)
    return np.where(np.isfinite(rounded) & (values != 0), rounded, values)


def _free(row, delimiter, decimal):
    text = delimiter.join(map(repr, row)) + delimiter
    text = text.replace(f".0{delimiter}", delimiter)
    return _finish(text[: -len(delimiter)], delimiter, decimal)


def _finish(text, delimiter, decimal):
    if "nan" in text:
        text = text.replace("nan", MISSING)
    return text if decimal == "." else text.replace(".", decimal)
