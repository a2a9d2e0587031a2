"""The same as the command `skgex`, as ``python -m skgex``."""

from ._cli import main

if __name__ == "__main__":
    main()
