"""Draw what the README's first messages do to the sound: two spectrograms. Run: ``make pictures``.

Plays docs/sounds/first-message.score with the Violin patch, and draws the whole of it, and the two seconds around the first message, where the
change must be seen at once.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np

from oscsynth.render import Performance, perform
from oscsynth.score import load_score

RATE_HZ = 44100
DOCS = Path(__file__).parent.parent / "docs"


def main() -> None:
    """Render and draw."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    score = load_score(DOCS / "sounds" / "violin.score")
    blocks = perform(Performance(RATE_HZ, patch="Violin"), score, lambda event, why: print(f"line {event.place}: {why}"), seconds=8.0)
    sound = np.concatenate(list(blocks)).mean(1)
    pictures = ("first-message", 0.0, 8.0, 4096), ("first-message-near", 1.8, 2.2, 1024)
    for name, start, stop, window in pictures:
        figure, axes = plt.subplots(figsize=(10, 3.6), dpi=90)
        part = sound[round(start * RATE_HZ) : round(stop * RATE_HZ)]
        axes.specgram(part, NFFT=window, noverlap=window * 7 // 8, Fs=RATE_HZ, xextent=(start, stop), vmin=-140, vmax=-45, cmap="magma")
        for event in score:
            if start < event.seconds < stop:
                axes.axvline(event.seconds, color="white", linewidth=0.6, linestyle=":")
                words = " ".join([event.address.removeprefix("/oscsynth"), *map(str, event.arguments)])
                axes.text(event.seconds, 7400 - 700 * (event.address.endswith("1") and event.seconds > 3), f" {words}", color="white", fontsize=8)
        axes.set(ylim=(0, 8000), xlabel="seconds", ylabel="Hz")
        figure.tight_layout()
        figure.savefig(DOCS / "pictures" / f"{name}.png")
        plt.close(figure)


if __name__ == "__main__":
    main()
