"""The sound input as the engine opens it, and the sentence about it: how late it is heard, or why it is not. Engine process, main thread."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .audio import AudioSettings, Backend
from .errors import AudioError, OscsynthError
from .patch import TRACKS

if TYPE_CHECKING:
    from .audio.inputs import Input

NOT_ASKED = "A patch listens to the sound input, and none is open: start with `oscsynth serve --input default` (see `oscsynth devices`)."


def open_input(settings: AudioSettings, backend: Backend) -> tuple[Input | None, str]:
    """Open what ``--input`` names; return it, where it opens, and a sentence, where there is something to say."""
    if settings.input is None:
        return None, ""
    from .audio.inputs import FileInput, PortAudioInput
    from .sound.own_phase import late_samples
    from .sound.phase import Stft
    from .tracks import read_track

    rate_hz = backend.sample_rate_hz
    try:
        if settings.input.lower().endswith(TRACKS):
            found: Input = FileInput(settings.input, read_track(Path(settings.input), rate_hz).samples)
        else:
            found = PortAudioInput(settings.input, rate_hz, settings.block_samples)
    except AudioError as error:
        return None, str(error)
    except OscsynthError as error:  # a file
        return None, f"--input: {error}; what listens hears silence."
    late_ms = 1000 * late_samples(Stft.at_rate(rate_hz), has_own_phase=True) / rate_hz
    whole_ms = late_ms + 1000 * (found.latency_seconds + backend.latency_seconds)
    return found, f"Listening to {found.name}: what it hears sounds {whole_ms:.0f} ms later, {late_ms:.0f} ms of it by the analysis."
