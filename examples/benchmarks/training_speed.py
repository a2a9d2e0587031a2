"""What training costs beside bare torch and beside TabularS3L.

    python training_speed.py [--threads 1] [--repeats 5] [--only loop corruption ...]
        [--quick]

Prints six tables:

- loop: an epoch of the estimators beside the same steps in a plain torch loop;
- corruption: the share of a SCARF step at 20,000 genes that goes into the view;
- import: what importing the package costs over torch and scikit-learn;
- peers: an epoch beside TabularS3L, if it is installed (``pip install ts3l==0.70``);
- products: the share of a VIME step that is matrix products, a floor for any package;
- memory: peak memory of SCARF on a memory map of 20,000 x 20,000 (1.6 GB on disk).

Everything is measured side by side in one run; medians are what to read.
"""

import argparse
import math
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from _records import record
from _timing import peak_memory, seconds, side_by_side
from torch import nn

from skgex import SCARF, VIME
from skgex._training._net import MAX_GRADIENT_NORM, WARM_UP
from skgex.datasets import make_expression

BATCH = 128
# What widths are divided by.
SCALE = {"genes": 1}


def warm_side_by_side(functions, repeats):
    """Return seconds of each function after a first call of it."""
    side_by_side(functions, 1)
    return side_by_side(functions, repeats)


def bare_torch(embedder, X, max_epochs):
    """The same objective and the same steps as the estimator, in plain torch."""
    data = torch.from_numpy(X)
    standardizer = embedder.standardizer_
    objective = embedder.objective_.train()
    parameters = list(objective.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.01, fused=True)
    n_batches = math.ceil(len(X) / BATCH)
    total, step = max_epochs * n_batches, 0
    for _ in range(max_epochs):
        losses = []
        for rows in torch.randperm(len(X)).tensor_split(n_batches):
            warm_up = WARM_UP * total
            factor = min((step + 1) / (warm_up + 1), 0.5 * (1 + math.cos(step / total)))
            for group in optimizer.param_groups:
                group["lr"] = 1e-3 * factor
            optimizer.zero_grad()
            loss = objective(standardizer(data[rows]))
            loss.backward()
            norm = nn.utils.get_total_norm([p.grad for p in parameters])
            if norm > MAX_GRADIENT_NORM:
                nn.utils.clip_grads_with_norm_(parameters, MAX_GRADIENT_NORM, norm)
            optimizer.step()
            losses.append(loss.item())
            step += 1


def epoch_seconds(fit, others, repeats, few=0, many=5):
    """Seconds an epoch of `fit(n_epochs)`, each beside one run of the others.

    The difference of two fits leaves out what a fit does but once.
    """
    functions = {"few": lambda: fit(few), "many": lambda: fit(many), **others}
    times = warm_side_by_side(functions, repeats)
    ours = [
        (m - f) / (many - few) for f, m in zip(times["few"], times["many"], strict=True)
    ]
    return ours, {name: times[name] for name in others}


def measure_loop(repeats):
    print("\nloop: seconds an epoch, batch 128, encoder (256, 256)")
    print(f"{'':24s}{'estimator':>10s}{'torch':>10s}{'ratio':>8s}   range of ratios")
    for Method in (SCARF, VIME):
        for n_genes in (1000, 8000):
            n_genes //= SCALE["genes"]
            X = make_expression(2000, n_genes, random_state=0)
            fitted = Method(max_epochs=1, batch_size=BATCH, random_state=0).fit(X)
            ours, others = epoch_seconds(
                lambda n, Method=Method, X=X: Method(
                    max_epochs=n, batch_size=BATCH, random_state=0
                ).fit(X),
                {"torch": lambda f=fitted, X=X: bare_torch(f, X, 5)},
                repeats,
            )
            bare = [seconds / 5 for seconds in others["torch"]]
            ratios = sorted(a / b for a, b in zip(ours, bare, strict=True))
            size = {"samples": len(X), "genes": n_genes}
            names = f"{Method.__name__} epoch", f"{Method.__name__} epoch, plain torch"
            record(names[0], ours, beside=names[1], **size)
            record(names[1], bare, **size)
            print(
                f"{Method.__name__:6s} 2,000 x {n_genes:<9,d}"
                f"{statistics.median(ours):10.3f}{statistics.median(bare):10.3f}"
                f"{statistics.median(ratios):8.2f}   {ratios[0]:.2f}-{ratios[-1]:.2f}"
            )


def measure_corruption(repeats):
    X = make_expression(BATCH, 20_000 // SCALE["genes"], random_state=0)
    fitted = SCARF(max_epochs=1, random_state=0).fit(X)
    objective = fitted.objective_.train()
    batch = fitted.standardizer_(torch.from_numpy(X))
    optimizer = torch.optim.AdamW(objective.parameters(), fused=True)

    def step():
        optimizer.zero_grad()
        objective(batch).backward()
        optimizer.step()

    times = warm_side_by_side(
        {"view": lambda: objective.corruption(batch), "step": step}, 5 * repeats
    )
    view, whole = (statistics.median(times[name]) for name in ("view", "step"))
    size = {"samples": BATCH, "genes": X.shape[1]}
    record("SCARF view", times["view"], beside="SCARF step", **size)
    record("SCARF step", times["step"], **size)
    print("\ncorruption: SCARF at 128 x 20,000")
    print(f"view {1e3 * view:.1f} ms of a step of {1e3 * whole:.1f} ms: ", end="")
    print(f"{view / whole:.0%}")


def measure_import(repeats):
    statements = {
        "torch, sklearn": "import torch, sklearn",
        "skgex.datasets": (
            "import torch, sklearn; import skgex; "
            "skgex.datasets.load_tissues_u133(return_X_y=True)"
        ),
        "skgex.SCARF": "import torch, sklearn; from skgex import SCARF",
    }
    times = warm_side_by_side(
        {
            name: lambda code=code: subprocess.run([sys.executable, "-c", code])
            for name, code in statements.items()
        },
        repeats,
    )
    base = statistics.median(times["torch, sklearn"])
    print("\nimport: seconds, each in a new process")
    for name, values in times.items():
        median = statistics.median(values)
        record(f"import {name}", values, beside="import torch, sklearn")
        print(f"{name:16s}{median:8.2f}   over torch, sklearn {median - base:+.2f}")


def ts3l_epochs(X):
    """One epoch of pretraining with TabularS3L, without its trainer's start-up."""
    import pandas as pd
    from torch.utils.data import DataLoader
    from ts3l.pl_modules import SCARFLightning, VIMELightning
    from ts3l.utils.backbone_utils import MLPBackboneConfig
    from ts3l.utils.embedding_utils import IdentityEmbeddingConfig
    from ts3l.utils.scarf_utils import SCARFConfig, SCARFDataset
    from ts3l.utils.vime_utils import VIMEConfig, VIMEDataset

    frame = pd.DataFrame(X)
    columns = list(frame.columns)
    shared = {
        "task": "classification",
        "loss_fn": "CrossEntropyLoss",
        "output_dim": 2,
        "embedding_config": IdentityEmbeddingConfig(input_dim=X.shape[1]),
        "backbone_config": MLPBackboneConfig(
            input_dim=X.shape[1], hidden_dims=256, n_hiddens=2
        ),
    }
    scarf = SCARFConfig(**shared, corruption_rate=0.6)
    vime = VIMEConfig(**shared, num_continuous=X.shape[1])
    tables = {
        SCARFLightning(scarf): SCARFDataset(
            frame, config=scarf, continuous_cols=columns, category_cols=[]
        ),
        VIMELightning(vime): VIMEDataset(
            frame, config=vime, continuous_cols=columns, category_cols=[]
        ),
    }

    def epoch(module, table):
        module.set_first_phase()
        module.train()
        optimizer = torch.optim.AdamW(module.parameters(), lr=1e-3)
        for batch in DataLoader(table, batch_size=BATCH, shuffle=True):
            optimizer.zero_grad()
            module._get_first_phase_loss(batch).backward()
            optimizer.step()

    return [lambda m=m, t=t: epoch(m, t) for m, t in tables.items()]


def measure_peers(repeats):
    X = make_expression(1000, 1000, random_state=0)
    try:
        theirs = ts3l_epochs((X - X.mean(0)) / X.std(0))
    except ImportError:
        print("\npeers: TabularS3L is not installed, left out")
        return
    print("\npeers: seconds an epoch, 1,000 x 1,000, batch 128, two layers of 256")
    print(f"{'':8s}{'skgex':>10s}{'ts3l':>10s}{'ratio':>10s}")
    for Method, peer in zip((SCARF, VIME), theirs, strict=True):
        ours, others = epoch_seconds(
            lambda n, Method=Method: Method(
                max_epochs=n, batch_size=BATCH, random_state=0
            ).fit(X),
            {"ts3l": peer},
            repeats,
            many=10,
        )
        a, b = statistics.median(ours), statistics.median(others["ts3l"])
        name = f"{Method.__name__} epoch, beside ts3l"
        record(name, ours, beside=f"{name}: ts3l", samples=1000, genes=1000)
        record(f"{name}: ts3l", others["ts3l"], samples=1000, genes=1000)
        print(
            f"{Method.__name__:8s}{a:10.4f}{b:10.4f}{'1/' + format(b / a, '.1f'):>10s}"
        )


def measure_products(repeats):
    """What the matrix products of a VIME step take, forward and backward, alone."""
    X = make_expression(1000, 1000, random_state=0)
    objective = VIME(max_epochs=1, random_state=0).fit(X).objective_.train()
    optimizer = torch.optim.AdamW(objective.parameters(), fused=True)
    batch = torch.randn(BATCH, 1000)
    linear = [m for m in objective.modules() if isinstance(m, nn.Linear)]
    inputs = [torch.randn(BATCH, m.in_features) for m in linear]
    outputs = [torch.randn(BATCH, m.out_features) for m in linear]

    def step():
        optimizer.zero_grad()
        objective(batch).backward()
        optimizer.step()

    @torch.no_grad()
    def products():
        for m, x, grad in zip(linear, inputs, outputs, strict=True):
            x @ m.weight.T  # forward
            grad.T @ x  # gradient of the weights
            if m is not linear[0]:
                grad @ m.weight  # gradient of the input

    times = warm_side_by_side({"products": products, "step": step}, 10 * repeats)
    part, whole = (statistics.median(times[name]) for name in ("products", "step"))
    record("VIME products", times["products"], beside="VIME step", genes=1000)
    record("VIME step", times["step"], genes=1000)
    print("\nproducts: matrix products in a VIME step at 128 x 1,000")
    print(f"{1e3 * part:.1f} ms of a step of {1e3 * whole:.1f} ms: {part / whole:.0%}")


def measure_memory(_):
    """In a process of its own, since a peak cannot be reset."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "X.npy"
        X = np.lib.format.open_memmap(path, "w+", np.float32, (20_000, 20_000))
        rng = np.random.default_rng(0)
        for start in range(0, len(X), 1000):
            X[start : start + 1000] = rng.standard_normal(
                (1000, X.shape[1]), dtype=np.float32
            )
        X.flush()
        del X
        subprocess.run([sys.executable, __file__, "--memory-of", str(path)], check=True)


def memory_of(path):
    SCARF(max_epochs=1, batch_size=BATCH).fit(make_expression(300, 50))
    before = peak_memory()
    X = np.load(path, mmap_mode="r")
    embedder = SCARF(max_epochs=1, batch_size=BATCH)
    took = seconds(lambda: embedder.fit(X))
    fit = peak_memory()
    embedder.transform(X)
    size = {"samples": len(X), "genes": X.shape[1]}
    record("SCARF fit to a map", 1e3 * (fit - before), "MB", **size)
    record("SCARF fit to a map", took, **size)
    print("\nmemory: SCARF, one epoch over a memory map of 20,000 x 20,000")
    print(f"imports {before:.2f} GB, peak of fit {fit:.2f} GB (+{fit - before:.2f}),")
    print(f"peak with transform {peak_memory():.2f} GB; fit took {took:.0f} s")


MEASURES = {
    "loop": measure_loop,
    "corruption": measure_corruption,
    "import": measure_import,
    "peers": measure_peers,
    "products": measure_products,
    "memory": measure_memory,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="*", choices=MEASURES, default=list(MEASURES))
    parser.add_argument("--quick", action="store_true", help="a tenth of the genes")
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    SCALE["genes"] = 10 if arguments.quick else 1
    if arguments.memory_of:
        memory_of(arguments.memory_of)
    else:
        print(f"torch {torch.__version__}, {arguments.threads} thread(s)")
        for name in arguments.only:
            MEASURES[name](arguments.repeats)
