"""What leaves the engine can never hurt: finite, and under full scale. Rendering thread."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float32]

KNEE = np.float32(10 ** (-3 / 20))  # up to here a sample passes as it is
CEILING = np.float32(10 ** (-0.3 / 20))


def limit(sound: Sound) -> Sound:
    """Bend what is louder than -3 dBFS so that nothing passes -0.3, in place.

    Memoryless, with a slope of 1 at the knee: no look-ahead, nothing that pumps, the same for any split into blocks.

    Parameters
    ----------
    sound : float32 (samples, channels)
        Finite.
    """
    over = np.abs(sound) > KNEE
    if over.any():
        loud = sound[over]
        room = CEILING - KNEE
        sound[over] = np.copysign(KNEE + room * np.tanh((np.abs(loud) - KNEE) / room), loud)
    return sound
