"""The way from the command line to the program that trains: in a wheel it lies inside the package, in a checkout beside it."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from .errors import OscsynthError


def run(arguments: list[str], name: str) -> None:
    """Run the program that trains; ``name`` is what its help calls it.

    Raises
    ------
    OscsynthError
        When something that it needs is not installed.
    """
    package = Path(__file__).resolve().parent
    inside = (package / "training").is_dir()
    if not inside and str(package.parent) not in sys.path:
        sys.path.insert(0, str(package.parent))
    try:
        training = importlib.import_module("oscsynth.training.__main__" if inside else "training.__main__")
        commands = {command.name or command.callback.__name__ for command in training.app.registered_commands}
        # Whoever names no command wants to train on sounds.
        is_sounds = bool(arguments) and arguments[0] not in {*commands, "--help"}
        training.app(["sounds", *arguments] if is_sounds else arguments, prog_name=name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("oscsynth", "training"):
            raise
        raise OscsynthError(f'training needs {error.name}, which is not installed: pip install "oscsynth[train]"') from error
