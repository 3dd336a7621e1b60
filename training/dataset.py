"""The corpus as it is learnt from: batches by number, from memory or from disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import batches, shards
from .prepare import Hops
from .shards import Shards

if TYPE_CHECKING:
    from .train import TrainingConfig

MOST_VALIDATED = shards.BLOCK_ROWS * shards.WINDOW_BLOCKS  # rows after each epoch


class Batches:
    """One part of the corpus in batches, the training part in another order each time it is through.

    What is in a batch follows from the seed and the number of the batch since the first epoch alone: training that was killed goes on
    with the very batches that it would have had.
    """

    def __init__(self, hops: Hops, part: int, registers: tuple[int, ...], config: TrainingConfig, *, teaches: bool) -> None:
        self.hops, self.registers, self.config, self.teaches = hops, registers, config, teaches
        self.source = batches.transposer(hops) if teaches and config.mixing else None
        self.rows = hops.rows(part)
        self.epoch = 0  # set at the beginning of each
        self.passing, self.held = -1, -1
        if not teaches and len(self.rows) > MOST_VALIDATED:
            self.rows = np.sort(shards.windows(self.rows, np.random.default_rng(config.seed))[0])
        self.n_batches = -(-len(self.rows) // config.batch)

    def __len__(self) -> int:
        return min(self.n_batches, self.config.longest_epoch) if self.teaches else self.n_batches

    def __getitem__(self, index: int) -> tuple[batches.Arrays, batches.Arrays]:
        if not self.teaches:
            rows = self.rows[index * self.config.batch : (index + 1) * self.config.batch]
            return (batches.unmixed if self.config.mixing else batches.plain)(self.hops, rows, self.registers)
        step = self.epoch * len(self) + index
        rows = self._shuffled(step)
        if self.source is None:
            return batches.plain(self.hops, rows, self.registers)
        return batches.mixing(self.source, rows, self.registers, np.random.default_rng([self.config.seed, 1, step]))

    def _shuffled(self, step: int) -> np.ndarray:
        """Return the rows of a batch; see that its window is in memory where the corpus streams."""
        passing, place = divmod(step, self.n_batches)
        if passing != self.passing:
            rng = np.random.default_rng([self.config.seed, 0, passing])
            streams = isinstance(self.hops.magnitude, Shards)
            windows = shards.windows(self.rows, rng) if streams else [rng.permutation(self.rows)]
            self.order, self.ends = np.concatenate(windows), np.cumsum([len(window) for window in windows])
            self.passing, self.held = passing, -1
        first = place * self.config.batch
        window = int(np.searchsorted(self.ends, first, side="right"))
        if isinstance(self.hops.magnitude, Shards) and window != self.held:
            self.hops.magnitude.hold(self.order[self.ends[window - 1] if window else 0 : self.ends[window]])
            self.held = window
        rows = np.asarray(self.order[first : first + self.config.batch])
        return rows[self.config.worker :: len(self.config.workers)] if self.config.workers else rows

    def size_of(self, index: int) -> int:
        """Count the rows of a batch, those of the other workers with them."""
        place = (self.epoch * len(self) + index) % self.n_batches
        return min(self.config.batch, len(self.rows) - place * self.config.batch)
