"""One thing that is odd about a table."""

from dataclasses import dataclass

SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """One thing that is odd about a table, and what to do.

    As text, by ``str(finding)``, it is one or two sentences, which readers warn with.

    Attributes
    ----------
    finding : str
        A short code that stays the same, such as ``"logged_twice"``.
    severity : {"error", "warning", "note"}
        An error makes results wrong, a warning may, and a note is worth knowing.
    what : str
        A sentence that says what was found.
    remedy : str, default=""
        What to do.
    where : tuple of str, default=()
        Names of all genes or samples that are concerned.
    n : int, default=0
        How many there are; 0 where it is about the whole table.
    """

    finding: str
    severity: str
    what: str
    remedy: str = ""
    where: tuple = ()
    n: int = 0

    def __str__(self):
        return f"{self.what} {self.remedy}".strip()


def about(finding, severity, what, remedy="", where=()):
    """Return a finding about genes or samples, which are counted."""
    where = tuple(str(name) for name in where)
    return Finding(finding, severity, what, remedy, where, len(where))
