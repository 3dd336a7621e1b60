"""Maps of planes: what they are drawn from, what they show, and that each is drawn once."""

import asyncio
import dataclasses
from base64 import b64decode

import numpy as np
import pytest

from oscsynth.atlas import Atlas, chart, features
from oscsynth.control.osc import Message
from oscsynth.control.plane import SIZE, Plane, plane_of

from .control.catalogue import CHOIR, METADATA, player
from .decoders import tiny_decoder

WAY = tuple(step / (SIZE - 1) for step in range(SIZE))


def plane(path, **changes) -> Plane:
    return dataclasses.replace(Plane(str(path), (0, 1), (WAY, WAY), (0.5, 0.5), 9, None), **changes)


def heights(found) -> np.ndarray:
    return np.frombuffer(b64decode(found["brightness"]), "<u2").reshape(SIZE, SIZE) / 65535


def test_a_plane_goes_through_the_ranges_and_curves_of_the_patch():
    instrument, _ = player()
    part = instrument.parts[1]
    found = plane_of(part)
    assert (found.neurons, found.rest, found.pitch_class, found.octave) == ((1, 0), (0.4, 0.6, 0.5), 9, None)
    assert found.along[0][0] == 0.0 and found.along[0][-1] == 1.0
    control = dataclasses.replace(part.version.patch.latents["air"], range=(0.8, 0.2), curve="exponential")
    latents = {**part.version.patch.latents, "air": control}
    part.version.patch = dataclasses.replace(part.version.patch, latents=latents)
    bent = plane_of(part).along[0]
    assert (bent[0], bent[-1]) == (0.8, 0.2) and bent[SIZE // 2] > 0.6


def test_the_other_faders_move_the_plane_and_its_own_do_not():
    instrument, _ = player()
    part = instrument.parts[1]
    before = plane_of(part)
    for name in ("latent/1", "latent/2"):
        instrument.perform(Message(f"/oscsynth/{name}", (0.93,)))
    assert plane_of(part) == before
    instrument.perform(Message("/oscsynth/latent/3", (0.51,)))
    assert plane_of(part) == before, "so little that nobody would see it"
    instrument.perform(Message("/oscsynth/latent/3", (0.76,)))
    assert plane_of(part).rest == (*before.rest[:2], 0.75)


def test_there_is_no_plane_without_a_patch_or_a_second_latent():
    instrument, _ = player(at_once=False)
    assert plane_of(instrument.parts[1]) is None
    instrument, _ = player()
    part = instrument.parts[1]
    part.version.metadata = dataclasses.replace(METADATA["Violin"], latents=METADATA["Violin"].latents[:1])
    assert plane_of(part) is None
    assert CHOIR.register == 5


def test_brighter_is_higher(tmp_path):
    found = chart(plane(tiny_decoder(tmp_path / "two.onnx", n_latents=2)))
    land = heights(found)
    assert land.min() == 0.0 and land.max() == 1.0
    assert np.all(np.diff(land, axis=1) >= 0), "along the first axis, which is brightness"
    assert 300 < found["low_hz"] < found["high_hz"] < 20000
    turned = heights(chart(plane(tmp_path / "two.onnx", neurons=(1, 0))))
    assert np.allclose(turned, land.T, atol=1e-4)


def test_a_plane_on_which_nothing_changes_is_flat(tmp_path):
    way = (0.5,) * SIZE
    assert heights(chart(plane(tiny_decoder(tmp_path / "two.onnx", n_latents=2), along=(way, way)))).max() < 0.01


def test_a_note_is_clear_and_noise_is_not():
    hertz = np.arange(2049) * 44100 / 4096
    note = np.zeros(2049)
    note[[41, 82]] = 1.0
    brightness, clarity = features(np.stack([note, np.ones(2049), np.full(2049, np.nan)]).astype(np.float32), hertz)
    assert clarity[0] == pytest.approx(1.0) and clarity[1] < 0.1
    assert brightness[0] == pytest.approx(np.log2(41 * 44100 / 4096) + 0.5)
    assert np.isfinite(brightness).all()


def test_a_map_is_drawn_once_and_again_when_the_decoder_is_another(tmp_path, monkeypatch):
    drawn = []
    from oscsynth import atlas

    whole = atlas._draw_outside
    monkeypatch.setattr(atlas, "_draw_outside", lambda plane: drawn.append(plane) or whole(plane))
    path = tiny_decoder(tmp_path / "two.onnx", n_latents=2)

    async def main():
        one = Atlas(tmp_path / "maps")
        first, second = await asyncio.gather(one.draw(plane(path)), one.draw(plane(path)))
        assert first is second and first["size"] == SIZE
        assert await Atlas(tmp_path / "maps").draw(plane(path)) == first
        assert len(drawn) == 1
        tiny_decoder(path, n_latents=2, seed=7)
        assert await one.draw(plane(path)) is not None
        assert len(drawn) == 2
        assert await one.draw(plane(tmp_path / "nothing.onnx")) is None

    asyncio.run(main())
