"""What fits into the memory of this machine."""

import os
from contextlib import suppress

# No network for expression is as large, whatever the machine.
MAX_WEIGHTS, MAX_LAYERS = 10**10, 10**4
# A weight, its gradient and two moments of it, in single precision.
_BYTES_PER_WEIGHT = 16


def machine_bytes():
    """Return the memory of this machine, or None where it does not say."""
    with suppress(AttributeError, OSError, ValueError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def check_network(said, name, n_weights, n_layers):
    """Refuse a network that could not be trained, before it is made.

    Parameters
    ----------
    said : str
        The parameter that makes it large, and its value.
    name : str
        The parameter.
    n_weights : int
        About how many weights it has.
    n_layers : int
        How many layers it has.

    Raises
    ------
    ValueError
        If there are more than `MAX_WEIGHTS` weights or `MAX_LAYERS` layers, or if the
        weights do not fit into memory.
    """
    held = machine_bytes()
    most = MAX_WEIGHTS if held is None else min(MAX_WEIGHTS, held // _BYTES_PER_WEIGHT)
    for n, limit, what in (
        (n_layers, MAX_LAYERS, "layers"),
        (n_weights, most, "weights"),
    ):
        if n > limit:
            where = "" if limit in (MAX_LAYERS, MAX_WEIGHTS) else " on this machine"
            raise ValueError(
                f"{said} makes a network of {n:,d} {what}, where at most {limit:,d} "
                f"can be trained{where}: lower {name}."
            )
