"""Draw the figure of the landing page from the tables of the benchmarks.

Run it after a change of these tables: ``python tools/label_efficiency_figure.py``. It
is written without matplotlib, so that the same tables give the same file everywhere.
"""

import math
import re
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"
FIGURE = DOCS / "label_efficiency.svg"

SECTIONS = {"GTEx, 26 tissues": "### GTEx:", "TCGA, 21 cancer types": "### TCGA:"}
# Row of the table: name in the figure, colour of Okabe and Ito, dashes.
LINES = {
    "BYOL": ("BYOL, pretrained", "#0072b2", ""),
    "VIME": ("VIME, pretrained", "#d55e00", ""),
    "PCA + LR": ("logistic regression on components", "#cc79a7", "8 2 2 2"),
    "LR": ("logistic regression", "#555555", "6 3"),
    "from scratch, random head": ("network from scratch", "#009e73", "2 3"),
}
SHARES = (2, 5, 10, 20, 100)
LOW, HIGH = 78, 97
WIDTH, HEIGHT, TOP, BOTTOM = 300, 300, 50, 290


def accuracies(text, section):
    """Return the accuracies of the first table of a section, by name of the row."""
    part = text.split(section, 1)[1].split("Paired differences", 1)[0]
    rows = re.findall(r"^\| ([^|]+) \| (\d[\d. |]+) \|$", part, flags=re.MULTILINE)
    return {
        name.strip("*"): [float(value) for value in cells.split(" | ")]
        for name, cells in rows
    }


def position(left, share, accuracy):
    """Return where a point stands, on a logarithmic axis of shares."""
    x = left + WIDTH * math.log(share / 2) / math.log(50)
    y = BOTTOM - (BOTTOM - TOP) * (accuracy - LOW) / (HIGH - LOW)
    return round(x, 1), round(y, 1)


def panel(left, title, table):
    """Return the lines of one data set, with axes."""
    parts = [f'<text x="{left}" y="30" font-weight="bold">{title}</text>']
    for accuracy in (80, 85, 90, 95):
        _, y = position(left, 2, accuracy)
        parts.append(
            f'<line x1="{left}" x2="{left + WIDTH}" y1="{y}" y2="{y}"'
            ' stroke="#dddddd"/>'
            f'<text x="{left - 6}" y="{y + 4}" text-anchor="end">{accuracy}</text>'
        )
    for share in SHARES:
        x, _ = position(left, share, LOW)
        parts.append(
            f'<text x="{x}" y="{BOTTOM + 18}" text-anchor="middle">{share} %</text>'
        )
    for row, (_, colour, dashes) in LINES.items():
        points = [
            position(left, *pair) for pair in zip(SHARES, table[row], strict=True)
        ]
        path = " ".join(f"{x},{y}" for x, y in points)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}"'
            f' stroke-width="2.5" stroke-dasharray="{dashes or "none"}"/>'
        )
        parts += [
            f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in points
        ]
    return parts


def key(left):
    """Return the names of the lines, below both panels."""
    parts = []
    for place, (name, colour, dashes) in enumerate(LINES.values()):
        # The longest name ends the first row.
        x, y = left + (0, 180, 360)[place % 3], 346 + 20 * (place // 3)
        parts.append(
            f'<line x1="{x}" x2="{x + 28}" y1="{y}" y2="{y}" stroke="{colour}"'
            f' stroke-width="2.5" stroke-dasharray="{dashes or "none"}"/>'
            f'<text x="{x + 34}" y="{y + 4}">{name}</text>'
        )
    return parts


def figure():
    """Return the figure as text."""
    text = (DOCS / "benchmarks" / "classification.md").read_text(encoding="utf-8")
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 385" width="720"'
        ' height="385" font-family="sans-serif" font-size="12" fill="#222222">',
        "<title>Accuracy by share of labelled samples</title>",
        '<rect width="720" height="385" fill="#ffffff"/>',
        '<text x="10" y="12" font-size="11">accuracy, %</text>',
        '<text x="360" y="326" font-size="11" text-anchor="middle">'
        "share of training samples with a label</text>",
    ]
    for left, (title, section) in zip((40, 395), SECTIONS.items(), strict=True):
        parts += panel(left, title, accuracies(text, section))
    return "\n".join([*parts, *key(40), "</svg>"]) + "\n"


if __name__ == "__main__":
    FIGURE.write_text(figure(), encoding="utf-8")
