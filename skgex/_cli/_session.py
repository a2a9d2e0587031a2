"""What one run of the command says, and what it clears away in the end."""

import sys
from contextlib import ExitStack


class Session:
    """One run of a command.

    Attributes
    ----------
    quiet : bool
        Whether only errors are told.
    debug : bool
        Whether errors come with a traceback.
    resources : contextlib.ExitStack
        What is closed or removed in the end, whatever happens.
    names : dict of str to str
        What to call paths in messages that the user has not named.
    """

    def __init__(self):
        self.start()

    def start(self):
        """Forget what an earlier run has set."""
        self.quiet = self.debug = False
        self.resources, self.names = ExitStack(), {}

    def say(self, text):
        """Tell something about the work, on standard error."""
        if not self.quiet:
            self.complain(text)

    def complain(self, text):
        """Tell an error, in one line on standard error."""
        for path, name in self.names.items():
            text = text.replace(path, name)
        print("skgex:", " ".join(text.split()), file=sys.stderr, flush=True)

    def warn(self, message, category, *_, **__):
        """Tell a warning of the package, in place of `warnings.showwarning`."""
        if issubclass(category, UserWarning) or self.debug:
            self.say(f"warning: {message}")

    def shows_progress(self):
        """Whether somebody is there to watch a progress bar."""
        return sys.stderr.isatty() and not self.quiet


SESSION = Session()
