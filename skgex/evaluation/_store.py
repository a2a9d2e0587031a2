"""A folder of results: what is interrupted goes on where it stopped."""

import os
import uuid
from importlib.metadata import version
from pathlib import Path

import numpy as np
from joblib.hashing import NumpyHasher


class _Hasher(NumpyHasher):
    """A hash of content, also of tensors, whose pickles differ between processes."""

    def save(self, obj):
        if type(obj).__module__.partition(".")[0] == "torch" and hasattr(obj, "numpy"):
            obj = obj.detach().cpu().numpy()
        super().save(obj)


def digest(*parts):
    """Return a hash of the content of parts."""
    return _Hasher(hash_name="sha1").hash(parts)


def content(table):
    """Return the names and values of a table, or an array, for a hash."""
    if table is None:
        return None
    names = [str(name) for name in getattr(table, "columns", [])]
    return names, np.ascontiguousarray(table)


class Store:
    """Results in a folder, one small file for each cell.

    Parameters
    ----------
    folder : path-like
        Made if need be.
    data : tuple
        Tables and arrays that all cells have in common.
    """

    def __init__(self, folder, data):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        packages = [version(package) for package in ("skgex", "scikit-learn")]
        self.data = digest(packages, [content(part) for part in data])

    def path(self, *about):
        """Return the file of a cell that is told from others by `about`."""
        try:
            return self.folder / f"{digest(self.data, about)}.npz"
        except Exception as error:
            raise ValueError(
                "cache_dir needs estimators and scores that can be pickled, as "
                f"functions of a module are, but lambdas are not: {error.args[0]}"
            ) from error

    def load(self, path, names):
        """Return the dictionary of these names in a file, or None if there is none."""
        try:
            with open(path, "rb") as file:
                arrays = np.load(file, allow_pickle=False)
                found = {name: arrays[name][()] for name in arrays.files}
        except FileNotFoundError:
            return None
        except Exception:  # cut short, or no file of ours: it is written anew
            return None
        return found if found.keys() == set(names) else None

    def save(self, path, outcome):
        """Write a dictionary of arrays and numbers, all of it or nothing."""
        part = path.with_name(f"{path.stem}.{uuid.uuid4().hex}.part")
        try:
            with open(part, "wb") as file:
                np.savez(file, **outcome)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
