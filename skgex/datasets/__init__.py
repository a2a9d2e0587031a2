"""Real expression data that ship with the package, and synthetic ones."""

import lazy_loader

# Pretrained weights need torch, which the data do not. The names stand in __init__.pyi.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
