"""A QR code for the terminal: what a phone's camera reads. Any process; segno is imported inside."""

from __future__ import annotations

from itertools import zip_longest

BORDER = 2  # light modules around it
_BLOCKS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def lines(text: str) -> list[str]:
    """Return the lines of a QR code, two modules high each, to be written dark on light.

    >>> len(lines("http://192.168.1.5:57141/")[0])
    29
    """
    import segno

    modules = [list(map(bool, row)) for row in segno.make(text, error="l", micro=False).matrix_iter(border=BORDER)]
    pairs = zip_longest(modules[::2], modules[1::2], fillvalue=[False] * len(modules[0]))
    return ["".join(_BLOCKS[above, below] for above, below in zip(upper, lower, strict=True)) for upper, lower in pairs]
