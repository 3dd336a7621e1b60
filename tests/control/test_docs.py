"""docs/osc.md says what the tables say."""

from pathlib import Path

from oscsynth.control.addresses import rows
from oscsynth.control.docs import markdown
from oscsynth.parameters import MASTER_PARAMETERS, PART_PARAMETERS


def test_the_page_is_the_one_made_from_the_tables():
    page = Path(__file__).parents[2] / "docs" / "osc.md"
    assert page.read_text(encoding="utf-8") == markdown(), "run: python -m oscsynth.control.docs docs/osc.md"


def test_every_parameter_with_a_description_is_an_address():
    listed = {address for address, *_ in rows("")}
    assert {f"/{row.name}" for row in PART_PARAMETERS if row.description and row.size == 1} <= listed
    assert {f"/master/{row.name}" for row in MASTER_PARAMETERS if row.description} <= listed
    assert all(takes and description for _, takes, _, description in rows())
