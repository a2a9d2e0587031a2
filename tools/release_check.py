"""Build a release and try it where nothing else is installed.

Usage: make release-check, or python tools/release_check.py [--python PATH ...]
    [--extras all] [--pip-options OPTIONS] [--output DIR]

Builds the source distribution and from it the wheel, checks versions, sizes, contents,
metadata and the long description, and installs the wheel into a new environment of each
Python of the classifiers that is found, with the versions of constraints.txt, first
alone, then with its extras. ``tools/smoke.py`` runs there. Nothing is published.
"""

import argparse
import glob
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

from readme_renderer import markdown

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 12e6
MINORS = ("3.11", "3.12", "3.13")


def call(*command, cwd=ROOT, **options):
    """Run a command, in an environment that knows nothing of the checkout."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return subprocess.run(
        [*map(str, command)], check=True, cwd=cwd, env=environment, text=True, **options
    )


def tracked():
    """Return the files of the checkout that git knows."""
    listed = call("git", "ls-files", "-z", capture_output=True).stdout
    return {name for name in listed.split("\0") if name and (ROOT / name).exists()}


def read_version():
    text = (ROOT / "skgex/__init__.py").read_text(encoding="utf-8")
    return re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)[1]


def check_versions(version):
    """Hold the changelog and the citation against the version of the package."""
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\nversion: {version}\n" in citation, "CITATION.cff has another version"
    heading = re.search(r"^## \[(.+?)\](?: - (\S+))?$", changelog, re.MULTILINE)
    if ".dev" in version:
        assert heading[1] == "Unreleased", "CHANGELOG.md: no unreleased section on top"
        return
    heading = re.search(rf"^## \[{re.escape(version)}\] - (\S+)$", changelog, re.M)
    assert heading, f"CHANGELOG.md has no section of {version} with its date"
    released = f'date-released: "{heading[1]}"'
    assert released in citation, f"CITATION.cff does not say {released}"
    models = ROOT / "tests/old_models" / version
    assert models.is_dir(), "run tools/write_old_models.py"


def build(folder):
    """Build both distributions in an isolated environment, the wheel from the sdist."""
    call(sys.executable, "-m", "build", "--outdir", folder, ROOT, capture_output=True)
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    for path in (sdist, wheel):
        assert path.stat().st_size < LIMIT, f"{path.name} is larger than {LIMIT:,.0f}"
        print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")
    return sdist, wheel


def read_wheel(path):
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def read_sdist(path):
    with tarfile.open(path) as file:
        return {
            member.name.partition("/")[2]: file.extractfile(member).read()
            for member in file
            if member.isfile()
        }


def check_contents(sdist, wheel):
    """See that what is tracked is there, nothing else, and nothing of this machine."""
    known = tracked()
    own = {name for name in known if name.startswith("skgex/")}
    packed = {name for name in wheel if ".dist-info/" not in name}
    assert packed == own, f"the wheel differs in {sorted(packed ^ own)[:5]}"
    assert {"skgex/py.typed", "skgex/__init__.pyi"} <= packed
    extra = sdist.keys() - known - {"PKG-INFO"}
    assert not extra, f"the sdist has {sorted(extra)[:5]}, which git does not know"
    lacking = {name for name in known - sdist.keys() if not name.startswith(".ci/")}
    assert not lacking, f"the sdist lacks {sorted(lacking)[:5]}"
    here = {str(ROOT).encode(), str(Path.home()).encode() + b"/"}
    for name, content in {**sdist, **wheel}.items():
        assert not any(place in content for place in here), f"{name} names this machine"


def check_metadata(paths, wheel):
    """Check what an index reads: fields, classifiers, and that the text renders."""
    call(sys.executable, "-m", "twine", "check", "--strict", *paths)
    (name,) = (name for name in wheel if name.endswith(".dist-info/METADATA"))
    about = message_from_bytes(wheel[name])
    with open(ROOT / "pyproject.toml", "rb") as file:
        project = tomllib.load(file)["project"]
    assert about["Requires-Python"] == project["requires-python"]
    assert about["License-Expression"] == project["license"]
    classifiers = about.get_all("Classifier")
    for minor in MINORS:
        assert f"Programming Language :: Python :: {minor}" in classifiers
    html = markdown.render(about.get_payload(decode=True).decode())
    assert html, "the long description does not render"
    links = re.findall(r'(?:src|href)="([^"#]+)', html)
    relative = [link for link in links if not link.startswith(("http:", "https:"))]
    assert not relative, f"the long description has relative links: {relative}"
    assert "<table>" in html, "the tables of the long description do not render"


def find_pythons():
    """Return an interpreter of each minor version that can make environments."""
    found = {}
    pyenv = os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")
    for minor in MINORS:
        for path in (
            shutil.which(f"python{minor}"),
            *sorted(glob.glob(f"{pyenv}/versions/{minor}.*/bin/python")),
            sys.executable,
        ):
            if path and minor_of(path) == minor:
                found[minor] = path
                break
    return found


def minor_of(path):
    """Return the version of an interpreter with venv, such as "3.12", or None."""
    code = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
    run = subprocess.run([path, "-c", code], capture_output=True, text=True)
    return run.stdout.strip() if run.returncode == 0 else None


def try_wheel(python, wheel, folder, pip_options, extras):
    """Install the wheel into an empty environment, and use it there."""
    call(python, "-m", "venv", folder)
    new = folder / "bin" / "python"
    shutil.copy(ROOT / "tools/smoke.py", folder)
    for what in (wheel, *([f"{wheel}[{extras}]"] if extras else [])):
        options = ["-q", *pip_options, "-c", ROOT / "constraints.txt"]
        call(new, "-m", "pip", "install", *options, what, cwd=folder)
        call(new, "-I", folder / "smoke.py", cwd=folder)
    call(new, "-m", "pip", "check", cwd=folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", action="append", help="only these interpreters")
    parser.add_argument("--extras", default="all", help="'' for the package alone")
    parser.add_argument("--pip-options", default="", help="such as an index of builds")
    parser.add_argument("--output", type=Path, help="where both files are kept")
    arguments = parser.parse_args()
    version = read_version()
    check_versions(version)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        sdist, wheel = build(folder)
        check_contents(read_sdist(sdist), read_wheel(wheel))
        check_metadata((sdist, wheel), read_wheel(wheel))
        pythons = {minor_of(path): path for path in arguments.python or []}
        pythons = pythons or find_pythons()
        options = shlex.split(arguments.pip_options)
        for minor, path in pythons.items():
            try_wheel(path, wheel, folder / minor, options, arguments.extras)
            shutil.rmtree(folder / minor)
        if arguments.output:
            arguments.output.mkdir(parents=True, exist_ok=True)
            for file in (sdist, wheel):
                shutil.copy(file, arguments.output)
    missing = [minor for minor in MINORS if minor not in pythons]
    print(f"{version}: tried with Python {', '.join(pythons)}")
    if missing:
        print(f"NOT tried with Python {', '.join(missing)}")


if __name__ == "__main__":
    main()
