"""The page of a decoder, for the musician who will play it: what it does, how well, where it is weak, and how it sounds.

From the decoder file alone, or with the sounds that it was taught: then with the paper's test error, the embedding and sounds
before and after. One HTML file, its pictures and its sounds; beside it the same page as Markdown.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from oscsynth.errors import CorpusError

from . import chroma, figures, listening, sounding
from .chroma import CLASS_NAMES
from .corpora import Corpus, list_skipped
from .decoder_file import DecoderFile
from .document import Block, Code, Document, Figures, Picture, Section, Sounds, Table, Text
from .figures import THEMES, MeshMap, Scatter, Sweep
from .findings import Findings, Judgement, judge, look
from .notes import by_class, note_name, weak_sentence
from .prepare import Hops

MAP_POINTS = 48  # along each side of a mesh map on the page
MOST_VIEWS = 6  # pairs of latents
SWEEP_POINTS = 96
METHODS = {True: "transposed mixing", False: "the paper's method: reconstruction alone"}


def write(
    opened: DecoderFile, folder: Path, hops: Hops | None = None, corpus: Corpus | None = None, *, suffix: str = ".flac", seed: int = 440
) -> Path:
    """Write the page of a decoder as ``NAME.html`` and ``NAME.md``, with its pictures and sounds beside it.

    Parameters
    ----------
    hops : Hops, optional
        The sounds that it was taught, prepared.
    corpus : Corpus, optional
        The same, to be heard before and after.
    suffix : str
        Of the sounds: ``.flac``, ``.wav`` or ``.ogg``.

    Raises
    ------
    CorpusError
        When that is none of them.
    """
    if suffix not in sounding.SUFFIXES:
        raise CorpusError(f"the sounds of a page are {', '.join(sounding.SUFFIXES)}, not {suffix}")
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    found, judged = look(opened, rng), judge(opened, hops, rng) if hops is not None else None
    page = _Page(opened, folder, opened.path.stem, found, judged)
    heard = listening.before_and_after(opened, hops, corpus, folder, suffix) if hops is not None and corpus is not None else []
    sections = [page.glance(), page.hear(heard, suffix), page.faders(), page.notes(), page.space(), page.reconstruction(), page.making(hops)]
    document = Document(opened.metadata.title, opened.metadata.corpus, [section for section in sections if section.blocks])
    (folder / f"{page.stem}.md").write_text(document.markdown(), encoding="utf-8")
    path = folder / f"{page.stem}.html"
    path.write_text(document.html(folder), encoding="utf-8")
    for picture in folder.glob(f"{page.stem}-*-dark.png"):
        picture.unlink()  # the page holds it
    return path


class _Page:
    """The sections of a page, each from what was found."""

    def __init__(self, opened: DecoderFile, folder: Path, stem: str, found: Findings, judged: Judgement | None) -> None:
        self.opened, self.folder, self.stem, self.found, self.judged = opened, folder, stem, found, judged
        self.latent_names = [latent.name or f"fader {k + 1}" for k, latent in enumerate(opened.metadata.latents)]

    def glance(self) -> Section:
        metadata, found = self.opened.metadata, self.found
        judged = self.judged if self.opened.encoder is not None else None
        error = judged.test_mse if judged else metadata.test_mse
        notes = f"{note_name(metadata.midi_low)} to {note_name(metadata.midi_high)}"
        rows = [("Range", notes, "every semitone" + (", the octave too" if metadata.registers else "; the octave by stretching"))]
        if metadata.chroma:
            weakest = f"; weakest: {note_name(found.weakest.pitch_midi)}, {found.weakest.share:.1%}" if found.weakest.share < 1 else ""
            rows.append(("Plays the note asked for", f"{found.mesh_accuracy:.1%}", f"of places between the faders' ends{weakest}"))
            rows.append(("In tune within", f"{found.cents:.0f} cents", "median of the strongest partials"))
        if error is not None:
            when = "" if judged else ", as measured when it was trained"
            rows.append(("Test error", f"{error:.2e}", f"mean squared, of sounds it was never taught{when}"))
        if judged:
            used = judged.uniformity
            rows.append(("Evenly used", f"{used.entropy:.0%}", f"of its space, which reaches {used.largest_extent:.2f} times the faders' travel"))
        elif self.judged:
            meaning = "of the same sounds, at the best places: found by a search, as there is no encoder"
            rows.append(("Least error", f"{self.judged.test_mse:.2e}", meaning))
        rows.append(("Faders", str(self.opened.n_latents), ", ".join(self.latent_names) if self.opened.n_latents < 5 else "one for each latent"))
        return Section("At a glance", [Figures(rows)])

    def hear(self, heard: list[tuple[str, list[tuple[str, Path]]]], suffix: str) -> Section:
        caption = f"Each fader from 0 to 1 on {note_name(listening.pitch(self.opened))}, the others in the middle."
        blocks: list[Block] = [Sounds(caption, listening.sweeps(self.opened, self.folder, suffix))]
        if heard:
            how = "encoded and decoded again" if self.opened.encoder is not None else "at the nearest places of its latent space"
            caption = f"Sounds that it was never taught: as recorded, and {how}; played by the instrument, with the phase of noise."
            blocks.insert(0, Sounds(caption, heard))
        return Section("Listen", blocks)

    def faders(self) -> Section:
        rows = [(fader.name, f"{fader.distance_db:.0f} dB", fader.sentence()) for fader in self.found.faders]
        caption = "Measured on many notes and from many places of the other faders; the difference is that of its ends, over the audible bands."
        positions = [listening.way(self.opened, k, SWEEP_POINTS) for k in range(self.opened.n_latents)]
        pitch = np.full(SWEEP_POINTS, listening.pitch(self.opened))
        panels = [Sweep(name, self.opened.decode(way, pitch), self.opened.bin_hz) for name, way in zip(self.latent_names, positions, strict=True)]
        described = "The spectrum along the way of each fader: " + "; ".join(f"{fader.name}: {fader.sentence()}" for fader in self.found.faders)
        said = "What passes on the way of each fader: pitch upwards, louder is lighter. The others stand in the middle."
        return Section("What the faders do", [Table(caption, ("fader", "difference", "on the way up"), rows), self._sweeps(panels, described, said)])

    def _sweeps(self, panels: list[Sweep], described: str, said: str) -> Picture:
        light, dark = (figures.sweeps(panels, self._png("faders", theme.name), theme) for theme in THEMES)
        return Picture(light, dark, described, said)

    def notes(self) -> Section:
        if not self.opened.metadata.chroma:
            return Section(
                "The notes", [Text("This decoder is not conditioned on the note: which one sounds is a matter of the place in its space.")]
            )
        return Section("The notes", [Text(weak_sentence(self.found.notes)), self._note_table(), *self._maps()])

    def _note_table(self) -> Table:
        octaves = sorted({note.pitch_midi // 12 - 1 for note in self.found.notes}) if self.opened.metadata.registers else [None]
        shares = {note.pitch_midi: note.share for note in self.found.notes}
        homes = {note.pitch_midi % 12: note.share for note in self.found.notes}
        rows, weakness = [], []
        for octave in octaves:
            values = [homes.get(each) if octave is None else shares.get(12 * (octave + 1) + each) for each in range(12)]
            rows.append((f"octave {octave}" if octave is not None else "all", *("" if value is None else f"{100 * value:.0f}" for value in values)))
            weakness.append([None if value is None else min(1.0, 4 * (1 - value)) for value in values])
        caption = "How often the note asked for is the one heard, in percent of random places between the ends of all faders."
        return Table(caption, ("", *(name.replace("#", "♯") for name in CLASS_NAMES)), rows, weakness)

    def _maps(self) -> list[Block]:
        """Show the plane of the first two faders for each class asked for."""
        if self.opened.n_latents < 2:
            return []
        side = np.linspace(0, 1, MAP_POINTS, dtype=np.float32)
        positions = np.tile(listening.middle(self.opened), (MAP_POINTS**2, 1))
        positions[:, 0], positions[:, 1] = np.tile(side, MAP_POINTS), np.repeat(side, MAP_POINTS)
        shares, notes, panels = by_class(self.found.notes), self.opened.notes(), []
        for each in range(12):
            of_class = notes[notes % 12 == each]
            if not len(of_class):
                continue
            magnitudes = self.opened.decode(positions, np.full(len(positions), of_class[len(of_class) // 2]))
            heard = chroma.classes(magnitudes, self.opened.stft).reshape(MAP_POINTS, MAP_POINTS)
            title = f"{CLASS_NAMES[each].replace('#', '♯')}   {shares[each]:.1%}"
            panels.append(MeshMap(title, heard, np.array([[0, 0], [1, 1]]), (self.latent_names[0], self.latent_names[1])))
        light, dark = (figures.mesh_maps(panels, self._png("notes", theme.name), theme, columns=6, inches=1.75) for theme in THEMES)
        described = "For each note class that is asked for, the class that is heard at each point of the plane of the first two faders."
        said = f"{described} One colour: it is played everywhere. The figure is its share over all faders and octaves."
        return [Picture(light, dark, described, said)]

    def space(self) -> Section:
        blocks: list[Block] = []
        if self.judged:
            measured = self.judged.uniformity
            light, dark = (figures.scatters(self._views(), self._png("embedding", theme.name), theme) for theme in THEMES)
            described = "Where the sounds that were taught lie, each moment a dot in the colour of its note."
            mixed = "Colours well mixed mean that no fader holds the pitch."
            blocks.append(Picture(light, dark, described, f"{described} {mixed} Dashed: the ends of the faders."))
            rows = [
                (
                    name,
                    f"{extent:.2f}" if self.opened.encoder is not None else "not known",
                    f"{even:.0%}",
                    f"{np.abs(np.delete(row, k)).max(initial=0):.2f}",
                )
                for k, (name, extent, even, row) in enumerate(
                    zip(self.latent_names, measured.extent, measured.marginal_entropy, measured.correlation, strict=True)
                )
            ]
            even = f"over pairs of faders density is {measured.entropy:.0%} even (100%: every place is as likely)"
            caption = f"All faders: {measured.outside:.1%} of the moments lie outside; {even}."
            if self.opened.encoder is None:
                caption = f"There is no encoder: positions were searched for between the ends of the faders. There {even}."
            blocks.append(Table(caption, ("fader", "extent, in travels", "evenness", "largest correlation"), rows))
        points = self.opened.metadata.points
        if points:
            rows = [(name, *(f"{value:.2f}" for value in point)) for name, point in points.items()]
            caption = "Named places (fader positions), each the most typical moment of its sounds."
            blocks.append(Table(caption, ("point", *self.latent_names), rows))
        return Section("The latent space", blocks)

    def _views(self) -> list[Scatter]:
        assert self.judged is not None
        position, names = self.judged.position, self.latent_names
        if position.shape[1] == 1:
            position, names = np.concatenate([position, np.random.default_rng(0).random((len(position), 1))], axis=1), [*names, ""]
        pairs = [(a, b) for a in range(position.shape[1]) for b in range(a + 1, position.shape[1])]
        pairs = pairs if len(pairs) <= MOST_VIEWS else [(k, k + 1) for k in range(0, position.shape[1] - 1, 2)]
        points = self.opened.metadata.points if len(self.opened.metadata.points) <= 6 else {}
        return [
            Scatter(
                "",
                position[:, pair],
                self.judged.note_class,
                (names[pair[0]], names[pair[1]]),
                {name: (point[pair[0]], point[pair[1]]) for name, point in points.items() if len(point) > pair[1]},
                np.array([[0, 0], [1, 1]]),
            )
            for pair in pairs
        ]

    def reconstruction(self) -> Section:
        if not self.judged:
            return Section("Before and after")
        light, dark = (figures.comparisons(self.judged.comparisons, self._png("spectra", theme.name), theme) for theme in THEMES)
        described = "Spectra of sounds that were never taught, before and after the decoder, for " + ", ".join(
            each.title for each in self.judged.comparisons
        )
        said = "Typical moments of sounds it was never taught: filled as recorded, the line as decoded."
        rows = [(name, f"{count:,}", f"{mse:.2e}") for name, (mse, count) in sorted(self.judged.by_family.items(), key=lambda each: each[1][0])]
        caption = f"Mean squared error of magnitudes with a peak of 1, over {self.judged.n_test:,} moments; the best first."
        return Section("Before and after", [Picture(light, dark, described, said), Table(caption, ("sounds", "moments", "error"), rows)])

    def making(self, hops: Hops | None) -> Section:
        metadata, facts = self.opened.metadata, self.opened.metadata.training
        rows = [("sounds", metadata.licence or "your own: their licence is yours to know")]
        if hops is not None:
            counts = [int((hops.part == part).sum()) for part in range(3)]
            rows.append(("moments for training, validation, test", ", ".join(f"{count:,}" for count in counts)))
            rows.append(("left out, as another note class was the strongest", f"{hops.n_unclear:,}"))
        rows.append(("conditioned on", "note class and octave" if metadata.registers else "note class" if metadata.chroma else "nothing"))
        if "mixing" in facts:
            rows.append(("trained with", METHODS[bool(facts["mixing"])]))
        if "epochs" in facts:
            rows.append(("trained for", f"{facts['epochs']} epochs in {facts.get('minutes', '?')} minutes, seed {facts.get('seed', '?')}"))
        rows.append(("file", f"{self.opened.path.name}, {self.opened.path.stat().st_size / 1e6:.1f} MB"))
        if metadata.encoder and self.opened.encoder is not None:
            rows.append(("encoder", f"{metadata.encoder}, {(self.opened.path.parent / metadata.encoder).stat().st_size / 1e6:.1f} MB"))
        blocks: list[Block] = [Table("What went in, and what came out.", ("", ""), rows)]
        if facts.get("command"):
            blocks += [Text("Make it again:"), Code(str(facts["command"]))]
        if hops is not None and hops.skipped:
            blocks.append(Text(f"{list_skipped(hops.skipped)}."))
        return Section("How it was made", blocks)

    def _png(self, what: str, theme: str) -> Path:
        return self.folder / f"{self.stem}-{what}{'' if theme == 'light' else '-dark'}.png"
