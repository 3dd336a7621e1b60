"""What the README promises is what the program does: its tables, its patch, its messages and its commands."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from oscsynth.__main__ import app
from oscsynth.render import Performance

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """Return what stands between fences of one language."""
    parts = re.split(r"^```(.*)\n", README, flags=re.MULTILINE)
    # Outside, the opening fence's language, inside, the closing fence's empty one, outside ...
    found = [inside for opening, inside in zip(parts[1::4], parts[2::4], strict=True) if opening == language]
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


def test_the_commands_and_options_exist() -> None:
    used = set(re.findall(r"oscsynth (serve|render|check|patches|devices|addresses|send|monitor|train|doctor)\b((?: --[a-z-]+)?)", README))
    assert len(used) > 8
    for command, option in used:
        shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"})
        assert shown.exit_code == 0 and option.strip() in re.sub(r"\x1b\[[0-9;]*m", "", shown.output), (command, option)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(((?!http)[^)#]+)\)", README))))
def test_every_link_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()
