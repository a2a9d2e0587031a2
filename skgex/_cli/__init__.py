"""The command `skgex`: files in, files out, through the public API."""

from ._main import app, main

__all__ = ["app", "main"]
