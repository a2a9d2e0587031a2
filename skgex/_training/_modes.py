"""The modes of torch in which all is computed, whatever the caller's are."""

from contextlib import ExitStack, contextmanager

import torch


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
