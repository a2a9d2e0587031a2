"""HDF5 files from elsewhere: opened so that they bring in nothing but themselves."""

from contextlib import contextmanager

from ._matrix import reading
from ._optional import import_h5py

# What h5py raises where a file is damaged, beside what `reading` names.
_DAMAGED = (AttributeError, IndexError, OverflowError, RuntimeError, TypeError)
# How deep links to links are followed.
_MAX_LINKS = 16
# What a text takes in a file at least, which is not compressed, and how far gzip can
# compress other values; what is said of a sample or a gene stands beside expression, so
# that there is a byte for each. A few more are allowed, whatever is stored.
_TEXT_BYTES, _MOST_COMPRESSED = 16, 1100
_FEW_VALUES, _FEW_BYTES = 2**20, 2**26
# What files that are none begin with: what to do.
_STARTS = {
    b"\x1f\x8b": "It is compressed by gzip: decompress it first, as by gunzip.",
    b"BZh": "It is compressed by bzip2: decompress it first, as by bunzip2.",
    b"\xfd7zXZ": "It is compressed by xz: decompress it first, as by unxz.",
    b"PK\x03\x04": "It is a zip archive: extract the file first.",
    b"version https://git-lfs": "It is a pointer of Git LFS: run git lfs pull.",
    b"<": "It looks like a web page: download the file itself.",
}
# Parts that tell other kinds of files: what to do with them.
_OTHERS = {
    ("matrix/barcodes", "matrix/indptr"): (
        "It is a 10x file of single cells, which are not the bulk samples of this "
        "package: add them up by sample first, or write AnnData by "
        "scanpy.read_10x_h5(path).write_h5ad(...), and use read_h5ad."
    ),
    ("0/DATA/0/matrix", "0/META"): (
        "It is a GCTX file, as of CLUE: write it as GCT by cmapPy's gctx2gct, and "
        "use read_gct; or read it by cmapPy.pandasGEXpress.parse.parse(path).data_df.T."
    ),
    ("row_attrs", "col_attrs", "matrix"): (
        "It is a loom file: write AnnData by anndata.io.read_loom(path).write_h5ad(...)"
        ", and use read_h5ad."
    ),
    ("mod", "obs", "var"): (
        "It is a file of MuData with several modalities: write one by "
        "mudata.read_h5mu(path)['rna'].write_h5ad(...), and use read_h5ad."
    ),
    ("assays", "cell.names"): (
        "It is a file of Seurat: write AnnData by SeuratDisk::Convert(path, dest = "
        "'h5ad'), and use read_h5ad."
    ),
    ("data/expression", "meta"): "Files of ARCHS4 are read by read_archs4.",
    ("X", "obs", "var"): "Files of AnnData are read by read_h5ad.",
}


_AS_10X, _OF_10X = ("matrix/barcodes", "matrix/indptr"), ("barcodes", "indptr")


@contextmanager
def open_hdf5(path):
    """Open a file for reading, and name it in errors that say that it is damaged."""
    h5py = import_h5py()
    _check_start(path, h5py)
    try:
        with reading(path), h5py.File(path, "r") as file:
            yield file
    except _DAMAGED as error:
        if not _is_of_h5py(error):
            raise
        raise _damaged(path, error) from error
    except ValueError as error:
        if str(path) in str(error):
            raise
        raise _damaged(path, error) from error


def member(group, name):
    """Return a group or dataset by its path, None where there is none.

    Raises
    ------
    ValueError
        If it is, or leads to, what is kept in another file.
    """
    return _follow(group, name, _MAX_LINKS)


def by_reference(group, reference):
    """Return the dataset that a reference points at."""
    return _checked(group[reference])


def read_all(dataset, as_text=False):
    """Return all values of a dataset, if the file can hold so many.

    Chunks that were never written take no room in a file, however many there are said
    to be.

    Parameters
    ----------
    dataset : h5py.Dataset
        Names, codes, or numbers about samples or genes.
    as_text : bool, default=False
        Whether to decode bytes, of a dataset of text.
    """
    if dataset.shape:
        _check_number(dataset)
    return (dataset.asstr(errors="replace") if as_text else dataset)[()]


def what_it_is(file):
    """Return a sentence for a file of another kind, "" where it is not known."""
    for parts, words in _OTHERS.items():
        if all(member(file, part) is not None for part in parts):
            return words
    # Of 10x before version 3, one group for each genome.
    for genome in list(file)[:20]:
        if all(member(file, f"{genome}/{p}") is not None for p in _OF_10X):
            return _OTHERS[_AS_10X]
    return ""


def is_dataset(item):
    """Whether a part of a file is a dataset, and no group."""
    return isinstance(item, import_h5py().Dataset)


def text(value):
    """Return an attribute of text as a str."""
    return value.decode() if isinstance(value, bytes) else str(value)


def _follow(group, name, n_links):
    h5py = import_h5py()
    here = group.file if name.startswith("/") else group
    for part in filter(None, name.split("/")):
        if not isinstance(here, h5py.Group):
            return None
        links, key = here.id.links, part.encode()
        if part == "." or not links.exists(key):
            return None
        kind = links.get_info(key).type
        if kind == h5py.h5l.TYPE_HARD:
            here = here[part]
        elif kind == h5py.h5l.TYPE_SOFT and n_links:
            here = _follow(here, links.get_val(key).decode(), n_links - 1)
        else:
            raise _elsewhere(group, f"{here.name}/{part}", "a link to another file")
        if here is None:
            return None
    return _checked(here)


def _checked(item):
    """Refuse a dataset whose values are in another file, or cannot be decoded."""
    if not is_dataset(item):
        return item
    if item.is_virtual:
        raise _elsewhere(item, item.name, "a virtual dataset")
    if item.external:
        raise _elsewhere(item, item.name, "kept in another file")
    _check_filters(item)
    return item


def _check_number(dataset):
    """Refuse more values than the bytes of a file can stand for."""
    n_values, held = dataset.size, dataset.id.get_storage_size()
    n_file = dataset.file.id.get_filesize()
    if dataset.dtype.hasobject:
        possible = _FEW_VALUES + n_file // _TEXT_BYTES
    else:
        n_bytes = _FEW_BYTES + _MOST_COMPRESSED * held
        possible = min(_FEW_VALUES + n_file, n_bytes // dataset.dtype.itemsize)
    if n_values > possible:
        raise ValueError(
            f"{dataset.file.filename} is damaged: {dataset.name} is said to have "
            f"{n_values:,d} values, for which {held:,d} bytes in a file of "
            f"{n_file:,d} are too few. Download the file again, or write it again."
        )


def _check_filters(dataset):
    h5z = import_h5py().h5z
    plan = dataset.id.get_create_plist()
    for i in range(plan.get_nfilters()):
        code, _, _, name = plan.get_filter(i)
        if not h5z.filter_avail(code):
            raise ValueError(
                f"{dataset.file.filename}: {dataset.name} is compressed by "
                f"{name.decode(errors='replace') or 'a filter'} (HDF5 filter {code}), "
                "which is not installed: pip install hdf5plugin and import hdf5plugin "
                "first, or write the file again with compression='gzip'."
            )


def _elsewhere(item, name, what):
    return ValueError(
        f"{item.file.filename}: {name.replace('//', '/')} is {what}, which is not "
        "read, as a file could bring in others of this machine that way. Write the "
        "file again with all values in it."
    )


def _check_start(path, h5py):
    with open(path, "rb") as file:
        start = file.read(32)
    if h5py.is_hdf5(path):
        return
    what = next((w for s, w in _STARTS.items() if start.lstrip().startswith(s)), "")
    raise ValueError(
        f"{path} is damaged or of another format: it is no HDF5 file. {what}".strip()
    )


def _is_of_h5py(error):
    """Whether an error was raised by h5py, and not by what uses it."""
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    return "h5py" in trace.tb_frame.f_code.co_filename


def _damaged(path, error):
    return ValueError(
        f"{path} is damaged or of another format ({error}). Compare its size with that "
        "of the original, and download it again."
    )
