"""The order in which a note decoder's instruments stand in a ring, so that those that sound alike are neighbours.

Any thread; pure functions of the means that the decoder was trained to.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

_MOST_ROUNDS = 50  # it is done after a few


def ring(means: Mapping[str, Sequence[float]]) -> list[str]:
    """Return the names in the order of a short way round all of their means: from each to the nearest, then every crossing undone (2-opt).

    >>> ring({"low": (0.0,), "high": (9.0,), "middle": (5.0,), "lower": (1.0,)})
    ['low', 'lower', 'middle', 'high']
    """
    left, way = list(means)[1:], list(means)[:1]
    while left:
        nearest = min(left, key=lambda name: math.dist(means[name], means[way[-1]]))
        left.remove(nearest)
        way.append(nearest)
    for _ in range(_MOST_ROUNDS):
        if not _is_shortened(way, means):
            break
    return way


def _is_shortened(way: list[str], means: Mapping[str, Sequence[float]]) -> bool:
    """Turn round each stretch that makes the ring shorter; say whether there was one."""
    is_shorter, n = False, len(way)
    for first in range(n - 1):
        for last in range(first + 2, n - (not first)):
            a, b, c, d = (means[way[at % n]] for at in (first, first + 1, last, last + 1))
            if math.dist(a, c) + math.dist(b, d) < math.dist(a, b) + math.dist(c, d) - 1e-9:
                way[first + 1 : last + 1] = way[first + 1 : last + 1][::-1]
                is_shorter = True
    return is_shorter
