"""The long description: README.md without its figure, which only a checkout has."""

import re
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface


class LongDescription(MetadataHookInterface):
    """Leave out images whose path is relative, as other pages cannot show them."""

    def update(self, metadata):
        """Set the long description."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        text = re.sub(r"^!\[[^]]*\]\((?!https?:).*\)\n\n", "", text, flags=re.MULTILINE)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
