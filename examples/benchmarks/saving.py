"""What a saved embedder takes: bytes, and seconds to save and to load.

    python saving.py [--genes 20000] [--repeats 5]

SCARF and GexBERT with default networks, after one epoch on 200 synthetic samples;
beside the bytes of all weights, pickle, and torch.save of the weights alone. Prints
medians of the repeats.
"""

import argparse
import io
import pickle
import statistics
import tempfile
from pathlib import Path

import pandas as pd
import torch
from _records import record
from _timing import side_by_side

from skgex import SCARF, GexBERT, load
from skgex.datasets import make_expression


def measure(embedder, folder, repeats):
    path = Path(folder) / "embedder.safetensors"
    state = {**embedder.objective_.state_dict()}
    state |= {
        f"standardizer.{k}": v for k, v in embedder.standardizer_.state_dict().items()
    }
    weights = sum({v.data_ptr(): v.nbytes for v in state.values()}.values())
    content = io.BytesIO()
    torch.save(state, content)
    pickled = pickle.dumps(embedder)
    ways = {
        "save": lambda: embedder.save(path),
        "load": lambda: load(path),
        "pickle.dumps": lambda: pickle.dumps(embedder),
        "pickle.loads": lambda: pickle.loads(pickled),
        "torch.save of the weights": lambda: torch.save(state, io.BytesIO()),
    }
    times = side_by_side(ways, repeats)
    print(f"weights {weights / 1e6:.2f} MB")
    sizes = {"save": path.stat().st_size, "pickle.dumps": len(pickled)}
    sizes["torch.save of the weights"] = content.getbuffer().nbytes
    for name, values in times.items():
        n_genes = embedder.n_features_in_
        record(f"{type(embedder).__name__}, {name}", values, genes=n_genes)
        size = f"{sizes[name] / weights:8.3f} x the weights" if name in sizes else ""
        print(f"{name:26s}{1e3 * statistics.median(values):8.1f} ms{size}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    X = pd.DataFrame(make_expression(200, arguments.genes, random_state=0))
    X.columns = [f"ENSG{i:011d}" for i in X.columns]
    for embedder in (SCARF(max_epochs=1), GexBERT(max_epochs=1)):
        print(f"\n{type(embedder).__name__}, {arguments.genes:,} genes: ", end="")
        with tempfile.TemporaryDirectory() as folder:
            measure(embedder.fit(X), folder, arguments.repeats)


if __name__ == "__main__":
    main()
