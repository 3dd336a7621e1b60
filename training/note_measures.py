"""What a trained network of notes has learnt: how much of each label is in each code, what it plays, and what its dimensions do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .mel import Mel
from .note_corpus import CHECK, TRAIN, NoteCorpus
from .note_training import codes, synthesised

if TYPE_CHECKING:
    from .gmvae import Gmvae

ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0)
SPREADS = (0.0, 0.5, 1.0)
NOTES_PER_TARGET = 30
WEAK = 30.0  # how little the linear classifiers are held back: with a score of notes for each pitch, sklearn's 1 holds them back too much
FLOOR_DB = 0.1  # of what changes: of two steady stretches the longer is taken
Judge = Callable[[np.ndarray], np.ndarray]
"""Spectrograms (notes, n_hops, n_bands) to posteriors (notes, classes)."""


@dataclass(frozen=True, slots=True)
class Means:
    """Where the instruments and the pitches are, in the codes' own units."""

    timbre: np.ndarray  # (n_instruments, n_timbre) float32
    pitch: np.ndarray  # (n_pitches, n_pitch) float32
    timbre_deviation: float
    pitch_deviation: float


def f_score(labels: np.ndarray, guesses: np.ndarray) -> float:
    """Return the F-score, the mean over the classes that there are."""
    from sklearn.metrics import f1_score

    return float(f1_score(labels, guesses, labels=np.unique(labels), average="macro", zero_division=0))


def accuracy(labels: np.ndarray, guesses: np.ndarray) -> float:
    """Return the share of right guesses."""
    return float(np.mean(labels == guesses))


def separation(network: Gmvae, corpus: NoteCorpus, *, seed: int = 440) -> dict[str, dict[str, float]]:
    """Say how well a linear classifier finds each label in each code (the paper's Table 1), on the notes kept for checking.

    Returns
    -------
    dict
        ``instrument from timbre`` and so on, each with ``f_score`` and ``accuracy``.
    """
    rows, heard = {part: corpus.rows(part) for part in (TRAIN, CHECK)}, {}
    found, rng = {part: codes(network, corpus, rows[part]) for part in rows}, np.random.default_rng(seed)
    for code in ("timbre", "pitch"):
        taught, checked = (drawn(found[part], code, rng) for part in (TRAIN, CHECK))
        for label, values in (("instrument", corpus.instrument), ("pitch", corpus.pitch)):
            guesses = linear_guesses(taught, values[rows[TRAIN]], checked)
            truth = values[rows[CHECK]]
            heard[f"{label} from {code}"] = {"f_score": f_score(truth, guesses), "accuracy": accuracy(truth, guesses)}
    return heard


def drawn(found: dict[str, np.ndarray], code: str, rng: np.random.Generator) -> np.ndarray:
    """Draw codes as the decoder is given them, from the Gaussians that the encoder gives: (notes, dimensions).

    A dimension that carries nothing still has a mean that moves by a hundredth of its deviation, and a linear classifier, which may
    scale what it is given, would read what nobody can hear.
    """
    mean = found[f"{code}_mean"]
    return np.asarray(mean + np.exp(0.5 * found[f"{code}_log_variance"]) * rng.normal(size=mean.shape))


def linear_guesses(taught: np.ndarray, labels: np.ndarray, checked: np.ndarray) -> np.ndarray:
    """Return what a linear classifier that was taught some codes says of others: (notes,)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300, C=WEAK))
    return np.asarray(classifier.fit(taught.astype(np.float64), labels).predict(checked.astype(np.float64)))


def means_of(network: Gmvae, corpus: NoteCorpus) -> Means:
    """Return the mixtures' means; the baseline's timbres are where the notes of each instrument lie on average."""
    from .gmvae import PITCH_DEVIATION, TIMBRE_DEVIATION

    rows = corpus.rows(TRAIN)
    if network.timbres is not None:
        timbre = np.asarray(network.timbres.means)
    else:
        taught = codes(network, corpus, rows)["timbre_mean"]
        timbre = np.stack([taught[corpus.instrument[rows] == k].mean(0) for k in range(len(corpus.instruments))])
    return Means(timbre, np.asarray(network.pitches.means), TIMBRE_DEVIATION, PITCH_DEVIATION)


def in_range(corpus: NoteCorpus) -> np.ndarray:
    """Say which pitches each instrument has: (n_instruments, n_pitches) bool."""
    has = np.zeros((len(corpus.instruments), len(corpus.pitches)), bool)
    for row, (low, high) in enumerate(corpus.ranges().values()):
        has[row] = (np.asarray(corpus.pitches) >= low) & (np.asarray(corpus.pitches) <= high)
    return has


def played(network: Gmvae, corpus: NoteCorpus, judges: dict[str, Judge], *, seed: int) -> dict[str, dict[str, dict[str, float]]]:
    """Say how well others recognise what is synthesised around the means (the paper's Figure 3), for each spread w.

    For each instrument thirty codes of timbre are drawn from N(mean, w deviation) and played at pitches of its range; for each pitch
    thirty codes of pitch, by instruments that have it.
    """
    means, has, found = means_of(network, corpus), in_range(corpus), {}
    for spread in SPREADS:
        rng, scores = np.random.default_rng(seed), {}
        for label, allowed in (("instrument", has), ("pitch", has.T)):
            target = np.repeat(np.arange(len(allowed)), NOTES_PER_TARGET)
            other = np.concatenate([rng.choice(np.flatnonzero(row), NOTES_PER_TARGET) for row in allowed])
            which = {"instrument": target, "pitch": other} if label == "instrument" else {"instrument": other, "pitch": target}
            timbre, pitch = means.timbre[which["instrument"]], means.pitch[which["pitch"]]
            if label == "instrument":
                timbre = timbre + spread * means.timbre_deviation * rng.normal(size=timbre.shape)
            else:
                pitch = pitch + spread * means.pitch_deviation * rng.normal(size=pitch.shape)
            guesses = judges[label](synthesised(network, timbre, pitch)).argmax(axis=1)
            scores[label] = {"f_score": f_score(target, guesses), "accuracy": accuracy(target, guesses)}
        found[f"{spread:g}"] = scores
    return found


def transferred(network: Gmvae, corpus: NoteCorpus, judges: dict[str, Judge], names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Move notes from instrument to instrument: z + alpha (mean of the target - mean of the source), and hear who plays, and what.

    Returns
    -------
    list of dict
        For each ordered pair ``from``, ``to``: one for each of `ALPHAS`, the mean posterior of the ``target`` and of the ``source``, and
        the F-score of the ``pitch``. ``shared`` says the same of the notes that lie in the target's range: how many ``notes``, and at
        the last alpha ``target`` and ``pitch``.
    """
    return [_moved(network, corpus, judges, source, target) for source in names for target in names if source != target]


def _moved(network: Gmvae, corpus: NoteCorpus, judges: dict[str, Judge], source: str, target: str) -> dict[str, Any]:
    means, row, column = means_of(network, corpus), corpus.instruments.index(source), corpus.instruments.index(target)
    notes = np.flatnonzero(corpus.instrument == row)
    here, pitch, facts = codes(network, corpus, notes), corpus.pitch[notes], {"target": [], "source": [], "pitch": []}
    for alpha in ALPHAS:
        moved = here["timbre_mean"] + alpha * (means.timbre[column] - means.timbre[row])
        sound = synthesised(network, moved, here["pitch_mean"])
        posterior, guesses = judges["instrument"](sound), judges["pitch"](sound).argmax(axis=1)
        facts["target"].append(float(posterior[:, column].mean()))
        facts["source"].append(float(posterior[:, row].mean()))
        facts["pitch"].append(f_score(pitch, guesses))
    both = in_range(corpus)[column][pitch]
    shared = {"notes": int(both.sum()), "target": float(posterior[both, column].mean()), "pitch": f_score(pitch[both], guesses[both])}
    return {"from": source, "to": target, **facts, "shared": shared}


def centroid_hz(power: np.ndarray, mel: Mel) -> np.ndarray:
    """Return the spectral centroid of whole notes: (notes,) of (notes, n_hops, n_bands) band powers."""
    import librosa

    hz = librosa.mel_frequencies(mel.n_bands + 2, fmax=mel.sample_rate_hz / 2)[1:-1]
    width = np.diff(hz, prepend=0.0)  # a band's weights have an area of one: its power is a density
    spectrum = (power * width).sum(axis=1)
    return np.asarray((spectrum * hz).sum(axis=1) / np.maximum(spectrum.sum(axis=1), 1e-30))


def brightness(network: Gmvae, corpus: NoteCorpus) -> tuple[list[float], np.ndarray]:
    """Measure what each dimension of the timbre does to the centroid, over the range that the corpus uses.

    Returns
    -------
    octaves : list of float
        By which the centroid rises, on the median note, from the 1st to the 99th percentile of each dimension.
    box : ndarray, (3, n_timbre) float32
        1st, 50th and 99th percentile of each dimension.
    """
    taught = codes(network, corpus, corpus.rows(TRAIN))["timbre_mean"]
    box, means, has = np.percentile(taught, [1, 50, 99], axis=0).astype(np.float32), means_of(network, corpus), in_range(corpus)
    pairs = np.argwhere(has)[::5]  # an instrument and one of its pitches
    timbre, pitch, rises = means.timbre[pairs[:, 0]], means.pitch[pairs[:, 1]], []
    for dimension in range(timbre.shape[1]):
        half = 0.5 * (box[2] - box[0]) * np.eye(timbre.shape[1], dtype=np.float32)[dimension]
        low, high = (centroid_hz(corpus.scale.power(synthesised(network, timbre + sign * half, pitch)), corpus.mel) for sign in (-1, 1))
        rises.append(float(np.median(np.log2(high / low))))
    return rises, box


def loop_region(network: Gmvae, corpus: NoteCorpus) -> tuple[int, int]:
    """Choose the hops that a held note goes through to and fro: the stretch that changes least over all notes, the longer the better.

    What is compared is how far the bands are from their mean over the stretch, in decibels, on the median note.
    """
    means, has = means_of(network, corpus), in_range(corpus)
    pairs = np.argwhere(has)[::3]
    spectra = synthesised(network, means.timbre[pairs[:, 0]], means.pitch[pairs[:, 1]])
    return steadiest((spectra + 1) / 2 * (corpus.scale.high_db - corpus.scale.low_db))


def steadiest(decibels: np.ndarray) -> tuple[int, int]:
    """Return the first and last hop of the steadiest stretch of (notes, n_hops, n_bands) levels: a quarter of the hops or more, after the attack.

    >>> sound = np.random.default_rng(0).normal(size=(9, 40, 8))
    >>> sound[:, 20:36] = sound[:, 20:21]
    >>> steadiest(sound)
    (20, 35)
    """
    n_hops = decibels.shape[1]
    last, shortest = n_hops - 1 - n_hops // 16, max(1, n_hops // 4)  # the last windows may reach past the note's end
    stretches = [(first, end) for first in range(n_hops // 4, last - shortest + 1) for end in range(first + shortest, last + 1)]
    costs = [(FLOOR_DB + float(np.median(decibels[:, a : b + 1].std(axis=1).mean(axis=1)))) / np.sqrt(b - a) for a, b in stretches]
    return stretches[int(np.argmin(costs))]


def reconstruction_error(network: Gmvae, corpus: NoteCorpus) -> float:
    """Return the mean squared error of the notes kept for checking, decoded from the means of their codes."""
    rows = corpus.rows(CHECK)
    found = codes(network, corpus, rows)
    return float(np.square(synthesised(network, found["timbre_mean"], found["pitch_mean"]) - corpus.spectrogram[rows]).mean())
