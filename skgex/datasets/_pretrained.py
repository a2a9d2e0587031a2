"""Estimators that were pretrained on public data, and ship with the package."""

from importlib.resources import as_file, files
from typing import Any

from sklearn.utils._param_validation import StrOptions, validate_params

from .._persistence import load

NAMES = {"cox-tcga", "gexbert-tcga", "gexbert-tcga90", "scarf-tcga90"}


@validate_params({"name": [StrOptions(NAMES)]}, prefer_skip_nested_validation=True)
def load_pretrained(name) -> Any:
    """Load an estimator with pretrained weights, which ships with the package.

    ================   =========================================================
    gexbert-tcga       :class:`skgex.GexBERT`, 7,272 genes, 6,758 patients of 23
                       cancer types. For ``GexBERT(start=...)``, ``restore`` and
                       :class:`skgex.GexImputer`.
    cox-tcga           :class:`skgex.FineTunedCoxPH`, 1,526 genes, 3,910 patients
                       of ten cancer types, overall survival. For
                       ``FineTunedCoxPH(FrozenEstimator(...))``.
    gexbert-tcga90,    :class:`skgex.GexBERT` and :class:`skgex.SCARF`, 90 random
    scarf-tcga90       genes, 5,044 patients of 23 types. To try things out.
    ================   =========================================================

    Parameters
    ----------
    name : {"gexbert-tcga", "cox-tcga", "gexbert-tcga90", "scarf-tcga90"}
        Which.

    Returns
    -------
    estimator : estimator
        Fitted. Its genes, by symbol, are in `feature_names_in_`, the unit in which it
        expects them in `unit_`. Never evaluate it on patients of TCGA: it has seen
        them.

    See Also
    --------
    skgex.load : Load weights of your own.
    skgex.GeneAligner : Bring a table to the genes of an embedder.

    Notes
    -----
    All are statistics of open-access data of The Cancer Genome Atlas, free to use with
    its citation [1]_. Trained by ``tools/train_pretrained.py``.

    *gexbert-tcga*: ten tables of TCGA together, RNA-seq of several pipelines and
    two-colour arrays, tumours only. Genes are in standard deviations within cancer
    type and table, samples of one patient in several tables are one row, and genes
    of fewer than 400 patients are left out. So most values of most patients are
    missing. It is the low-rank prior with its 112 leading factors: the network is not
    trained, and `transform` is of little use. To use it as it is, standardise your
    cohort first; as a `start` that is done.

    *cox-tcga*: ridge regression on the ranks of genes, with a baseline for each cancer
    type. Genes are ranked within the cohort, so that units do not matter.

    *gexbert-tcga90* and *scarf-tcga90*: default settings, all samples of
    :func:`load_tcga_pancancer`. Source and terms are those of that cohort.

    References
    ----------
    .. [1] Weinstein J. N. et al. "The Cancer Genome Atlas Pan-Cancer analysis
       project", Nature Genetics 45, 2013. :doi:`10.1038/ng.2764`

    Examples
    --------
    >>> from sklearn.frozen import FrozenEstimator
    >>> from skgex import GexBERT
    >>> from skgex.datasets import load_pretrained, load_tcga_pancancer
    >>> embedder = load_pretrained("scarf-tcga90")
    >>> embedder.unit_
    'log2(normalised RSEM + 1)'
    >>> embedder.transform(load_tcga_pancancer(as_frame=True).data[:3]).shape
    (3, 256)
    >>> GexBERT(start=FrozenEstimator(load_pretrained("gexbert-tcga")))
    GexBERT(start=FrozenEstimator(estimator=GexBERT(embedding_dim=8, max_epochs=0,
                                                    n_layers=1)))
    """
    file = files("skgex.datasets").joinpath("data", f"{name}.safetensors")
    with as_file(file) as path:
        return load(path)
