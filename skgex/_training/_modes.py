"""The modes of torch in which all is computed, whatever the caller's are."""

import os
from contextlib import ExitStack, contextmanager

import torch


def _one_thread():
    """Compute in one thread in a forked process, as workers of torch's loaders do.

    The threads of the parent are not there, and OpenMP would wait for them forever.
    """
    if torch.get_num_threads() > 1:
        torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_one_thread)


@contextmanager
def usual_modes():
    """Compute with gradients, in full and on the device asked for, in this thread.

    A caller may have switched gradients off, as for inference, asked for half precision
    by autocast, or set another default device. The default dtype holds for all threads
    of a process: it is left alone, and what is made here says which it wants.
    """
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if torch.get_default_device().type != "cpu":
            # Only then, as it costs time in each call of torch.
            stack.enter_context(torch.device("cpu"))
        yield
