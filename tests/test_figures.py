"""The pages of figures say what the committed JSON says."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.figures import SECTIONS, low_latency, page

DOCS = Path(__file__).parent.parent / "docs"
FOLDER = DOCS / "benchmarks"


def test_the_pages_are_what_the_json_gives():
    again = "run: python -m benchmarks.figures docs/benchmarks"
    guide = (DOCS / "low-latency.md").read_text(encoding="utf-8")
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == page(FOLDER), again
    assert guide == low_latency(guide, FOLDER), again


def test_every_file_of_figures_has_a_section_and_every_picture_is_there():
    named = {f"{name}.json" for name, *_ in SECTIONS}
    assert {path.name for path in FOLDER.glob("*.json")} <= named | {"notes.json"}
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", page(FOLDER))
    assert pictures and all((FOLDER / picture).exists() for picture in pictures)
