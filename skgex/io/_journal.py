"""What a conversion notes of how far it is."""

import hashlib
import json
import os
from contextlib import suppress

from ._own_file import make_own

FORMAT = 1
# What the data begin with until their header comes, at the end.
_TOKEN_BYTES = 16
_UNREADABLE = (FileNotFoundError, ValueError, LookupError, TypeError, RecursionError)


class Journal:
    """How many blocks of which parts are in a file of data.

    One that is lost, or older than the data, costs time and no more. One that was
    changed, or is of other data, counts for nothing: it would leave holes.

    Parameters
    ----------
    path : Path
        Where it is.
    """

    def __init__(self, path):
        self.path = path

    def start(self, data):
        """Return the entries that are true of a file of data, which may be new."""
        self._data = data
        data.seek(0)
        self._token = data.read(_TOKEN_BYTES).hex()
        with suppress(*_UNREADABLE):
            return self._entries(json.loads(self.path.read_text(encoding="utf-8")))
        self._token = os.urandom(_TOKEN_BYTES).hex()
        data.seek(0)
        data.write(bytes.fromhex(self._token))
        data.flush()
        return []

    def write(self, entries, sync=False):
        """Note what is there now."""
        size = os.fstat(self._data.fileno()).st_size
        journal = {"format": FORMAT, "size": size, "token": self._token}
        journal["parts"] = entries
        write_json(self.path, {**journal, "check": _check(journal)}, sync)

    def remove(self):
        """Forget all."""
        self.path.unlink(missing_ok=True)

    def _entries(self, journal):
        """Return the entries of a journal, or raise one of `_UNREADABLE`."""
        if not isinstance(journal, dict):
            raise TypeError
        check = journal.pop("check")
        held = os.fstat(self._data.fileno()).st_size
        known = journal["format"] == FORMAT and journal["token"] == self._token
        if not known or held < journal["size"] or check != _check(journal):
            raise ValueError
        for entry in journal["parts"]:
            if type(entry["n_done"]) is not int or entry["n_done"] < 0:
                raise ValueError
            if not isinstance(entry["fingerprint"], str):
                raise ValueError
        return journal["parts"]


def write_json(path, content, sync=True):
    """Write JSON to a file that is there as a whole or not at all."""
    new = path.with_name(path.name + ".new")
    with make_own(new) as file:
        json.dump(content, file)
        file.flush()
        if sync:
            os.fsync(file.fileno())
    os.replace(new, path)


def _check(journal):
    content = json.dumps(journal, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()
