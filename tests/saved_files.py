"""Files of saved estimators, changed as by someone who knows how they are made."""

import json

from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from skgex._persistence._file import checksum, digest


def header_of(path):
    with safe_open(path, framework="numpy") as file:
        return file.metadata()


def rewrite(path, edit):
    """Change the header, a dict, and the arrays in place, with a true checksum."""
    metadata, arrays = header_of(path), load_file(path)
    header = json.loads(metadata["header"])
    edit(header, arrays)
    write_back(path, json.dumps(header), arrays)


def write_back(path, header, arrays):
    """Write a file with a header of any text, and a true checksum."""
    metadata = header_of(path) | {"header": header, "sha256": check_of(header, arrays)}
    save_file(arrays, path, metadata)


def check_of(header, arrays):
    return checksum(header, {name: digest(a) for name, a in arrays.items()})
