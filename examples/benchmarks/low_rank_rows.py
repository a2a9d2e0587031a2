"""What it costs that the low-rank start of GexBERT reads all samples only at last.

    python low_rank_rows.py --data DIR [--ranks 128 384] [--samples 20000]

Of more than `FIRST_ROWS` samples the first iterations see as many, evenly spaced, and
the last ones all. Factor analysis is fitted in that way and with all samples
throughout, to synthetic data of 1,000 genes, and to `tcga_z13` in DIR, in which the
bound is brought down to 1,024 so that it applies. Prints the error of values that are
hidden in other samples, as the choice of the number of factors measures it.
"""

import argparse
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from _data import read_set, signed_log

from skgex import GexBERT
from skgex._low_rank import LowRankPrior, _fit_factors, _fit_holes, pattern_groups
from skgex._low_rank._blocks import Blocks
from skgex._low_rank._choose_rank import HIDDEN_SHARES, held_out_error
from skgex._low_rank._fit_factors import fit_factor_analysis
from skgex._training import RowReader
from skgex.datasets import make_expression

N_TEST = 500


def load_z13(data):
    X, _, _ = read_set(data, "tcga_z13")
    return signed_log(X).astype(np.float32)


def error(X, rank, first_rows):
    """Return the error in the last samples of a model of the others."""
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(X)))
    rows, test = order[N_TEST:].sort().values, order[:N_TEST]
    reader = RowReader(X)
    prepare = GexBERT()._make_standardizer(RowReader(X[rows.numpy()]))
    torch.manual_seed(0)
    with (
        mock.patch.object(_fit_factors, "FIRST_ROWS", first_rows),
        mock.patch.object(_fit_holes, "FIRST_ROWS", first_rows),
    ):
        model = fit_factor_analysis(reader, rows, prepare, rank)
    torch.manual_seed(1)
    masks = [torch.rand(X.shape[1]) < share for share in HIDDEN_SHARES]
    blocks = Blocks(reader, test, prepare)
    return held_out_error(LowRankPrior(model), blocks, pattern_groups(blocks), masks)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--ranks", nargs="*", type=int, default=[128, 384])
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    synthetic = make_expression(
        arguments.samples, 1000, n_factors=100, noise=0.5, random_state=0
    )
    sets = {
        "synthetic": (synthetic, _fit_factors.FIRST_ROWS),
        "tcga_z13": (load_z13(arguments.data), 1024),
    }
    for name, (X, first_rows) in sets.items():
        for rank in arguments.ranks:
            every, some = error(X, rank, len(X)), error(X, rank, first_rows)
            print(
                f"{name}, {len(X):,} x {X.shape[1]:,}, {rank} factors: all rows "
                f"{every:.5f}, {first_rows:,} at first {some:.5f} "
                f"({100 * (some / every - 1):+.2f} %)",
                flush=True,
            )


if __name__ == "__main__":
    main()
