"""The matcher, held against Python's own on what that can do, and on what would hang it."""

import re
import time
import timeit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oscsynth.control.patterns import Tree, compile_segment, is_pattern, match
from oscsynth.control.row import Refused

PIECES = st.sampled_from(["a", "b", "ab", "*", "?", "[ab]", "[!a]", "[a-b]", "{a,ba}", "{,b}"])


def as_regular_expression(pieces):
    translated = {"*": ".*", "?": ".", "[!a]": "[^a]", "{a,ba}": "(?:a|ba)", "{,b}": "(?:|b)"}
    return "".join(translated.get(piece, piece) for piece in pieces)


@pytest.mark.parametrize(
    ("pattern", "fits", "fits_not"),
    [
        ("[!a]", "b", "a"),
        ("[!a-c]x", "dx", "bx"),
        ("[a-cx]", "x", "d"),
        ("[a-]", "-", "b"),
        ("{bow,air}-?", "air-1", "bow-"),
        ("{a,ab}c", "abc", "ab"),
        ("*b*", "abc", "ac"),
        ("a*", "a", "ba"),
        ("?", "a", ""),
        ("a{,b}c", "ac", "abbc"),
    ],
)
def test_what_each_wildcard_means(pattern, fits, fits_not):
    assert match(compile_segment(pattern), fits) and not match(compile_segment(pattern), fits_not)


@settings(max_examples=400)
@given(st.lists(PIECES, max_size=4), st.text("abc", max_size=4))
def test_it_agrees_with_regular_expressions(pieces, name):
    found = match(compile_segment("".join(pieces)), name)
    assert found == bool(re.fullmatch(as_regular_expression(pieces), name))


@given(st.text("/ab*?[]{},!-", max_size=40))
def test_any_pattern_finds_addresses_or_is_refused(pattern):
    try:
        found = Tree(["/a", "/a/b", "/ab/aa"]).find("/" + pattern)
    except Refused:
        return
    assert set(found) <= {"/a", "/a/b", "/ab/aa"}


@pytest.mark.parametrize("pattern", ["[", "{a", "[]", "{}", "]", "a}", "[z-a]", "[a-é]"])
def test_a_malformed_pattern_is_refused(pattern):
    with pytest.raises(Refused, match="the pattern has a"):
        compile_segment(pattern)


@pytest.mark.parametrize("pattern", ["*" * 4000, "*a" * 2000, "{a,aa}" * 600, "?*" * 2000])
def test_the_time_is_linear(pattern):
    assert timeit.timeit(lambda: match(compile_segment(pattern), "a" * 64), timer=time.thread_time, number=1) < 0.2


def test_any_number_of_levels():
    tree = Tree(["/x/gain", "/x/part/2/gain", "/x/master/gain/text", "/gain"])
    assert tree.find("//gain") == ["/gain", "/x/gain", "/x/part/2/gain"]
    assert tree.find("/x//gain") == ["/x/gain", "/x/part/2/gain"]
    assert tree.find("/x/*/gain/text") == ["/x/master/gain/text"]
    assert tree.find("/x/") == tree.find("//") == []


def test_what_is_a_pattern():
    assert all(map(is_pattern, ["/a*", "/a?", "/[a]", "/{a}", "//a"])) and not is_pattern("/part/1/gain")


def test_a_pattern_that_is_too_long_is_refused():
    with pytest.raises(Refused, match="too long"):
        Tree(["/a"]).find("/" + "a?" * 200)
