"""The error classes; each message is a sentence for a musician: what, where, which value, what is allowed."""

from __future__ import annotations

import os
import traceback
from pathlib import Path


class OscsynthError(Exception):
    """Whatever goes wrong in a way that a user can do something about."""


class OscParseError(OscsynthError):
    """A packet is not OSC; nothing of it happens."""


class DecoderError(OscsynthError):
    """A decoder file cannot be used; the message names the file and says why."""


class PatchError(OscsynthError):
    """A patch file has faults; the message holds every one, a line each."""


class AudioError(OscsynthError):
    """A sound device cannot be opened or was lost."""


class CorpusError(OscsynthError):
    """A folder of sounds cannot be made into a corpus."""


def shown(path: Path | str) -> str:
    """Return a path as a message names it: relative when it lies in the current folder."""
    absolute, here = os.path.abspath(path), os.getcwd()
    return os.path.relpath(absolute, here) if os.path.join(absolute, "").startswith(os.path.join(here, "")) else absolute


def told(error: Exception) -> str:
    """Return what a report of a fault needs: which error, and where."""
    places = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(places[-1].filename).name}:{places[-1].lineno})" if places else ""
    return f"{type(error).__name__}: {error}{where}"
