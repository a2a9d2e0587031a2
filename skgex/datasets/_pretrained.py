"""Embedders that were pretrained on data that ship with the package."""

from importlib.resources import as_file, files

from sklearn.utils._param_validation import StrOptions, validate_params

from .._persistence import load

NAMES = {"gexbert-tcga90", "scarf-tcga90"}


@validate_params({"name": [StrOptions(NAMES)]}, prefer_skip_nested_validation=True)
def load_pretrained(name):
    """Load an embedder with pretrained weights, which ship with the package.

    Both were pretrained, with default settings and without labels, on all samples of
    :func:`load_tcga_pancancer`: 5,044 primary tumours of 23 types, 90 random genes. So
    few genes are good for trying out what weights are good for: no download is needed.
    For a panel of your own, pretrain on a public cohort that has its genes.

    Parameters
    ----------
    name : {"gexbert-tcga90", "scarf-tcga90"}
        Which: a :class:`skgex.GexBERT` or a :class:`skgex.SCARF`.

    Returns
    -------
    embedder : embedder
        Fitted. Its genes are in `feature_names_in_`, the unit in which it expects them
        in `unit_`: log2(normalised RSEM + 1). Never evaluate it on patients of TCGA: it
        has seen them.

    See Also
    --------
    skgex.load : Load weights of your own.
    skgex.GeneAligner : Bring a table to the genes of an embedder.

    Notes
    -----
    Source and terms are those of the cohort, see its `DESCR`: open-access data of TCGA,
    by way of a repository under CC0 1.0. Trained by ``tools/train_pretrained.py``.

    Examples
    --------
    >>> from skgex.datasets import load_pretrained, load_tcga_pancancer
    >>> embedder = load_pretrained("scarf-tcga90")
    >>> embedder.unit_
    'log2(normalised RSEM + 1)'
    >>> embedder.transform(load_tcga_pancancer(as_frame=True).data[:3]).shape
    (3, 256)
    """
    file = files("skgex.datasets").joinpath("data", f"{name}.safetensors")
    with as_file(file) as path:
        return load(path)
