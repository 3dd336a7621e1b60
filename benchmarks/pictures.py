"""Draw spectrograms of scores in docs/sounds. Run: ``make pictures``.

What the README's first messages do to the Violin patch, and the two seconds around the first, where the change must be seen at once; and the line
that Filament plays.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np

from oscsynth.render import Performance, perform
from oscsynth.score import load_score

RATE_HZ = 44100
DOCS = Path(__file__).parent.parent / "docs"


# Name of the picture, of the score and its patch; from and to which second; window in samples.
PICTURES = (
    ("first-message", "Violin", 0.0, 8.0, 4096),
    ("first-message-near", "Violin", 1.8, 2.2, 1024),
    ("filament", "Filament", 0.0, 9.3, 4096),
)


def main() -> None:
    """Render and draw."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    for name, patch, start, stop, window in PICTURES:
        score = load_score(DOCS / "sounds" / f"{patch.lower()}.score")
        blocks = perform(Performance(RATE_HZ, patch=patch), score, lambda event, why: print(f"line {event.place}: {why}"), seconds=stop)
        part = np.concatenate(list(blocks)).mean(1)[round(start * RATE_HZ) : round(stop * RATE_HZ)]
        figure, axes = plt.subplots(figsize=(10, 3.6), dpi=90)
        axes.specgram(part, NFFT=window, noverlap=window * 7 // 8, Fs=RATE_HZ, xextent=(start, stop), vmin=-140, vmax=-45, cmap="magma")
        heard = [event for event in score if start < event.seconds < stop and "note/off" not in event.address]
        for row, event in enumerate(heard):
            axes.axvline(event.seconds, color="white", linewidth=0.6, linestyle=":")
            words = " ".join([event.address.removeprefix("/oscsynth"), *map(str, event.arguments)])
            axes.text(event.seconds, 7400 - 700 * (row % 3), f" {words}", color="white", fontsize=8)
        axes.set(ylim=(0, 8000), xlabel="seconds", ylabel="Hz")
        figure.tight_layout()
        figure.savefig(DOCS / "pictures" / f"{name}.png")
        plt.close(figure)


if __name__ == "__main__":
    main()
