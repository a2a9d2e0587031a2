"""Write what `skgex --help` says into the user guide.

Run it after a change of the command line: ``python tools/command_line_help.py``.
"""

from pathlib import Path

from typer.main import get_command
from typer.testing import CliRunner

from skgex._cli import app

PAGE = Path(__file__).parent.parent / "docs/user_guide/command_line_help.inc"


def help_of(*command):
    """Return what a command says of itself, 88 columns wide."""
    run = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "90"})
    return run.stdout.rstrip()


def page():
    """Return the part of the page that is not written by hand."""
    parts = [".. Written by tools/command_line_help.py: change the commands instead."]
    for name in get_command(app).commands:
        title = f"skgex {name}"
        text = "\n".join(f"   {line}".rstrip() for line in help_of(name).splitlines())
        parts.append(f"{title}\n{'-' * len(title)}\n\n.. code-block:: text\n\n{text}")
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
