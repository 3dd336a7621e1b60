"""What a patch brings to the part that it is played by: its values, in the form of the state. Pure functions; control process."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..parameters import MAX_INSTRUMENTS, MAX_LATENTS, PART
from .shelf import Version


def weights_of(version: Version) -> list[float]:
    """Return the weights of the instruments as a patch gives them: those it names, or the first alone."""
    names = version.instruments()
    given = version.patch.timbre or {name: 1.0 for name in names[:1]}
    return [given.get(name, 0.0) for name in names] + [0.0] * (MAX_INSTRUMENTS - len(names))


def _ends_of(version: Version) -> tuple[float, float]:
    """Return between which instruments a transfer leads: those the patch names, or its strongest and the one after that; -1 none."""
    names, weights, patch = version.instruments(), weights_of(version), version.patch
    if not names:
        return -1.0, -1.0
    start = names.index(patch.transfer_from) if patch.transfer_from in names else weights.index(max(weights))
    end = names.index(patch.transfer_to) if patch.transfer_to in names else (start + 1) % len(names)
    return float(start), float(end)


def brought_by(version: Version, first: bool) -> dict[str, Sequence[float]]:
    """Return the values that a patch brings to a part, by name; ``first`` also those that stay with the part from then on."""
    patch, weights = version.patch, weights_of(version)
    total, (start, end) = math.fsum(weights), _ends_of(version)
    latents, scales = [PART["latent"].default] * MAX_LATENTS, [PART["scale"].default] * MAX_LATENTS
    for latent in patch.latents.values():
        latents[latent.neuron - 1], scales[latent.neuron - 1] = latent.default, latent.scale
    brought: dict[str, Sequence[float]] = {
        "register": (math.nan if patch.register is None else patch.register,),
        "glide": (patch.glide_ms,),
        "breath": (patch.breath,),
        "envelope/attack": (patch.envelope.attack_ms,),
        "envelope/decay": (patch.envelope.decay_ms,),
        "envelope/sustain": (patch.envelope.sustain,),
        "envelope/release": (patch.envelope.release_ms,),
        "latent": latents,
        "scale": scales,
        "track/playing": (float(patch.play == "on"),),
        "track/loop": (float(patch.loop == "on"),),
        "timbre": [weight / total if total else 0.0 for weight in weights],
        "transfer": (patch.transfer,),
        "transfer/from": (start,),
        "transfer/to": (end,),
        "brightness": (patch.brightness,),
        "spread": (patch.spread,),
    }
    staying: dict[str, Sequence[float]] = {
        "pan": (patch.pan,),
        "width": (patch.width,),
        "transpose": (patch.transpose,),
        "gate": (float(patch.gate == "open"),),
        "hold": (float(patch.hold == "on"),),
        "chroma": patch.chroma,
        "follow": (float(patch.follow == "on"),),
    }
    return {**brought, **staying} if first else brought
