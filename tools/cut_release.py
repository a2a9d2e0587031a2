"""Give a release its number and its date, in each file that says them.

Usage: python tools/cut_release.py 0.1.0 [--date 2026-01-31]

Then run tools/write_old_models.py and `make release-check`. With a version such as
0.2.0.dev0 the files say that work on the next one has begun.
"""

import argparse
import datetime
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def replaced(text, pattern, new):
    """Replace what stands in one place."""
    text, n_found = re.subn(pattern, new, text, flags=re.MULTILINE)
    assert n_found == 1, f"{pattern} stands in {n_found} places"
    return text


def edit(name, change):
    path = ROOT / name
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


def package(text, version, date):
    return replaced(text, r'^__version__ = ".*"$', f'__version__ = "{version}"')


def citation(text, version, date):
    """Return the citation with the version, and with the date of a release."""
    text = re.sub(r"^date-released: .*\n", "", text, flags=re.MULTILINE)
    dated = "" if ".dev" in version else f'\ndate-released: "{date}"'
    return replaced(text, r"^version: .*$", f"version: {version}{dated}")


def changelog(text, version, date):
    """Return the changelog: what is unreleased becomes the release, or starts anew."""
    if ".dev" in version:
        return text.replace("\n## [", "\n## [Unreleased]\n\n## [", 1)
    return replaced(text, r"^## \[Unreleased\]$", f"## [{version}] - {date}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("version")
    parser.add_argument("--date", default=datetime.date.today().isoformat())
    asked = parser.parse_args()
    for name, change in {
        "skgex/__init__.py": package,
        "CITATION.cff": citation,
        "CHANGELOG.md": changelog,
    }.items():
        edit(name, lambda text, change=change: change(text, asked.version, asked.date))
