"""What a training says on the terminal when something is missing or wrong: one sentence, and none of TensorFlow's own lines."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from oscsynth.errors import OscsynthError

EXTRA = ("tensorflow", "joblib", "h5py", "keras", "librosa", "onnx", "matplotlib", "soxr", "scipy", "sklearn")  # of pip's extra `train`
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class plain_errors:  # reads as a word in `with`
    """Turn what the user can do something about into one sentence, and keep TensorFlow's own lines away; meet the other workers."""

    def __init__(self, workers: str | None = None, worker: int = 0) -> None:
        self.hosts, self.worker = tuple(workers.split(",")) if workers else (), worker

    def __enter__(self) -> tuple[str, ...]:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        with _hushed():
            try:
                import keras

                if not self.hosts:
                    keras.ops.zeros(1)
            except ModuleNotFoundError:
                pass  # said in a sentence when it is needed
        if self.hosts:
            try:
                from .workers import join

                join(self.hosts, self.worker)
            except OscsynthError as error:
                self.__exit__(type(error), error, None)
        return self.hosts

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, OscsynthError):
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from error
        if isinstance(error, OSError) and error.errno in FULL:
            where = f" at {error.filename}" if error.filename else ""
            typer.echo(f"the disk is full{where}; what was done so far stays: make room and give the same command again", err=True)
            raise typer.Exit(1) from error
        if isinstance(error, ModuleNotFoundError) and error.name in EXTRA:
            typer.echo(f"training needs more than playing does ({error.name} is missing): pip install 'oscsynth[train]'", err=True)
            raise typer.Exit(1) from error


@contextmanager
def _hushed() -> Iterator[None]:
    """Keep away what TensorFlow says while it starts: it goes past every setting."""
    stderr, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)
