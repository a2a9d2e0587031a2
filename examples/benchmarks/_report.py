"""Medians, ratios and growth of rows of figures, for `run.py`."""

import math
from statistics import median

# Fewer repeats than these say nothing of how figures vary.
MIN_REPEATS = 3
# A figure is worse if all repeats are, by so much; or a single one, by as much.
BEYOND_RANGE, BEYOND_ONE = 1.05, 1.3
SIDES = ("samples", "genes")


def key(row):
    """Return what tells a row from all others."""
    return tuple(row[name] for name in ("script", "what", "unit", *SIDES))


def ratios(rows):
    """Return how many times each row takes of what it stands beside, or None."""
    known = {key(row): row for row in rows}
    found = []
    for row in rows:
        reference = known.get(key({**row, "what": row["beside"]}))
        usable = reference is not None and reference is not row
        usable = usable and median(reference["values"]) > 0
        found.append(_ratio(row, reference) if usable else None)
    return found


def exponents(rows):
    """Return by which power figures grow with samples and with genes.

    The slope of a line, by least squares, through the logarithms of the medians: of the
    rows of all sizes of one side at the size of the other that has most of them.

    Returns
    -------
    found : list of dict
        With `script`, `what`, `unit`, `side`, `sizes` and `exponent`.
    """
    found = []
    for side, other in (SIDES, SIDES[::-1]):
        lines = {}
        for row in rows:
            if row[side] and median(row["values"]) > 0:
                name = row["script"], row["what"], row["unit"]
                line = lines.setdefault(name, {}).setdefault(row[other], {})
                line[row[side]] = median(row["values"])
        for (script, what, unit), by_other in lines.items():
            line = max(by_other.values(), key=len)
            if len(line) < 2:
                continue
            about = {"script": script, "what": what, "unit": unit, "side": side}
            about |= {"sizes": sorted(line), "exponent": _slope(line)}
            found.append(about)
    return found


def _slope(line):
    x = [math.log(size) for size in line]
    y = [math.log(value) for value in line.values()]
    x_mean, y_mean = sum(x) / len(x), sum(y) / len(y)
    cross = sum((a - x_mean) * (b - y_mean) for a, b in zip(x, y, strict=True))
    return cross / sum((a - x_mean) ** 2 for a in x)


def compare(rows, old_rows):
    """Return how rows compare with earlier ones.

    Returns
    -------
    found : list of (float, str) or None
        The ratio of the medians, new to old, and "worse", "better" or "" if they do not
        differ beyond noise. Noise is the range of the repeats: all new ones must be
        over all old ones, by 5 % at the least. Of fewer than three repeats it is not
        known, and taken for 30 %. None for a row that there was not.
    """
    known = {key(row): row for row in old_rows}
    found = []
    for row in rows:
        old = known.get(key(row))
        if old is None or median(old["values"]) <= 0 or median(row["values"]) <= 0:
            found.append(None)
            continue
        verdict = "worse" if _beyond(row, old) else ""
        verdict = "better" if _beyond(old, row) else verdict
        found.append((_ratio(row, old), verdict))
    return found


def _ratio(row, other):
    return median(row["values"]) / median(other["values"])


def _beyond(row, other):
    """Return whether a row is over another one by more than noise."""
    if min(len(row["values"]), len(other["values"])) < MIN_REPEATS:
        return _ratio(row, other) > BEYOND_ONE
    return min(row["values"]) > BEYOND_RANGE * max(other["values"])


def markdown(result, old=None):
    """Return the result of a run as tables of Markdown."""
    rows = result["rows"]
    head = ["script", "what", "samples", "genes", "median", "range", "repeats", "ratio"]
    lines = [
        [
            row["script"],
            row["what"],
            *(f"{row[side]:,}" if row[side] else "" for side in SIDES),
            f"{median(row['values']):.4g} {row['unit']}",
            f"{min(row['values']):.4g}-{max(row['values']):.4g}",
            str(len(row["values"])),
            f"{ratio:.2f} x {row['beside']}" if ratio is not None else "",
        ]
        for row, ratio in zip(rows, ratios(rows), strict=True)
    ]
    if old is not None:
        head = [*head, "new to old", ""]
        for line, found in zip(lines, compare(rows, old["rows"]), strict=True):
            line += ["", "new"] if found is None else [f"{found[0]:.2f}", found[1]]
    title = ", ".join(f"{name} {value}" for name, value in result["machine"].items())
    parts = [f"# Benchmarks, {result['date']}", title, _table(head, lines)]
    grown = [
        [e["script"], e["what"], e["side"], _sizes(e["sizes"]), f"{e['exponent']:.2f}"]
        for e in result["exponents"]
    ]
    if grown:
        head = ["script", "what", "grows with", "sizes", "exponent"]
        parts += ["## Growth", _table(head, grown)]
    if result["failed"]:
        parts += ["## Failed", "\n".join(f"- {name}" for name in result["failed"])]
    return "\n\n".join(parts) + "\n"


def _sizes(sizes):
    return ", ".join(f"{size:,}" for size in sizes)


def _table(head, lines):
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
