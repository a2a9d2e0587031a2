"""Numbers of lines of text, parsed many lines at once."""

import io
import re

import numpy as np
import pandas as pd

from ._cells import MISSING, decode, is_missing, remedy

# Later versions read the nearest number always.
_VERSION = tuple(int(part) for part in pd.__version__.split(".")[:2])
_EXACT = {"float_precision": "round_trip"} if _VERSION < (3, 1) else {}
# What str.strip takes off, and pandas does not.
_BLANKS = re.compile("[ \u00a0]*\n[ \u00a0]*")
_TRUTH = re.compile(rb"true|false", re.I)


class ValueParser:
    """Parse the values of lines.

    Parameters
    ----------
    layout : TextLayout
        Where things stand in a line.
    dtype : dtype
        Of the values.
    path : path-like
        For messages.
    where : str
        What a value belongs to, with places for `line` and `column`.
    """

    def __init__(self, layout, dtype, path, where):
        self.dtype, self.path, self._where = dtype, path, where
        self._columns = columns = layout.columns
        self._decimal = layout.dialect.decimal
        first, last = columns.values[0], columns.values[-1]
        self._first = first
        self._n_after = layout.n_fields - 1 - last
        self._in_one_piece = last - first + 1 == len(columns.values)

    def cut(self, line):
        """Return the values of a line, between tabs."""
        line = line.split(b"\t", self._first)[-1]
        if self._n_after:
            line = line.rsplit(b"\t", self._n_after)[0]
        if self._in_one_piece:
            return line
        fields = line.split(b"\t")
        return b"\t".join(fields[i - self._first] for i in self._columns.values)

    def parse(self, lines, names, columns):
        """Return the numbers in lines that were cut.

        Parameters
        ----------
        lines : list of bytes
            Values between tabs.
        names : sequence of str
            Names of the lines, for messages.
        columns : sequence of str
            Names of the columns, for messages.

        Returns
        -------
        values : ndarray of shape (n_lines, n_columns)
            NaN where a value is missing.
        """
        # One long column is parsed faster than many short ones.
        text = b"\n".join(lines).replace(b"\t", b"\n") + b"\n"
        try:
            with np.errstate(over="ignore"):  # it becomes infinite, and is refused
                values = self._read(text)
        except ValueError as error:
            values = self._read_with_care(text, lines, names, columns, error)
        values = values.reshape(len(lines), len(columns))
        if np.isinf(values).any():
            self._refuse_infinite(values, lines, names, columns)
        return values

    def _read(self, text):
        column = pd.read_csv(
            io.BytesIO(text),
            names=["value"],
            sep="\t",
            dtype=self.dtype,
            decimal=self._decimal,
            na_values=MISSING,
            quoting=3,
            skip_blank_lines=False,
            low_memory=False,
            **_EXACT,
        )
        values = column["value"].to_numpy()
        # Where there is nothing else, TRUE is 1 to pandas.
        if ((values == 0) | (values == 1) | np.isnan(values)).all():
            if match := _TRUTH.search(text):
                raise ValueError(f"{match[0].decode()!r} is not a number")
        return values

    def _read_with_care(self, text, lines, names, columns, error):
        """Read again without the blanks around values, or say what is wrong."""
        try:
            return self._read(_BLANKS.sub("\n", decode(text).strip(" ")).encode())
        except ValueError:
            message = self._what_is_wrong(lines, names, columns, error)
            raise ValueError(message) from None

    def _what_is_wrong(self, lines, names, columns, error):
        for line, name in zip(lines, names, strict=True):
            cells = decode(line).split("\t")
            for column, cell in zip(columns, cells, strict=True):
                if not is_missing(cell) and not self._is_read(cell.strip()):
                    return (
                        f"{self.path}: the value of {self._of(name, column)} is "
                        f"{cell!r}, not a number. {remedy(cell)}"
                    )
        return f"{self.path}: {error}"

    def _is_read(self, cell):
        try:
            self._read(cell.encode() + b"\n")
        except ValueError:
            return False
        return True

    def _refuse_infinite(self, values, lines, names, columns):
        line, column = np.argwhere(np.isinf(values))[0]
        cell = decode(lines[line]).split("\t")[column].strip()
        raise ValueError(
            f"{self.path}: the value of {self._of(names[line], columns[column])} is "
            f"{cell!r}, which is infinite or too large for {self.dtype}. Write NA for "
            "missing values; a logarithm of zero needs a pseudocount."
        )

    def _of(self, line, column):
        return self._where.format(line=line, column=column)
