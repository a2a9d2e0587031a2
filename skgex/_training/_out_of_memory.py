"""What to say, and to do, when a device is out of memory."""

import torch


def out_of_memory(error, device, what, remedy):
    """Return an error that says what did not fit, and what to do.

    Parameters
    ----------
    error : torch.OutOfMemoryError
        What torch raised; its first sentences say how much was asked for.
    device : torch.device
        Which device is full.
    what : str
        What was done.
    remedy : str
        What the user can do.

    Returns
    -------
    error : MemoryError

    Examples
    --------
    >>> import torch
    >>> from skgex._training._out_of_memory import out_of_memory
    >>> error = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. ")
    >>> print(out_of_memory(error, "cuda:0", "Training", "Lower `batch_size`"))
    Training needs more memory than device='cuda:0' has free: Tried to allocate 2.00 GiB. Lower `batch_size`, or use device='cpu'.
    """  # noqa: E501
    needed = [part for part in str(error).split(". ") if "allocate" in part]
    needed = f": {needed[0].strip().rstrip('.')}" if needed else ""
    return MemoryError(
        f"{what} needs more memory than device='{device}' has free{needed}. {remedy}, "
        "or use device='cpu'."
    )


def by_smaller_blocks(function, size, device):
    """Return what a function makes of rows, so many at a time as memory allows.

    Parameters
    ----------
    function : callable
        Of the number of rows that it takes at a time.
    size : int
        How many to begin with; halved for as long as there is too little memory.
    device : torch.device
        Where it computes.

    Returns
    -------
    output : object
        That of the function. All of it is of one size: rows do not differ by where in
        the call memory ran out. Sizes differ by rounding alone.

    Raises
    ------
    MemoryError
        If a single row does not fit.
    """
    while True:
        try:
            return function(size)
        except torch.OutOfMemoryError as error:
            if size == 1:
                remedy = "Free memory that other programs or models hold"
                what = "A single sample"
                raise out_of_memory(error, device, what, remedy) from error
        # Not in the handler: what was computed is held until it is left.
        size //= 2
        if device.type == "cuda":
            torch.cuda.empty_cache()
