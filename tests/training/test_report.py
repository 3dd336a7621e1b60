import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from oscsynth.metadata import Metadata
from tests.decoders import tiny_decoder
from training import export, report
from training.__main__ import app
from training.decoder_file import DecoderFile, open_decoder
from training.evaluate import evaluate
from training.evaluate import test_mse as error_over
from training.findings import errors, judge
from training.prepare import TEST, Hops
from training.train import Trained

from .conftest import SMALL, tones

LARGEST_BYTES = 3_000_000


class Outline(HTMLParser):
    """What a page holds: every tag with its attributes, and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "source"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for each, attributes in self.tags if each == tag]


@pytest.fixture(scope="module")
def opened(trained: Trained, hops: Hops, tmp_path_factory: pytest.TempPathFactory) -> DecoderFile:
    """A decoder of tones, with its encoder."""
    export.round_weights(trained)
    evaluation = evaluate(trained, hops, samples=20)
    stft = {"sample_rate_hz": SMALL.sample_rate_hz, "window_samples": SMALL.window_samples, "hop_samples": SMALL.hop_samples}
    facts = {"command": "oscsynth train tones", "epochs": 50, "mixing": True}
    latents = export.latents_of(evaluation, ("bright<ness>",))
    metadata = Metadata("Tones", "frame", **stft, latents=latents, midi_low=60, midi_high=71, home_octaves=evaluation.home_octaves, training=facts)
    return open_decoder(export.export(trained, metadata, tmp_path_factory.mktemp("tones") / "tones.onnx"))


@pytest.fixture(scope="module")
def page(opened: DecoderFile, hops: Hops, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report.write(opened, tmp_path_factory.mktemp("page"), hops, tones())


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a decoder file of which nothing else is there."""
    folder = tmp_path_factory.mktemp("alone")
    decoder = tiny_decoder(folder / "tiny.onnx", registers=(3, 4), points={"dark": (0.1, 0.5, 0.0)})
    result = CliRunner().invoke(app, ["report", str(decoder), "--output", str(folder / "reports")])
    assert result.exit_code == 0, result.output
    return folder / "reports" / "tiny.html"


@pytest.fixture(params=["page", "alone"])
def outline(request: pytest.FixtureRequest) -> tuple[Path, Outline]:
    path = request.getfixturevalue(request.param)
    return path, Outline(path)


def test_a_page_needs_nothing_but_its_folder(outline: tuple[Path, Outline]) -> None:
    path, page = outline
    named = [each for _, attributes in page.tags for key in ("src", "srcset", "href") if (each := attributes.get(key))]
    assert named
    assert all(each.startswith("data:image/png;base64,") or (path.parent / each).is_file() for each in named)
    assert "http" not in path.read_text("utf-8") and "@import" not in path.read_text("utf-8") and not page.all("script")
    assert path.stat().st_size < LARGEST_BYTES


def test_a_page_is_for_everyone(outline: tuple[Path, Outline]) -> None:
    _, page = outline
    assert page.all("html")[0]["lang"] == "en"
    assert all(len(each["alt"] or "") > 30 for each in page.all("img"))
    assert all(each["aria-label"] for each in page.all("audio"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(each["scope"] for each in page.all("th"))
    assert [tag for tag, _ in page.tags if tag in ("h1", "h2")] == ["h1", *["h2"] * len(page.all("section"))]
    assert len(page.all("source")) == len(page.all("img"))  # a dark one beside each


def test_with_the_sounds_there_is_everything(page: Path, hops: Hops) -> None:
    outline = Outline(page)
    for title in ("At a glance", "Listen", "What the faders do", "The notes", "The latent space", "Before and after", "How it was made"):
        assert title in outline.text
    sounds = [each["src"] for each in outline.all("audio")]
    n_families = len(np.unique(hops.family[hops.rows(TEST)]))
    assert sum("recorded" in str(each) for each in sounds) == sum("decoded" in str(each) for each in sounds) == n_families
    assert {path.name for path in page.parent.glob("*.png")} == {f"tones-{what}.png" for what in ("embedding", "faders", "notes", "spectra")}
    assert "bright<ness>" in outline.text


def test_alone_there_is_what_the_file_can_tell(alone: Path) -> None:
    outline = Outline(alone)
    assert "Before and after" not in outline.text
    assert "brighter" in outline.text and "octave 3" in outline.text and "dark" in outline.text
    assert len(outline.all("audio")) == 3


def test_the_markdown_says_the_same(page: Path) -> None:
    text = page.with_suffix(".md").read_text("utf-8")
    outline = Outline(page)
    assert re.findall("^## (.*)$", text, re.M) == [title for title in re.findall(r"<h2>(.*?)</h2>", page.read_text("utf-8"))]
    assert all((page.parent / name).is_file() for name in re.findall(r"\]\(([^)]+)\)", text))
    assert text.count("![") == len(outline.all("img"))


def test_the_error_is_the_paper_s(opened: DecoderFile, trained: Trained, hops: Hops) -> None:
    judged = judge(opened, hops, np.random.default_rng(440))
    assert judged.test_mse == pytest.approx(error_over(trained, hops, hops.rows(TEST)), rel=1e-3)
    assert judged.n_test == len(hops.rows(TEST)) == sum(count for _, count in judged.by_family.values())
    assert judged.test_mse == pytest.approx(sum(mse * count for mse, count in judged.by_family.values()) / judged.n_test)
    assert len(judged.comparisons) == 3


def test_a_search_finds_what_the_encoder_does_or_better(opened: DecoderFile, hops: Hops) -> None:
    rows = hops.rows(TEST)[:40]
    searched = DecoderFile(opened.path, opened.decoder)
    assert errors(searched, hops, rows).mean() <= 1.01 * errors(opened, hops, rows).mean()


def test_a_format_that_is_none_ends_in_one_sentence(tmp_path: Path) -> None:
    decoder = tiny_decoder(tmp_path / "tiny.onnx")
    result = CliRunner().invoke(app, ["report", str(decoder), "--output", str(tmp_path / "out"), "--format", "mp9"])
    assert result.exit_code == 1 and "are .flac, .wav, .ogg, not .mp9" in result.output
    assert not (tmp_path / "out").exists()


def test_what_is_no_decoder_ends_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "song.onnx").write_text("la la")
    result = CliRunner().invoke(app, ["report", str(tmp_path / "song.onnx"), "--output", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "song.onnx: it is no ONNX file" in result.output and "Traceback" not in result.output
    assert not (tmp_path / "out").exists()
