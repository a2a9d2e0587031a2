"""Pages of the documentation that the other tests do not run."""

import re
import sys
import textwrap
from xml.etree import ElementTree

import pytest
from cli_files import ROOT

import skgex

sys.path.insert(0, str(ROOT / "tools"))
from label_efficiency_figure import FIGURE, LINES, SECTIONS, accuracies, figure

LANDING = (ROOT / "docs/index.rst").read_text(encoding="utf-8")
BLOCKS = re.findall(r"code-block:: python\n\n((?: {9}.*\n|\n)+)", LANDING)


def test_the_figure_is_drawn_from_the_tables():
    assert FIGURE.read_text(encoding="utf-8") == figure(), (
        "run tools/label_efficiency_figure.py"
    )
    drawn = ElementTree.fromstring(figure())
    lines = drawn.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == len(LINES) * len(SECTIONS)


def test_the_tables_are_read():
    text = (
        "### A\n| | 2% | 5% |\n|---|---|---|\n| LR | 80.8 | 87.8 |\n| **B** | 1.5 | 2 |"
    )
    assert accuracies(text, "### A") == {"LR": [80.8, 87.8], "B": [1.5, 2]}


@pytest.mark.parametrize("block", BLOCKS, ids=["labels", "holes", "survival"])
def test_blocks_of_the_landing_page_run(block):
    exec(textwrap.dedent(block), {})


def test_the_citation_names_the_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {skgex.__version__}\n" in citation
