"""The one training core. It knows objectives, rows and callbacks, and no method."""

from ._batches import (
    Batches,
    apply_by_batches,
    apply_in_place,
    recalibrate_batch_norm,
    resolve_device,
    split_validation,
)
from ._callbacks import FitTask
from ._check_callbacks import check_callbacks
from ._fit_tasks import FitTasks
from ._modes import usual_modes
from ._processes import agree, draw_seed, fit_together, launched_rank
from ._quiet import quiet
from ._rows import (
    RowReader,
    check_all_profiles,
    check_profiles,
    gene_moments,
    gene_ranges,
    is_constant,
)
from ._train import History, train

__all__ = [
    "Batches",
    "FitTask",
    "FitTasks",
    "History",
    "RowReader",
    "agree",
    "apply_by_batches",
    "apply_in_place",
    "check_all_profiles",
    "check_callbacks",
    "check_profiles",
    "draw_seed",
    "fit_together",
    "gene_moments",
    "gene_ranges",
    "is_constant",
    "launched_rank",
    "quiet",
    "recalibrate_batch_norm",
    "resolve_device",
    "split_validation",
    "train",
    "usual_modes",
]
