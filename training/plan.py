"""What settings suit a corpus: from how much sound there is and over which range, unless the musician says otherwise."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

import numpy as np

from .configurations import Configuration
from .prepare import TRAIN, Hops
from .train import TrainingConfig

# Seconds of sound, up to which: faders, and seconds of training. A space of more dimensions than the sounds fill has empty corners.
AMOUNTS = ((60.0, 2, 300.0), (1200.0, 3, 420.0), (10800.0, 4, 1800.0), (np.inf, 8, 7200.0))
MOST_EPOCHS, FEWEST_EPOCHS = 300, 5
BATCH_SECONDS = 0.2  # of one core
FEWEST_COMPILED = 500  # batches: compiling takes longer than it saves before that
SHARE_OF_OCTAVE = 0.03  # of the hops, for an octave to be taught
WIDE_SEMITONES = 14  # between the 5th and the 95th percentile of the pitches: more than one octave
TO_ENCODE_SECONDS = 1e-4  # a hop, when all is measured at the end


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done, and about how long it takes."""

    n_latents: int
    registers: tuple[int, ...]  # octaves that are taught; empty: one sound for each note class
    training: TrainingConfig
    n_batches: int  # in an epoch
    seconds: float

    def sentence(self) -> str:
        """Say it.

        >>> Plan(2, (), TrainingConfig(epochs=300), 11, 170.0).sentence()
        '2 faders and the note class; at most 300 epochs of 11 batches, about 3 minutes'
        """
        octaves = f", octaves {self.registers[0]} to {self.registers[-1]}" if self.registers else ""
        faders = "1 fader" if self.n_latents == 1 else f"{self.n_latents} faders"
        batches = "1 batch" if self.n_batches == 1 else f"{self.n_batches} batches"
        return f"{faders} and the note class{octaves}; at most {self.training.epochs} epochs of {batches}, about {duration(self.seconds)}"


def plan(
    hops: Hops,
    seconds: float,
    choice: Configuration,
    *,
    n_latents: int | None = None,
    octaves: bool | None = None,
    epochs: int | None = None,
    minutes: float | None = None,
    seed: int = 440,
) -> Plan:
    """Choose what was not chosen, for `seconds` of sound.

    With `minutes` there are as many epochs as fit into them, and whatever happens the last one is over soon after.
    """
    _, suited, budget_seconds = next(row for row in AMOUNTS if seconds <= row[0])
    config = choice.training(minutes=minutes, seed=seed)
    n_batches = min(config.longest_epoch, -(-len(hops.rows(TRAIN)) // config.batch))
    epoch_seconds = n_batches * batch_seconds()
    fitting = int((60 * minutes if minutes else budget_seconds) / epoch_seconds)
    epochs = epochs or int(np.clip(fitting, 1 if minutes else FEWEST_EPOCHS, MOST_EPOCHS))
    config = choice.training(epochs=epochs, minutes=minutes, seed=seed)
    config = replace(config, compiled=config.compiled and epochs * n_batches >= FEWEST_COMPILED)
    registers = octaves_of(hops) if octaves or (octaves is None and is_wide(hops)) else ()
    about = epochs * epoch_seconds + len(hops.part) * TO_ENCODE_SECONDS
    return Plan(n_latents or suited, registers, config, n_batches, about)


def batch_seconds() -> float:
    """Say about how long a batch takes on this machine."""
    return BATCH_SECONDS / min(4, os.cpu_count() or 1)


def is_wide(hops: Hops) -> bool:
    """Say whether the sounds range over more than an octave: then which octave is worth asking for."""
    low, high = np.percentile(hops.pitch_midi[hops.rows(TRAIN)], [5, 95])
    return bool(high - low >= WIDE_SEMITONES)


def octaves_of(hops: Hops) -> tuple[int, ...]:
    """Return the octaves that the sounds play, from the lowest to the highest without a gap."""
    found, counts = np.unique(hops.pitch_midi[hops.rows(TRAIN)] // 12 - 1, return_counts=True)
    played = found[counts >= SHARE_OF_OCTAVE * counts.sum()]
    return tuple(range(int(played.min()), int(played.max()) + 1))


def duration(seconds: float) -> str:
    """Say how long something takes, roughly.

    >>> duration(7), duration(100), duration(4000), duration(9000)
    ('10 seconds', '2 minutes', '67 minutes', '2.5 hours')
    """
    if seconds < 55:
        return f"{max(10, 10 * round(seconds / 10))} seconds"
    if seconds < 5400:
        minutes = max(1, round(seconds / 60))
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    return f"{seconds / 3600:.1f} hours"
