"""How much memory a file may take when it is decoded."""

# Files written by `save` name an array a few times at most, and hold half of single
# precision; names of genes take some times the memory that they take in the file.
_MULTIPLE = 8
_SLACK = 32 * 2**20
# Bytes that Python needs at least for what stands behind each of these in JSON.
_JSON_BYTES = {"{": 240, "[": 64, ",": 64}


class Budget:
    """Memory that is left for what a file unfolds to: a multiple of its size.

    A small file could otherwise name one array a thousand times.

    Parameters
    ----------
    n_bytes : int
        Size of the file.
    """

    def __init__(self, n_bytes):
        self._n_bytes = n_bytes
        self._left = _MULTIPLE * n_bytes + _SLACK

    def spend(self, n_bytes):
        """Take memory for another part.

        Raises
        ------
        ValueError
            If there is not so much.
        """
        self._left -= int(n_bytes)
        if self._left < 0:
            raise ValueError(
                f"its {self._n_bytes:,d} bytes would unfold to more than {_MULTIPLE} "
                "times as many, which no file written by save does"
            )

    def check_json(self, text):
        """Refuse text of which many small parts are made, before it is parsed."""
        needed = sum(n * text.count(mark) for mark, n in _JSON_BYTES.items())
        Budget(self._n_bytes).spend(needed)
