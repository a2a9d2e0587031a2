"""Swapped genes in fine-tuning, against learning samples by heart."""

from ..nn import GeneCorruption


def check_corruption(estimator):
    """Refuse to swap genes where the encoder, which reads them, is not trained."""
    rate = estimator.corruption_rate
    if rate and estimator.freeze:
        raise ValueError(
            f"corruption_rate={rate:g} swaps genes before the encoder, which "
            "freeze=True leaves as it is, and the head is trained on what it makes of "
            "the samples once: set freeze=False, or corruption_rate=0."
        )


def make_corruption(estimator):
    """Return what swaps genes between the samples of a batch, or None."""
    rate = estimator.corruption_rate
    return GeneCorruption(rate) if rate else None
