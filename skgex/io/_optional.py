"""Libraries that only some readers need, imported when they do."""


def import_h5py():
    """Import h5py."""
    try:
        import h5py
    except ImportError as error:
        raise _missing("h5py", "Reading HDF5 files", "io") from error
    return h5py


def import_anndata_io():
    """Import the part of anndata that writes single elements of a file."""
    try:
        import anndata.io
    except ImportError as error:
        raise _missing("anndata", "Writing .h5ad files", "io") from error
    return anndata.io


def import_pyarrow():
    """Import pyarrow, with the parts for parquet and feather."""
    try:
        import pyarrow.feather
        import pyarrow.parquet
    except ImportError as error:
        raise _missing("pyarrow", "Parquet and feather", "io") from error
    return pyarrow


def import_openpyxl():
    """Import openpyxl."""
    try:
        import openpyxl
    except ImportError as error:
        raise _missing("openpyxl", ".xlsx", "io") from error
    return openpyxl


def import_progress():
    """Import the progress bars of rich, which takes time."""
    import rich.progress

    return rich.progress


def _missing(package, purpose, extra):
    return ImportError(
        f'{purpose} needs {package}, which is not installed: pip install "skgex'
        f'[{extra}]"'
    )
