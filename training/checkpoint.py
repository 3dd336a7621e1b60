"""What training needs to go on after it was killed: weights, the optimiser's memory, the best so far, and where it was.

Batches and the learning rate follow from the seed and the number of the epoch, so nothing else has to be remembered: what goes on
from a checkpoint ends with the same weights as what was never stopped.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras


@dataclass(slots=True)
class Progress:
    """How far training is."""

    epochs: int = 0  # that are behind it
    best: float = float("inf")  # validation error
    best_epoch: int = -1
    seconds: float = 0.0
    done: bool = False  # nothing is left to train
    history: list[float] = field(default_factory=list)  # validation error of each epoch


def key(*settings: object) -> str:
    """Return what a checkpoint is known by: the same for the same settings and the same corpus.

    >>> key("a", 1) == key("a", 1), key("a", 1) == key("a", 2)
    (True, False)
    """
    digest = hashlib.sha256()
    for each in settings:
        digest.update(each.tobytes() if isinstance(each, np.ndarray) else repr(each).encode())
    return digest.hexdigest()


def save(path: Path, settings: str, progress: Progress, network: keras.Model, best: list[np.ndarray]) -> None:
    """Write a checkpoint in one step: there is always a whole one."""
    facts = {"key": settings} | asdict(progress)
    arrays = {"facts": np.frombuffer(json.dumps(facts).encode(), np.uint8)}
    for name, group in (("state", [np.asarray(each) for each in state(network)]), ("best", best)):
        arrays |= {f"{name}_{number}": array for number, array in enumerate(group)}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    try:
        with partial.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def restore(path: Path, settings: str, network: keras.Model) -> tuple[Progress, list[np.ndarray]] | None:
    """Put a compiled network back to where it was, and return how far that is and the best weights.

    None where there is no checkpoint of these settings; the network is then as it was.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            facts = json.loads(stored["facts"].tobytes())
            groups = {name: [stored[f"{name}_{number}"] for number in range(_count(stored.files, name))] for name in ("state", "best")}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None
    if facts.pop("key") != settings:
        return None
    for variable, value in zip(state(network), groups["state"], strict=True):
        variable.assign(value)
    return Progress(**facts), groups["best"]


def state(network: keras.Model) -> list[keras.Variable]:
    """Return every variable that training changes, seeds of random layers and the optimiser's memory with them."""
    network.optimizer.build(network.trainable_variables)
    return [*network.variables, *network.optimizer.variables]


def _count(names: list[str], group: str) -> int:
    return sum(name.startswith(f"{group}_") for name in names)
