"""Files that are no text, or text of another kind than tables."""

import re

# How files begin that hold no table to be read: what they are, and what to do.
_REFUSED = {
    b"version https://git-lfs": (
        "a pointer of Git LFS",
        "Get the file itself with git lfs pull.",
    ),
    b"<!doctype": ("a web page", "Download the file itself; a login may be needed."),
    b"<table": ("a table of a web page", "Write it as text."),
    b"<html": ("a web page", "Download the file itself; a login may be needed."),
    b"<?xml": ("XML", "Download the table itself."),
    b"RDX": ("data of R", "Write it in R with write.csv."),
    b"X\n\0\0": ("an object of R", "Write it in R with write.csv(readRDS(file))."),
    b"A\n": ("an object of R", "Write it in R with write.csv(readRDS(file))."),
    b"\x1f\x8b": ("compressed twice, by gzip within", "Decompress it once."),
    b"BZh": ("compressed twice, by bzip2 within", "Decompress it once."),
    b"\xfd7zXZ\0": ("compressed twice, by xz within", "Decompress it once."),
    b"PK\x03\x04": (
        "a zip archive or a workbook within a compressed file",
        "Decompress it once.",
    ),
    b"\x89HDF": ("HDF5", "Read it with read_expression, decompressed."),
    b"PAR1": ("parquet", "Read it with read_expression, decompressed."),
    b"ARROW1": ("feather", "Read it with read_expression, decompressed."),
    b"FEA1": ("feather", "Read it with read_expression, decompressed."),
    b"\xff\xff\xff\xff": (
        "a stream of Arrow",
        "Write it as feather or parquet, as by pyarrow.feather.write_feather.",
    ),
    b"ORC": ("ORC", "Write it as parquet."),
    b"SQLite format 3": ("a database of SQLite", "Export the table as text."),
    b"\x93NUMPY": ("an array of numpy", "Pass it to to_memmap with names of genes."),
    b"\x80\x04\x95": ("a pickle of Python", "Write it with DataFrame.to_csv."),
    b"\x80\x05\x95": ("a pickle of Python", "Write it with DataFrame.to_csv."),
    b"\x5d\0\0": ("compressed by LZMA", "Decompress it with unlzma."),
    b"\x04\x22\x4d\x18": ("compressed by LZ4", "Decompress it with unlz4."),
    b"\x1f\x9d": ("compressed by compress (.Z)", "Decompress it with uncompress."),
    b"\x28\xb5\x2f\xfd": ("compressed by zstd", "Decompress it with unzstd."),
    b"7z\xbc\xaf": ("an archive of 7-Zip", "Unpack it first."),
    b"Rar!": ("a RAR archive", "Unpack it first."),
    b"\xd0\xcf\x11\xe0": (
        "a workbook of old Excel (.xls), or with a password",
        "Save it as .xlsx or .csv.",
    ),
    b"%PDF": ("a PDF", "Get the table as text."),
    b"%%MatrixMarket": (
        "a sparse matrix of single cells",
        "Read it with scanpy.read_10x_mtx, sum the cells of each sample, and pass a "
        "DataFrame.",
    ),
    b"^": ("a SOFT file of GEO", "Download the series matrix of the study."),
    b"@HD\t": ("aligned reads", "Count them first, as by featureCounts."),
    b"@SQ\t": ("aligned reads", "Count them first, as by featureCounts."),
    b"BAM\1": ("aligned reads", "Count them first, as by featureCounts."),
    b"Status\t": (
        "the summary of featureCounts",
        "The counts are in the file beside it, whose name has no .summary.",
    ),
    b"##gff": ("a genome annotation", "Give a table of expression."),
    b"##fileformat=VCF": ("a table of variants", "Give a table of expression."),
    b"{": ("JSON", "Give a table of expression."),
    b"[{": ("JSON", "Give a table of expression."),
}


# A chromosome and where on it, without a header.
_REGION = re.compile(rb"chr\w{1,2}\t\d+\t\d+[\t\r\n]")


def refuse_no_text(path, storage):
    """Refuse a file that is no text, or text of a kind that is no table."""
    head = storage.head
    if not head.strip():
        raise ValueError(f"{path} is empty. Download it again.")
    start = head.lstrip(b"\xef\xbb\xbf \r\n\t")[:64]
    for mark, (what, remedy) in _REFUSED.items():
        if mark == b"Status\t" and b"\nAssigned\t" not in head:
            continue  # a column of another table
        if start.startswith(mark) or start.lower().startswith(mark):
            raise ValueError(f"{path} is {what}, no table of expression. {remedy}")
    if _REGION.match(start):
        raise ValueError(
            f"{path} has regions of a genome, as in BED, no table of expression. Count "
            "reads by gene first, or put a line with names of columns on top."
        )
    if head[257:262] == b"ustar":
        raise ValueError(f"{path} is a tar archive. Unpack it, and read the table.")
    if storage.encoding == "utf-8" and b"\0" in head:
        raise ValueError(
            f"{path} is a binary file of an unknown format, no text. It may be "
            "damaged, or meant for another program: export the table as text."
        )
