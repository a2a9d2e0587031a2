"""Files that are no text, or text of another kind than tables."""

# How files begin that hold no table to be read: what they are, and what to do.
_REFUSED = {
    b"version https://git-lfs": (
        "a pointer of Git LFS",
        "Get the file itself with git lfs pull.",
    ),
    b"<!doctype": ("a web page", "Download the file itself; a login may be needed."),
    b"<html": ("a web page", "Download the file itself; a login may be needed."),
    b"<?xml": ("XML", "Download the table itself."),
    b"RDX": ("data of R", "Write it in R with write.csv."),
    b"X\n\0\0": ("an object of R", "Write it in R with write.csv(readRDS(file))."),
    b"A\n": ("an object of R", "Write it in R with write.csv(readRDS(file))."),
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
    if head[257:262] == b"ustar":
        raise ValueError(f"{path} is a tar archive. Unpack it, and read the table.")
    if storage.encoding == "utf-8" and b"\0" in head:
        raise ValueError(
            f"{path} is a binary file of an unknown format, no text. It may be "
            "damaged, or meant for another program: export the table as text."
        )
