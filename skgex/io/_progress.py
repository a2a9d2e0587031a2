"""The progress bar of long conversions."""

from contextlib import contextmanager

from ._optional import import_progress


@contextmanager
def progress_bar(verbose):
    """Yield a function of a name, of how many blocks are done, and of how many."""
    if not verbose:
        yield lambda name, done, total: None
        return
    progress = import_progress()
    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns) as bars:
        tasks = {}

        def show(name, done, total):
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done)

        yield show
