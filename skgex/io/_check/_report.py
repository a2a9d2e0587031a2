"""What a check has found, to be printed or as a table."""

import html
import textwrap
from dataclasses import dataclass

import pandas as pd

from .._selection import quoted
from ._finding import SEVERITIES

_WIDTH = 84
_COLUMNS = ["finding", "severity", "where", "n", "what", "remedy"]


@dataclass(frozen=True)
class ExpressionReport:
    """What `check_expression` has found.

    Printed, it is a few lines for each finding, errors first.

    Parameters
    ----------
    n_samples, n_genes : int
        Size of the table.
    unit : {"counts", "TPM or CPM", "logarithms", "z-scores", "unknown"}
        What the values seem to be.
    detail : str
        A sentence about the unit.
    findings : tuple of Finding
        All findings, errors first. Each has attributes `finding`, a short code,
        `severity`, `where`, the names of all genes or samples concerned, `n`, how many
        there are, `what` and `remedy`. As text, ``str(finding)``, it is a warning.

    See Also
    --------
    check_expression : Makes it.

    Examples
    --------
    >>> import pandas as pd
    >>> from skgex.io import check_expression
    >>> X = pd.DataFrame({"HLA.A": [7, 5, 9], "TP53": [3, 812, 0], "Length": [900] * 3})
    >>> report = check_expression(X)
    >>> report
    <ExpressionReport of 3 samples x 3 genes: 1 error, 2 warnings, 0 notes>
    >>> report.to_frame()[["finding", "severity", "where", "n"]]
              finding severity     where  n
    0      annotation    error  'Length'  1
    1       r_mangled  warning   'HLA.A'  1
    2  constant_genes  warning  'Length'  1
    >>> "annotation" in report, report["annotation"].where
    (True, ('Length',))
    """

    n_samples: int
    n_genes: int
    unit: str
    detail: str
    findings: tuple

    def __len__(self):
        return len(self.findings)

    def __getitem__(self, code):
        """Return the finding with a code, such as ``"summary_rows"``."""
        for finding in self.findings:
            if finding.finding == code:
                return finding
        raise KeyError(code)

    def __contains__(self, code):
        return any(finding.finding == code for finding in self.findings)

    def __str__(self):
        head = f"{self._size()}. {self.detail}"
        lines = textwrap.wrap(head, _WIDTH, break_on_hyphens=False)
        if not self.findings:
            lines.append("Nothing odd was found.")
        for finding in self.findings:
            mark = f"{finding.severity}: "
            indent = " " * len(mark)
            lines += textwrap.wrap(
                mark + str(finding),
                _WIDTH,
                subsequent_indent=indent,
                break_on_hyphens=False,
                break_long_words=False,
            )
        return "\n".join(lines)

    def __repr__(self):
        counts = (sum(f.severity == s for f in self.findings) for s in SEVERITIES)
        texts = [
            f"{n} {severity}{'' if n == 1 else 's'}"
            for n, severity in zip(counts, SEVERITIES, strict=True)
        ]
        return f"<ExpressionReport of {self._size()}: {', '.join(texts)}>"

    def _repr_html_(self):
        head = f"<p>{html.escape(f'{self._size()}. {self.detail}')}</p>"
        if not self.findings:
            return f"{head}<p>Nothing odd was found.</p>"
        return head + self.to_frame().to_html(index=False)

    def _size(self):
        return f"{self.n_samples:,d} samples x {self.n_genes:,d} genes"

    def to_frame(self):
        """Return the findings as a table.

        Returns
        -------
        table : DataFrame of shape (n_findings, 6)
            Columns `finding`, `severity`, `where` (the first few names), `n`, `what`
            and `remedy`.
        """
        rows = [
            (f.finding, f.severity, quoted(list(f.where)), f.n, f.what, f.remedy)
            for f in self.findings
        ]
        return pd.DataFrame(rows, columns=_COLUMNS)
