"""Lines of which some hold fields with line ends, before a delimiter is known."""

import re
from collections import deque
from itertools import islice

from ._dialect import LONGEST_FIELD

_OPENED = re.compile(rb'(^|[\t,;]) ?"')


def whole_lines(file):
    """Yield the numbers and the bytes of lines, with fields that go over several."""
    lines, waiting = iter(enumerate(file, 1)), deque()
    while True:
        number, line = waiting.popleft() if waiting else next(lines, (0, b""))
        if not line:
            return
        if _OPENED.search(line) and line.count(b'"') % 2:
            waiting.extend(islice(lines, LONGEST_FIELD - len(waiting)))
            more = 0
            while line.count(b'"') % 2 and more < len(waiting):
                line += waiting[more][1]
                more += 1
            if line.count(b'"') % 2:
                # It is never closed, and part of a name.
                line = line.split(b"\n", 1)[0]
                more = 0
            last = number + more
            for _ in range(more):
                waiting.popleft()
        else:
            last = number
        if line.strip():
            yield number, last, line
