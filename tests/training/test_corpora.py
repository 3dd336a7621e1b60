import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from oscsynth.errors import CorpusError
from training import analog, chroma, corpora, folders, render
from training.corpora import Clip, Skipped
from training.recipes import PITCHED, RECIPES
from training.spectra import Stft, magnitudes

from ..needs import needs
from .conftest import clips

STFT = Stft()


def test_a_strangers_folder(strangers: Path) -> None:
    found = [each for each in clips(folders.folder([strangers], STFT)) if isinstance(each, Clip)]
    assert len(found) == 16
    assert all(clip.audio.ndim == 1 and clip.audio.dtype == np.float32 for clip in found)
    for clip in found:
        number = int(Path(clip.name.split("#")[0]).stem.split("-")[1])
        if number == 15:
            continue  # a tenth of a second
        assert len(clip.audio) == pytest.approx((0.3 + 0.02 * number) * 44100, abs=4)
        middle = magnitudes(clip.audio, STFT)[1:-1]
        assert (chroma.classes(middle, STFT) == number % 12).all()


def test_what_cannot_be_used_is_named(strangers: Path) -> None:
    corpus = folders.folder([strangers], STFT)
    skipped = [*corpus.skipped, *(each for each in clips(corpus) if isinstance(each, Skipped))]
    reasons = {Path(each.name).name: each.reason for each in skipped}
    assert set(reasons) == {"corrupt.wav", "empty.flac", "silent.wav", "short.wav", "broken.wav", "phone.m4a"}
    assert reasons["phone.m4a"] == "m4a files are not read: convert it to WAV"
    assert reasons["silent.wav"] == "silent"
    assert reasons["short.wav"] == "too short: 0.050 s, and one window is 0.093 s"
    assert "not numbers" in reasons["broken.wav"]
    assert "cannot be read" in reasons["corrupt.wav"]
    assert str(strangers) not in reasons["corrupt.wav"]


def test_a_folder_that_may_not_be_read_is_no_crash(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such folder"):
        folders.folder([tmp_path / "nowhere"], STFT)


def test_a_folder_with_no_sounds(tmp_path: Path) -> None:
    (tmp_path / "song.mid").write_bytes(b"")
    with pytest.raises(CorpusError, match=r"no sounds in this folder \(it holds .mid files\); put WAV, FLAC, AIFF, OGG or MP3"):
        folders.folder([tmp_path], STFT)


def test_one_long_sound_becomes_parts_that_share_no_sample(tmp_path: Path) -> None:
    noise = np.random.default_rng(440).standard_normal(44100 * 30).astype(np.float32) * 0.1
    soundfile.write(tmp_path / "rain.wav", noise, 44100, subtype="FLOAT")
    found = [each for each in clips(folders.folder([tmp_path], STFT)) if isinstance(each, Clip)]
    assert len(found) == 20
    assert len({clip.group for clip in found}) == 20
    np.testing.assert_array_equal(np.concatenate([clip.audio for clip in found]), noise)


def test_an_unknown_recipe() -> None:
    with pytest.raises(CorpusError, match=r"no recipe 'viola'; there are violin, one-octave, five-octaves, cathedral, analog"):
        corpora.recipe("viola", STFT)


def test_without_fluidsynth_a_recipe_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(CorpusError, match=r"fluidsynth is not installed.*apt-get install fluidsynth fluid-soundfont-gm"):
        corpora.recipe("violin", STFT)


def test_a_soundfont_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setenv("OSCSYNTH_SOUNDFONT", str(tmp_path / "none.sf2"))
    with pytest.raises(CorpusError, match=r"no soundfont: .*none.sf2 was not found"):
        render.soundfont()


def test_the_violin_plays_every_semitone_of_its_range() -> None:
    for part in RECIPES["violin"].parts:
        for _, notes in part.series():
            assert [note.pitch_midi for note in notes] == list(range(55, 101))


@pytest.mark.parametrize(("name", "n_octaves"), [("one-octave", 1), ("five-octaves", 5)])
def test_chromatic_recipes_hold_eighty_programs_and_all_twelve_classes(name: str, n_octaves: int) -> None:
    parts = RECIPES[name].parts
    assert len(set(PITCHED)) == len(parts) == 80
    assert all(part.midi_high - part.midi_low == 12 * n_octaves - 1 for part in parts)


def test_a_midi_file_holds_its_notes() -> None:
    data = render.midi_file(40, [render.Note(69, 100, 1.0), render.Note(71, 64, 0.2, modulation=90)])
    assert data[:14] == b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x03\xe8"
    assert int.from_bytes(data[18:22], "big") == len(data) - 22
    for event in (b"\xc0\x28", b"\x90\x45\x64", b"\x87\x68\x80\x45\x00", b"\xb0\x01\x5a", b"\x90\x47\x40", b"\x81\x48\x80\x47"):
        assert event in data


@needs("FluidSynth")
def test_a_rendered_note_starts_at_once_and_is_in_tune() -> None:
    notes = [render.Note(pitch, 100, 0.5) for pitch in (60, 69)]
    for note, audio in zip(notes, render.render(73, notes), strict=True):
        assert len(audio) == 22050
        assert np.abs(audio[:2000]).max() > 1e-3
        assert (chroma.classes(magnitudes(audio, STFT), STFT) == note.pitch_midi % 12).all()


def test_the_synthesiser_is_in_tune_and_always_the_same() -> None:
    notes = [render.Note(pitch, 100, 0.5, modulation) for pitch, modulation in ((36, 0), (69, 90), (107, 0))]
    for program in range(6):
        for note, audio, again in zip(notes, analog.render(program, notes), analog.render(program, notes), strict=True):
            assert audio.shape == (22050,) and audio.dtype == np.float32
            assert 0.01 < np.abs(audio).max() < 1
            np.testing.assert_array_equal(audio, again)
            heard = chroma.chroma(magnitudes(audio, STFT), STFT).sum(axis=0)
            assert heard.argmax() == note.pitch_midi % 12, (program, note)


def test_the_synthesiser_has_as_many_timbres_as_programs() -> None:
    sounds = [next(analog.render(program, [render.Note(60, 100, 0.2)])) for program in range(20)]
    spectra = np.array([magnitudes(sound, STFT).mean(axis=0) for sound in sounds])
    spectra /= np.linalg.norm(spectra, axis=1, keepdims=True)
    assert (np.triu(spectra @ spectra.T, 1) < 0.9999).all()


def test_nothing_of_a_high_note_folds_back() -> None:
    """Between the partials of a bright, overdriven note there is next to nothing."""
    bright = replace(analog.timbre(0), drive=4.0, mix=0.0, cutoff_octaves=4.0, envelope_octaves=3.0, echo_gain=0.0, attack_seconds=0.01)
    magnitude = magnitudes(analog.play(bright, render.Note(95, 127, 0.5)), STFT)[4:].max(axis=0)
    partial_hz = 440 * 2 ** ((95 - 69) / 12)
    between = np.abs((np.arange(STFT.n_bins) * 44100 / 4096 / partial_hz) % 1 - 0.5) < 0.35
    assert magnitude[between].max() < 0.005 * magnitude.max()


def test_the_corpus_of_the_synthesiser_needs_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    corpus = corpora.recipe("analog", STFT)
    clip = next(corpus.sources[5]())
    assert isinstance(clip, Clip) and clip.pitch_midi == 48
    assert "licence" in corpus.licence
