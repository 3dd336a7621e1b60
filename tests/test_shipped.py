"""What ships sounds as promised: every factory patch, played by the instrument itself."""

import shutil
from pathlib import Path

import librosa
import numpy as np
import pyloudnorm
import pytest
import soundfile

from benchmarks.orchestra import cents_off, transferred
from oscsynth.library import Library, factory_folder
from oscsynth.patch import LIVE
from oscsynth.probe import _vouched_for
from oscsynth.render import Performance
from oscsynth.sound.decoders import load_decoder, probe
from tests.sound.test_engine import strongest_classes
from training import spectra
from training.decoder_file import open_decoder
from training.prepare import measured_pitch
from training.spectra import Stft, scaled

RATE_HZ = 44100
# What patches hear that listen: a tone with ten partials, for ten seconds.
HEARD = sum(0.15 / k * np.sin(2 * np.pi * 440 * k * np.arange(10 * RATE_HZ) / RATE_HZ) for k in range(1, 11)).astype(np.float32)[:, None]
CLASSES = ("C", "Cs", "D", "Ds", "E", "F", "Fs", "G", "Gs", "A", "As", "B")


def names() -> list[str]:
    library = Library(None, factory_folder())
    library.scan()
    assert not library.faults
    return list(library.patches)


def alone() -> list[str]:
    """Return those that sound by themselves: what listens is as loud as what it hears (`tests/sound/test_resynthesis.py`)."""
    library = Library(None, factory_folder())
    library.scan()
    return [name for name, patch in library.patches.items() if patch.mode != "resynthesis"]


def playing(name: str, folder: Path) -> Performance:
    """Return a patch that sounds: one of notes with a note held."""
    performance = Performance(patches=folder, patch=name, heard=HEARD)
    version = performance.instrument.parts[1].version
    assert version is not None
    if version.patch.mode == "notes":
        assert not performance.send("/oscsynth/note/on", 60.0, 1.0)
    return performance


def n_latents(performance: Performance) -> int:
    version = performance.instrument.parts[1].version
    assert version is not None and version.metadata is not None
    return len(version.metadata.latents)


def test_there_are_six_patches_and_four_decoders_of_at_most_6_mb() -> None:
    decoders = Library(None, factory_folder()).decoders()
    assert len(names()) >= 6 and len(decoders) >= 4
    assert all(path.stat().st_size <= 6_000_000 for path in decoders)


def test_every_decoder_of_moments_has_its_encoder() -> None:
    decoders = [path for path in Library(None, factory_folder()).decoders() if load_decoder(path).metadata.kind == "frame"]
    encoders = [path.with_name(load_decoder(path).metadata.encoder) for path in decoders]
    assert len(encoders) == 4
    assert all(encoder.name == f"{decoder.stem}.encoder.onnx" for encoder, decoder in zip(encoders, decoders, strict=True))
    assert all(path.stat().st_size <= 6_000_000 for path in encoders)
    assert sum(path.stat().st_size for path in factory_folder().rglob("*")) <= 60_000_000


@pytest.mark.parametrize("name", names())
def test_a_patch_sounds_and_stays_under_the_limiter(name: str, tmp_path: Path) -> None:
    performance = playing(name, tmp_path)
    performance.render(RATE_HZ)
    sound = performance.render(RATE_HZ)
    assert 0.02 < np.abs(sound).max() < 0.966


def test_the_violin_plays_every_class_that_is_asked_for(tmp_path: Path) -> None:
    performance = Performance(patches=tmp_path, patch="Violin")
    heard = []
    for name in CLASSES:
        assert not performance.send("/oscsynth/chroma/name", name)
        performance.render(8192)
        heard.append(strongest_classes(performance.render(RATE_HZ)))
    assert heard == [{index} for index in range(12)]


def test_the_first_message_changes_the_timbre(tmp_path: Path) -> None:
    performance = Performance(patches=tmp_path, patch="Violin")
    performance.send("/oscsynth/latent/1", 0.1)
    performance.render(RATE_HZ // 2)
    before = np.abs(np.fft.rfft(performance.render(RATE_HZ)[:, 0]))
    performance.send("/oscsynth/latent/1", 0.7)
    performance.render(RATE_HZ // 2)
    after = np.abs(np.fft.rfft(performance.render(RATE_HZ)[:, 0]))
    bands = lambda spectrum: np.log10([np.sum(band**2) for band in np.array_split(spectrum[100:12000], 40)])  # noqa: E731
    assert np.sqrt(np.mean(np.square(10 * (bands(after) - bands(before))))) > 3.0


def test_both_of_two_classes_are_heard(tmp_path: Path) -> None:
    performance, rng, heard = Performance(patches=tmp_path, patch="Violin"), np.random.default_rng(2), 0
    for _ in range(20):
        one, other = rng.choice(12, 2, replace=False)
        performance.send("/oscsynth/chroma", *[0.5 if c in (one, other) else 0.0 for c in range(12)])
        performance.send("/oscsynth/latents", *rng.random(n_latents(performance)).tolist())
        performance.render(8192)
        heard += strongest_classes(performance.render(2 * RATE_HZ), 2) == {int(one), int(other)}
    assert heard >= 18


ONE_VOICE = ("Filament", "Tandem")  # a lead, and two that play a melody


def not_live() -> list[str]:
    """Return all but those that are as loud as whoever sings into them."""
    library = Library(None, factory_folder())
    library.scan()
    return [name for name, patch in library.patches.items() if patch.input != LIVE]


@pytest.mark.parametrize("name", not_live())
def test_a_switch_from_patch_to_patch_is_no_leap_in_loudness(name: str, tmp_path: Path) -> None:
    performance = Performance(patches=tmp_path, patch=name)
    part, sound = performance.instrument.parts[1], list[np.ndarray]()
    for stroke in range(8):
        is_struck = part.plays_notes and (not stroke or part.get("envelope/sustain") == 0)  # what dies away is struck again
        for pitch in ((60.0,) if name in ONE_VOICE else (57.0, 60.0, 64.0)) if is_struck else ():
            assert not performance.send("/oscsynth/note/on", pitch, 0.8)
        sound.append(performance.render(RATE_HZ // 2))
    assert pyloudnorm.Meter(RATE_HZ).integrated_loudness(np.concatenate(sound)[RATE_HZ:]) == pytest.approx(-22.0, abs=3.0)


@pytest.mark.parametrize("name", alone())
def test_loudness_is_even_over_the_latent_box(name: str, tmp_path: Path) -> None:
    performance, rng, loudness = playing(name, tmp_path), np.random.default_rng(3), []
    performance.send("/oscsynth/envelope/sustain", 1.0)  # what dies away is as even while it lasts
    seconds = 3 if performance.instrument.parts[1].instruments() else 10  # a loop of tones comes round sooner than noise
    for _ in range(4):
        performance.send("/oscsynth/latents", *rng.integers(0, 2, n_latents(performance)).astype(float).tolist())
        performance.render(8192)
        loudness.append(pyloudnorm.Meter(RATE_HZ).integrated_loudness(performance.render(seconds * RATE_HZ)))
    assert max(loudness) - min(loudness) < 3.0


def test_the_tonal_violin_is_in_tune_from_c2_to_c7(tmp_path: Path) -> None:
    """Within 10 cents on every semitone, wherever its faders stand; measured by librosa's yin."""
    folder, rng, off = tmp_path / "patches", np.random.default_rng(4), []
    folder.mkdir()
    (folder / "tonal.yaml").write_text("name: Tonal\ndecoder: decoders/violin.onnx\nmode: notes\nphase: tonal\nglide_ms: 0\n")
    performance = Performance(patches=folder, patch="Tonal")
    for pitch in range(36, 97):
        performance.send("/oscsynth/latents", *rng.uniform(0.3, 0.7, 3).tolist())
        performance.send("/oscsynth/note/on", pitch, 0.8)
        sound = performance.render(14000)[4096:, 0].astype(float)
        performance.send("/oscsynth/panic")
        performance.render(512)
        hz = 440.0 * 2 ** ((pitch - 69) / 12)
        found = librosa.yin(sound, fmin=hz / 1.6, fmax=hz * 1.6, sr=RATE_HZ, frame_length=4096, hop_length=1500)
        off.append(1200 * np.log2(np.median(found) / hz))
    assert len(off) == 61 and np.abs(off).max() < 10


@pytest.mark.parametrize(("instrument", "lowest", "highest"), [("cello", 36, 81), ("flute", 60, 96), ("bassoon", 34, 75)])
def test_the_orchestra_is_in_tune(instrument: str, lowest: int, highest: int, tmp_path: Path) -> None:
    """Within 20 cents, by librosa's pyin; `benchmarks.orchestra` listens to every pitch."""
    performance = Performance(patches=tmp_path, patch="Parterre")
    for message in (("timbre", 0.0), ("spread", 0.0), ("breath", 0.0), (f"timbre/{instrument}", 1.0)):
        assert not performance.send(f"/oscsynth/{message[0]}", message[1])
    for pitch in range(lowest, highest + 1, 9):
        assert abs(cents_off(performance, pitch)) < 20


def test_a_transfer_in_a_held_note_is_heard_without_a_click(tmp_path: Path) -> None:
    performance = Performance(patches=tmp_path, patch="Tandem")
    steady, moving, after = transferred(performance, 50)
    spectra = [np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) for sound in (steady[-8192:], after[-8192:])]
    bands = [np.array([np.sum(band**2) for band in np.array_split(spectrum[20:2000], 30)]) for spectrum in spectra]
    assert np.abs(10 * np.log10(bands[1] / bands[0])).max() > 10  # another instrument
    sharpest = [float(np.abs(np.diff(sound, 2)).max()) for sound in (steady, moving, after)]
    assert sharpest[1] < 1.2 * max(sharpest[0], sharpest[2])


@pytest.mark.parametrize("decoder", ["violin", "cathedral"])
def test_the_tonal_phase_is_near_what_was_asked_for(decoder: str) -> None:
    """Spectral convergence of decoded magnitudes within 2.5 dB of Griffin-Lim, which may look at all of the sound 32 times."""
    from benchmarks.tonal import METHODS, convergence_db, decoded_by

    for magnitudes in decoded_by(decoder, 1, seed=6):
        tonal, reference = (convergence_db(METHODS[name](magnitudes[:40], np.nan), magnitudes[:40]) for name in ("tonal", "griffin-lim"))
        assert tonal < reference + 2.5


def test_what_ships_is_what_was_checked() -> None:
    """``make vouchers`` after a decoder has changed, or the first start is a slow one."""
    for path in Library(None, factory_folder()).decoders():
        vouched = _vouched_for(path)
        assert vouched is not None and vouched.metadata == load_decoder(path).metadata
        probe(load_decoder(path))


def test_a_changed_file_is_not_vouched_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoders = tmp_path / "decoders"
    shutil.copytree(factory_folder() / "decoders", decoders)
    monkeypatch.setattr("oscsynth.probe.factory_folder", lambda: tmp_path)
    violin = decoders / "violin.onnx"
    assert _vouched_for(violin) is not None
    violin.write_bytes(violin.read_bytes() + b" ")
    assert _vouched_for(violin) is None


def test_a_track_with_all_faders_in_the_middle_is_at_least_as_near_as_the_autoencoder(tmp_path: Path) -> None:
    """Spectral convergence of three seconds of Palimpsest to its own track."""
    track, _ = soundfile.read(factory_folder() / "tracks" / "palimpsest.flac", dtype="float32")
    performance = Performance(patches=tmp_path, patch="Palimpsest")
    performance.send("/oscsynth/gain", 4.0)  # the patch is that much softer than its track, so that it is as loud as the others
    sound = np.concatenate([performance.render(1024) for _ in range(3 * RATE_HZ // 1024)])[RATE_HZ // 2 :]
    heard, played = (spectra.magnitudes(each, Stft()) for each in (track[RATE_HZ // 2 : RATE_HZ // 2 + len(sound)], sound[:, 0]))
    decoder, shape = open_decoder(factory_folder() / "decoders" / "one-octave.onnx"), scaled(heard)
    notes = measured_pitch(shape, Stft())
    itself = decoder.decode(decoder.embed(shape, notes), notes) * heard.max(axis=1, keepdims=True)
    assert np.linalg.norm(heard - played) <= np.linalg.norm(heard - itself)
