import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscsynth.errors import CorpusError
from training import shards
from training.corpora import Clip, Corpus, Skipped
from training.prepare import prepare
from training.shards import Shards, Writer, windows
from training.spectra import Stft

from .conftest import SMALL, tone, tones

COUNTS = (5, 0, 17, 300)
BINS = 7


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[np.ndarray, Shards]:
    folder, rng = tmp_path_factory.mktemp("shards"), np.random.default_rng(440)
    parts = [rng.random((count, BINS)).astype(np.float16) for count in COUNTS]
    for number, part in enumerate(parts):
        with Writer(folder, number) as shard:
            for half in np.array_split(part, 2):
                shard.add({"name": "a"}, half, np.full(len(half), 60), np.arange(len(half)), 1)
    return np.concatenate(parts).astype(np.float32), Shards([shards.data_path(folder, n) for n in range(len(COUNTS))], list(COUNTS), BINS)


@given(st.lists(st.integers(0, sum(COUNTS) - 1), max_size=50), st.lists(st.integers(0, sum(COUNTS) - 1), max_size=50))
def test_shards_are_indexed_like_an_array(stored: tuple[np.ndarray, Shards], held: list[int], rows: list[int]) -> None:
    array, on_disk = stored
    on_disk.hold(np.array(held, int))
    np.testing.assert_array_equal(on_disk[np.array(rows, int)], array[np.array(rows, int)])
    np.testing.assert_array_equal(on_disk[3:9], array[3:9])
    assert on_disk.shape == array.shape


@given(st.lists(st.integers(0, 10**6), unique=True, max_size=3000), st.integers(0, 100))
def test_windows_hold_every_row_once(rows: list[int], seed: int) -> None:
    found = windows(np.array(rows, int), np.random.default_rng(seed))
    assert sorted(np.concatenate(found).tolist()) == sorted(rows) if rows else True


def test_a_window_comes_from_all_over_and_is_shuffled() -> None:
    n_rows = 40 * shards.BLOCK_ROWS * shards.WINDOW_BLOCKS
    window = windows(np.arange(n_rows), np.random.default_rng(440))[0]
    assert len(window) == shards.BLOCK_ROWS * shards.WINDOW_BLOCKS
    assert window.max() - window.min() > 0.8 * n_rows
    assert (np.abs(np.diff(window)) == 1).mean() < 0.01
    assert len(np.unique(window // shards.BLOCK_ROWS)) == shards.WINDOW_BLOCKS


def counted(folder: Path, number: int) -> Iterator[Clip]:
    """Give a clip, and leave a mark each time; end as a kill does where it was told to."""
    (folder / f"{number}-{os.urandom(4).hex()}.read").touch()
    yield Clip(f"c{number}", tone(60 + number), f"c{number}", f"c{number}", "f", 60 + number)
    if (folder / f"kill-{number}").exists():
        raise SystemError("killed")


def corpus_of(folder: Path, *, seconds: float = 3.0) -> Corpus:
    return replace(tones(), sources=tuple(partial(counted, folder, number) for number in range(6)), seconds=seconds)


@pytest.mark.parametrize("seconds", [3.0, 1e4])  # in this process, and on all cores
def test_preparation_that_was_killed_goes_on_and_skips_what_is_done(tmp_path: Path, seconds: float) -> None:
    marks, work = tmp_path, tmp_path / "work"
    (marks / "kill-5").touch()
    with pytest.raises(SystemError):
        prepare(corpus_of(marks, seconds=seconds), SMALL, seed=440, folder=work)
    assert not shards.index_path(work, 5).exists()
    whole = [number for number in range(6) if shards.index_path(work, number).exists()]
    assert whole
    (marks / "kill-5").unlink()
    steps: list[tuple[int, int]] = []
    hops = prepare(corpus_of(marks, seconds=seconds), SMALL, seed=440, folder=work, progress=lambda *step: steps.append(step))
    assert steps[0] == (len(whole), 6) and steps[-1] == (6, 6)
    assert all(len(list(marks.glob(f"{number}-*.read"))) == 1 for number in whole)
    assert hops.names == tuple(f"c{number}" for number in range(6))
    np.testing.assert_array_equal(hops.magnitude, prepare(corpus_of(marks), SMALL, seed=440).magnitude)
    assert not list(work.glob("*.partial"))


def test_a_folder_of_another_rate_or_window_is_refused(tmp_path: Path) -> None:
    prepare(tones(), SMALL, seed=440, folder=tmp_path)
    with pytest.raises(CorpusError, match=r"prepared at 11025 Hz with a window of 1024 and a hop of 256; wanted is 22050 Hz with a window of 2048"):
        prepare(tones(), Stft(22050, 2048, 512), seed=440, folder=tmp_path)
    with pytest.raises(CorpusError, match="other sounds were prepared there"):
        prepare(tones(pitches=[60]), SMALL, seed=440, folder=tmp_path)


def test_a_shard_without_its_notes_is_named(tmp_path: Path) -> None:
    prepare(tones(), SMALL, seed=440, folder=tmp_path)
    path = shards.index_path(tmp_path, 1)
    with np.load(path) as stored:
        np.savez(path, **{name: stored[name] for name in stored.files if name != "pitch"})
    with pytest.raises(CorpusError, match=r"00001.npz: its column pitch is missing.*remove .* to prepare it again"):
        prepare(tones(), SMALL, seed=440, folder=tmp_path)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(CorpusError, match=r"00001.npz: this is no prepared sound"):
        prepare(tones(), SMALL, seed=440, folder=tmp_path)


def test_a_shard_that_was_cut_is_named(tmp_path: Path) -> None:
    prepare(tones(), SMALL, seed=440, folder=tmp_path)
    path = shards.data_path(tmp_path, 0)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorpusError, match=r"00000.f16: it holds \d+ bytes, not \d+ spectra of 513 bins"):
        prepare(tones(), SMALL, seed=440, folder=tmp_path)


def test_a_corpus_larger_than_the_disk_is_not_begun(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"preparing 2777777.8 hours takes \d+.\d GB, and [\d.]+ GB are free"):
        prepare(replace(tones(), seconds=1e10), SMALL, seed=440, folder=tmp_path)


def test_what_is_skipped_is_remembered(tmp_path: Path) -> None:
    corpus = replace(tones(), sources=(*tones().sources, lambda: iter([Skipped("x.wav", "silent")])))
    assert prepare(corpus, SMALL, seed=440, folder=tmp_path).skipped == (Skipped("x.wav", "silent"),)
    assert prepare(corpus, SMALL, seed=440, folder=tmp_path).skipped == (Skipped("x.wav", "silent"),)
