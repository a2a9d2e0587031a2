"""What the files of ARCHS4 say of samples and genes."""

import re

import numpy as np
import pandas as pd

from ._hdf5 import is_dataset, member, read_all, what_it_is
from ._selection import quoted

SAMPLES = "meta/samples"
# Where a query looks, as in archs4py.
SEARCHED = (
    "geo_accession",
    "series_id",
    "characteristics_ch1",
    "extract_protocol_ch1",
    "source_name_ch1",
    "title",
)


def read_text(file, name):
    """Read a dataset of strings."""
    values = dataset(file, name)
    if values.dtype.kind not in "OS":
        return [str(value) for value in read_all(values)]
    return read_all(values, as_text=True).tolist()


def dataset(file, name):
    """Return a dataset, or say what there is instead."""
    found = member(file, name)
    if found is not None and is_dataset(found):
        return found
    group = member(file, name.rpartition("/")[0])
    group = file if group is None or is_dataset(group) else group
    raise ValueError(
        f"{file.filename} is no file of ARCHS4, version 2: {name} is missing. "
        f"{group.name} has {quoted(list(group), 20)}. {what_it_is(file)}".strip()
    )


def searched_fields(file):
    """Return the fields of samples that a query looks at."""
    places = {field: f"{SAMPLES}/{field}" for field in SEARCHED}
    return [field for field in SEARCHED if member(file, places[field]) is not None]


def find_samples(file, query):
    """Tell of each sample of the file whether a query finds it."""
    if query is None:
        return np.ones(len(dataset(file, f"{SAMPLES}/geo_accession")), dtype=bool)
    if isinstance(query, dict):
        found = [_search(file, field, text) for field, text in query.items()]
        return np.logical_and.reduce(found)
    found = [_search(file, field, query) for field in searched_fields(file)]
    return np.logical_or.reduce(found)


def _search(file, field, expression):
    try:
        pattern = re.compile(expression, re.IGNORECASE)
    except re.error as error:
        raise ValueError(
            f"query {expression!r} is no regular expression: {error}. Write \\ before "
            "characters that stand for themselves, such as ( and +."
        ) from None
    texts = read_text(file, f"{SAMPLES}/{field}")
    return np.array([pattern.search(text) is not None for text in texts])


def read_metadata(file, fields, places, index):
    """Read fields of the samples at some places as a table."""
    columns = {}
    for field in fields:
        texts = np.array(read_text(file, f"{SAMPLES}/{field}"), dtype=object)
        columns[field] = texts[places]
    return pd.DataFrame(columns, index)
