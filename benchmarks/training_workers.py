"""Two workers and one train the same network on the same sounds: `python -m benchmarks.training_workers`."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import argparse
import json
import socket
import subprocess
import sys
import time

import numpy as np

EPOCHS = 4


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def train(hosts: tuple[str, ...], index: int, mixing: bool) -> None:
    """Train a small network on tones, and tell the losses: runs in a process of its own."""
    from training import workers

    if hosts:
        workers.join(hosts, index)
    from tests.training.conftest import SMALL, TINY, tones
    from training.prepare import prepare
    from training.train import TrainingConfig, train

    config = TrainingConfig(mixing=mixing, epochs=EPOCHS, batch=50, learning_rate=2e-3, compiled=False, workers=hosts, worker=index)
    trained = train(prepare(tones(), SMALL, seed=440), TINY, config, show=False)
    weights = np.concatenate([each.ravel() for each in trained.autoencoder.decoder.get_weights()])
    print(json.dumps({"history": trained.history, "sum": float(np.abs(weights).sum()), "seconds": trained.seconds}))


def run(n_workers: int, mixing: bool) -> list[dict[str, object]]:
    """Train with so many processes; return what each told."""
    hosts = [f"127.0.0.1:{free_port()}" for _ in range(n_workers)] if n_workers > 1 else []
    command = [sys.executable, "-m", "benchmarks.training_workers", "--hosts", ",".join(hosts), *(["--mixing"] if mixing else []), "--index"]
    started = [subprocess.Popen([*command, str(index)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) for index in range(n_workers)]
    return [json.loads(process.communicate(timeout=600)[0].splitlines()[-1]) for process in started]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", default="")
    parser.add_argument("--index", type=int)
    parser.add_argument("--mixing", action="store_true")
    options = parser.parse_args()
    if options.index is not None:
        return train(tuple(filter(None, options.hosts.split(","))), options.index, options.mixing)
    for mixing in (False, True):
        begun = time.monotonic()
        (alone,), together = run(1, mixing), run(2, mixing)
        print(f"{'mixing' if mixing else 'plain'}, {EPOCHS} epochs in {time.monotonic() - begun:.0f} s: validation error after each")
        for name, result in (("one worker", alone), ("two, the first", together[0]), ("two, the second", together[1])):
            print(f"  {name:16s}", " ".join(f"{error:.6e}" for error in result["history"]), f"; sum of the decoder's weights {result['sum']:.6f}")


if __name__ == "__main__":
    main()
