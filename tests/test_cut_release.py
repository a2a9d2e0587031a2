"""The files that say which version this is, when a release is cut."""

import sys

import pytest
from cli_files import ROOT

import skgex

sys.path.insert(0, str(ROOT / "tools"))
from cut_release import changelog, citation, package

LOG = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A line.\n"
CITED = 'cff-version: 1.2.0\nversion: 0.1.0.dev0\nauthors:\n  - name: "A"\n'


def test_what_is_unreleased_becomes_the_release():
    released = changelog(LOG, "0.1.0", "2026-01-31")
    assert released == LOG.replace("[Unreleased]", "[0.1.0] - 2026-01-31")
    begun = changelog(released, "0.2.0.dev0", None)
    assert begun == released.replace("## [0.1.0]", "## [Unreleased]\n\n## [0.1.0]")
    again = changelog(begun, "0.2.0", "2026-03-01")
    assert again == begun.replace("[Unreleased]", "[0.2.0] - 2026-03-01")


def test_the_citation_has_a_date_once_released():
    released = citation(CITED, "0.1.0", "2026-01-31")
    assert '\nversion: 0.1.0\ndate-released: "2026-01-31"\nauthors:' in released
    assert citation(released, "0.1.0.dev0", None) == CITED


def test_the_files_of_the_package_are_understood():
    version = f'__version__ = "{skgex.__version__}"'
    source = (ROOT / "skgex/__init__.py").read_text(encoding="utf-8")
    assert package(source, skgex.__version__, None) == source
    assert package(source, "9.9.9", None) == source.replace(
        version, '__version__ = "9.9.9"'
    )
    cited = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert "\nversion: 9.9.9\n" in citation(cited, "9.9.9", "2026-01-31")


def test_a_file_without_its_place_is_refused():
    with pytest.raises(AssertionError, match="stands in 0 places"):
        changelog("# Changelog\n", "0.1.0", "2026-01-31")
