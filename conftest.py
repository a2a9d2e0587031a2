"""Settings of every test, those in docstrings included."""

import os
import sys

# Figures are drawn in memory, also where there is a screen.
os.environ["MPLBACKEND"] = "Agg"
# scikit-learn skips its check of array API input where scipy was imported without this.
os.environ["SCIPY_ARRAY_API"] = "1"

import hypothesis
import numpy as np
import pytest
import torch

# On networks this small, threads wait for each other longer than they work.
torch.set_num_threads(1)

# The same examples in every run: a failure seen once can be seen again.
hypothesis.settings.register_profile(
    "skgex", derandomize=True, deadline=None, max_examples=25
)
hypothesis.settings.load_profile("skgex")


@pytest.fixture(autouse=True)
def _seeded():
    """Start each test from the same state of the global generators."""
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002


@pytest.fixture(autouse=True)
def _close_figures():
    """Close the figures that a test or an example has opened."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
