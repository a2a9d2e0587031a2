"""From what went wrong to one line and an exit code."""

import os
import sys
import traceback
import warnings
from contextlib import contextmanager

import typer

from ._session import SESSION

# 1 is for data that are odd, as `check` finds them, and 2 for wrong usage.
ODD, WRONG_USAGE, FAILED, INTERRUPTED, BROKEN_PIPE = 1, 2, 3, 130, 141


class WrongUsage(typer.BadParameter):
    """The command line cannot be carried out as it stands."""

    def format_message(self):
        """Return the message alone."""
        return self.message


@contextmanager
def told_in_one_line():
    """Turn what a command raises into a message and an exit code."""
    try:
        with warnings.catch_warnings(), SESSION.resources:
            warnings.simplefilter("default")
            warnings.showwarning = SESSION.warn
            yield
            if sys.stdout is not None:  # as where a shell closed it
                sys.stdout.flush()
    except KeyboardInterrupt:
        SESSION.complain("interrupted: no result was written.")
        # Where it came inside of code from a string, as imports have, Python would end
        # by the signal rather than with the code; other such code makes it forget.
        exec("")
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # Who reads has had enough. Python would say so again when it closes the pipe.
        _forget_stdout()
        raise typer.Exit(BROKEN_PIPE) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        if is_usage(error):
            raise
        _tell(error)
        raise typer.Exit(FAILED) from None


def is_usage(error):
    """Whether an exception says that the command line is wrong."""
    return hasattr(error, "format_message")


def tell_usage(error):
    """Tell what is wrong with the command line, and return the exit code."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "skgex"
    SESSION.complain(f"{error.format_message()} ({command} --help says what there is)")
    return WRONG_USAGE


def _tell(error):
    if SESSION.debug:
        traceback.print_exception(error)
    SESSION.complain(_text(error))


def _text(error):
    if isinstance(error, MemoryError):
        return "there is not enough memory for this table."
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    # What the package raises is written for people.
    if isinstance(error, ValueError | ImportError | OSError | RuntimeError):
        return str(error)
    return f"{type(error).__name__}: {error} (--debug shows where)"


def _forget_stdout():
    if sys.stdout is sys.__stdout__:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
