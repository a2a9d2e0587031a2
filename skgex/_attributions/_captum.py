"""Captum, which only attributions need, imported when they do."""


def import_captum():
    """Import the part of captum that attributes outputs to inputs."""
    try:
        import captum.attr
    except ImportError as error:
        raise ImportError(
            "gene_attributions needs captum, which is not installed: pip install "
            '"skgex[explain]"'
        ) from error
    return captum.attr
