"""How pictures are drawn: without a screen."""

from __future__ import annotations

from typing import Any


def pyplot() -> Any:
    """Return matplotlib's ``pyplot``, which opens no window; loaded by the first who draws."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    return plt
