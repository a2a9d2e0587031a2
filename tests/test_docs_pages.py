"""Pages of the documentation that the other tests do not run."""

import inspect
import re
import sys
import textwrap
from xml.etree import ElementTree

import pytest
from cli_files import ROOT

import skgex

sys.path.insert(0, str(ROOT / "tools"))
from label_efficiency_figure import FIGURE, LINES, SECTIONS, accuracies, figure

GUIDE = "".join(
    page.read_text(encoding="utf-8")
    for page in sorted((ROOT / "docs/user_guide").glob("*.rst"))
)
# The last part of what roles such as :class:`~skgex.io.ExpressionReport` point to.
LINKED = set(
    re.findall(r":(?:class|func|mod):`(?:[^`<]*<)?~?\.?(?:\w+\.)*(\w+)>?`", GUIDE)
)
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


def test_the_guide_links_to_each_public_name():
    values = {name: getattr(skgex, name) for name in skgex.__all__}
    modules = [value for value in values.values() if inspect.ismodule(value)]
    names = {*values, *(name for module in modules for name in module.__all__)}
    assert names - LINKED == set()


def test_each_page_of_the_guide_is_in_its_table():
    index = (ROOT / "docs/user_guide/index.rst").read_text(encoding="utf-8")
    table, tree = index.split(".. toctree::")
    pages = {page.stem for page in (ROOT / "docs/user_guide").glob("*.rst")}
    assert set(re.findall(r":doc:`(\w+)`", table)) == pages - {"index"}
    assert set(re.findall(r"^   (\w+)$", tree, flags=re.MULTILINE)) == pages - {"index"}


def test_code_of_the_cheat_sheet_names_what_is_there():
    sheet = (ROOT / "docs/user_guide/cheat_sheet.rst").read_text(encoding="utf-8")
    code = " ".join(re.findall(r"``([^`]+)``", sheet))
    for module, name in re.findall(r"\b(io|plotting|evaluation)\.(\w+)", code):
        assert name in getattr(skgex, module).__all__
    known = {*skgex.__all__, "FrozenEstimator", "GridSearchCV", "GroupKFold", "Surv"}
    called = re.findall(r"(?<![.\w])([A-Z]\w+)\(", code)
    assert set(called) <= known
