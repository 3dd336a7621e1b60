"""The straight line from labelled notes to a note decoder, its page and a patch that plays it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from oscsynth.errors import CorpusError
from oscsynth.metadata import N_CLASSES, Brightness, Latent, Metadata, NoteMap

from . import checkpoint, labelled, note_corpus, orchestra, transposed
from .make import Say, file_stem
from .note_corpus import NoteCorpus
from .own import cache, preparing
from .spectra import Stft

if TYPE_CHECKING:
    from .gmvae import GmvaeConfig
    from .note_training import TrainedNotes

CHANNELS, DECODER_CHANNELS = 128, 96  # the encoders are not shipped; what is played decodes sixteen notes in a few milliseconds
EPOCHS, REHEARSAL = 48, 32  # of the two steps
MIDDLE_OCTAVE = 4


@dataclass(frozen=True, slots=True)
class MadeNotes:
    """What came out."""

    decoder: Path
    corpus: NoteCorpus
    trained: TrainedNotes
    facts: dict[str, Any]
    patch: Path | None = None


def train_notes(
    place: Path,
    name: str,
    output: Path,
    *,
    epochs: int | None = None,
    minutes: float | None = None,
    seed: int = 440,
    work: Path | None = None,
    say: Say = print,
    show: bool = True,
) -> MadeNotes:
    """Train a note decoder on a folder of labelled notes; write ``decoders/FILE.onnx`` and a patch ``FILE.yaml`` that plays it.

    Raises
    ------
    CorpusError
        When there is no such folder, or its notes are too few to learn from.
    DecoderError
        When training or export fails.
    """
    stem, found = file_stem(name), labelled.folder(place)
    here = (work or cache()) / f"{stem}-{checkpoint.key(found.key, seed)[:12]}"
    say(f"{name}: {len(found.labels)} labelled notes; preparing them in {here}")
    with preparing(show) as progress:

        def prepare() -> NoteCorpus:
            return note_corpus.prepare(found.sources, seed=seed, progress=progress, skipped=found.skipped)

        corpus = note_corpus.kept(here / "notes.npz", prepare, checkpoint.key(found.key, transposed.PER_PITCH, seed))
    say_what_is_there(corpus, say)
    command = f"oscsynth train --notes {Path(place).name} --name {name} --seed {seed}"
    facts = {"title": name, "corpus": f"{len(corpus.names)} notes from {Path(place).resolve().name}.", "licence": "", "command": command}
    made = make(stem, corpus, facts, output / "decoders", epochs=epochs, minutes=minutes, seed=seed, work=here / stem, say=say, show=show)
    return replace(made, patch=write_patch(name, made, output / f"{stem}.yaml"))


def say_what_is_there(corpus: NoteCorpus, say: Say) -> None:
    """Say how many notes of which instruments are used, and name each file that is not, with the reason."""
    counts = np.bincount(corpus.instrument, minlength=len(corpus.instruments))
    each = ", ".join(f"{name} ({count})" for name, count in zip(corpus.instruments, counts, strict=True))
    say(f"{len(corpus.names)} notes of {len(corpus.pitches)} pitches: {each}; {len(corpus.skipped) or 'nothing'} skipped")
    say(f"{len(corpus.transposed)} copies of them at other pitches")
    for skipped in corpus.skipped:
        say(f"  {skipped.name}: {skipped.reason}")


def train_orchestra(
    decoders: Path, *, epochs: int | None = None, minutes: float | None = None, seed: int = 440, work: Path, say: Say = print, show: bool = True
) -> MadeNotes:
    """Render the twelve instruments and train the decoder that ships.

    Raises
    ------
    CorpusError
        When FluidSynth or the soundfont is missing.
    DecoderError
        When training or export fails.
    """
    from .timbre_paper import SHIPPED, corpus_of

    limits = "".join(f" --{key} {value:g}" for key, value in (("epochs", epochs), ("minutes", minutes)) if value is not None)
    command = f"python -m training orchestra{limits} --seed {seed}"
    facts = {"title": "Orchestra", "corpus": orchestra.DESCRIPTION, "licence": orchestra.LICENCE, "command": command}
    corpus = corpus_of(work)
    say_what_is_there(corpus, say)
    return make("orchestra", corpus, facts, decoders, epochs=epochs, minutes=minutes, seed=seed, work=work / SHIPPED.key, say=say, show=show)


def make(
    stem: str,
    corpus: NoteCorpus,
    facts: dict[str, str],
    decoders: Path,
    *,
    epochs: int | None,
    minutes: float | None,
    seed: int,
    work: Path,
    say: Callable[[str], None],
    show: bool,
) -> MadeNotes:
    """Train on a prepared corpus, with checkpoints in `work`, measure, and write the decoder.

    Raises
    ------
    DecoderError
        When training or export fails.
    """
    from . import note_measures, note_training
    from .note_export import export

    config = replace(note_training.CONFIG, epochs=epochs or EPOCHS, minutes=minutes, seed=seed)
    rehearsal = config.epochs * REHEARSAL // EPOCHS
    trained = note_training.train(corpus, network_for(corpus), config, rehearsal=rehearsal, show=show, folder=work)
    measured = {
        "separation": note_measures.separation(trained.network, corpus),
        "mean_squared_error": note_measures.reconstruction_error(trained.network, corpus),
    }
    path = export(trained.network.networks.decoder, corpus, metadata(corpus, trained, measured, facts, seed), decoders / f"{stem}.onnx")
    who, what = (measured["separation"][key]["accuracy"] for key in ("instrument from timbre", "pitch from pitch"))
    say(f"{path}: instruments told apart in {who:.1%}, pitches in {what:.1%} of the notes kept for checking")
    return MadeNotes(path, corpus, trained, measured)


def network_for(corpus: NoteCorpus) -> GmvaeConfig:
    """Return the network that is trained: wide where it listens, narrow where it plays."""
    from .gmvae import GmvaeConfig

    sizes = {"n_hops": corpus.mel.n_hops, "n_bands": corpus.mel.n_bands, "channels": CHANNELS, "decoder_channels": DECODER_CHANNELS}
    return GmvaeConfig(len(corpus.instruments), len(corpus.pitches), **sizes)


def metadata(corpus: NoteCorpus, trained: TrainedNotes, measured: dict[str, Any], facts: dict[str, str], seed: int) -> Metadata:
    """Return what the decoder's file says of itself."""
    model = trained.network.config
    training = {
        "command": facts["command"],
        "seed": seed,
        "epochs": trained.epochs,
        "minutes": round(trained.seconds / 60, 1),
        "loss": trained.loss,
        "channels": model.channels,
        "decoder_channels": model.decoder_channels,
        "notes": len(corpus.names),
        "copies": len(corpus.transposed),
        "separation": {key: round(scores["f_score"], 4) for key, scores in measured["separation"].items()},
    }
    note, latents = note_map(corpus, trained)
    stft: Stft = corpus.mel.stft
    return Metadata(
        title=facts["title"],
        kind="note",
        sample_rate_hz=stft.sample_rate_hz,
        window_samples=stft.window_samples,
        hop_samples=stft.hop_samples,
        latents=latents,
        midi_low=corpus.pitches[0],
        midi_high=corpus.pitches[-1],
        home_octaves=home_octaves(corpus.pitches),
        corpus=facts["corpus"],
        licence=facts["licence"],
        training=training,
        test_mse=measured["mean_squared_error"],
        note=note,
    )


def note_map(corpus: NoteCorpus, trained: TrainedNotes) -> tuple[NoteMap, tuple[Latent, ...]]:
    """Return where instruments and pitches are, the loop and the brightness, measured; and the range of each timbre dimension."""
    from . import note_measures

    means = note_measures.means_of(trained.network, corpus)
    rises, box = note_measures.brightness(trained.network, corpus)
    brightest = int(np.argmax(np.abs(rises)))
    reach = 0.5 * float(box[2, brightest] - box[0, brightest]) * float(np.sign(rises[brightest]))
    first, last = note_measures.loop_region(trained.network, corpus)
    note = NoteMap(
        n_hops=corpus.mel.n_hops,
        n_bands=corpus.mel.n_bands,
        instruments={name: digits(mean) for name, mean in zip(corpus.instruments, means.timbre, strict=True)},
        ranges=corpus.ranges(),
        timbre_deviation=means.timbre_deviation,
        pitches=corpus.pitches,
        pitch_means=tuple(digits(mean) for mean in means.pitch),
        pitch_deviation=round(means.pitch_deviation, 6),
        loop_first_hop=first,
        loop_last_hop=last,
        brightness=Brightness(brightest, -reach, reach),
    )
    names = ["brightness" if k == brightest else "" for k in range(box.shape[1])]
    return note, tuple(Latent(*map(float, box[:, k]), names[k]) for k in range(box.shape[1]))


def digits(mean: np.ndarray) -> tuple[float, ...]:
    """Return a mean with as many digits as can be heard."""
    return tuple(round(float(value), 5) for value in mean)


def home_octaves(pitches: tuple[int, ...]) -> tuple[int, ...]:
    """Return the octave nearest to the fourth in which each class can be played; the fourth, where none is.

    >>> home_octaves((60, 61, 74))
    (4, 4, 5, 4, 4, 4, 4, 4, 4, 4, 4, 4)
    """
    octaves = [[pitch // 12 - 1 for pitch in pitches if pitch % 12 == each] or [MIDDLE_OCTAVE] for each in range(N_CLASSES)]
    return tuple(min(each, key=lambda octave: abs(octave - MIDDLE_OCTAVE)) for each in octaves)


def write_patch(name: str, made: MadeNotes, path: Path) -> Path:
    """Write the patch that plays a new note decoder: its first instrument, on notes, in tune."""
    import yaml

    if not made.corpus.instruments:
        raise CorpusError(f"{name}: there is no instrument to play")
    patch = {
        "name": name,
        "decoder": f"decoders/{made.decoder.name}",
        "mode": "notes",
        "gain_db": -6,
        "phase": "tonal",
        "breath": 0.1,
        "voices": 16,
        "envelope": {"attack_ms": 2, "decay_ms": 0, "sustain": 1.0, "release_ms": 200},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(patch, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path
