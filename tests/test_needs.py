"""What is skipped is said, and is a failure where all is required."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .needs import NEEDS, REQUIRE_ALL

FILE = """
import pytest
from tests.needs import NEEDS, Need, needs, skip_without
NEEDS["a harp"] = Need(lambda: False, "the package harp")
@pytest.fixture
def harp():
    skip_without("a harp")
@needs("a harp")
def test_one(): pass
def test_two(harp): pass
def test_three(): pass
"""


def run(tmp_path: Path, **variables: str) -> tuple[int, str]:
    (tmp_path / "test_harp.py").write_text(FILE)
    # Where CI is set, pytest says each reason once more in its summary.
    environment = {name: value for name, value in os.environ.items() if name not in (REQUIRE_ALL, "CI", "BUILD_NUMBER")} | variables
    command = [sys.executable, "-m", "pytest", "-p", "tests.needs", "-c", os.devnull, "--rootdir", str(tmp_path), str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=Path(__file__).parent.parent)
    return done.returncode, done.stdout


def test_what_was_skipped_is_listed_with_the_reason_once(tmp_path):
    code, said = run(tmp_path)
    assert code == 0
    assert said.count("   2  needs a harp (the package harp)\n") == 1


def test_a_skip_is_a_failure_where_all_is_required(tmp_path):
    code, said = run(tmp_path, REQUIRE_ALL="1")
    assert code == 1
    assert "1 passed, 2 errors" in said
    assert said.count("this was skipped: needs a harp (the package harp)") == 2


@pytest.mark.parametrize("name", NEEDS)
def test_every_need_is_looked_for_without_a_fault(name):
    assert NEEDS[name].is_there() in (True, False)
