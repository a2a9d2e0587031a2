"""Train the weights that ship with the package.

Usage: python tools/train_pretrained.py [--output DIR] [--threads 2]

On the pan-cancer set that ships with it, without labels, with default settings. The
same versions of the packages and the same machine give the same weights.
"""

import argparse
from pathlib import Path

import torch

from skgex import SCARF, GexBERT
from skgex.datasets import load_tcga_pancancer

OUTPUT = Path(__file__).parents[1] / "skgex" / "datasets" / "data"
EMBEDDERS = {"scarf-tcga90": SCARF, "gexbert-tcga90": GexBERT}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    cohort = load_tcga_pancancer(as_frame=True)
    for name, Embedder in EMBEDDERS.items():
        embedder = Embedder(random_state=0)
        embedder.fit(cohort.data, groups=cohort.metadata["patient"])
        # To be loaded with the settings of anyone's own embedder.
        embedder.set_params(random_state=None)
        path = arguments.output / f"{name}.safetensors"
        embedder.save(path, unit="log2(normalised RSEM + 1)")
        print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")
