"""What the README promises is what the program does: its tables, its patch, its messages and its commands."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.walk import HOW, why_not
from benchmarks.walk import blocks as all_blocks
from oscsynth.__main__ import app
from oscsynth.render import Performance

from .engine_harness import wait_until
from .needs import needs
from .serving import Serve

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """Return what stands between fences of one language."""
    found = [inside for opening, inside in all_blocks(README) if opening == language]
    assert found
    return found


def test_the_rows_of_the_address_table_are_those_of_the_reference() -> None:
    rows = [line for line in README.splitlines() if re.match(r"\| `[a-z]+[^|]*` \| [^|]+ \|[^|]*\|", line)]
    assert len(rows) > 15
    reference = (ROOT / "docs" / "osc.md").read_text().splitlines()
    assert [row for row in rows if row not in reference] == []


def test_the_patch_loads_and_fits_its_decoder(tmp_path: Path) -> None:
    (tmp_path / "night.yaml").write_text(blocks("yaml")[0])
    performance = Performance(patches=tmp_path, patch="Night Violin")
    assert performance.render(44100).any()


def test_the_first_messages_do_what_they_say() -> None:
    performance = Performance(patch="Violin")
    for line in blocks("")[0].splitlines():
        if not line:
            continue
        address, *words = shlex.split(line)
        replies = performance.send(address, *[int(word) if word.isdigit() else word for word in words])
        assert not [reply for reply in replies if reply.address.endswith("/fail")], line
    assert performance.instrument.state.get(1, "gate") == 0


@pytest.fixture(scope="module")
def serve(tmp_path_factory):
    serve = Serve("--audio", "null", "--no-announce", "--http-port", "0", "--fresh", patches=tmp_path_factory.mktemp("patches"))
    wait_until(serve.is_sounding, 20)
    yield serve
    serve.close()


def run(*command: str, folder: Path, seconds: float = 60, **variables: str) -> str:
    """Run a program as the README's reader does, with an `oscsynth` in its way that is this one."""
    (folder / "oscsynth").write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m oscsynth "$@"\n')
    (folder / "oscsynth").chmod(0o755)
    environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"} | variables
    done = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_commands_in_its_blocks_do_what_they_say(serve: Serve, tmp_path: Path) -> None:
    sends = [line for text in blocks("sh") for line in text.splitlines() if line.startswith("oscsynth send")]
    run("bash", "-e", "-c", "\n".join(f"{line} --port {serve.port}" for line in sends), folder=tmp_path)
    assert serve.ask("latent/1") is not None and serve.ask("patch") == ("Tandem",) and serve.ask("gate") == (0,)
    assert serve.ask("transfer") == (0.5,)


def test_its_score_is_rendered(tmp_path: Path) -> None:
    (text,) = [text for text in blocks("sh") if "oscsynth render" in text]
    run("bash", "-e", "-c", text, folder=tmp_path)
    assert (tmp_path / "first.wav").stat().st_size > 100_000


def test_its_python_moves_the_latent(serve: Serve, tmp_path: Path) -> None:
    run(sys.executable, "-c", blocks("python")[0].replace("57140", str(serve.port)), folder=tmp_path)
    assert wait_until(lambda: serve.ask("latent/1"))[0] == pytest.approx(0.7)


@needs("sclang")
def test_its_six_lines_of_sclang_play(serve: Serve, tmp_path: Path) -> None:
    text = blocks("supercollider")[0].replace("57140", str(serve.port))
    assert len(text.splitlines()) == 6
    (tmp_path / "block.scd").write_text(f"{text}\n{{ 3.wait; 0.exit }}.fork(AppClock);")
    headless = {"QT_QPA_PLATFORM": "offscreen", "QTWEBENGINE_DISABLE_SANDBOX": "1", "HOME": str(tmp_path)}
    assert "ERROR" not in run("sclang", "-i", "none", "block.scd", folder=tmp_path, **headless)
    assert (serve.ask("patch"), serve.ask("chroma/name"), serve.ask("latent/bow")) == (("Violin",), ("A",), (1.0,))


@pytest.mark.parametrize("page", ["README.md", "docs/install.md"])
def test_every_block_can_be_walked_or_says_why_not(page: str) -> None:
    for language, text in all_blocks((ROOT / page).read_text()):
        assert language in HOW or why_not(language, text), text


def test_the_commands_and_options_exist() -> None:
    used = set(
        re.findall(r"oscsynth (serve|demo|render|check|patches|devices|addresses|send|monitor|train|doctor|layout)\b((?: --[a-z-]+)?)", README)
    )
    assert len(used) > 8
    for command, option in used:
        shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"})
        assert shown.exit_code == 0 and option.strip() in re.sub(r"\x1b\[[0-9;]*m", "", shown.output), (command, option)


PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "README.md", *ROOT.glob("docs/*.md")))


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    links = re.findall(r"\]\(((?!http)[^)#]+)", (ROOT / page).read_text())
    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []
