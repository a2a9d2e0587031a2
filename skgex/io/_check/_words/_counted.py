"""Numbers and names in sentences."""

from ..._selection import quoted


def counted(n, one, many=None):
    """Return "1 gene" or "2,000 genes"."""
    return f"{n:,d} {one if n == 1 else many or one + 's'}"


def said(names, meant, limit=3):
    """Return the first few names, each with what it may have been in brackets."""
    texts = []
    for name in names[:limit]:
        was = " or ".join(meant(name))
        texts.append(f"{str(name)!r} ({was})" if was else repr(str(name)))
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(texts) + more


def percent(share):
    """Return a share as text, never 0 % or 100 % of what is not."""
    if 0 < share < 0.01:
        return "under 1 %"
    if 0.99 < share < 1:
        return "over 99 %"
    return f"{share:.0%}".replace("%", " %")


__all__ = ["counted", "percent", "quoted", "said"]
