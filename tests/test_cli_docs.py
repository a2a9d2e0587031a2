"""The page of the command line says what the commands say."""

import re
import shlex
import sys

import pytest
from cli_files import ROOT, skgex

sys.path.insert(0, str(ROOT / "tools"))
from command_line_help import PAGE, help_of, page

COMMANDS = re.findall(r"^skgex (\w+)$", page(), flags=re.MULTILINE)
GUIDE = (ROOT / "docs/user_guide/command_line.rst").read_text()


def words(text):
    return sorted(re.findall(r"[\w.-]*\w", text))


def test_the_page_is_up_to_date():
    # Versions of typer lay out help differently, in the same words.
    assert words(PAGE.read_text()) == words(page()), "run tools/command_line_help.py"


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_have_options_that_there_are(name):
    text = help_of(name)
    example = text.partition("For example:")[2].partition("\n\n")[0]
    lines = [line for line in example.splitlines() if f"skgex {name} " in line]
    assert lines
    for line in lines:
        for word in shlex.split(line):
            if re.match(r"--?[a-z]", word):
                assert re.search(rf"(?<!\S){word}\b", text), word


def test_the_guide_names_all_commands_and_only_these():
    named = set(re.findall(r"skgex (check|[a-z]+)\b", GUIDE)) - {"command"}
    assert set(COMMANDS) <= named


def test_exit_codes_of_the_guide_are_those_of_the_help():
    codes = re.findall(r"^(\d+) +\S", GUIDE, flags=re.MULTILINE)
    told = skgex("--help").stdout.partition("Exit codes:")[2].partition("Options:")[0]
    assert codes == re.findall(r"\d+", told)
