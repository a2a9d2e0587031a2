"""Write the list of gene symbols that names of tables are compared with.

Usage: python tools/gene_symbols.py --data DIR [--output FILE]

``DIR`` holds one folder per table, each with ``X.npz``, whose ``genes`` are names. The
symbols of all tables below are kept, which are of different years: names that have been
given up stand in tables still. The same input gives the same bytes.
"""

import argparse
import gzip
import re
from pathlib import Path

import numpy as np

OUTPUT = Path(__file__).parents[1] / "skgex" / "_gene_names" / "symbols.txt.gz"
# Every table of human genes by symbol whose terms ask nothing of what is made of them.
TABLES = (
    *("breast_expo353", "breast_nki150", "gtex_toil1000", "tcga_agilent"),
    *("tcga_brca_pam50", "tcga_brca_tn", "tcga_eb", "tcga_rsem_stad", "tcga_skcm2454"),
    *("tcga_tall90", "tcga_z13", "tcga_z2wide", "tissue_u133_500"),
)
SYMBOL = re.compile(
    r"[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*@?|C(?:\d+|X|Y)orf\d+[A-Z]?", re.ASCII
)
# These are told by their form: see id_kind.
FORM = re.compile(r"LOC\d+\S*|ENS[A-Z]*\d{11}|ERCC-\d+|[NX][MR]-\d+", re.ASCII)


def symbols_of(folder):
    """Return the names of one table that are symbols."""
    with np.load(folder / "X.npz") as table:
        names = [str(name) for name in table["genes"]]
    return {n for n in names if SYMBOL.fullmatch(n) and not FORM.fullmatch(n)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    symbols = set().union(*(symbols_of(options.data / name) for name in TABLES))
    text = "".join(f"{symbol}\n" for symbol in sorted(symbols))
    options.output.write_bytes(gzip.compress(text.encode("ascii"), 9, mtime=0))
    print(f"{options.output}: {len(symbols)} symbols")


if __name__ == "__main__":
    main()
