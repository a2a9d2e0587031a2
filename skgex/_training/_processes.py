"""Several processes that fit one estimator, through Hugging Face Accelerate.

Under `torchrun` or `accelerate launch` the same script runs in each of them, and each
fits the same estimator to the same data. They meet in `fit` alone, where training is
shared; whatever else they compute they compute alike.
"""

import atexit
import os
import threading
import warnings
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing import parent_process

import numpy as np
import torch
from sklearn.utils import check_random_state
from torch import distributed

# A process that failed waits so long for the others to fail too. If they don't, it
# failed alone, and they are told.
PATIENCE = timedelta(seconds=5)
# How far what the processes read may differ by rounding.
_TOLERANCE = 1e-4
_LAUNCHED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
_started = None


def launched_rank():
    """Return which of the launched processes this one is, None if it is by itself.

    Processes that one of them has started in its turn, such as workers of joblib,
    inherit the environment that says so; they are by themselves.
    """
    if parent_process() is not None or not all(
        name in os.environ for name in _LAUNCHED
    ):
        return None
    return int(os.environ["RANK"]) if int(os.environ["WORLD_SIZE"]) > 1 else None


def processes():
    """Return the `Processes` that fit together, None where this one fits by itself.

    So it does in threads other than the main one, where several fits would wait for
    each other in any order.
    """
    global _started
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or launched_rank() is None:
        return None
    if _started is None:
        _started = Processes()
    if _started.is_broken:
        raise RuntimeError(
            "Another of the processes that were launched together has failed, or came "
            "to another fit than this one; see its error. Start them again."
        )
    return _started


@contextmanager
def fit_together():
    """Fit an estimator inside of the context together with the other processes."""
    found = processes()
    if found is None:
        yield
        return
    with warnings.catch_warnings():
        if found.rank:
            warnings.simplefilter("ignore")  # The first one says the same.
        try:
            yield
        except BaseException as error:
            found.fail(error)
            raise


def agree(value):
    """Return what the first process has for `value`, in all of them.

    They have computed the same, but for rounding on other machines, and for what is
    drawn from generators without a seed.
    """
    found = processes()
    return value if found is None else found.agree(value)


def draw_seed(random_state):
    """Draw the seed of a fit, the same in all processes."""
    return agree(check_random_state(random_state).randint(2**31 - 1))


class Processes:
    """The processes that were launched together, one of which this is.

    Attributes
    ----------
    rank, n_processes : int
        Which one this is, of how many.
    is_broken : bool
        Whether one of them failed by itself, so that no more can be done together.
    """

    def __init__(self):
        state = _start()
        self.rank, self.n_processes = state.process_index, state.num_processes
        self.is_broken = False
        self._n_agreed = 0
        # Of its own, as the others may be in the midst of something in the usual one.
        self._after_failure = distributed.new_group(timeout=PATIENCE, backend="gloo")

    def agree(self, value):
        """Return what the first process has for `value`."""
        self._n_agreed += 1
        sent = [(self._n_agreed, value)]
        distributed.broadcast_object_list(sent)
        n_agreed, value = sent[0]
        if n_agreed != self._n_agreed:
            raise RuntimeError(
                "The processes are not at the same place: each must call the same fits "
                "in the same order."
            )
        return value

    def mean(self, values):
        """Return the means over the processes of a list of numbers."""
        total = torch.tensor(values, dtype=torch.float64, device="cpu")
        distributed.all_reduce(total)
        return (total / self.n_processes).tolist()

    def any(self, condition):
        """Return whether it holds in any process."""
        return self.mean([float(condition)])[0] > 0

    def check_same(self, reader, rows):
        """Refuse other data in one process than in another."""
        some = reader.take(rows[:8]).nan_to_num(nan=0.0).double().abs().sum(1).tolist()
        facts = (len(rows), int(rows.sum()), *reader.shape, some)
        all_facts = [None] * self.n_processes
        distributed.all_gather_object(all_facts, facts)
        for *sizes, sums in all_facts:
            if sizes != [*facts[:-1]] or not np.allclose(sums, some, rtol=_TOLERANCE):
                raise ValueError(
                    "The processes were given different training data, or split it "
                    "differently. Each must be given all samples and genes, in the "
                    "same order, and takes its share of each batch itself; give a "
                    "random_state to whatever splits, draws or simulates data."
                )

    def fail(self, error):
        """Wait for the others to fail as well, or leave them if they don't."""
        if self.is_broken:
            return
        try:
            if not isinstance(error, Exception):
                raise RuntimeError("interrupted")
            distributed.barrier(self._after_failure)
        except RuntimeError:
            self.is_broken = True
            # What the others wait for ends with an error.
            self.disconnect()

    def disconnect(self):
        """Leave the others, and end the threads that spoke to them."""
        # A group ends its threads when nothing refers to it any more.
        self._after_failure = None
        if distributed.is_initialized():
            distributed.destroy_process_group()


def _start():
    """Connect with the other processes, unless they are."""
    try:
        from accelerate import PartialState
    except ImportError as error:
        raise ImportError(
            f"{os.environ['WORLD_SIZE']} processes were launched to fit together, "
            'which needs Hugging Face Accelerate: pip install "skgex[distributed]". Or '
            "start the script by python alone."
        ) from error
    has_cuda = torch.cuda.is_available()
    ours = not distributed.is_initialized()
    if ours:
        # Torch imports it in the midst of a fit, and its functions then have the group
        # as a default and keep it for good; as yet there is none.
        from torch.distributed import nn  # noqa: F401
    if ours and has_cuda:
        # Accelerate's choice is NCCL alone, which can't do anything with device="cpu".
        distributed.init_process_group("cpu:gloo,cuda:nccl")
    state = PartialState() if has_cuda else PartialState(cpu=True, backend="gloo")
    if ours:
        atexit.register(_end)
    return state


def _end():
    # Or threads of gloo, which may hold the last tensor that was sent, end the
    # interpreter with an error.
    if _started is not None:
        _started.disconnect()
