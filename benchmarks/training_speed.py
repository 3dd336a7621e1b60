"""How long a batch takes, by its size, the compiler and the width of numbers: `python -m benchmarks.training_speed`.

The paper's network on 2049 bins with transposed mixing, on made-up spectra in memory; the steps of a moment's training, without
validation. Each row is a process of its own, so that none warms the next one's caches.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import argparse
import json
import subprocess
import sys
import time

import numpy as np

N_HOPS, SECONDS = 8000, 6.0
ROWS = [(batch, True, "float32") for batch in (50, 100, 200, 400, 800)] + [(200, False, "float32"), (200, False, "mixed_bfloat16")]


def measure(batch: int, compiled: bool, policy: str) -> None:
    """Train for some seconds and print the milliseconds of a batch: runs in a process of its own."""
    import keras

    keras.config.set_dtype_policy(policy)
    from training import models, train
    from training.configurations import CONFIGURATIONS

    choice = CONFIGURATIONS["mixing"]
    config = train.TrainingConfig(mixing=True, batch=batch, compiled=compiled)
    network = train._compiled(models.build(choice.model(8), 440), config)
    rng = np.random.default_rng(440)
    magnitude = np.square(rng.random((N_HOPS, 2049), np.float32))
    note = np.eye(12, dtype=np.float32)[rng.integers(0, 12, N_HOPS)]

    def step() -> None:
        rows, others = rng.integers(0, N_HOPS, (2, batch))
        inputs = {
            "magnitude": magnitude[rows],
            "condition": note[rows],
            "target_condition": note[others],
            "weight": rng.random((batch, 1), np.float32),
        }
        network.train_on_batch(inputs, {"reconstruction": inputs["magnitude"], "mixed": magnitude[others]})

    for _ in range(3):
        step()
    begun, n_steps = time.monotonic(), 0
    while time.monotonic() - begun < SECONDS:
        step()
        n_steps += 1
    print(json.dumps((time.monotonic() - begun) / n_steps * 1000))


def main() -> None:
    """Measure every row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--row", type=int)
    options = parser.parse_args()
    if options.row is not None:
        return measure(*ROWS[options.row])
    for index, (batch, compiled, policy) in enumerate(ROWS):
        command = [sys.executable, "-m", "benchmarks.training_speed", "--row", str(index)]
        milliseconds = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])
        how = "XLA" if compiled else "no XLA"
        print(f"batches of {batch}, {how}, {policy}: {milliseconds:.1f} ms a batch, {batch / milliseconds * 1000:,.0f} hops a second", flush=True)
    return None


if __name__ == "__main__":
    main()
