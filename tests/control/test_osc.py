"""The codec: python-osc as oracle, packets recorded from sclang and Pd, and whatever is malformed."""

import json
import math
import random
import struct
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from oscsynth.control.osc import IMPULSE, MAX_DEPTH, Bundle, Message, Midi, Rgba, TimeTag, messages, parse
from oscsynth.errors import OscParseError

GOLDEN = [
    bytes.fromhex(packet["hex"])
    for path in sorted(Path(__file__).parent.glob("data/*_packets*.json"))
    for packet in json.loads(path.read_text())["packets"]
]
assert len(GOLDEN) == 100


def pad(data: bytes) -> bytes:
    return data + bytes(4 - len(data) % 4)


def packet(address: str, tags: str, data: bytes = b"") -> bytes:
    return pad(address.encode()) + pad(b"," + tags.encode()) + data


def bundle(*elements: bytes, time_tag: int = 1) -> bytes:
    sized = b"".join(struct.pack(">i", len(element)) + element for element in elements)
    return b"#bundle\0" + struct.pack(">Q", time_tag) + sized


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
ARGUMENT = st.one_of(
    st.tuples(st.just("i"), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.just("h"), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just("f"), st.floats(width=32, allow_nan=False)),
    st.tuples(st.just("d"), st.floats(allow_nan=False)),
    st.tuples(st.just("s"), TEXT),
    st.tuples(st.just("b"), st.binary(min_size=1, max_size=40)),
    st.tuples(st.just("T"), st.just(True)),
    st.tuples(st.just("F"), st.just(False)),
    st.tuples(st.just("N"), st.none()),
)
ADDRESS = st.from_regex(r"(/[a-z0-9_]{1,9}){1,4}", fullmatch=True)
ARGUMENTS = st.lists(ARGUMENT, max_size=12)


def build(address: str, arguments: list) -> OscMessage:
    builder = OscMessageBuilder(address)
    for tag, value in arguments:
        builder.add_arg(value, tag)
    return builder.build()


@given(ADDRESS, ARGUMENTS)
def test_parsing_undoes_what_python_osc_builds(address, arguments):
    assert parse(build(address, arguments).dgram) == Message(address, tuple(value for _, value in arguments))


@given(st.lists(st.tuples(ADDRESS, ARGUMENTS), max_size=6), st.integers(0, 2**30))
def test_bundles_built_by_python_osc_parse_in_order(contents, seconds):
    inner, outer = OscBundleBuilder(seconds), OscBundleBuilder(seconds)
    for address, arguments in contents:
        inner.add_content(build(address, arguments))
    outer.add_content(build("/first", []))
    outer.add_content(inner.build())
    parsed = parse(outer.build().dgram)
    assert [m.address for m in messages(parsed)] == ["/first", *(address for address, _ in contents)]
    assert parsed.time_tag == parsed.elements[1].time_tag


@given(st.binary(max_size=200))
def test_random_bytes_raise_only_parse_errors(data):
    for candidate in (data, b"/a\0\0," + data, b"#bundle\0" + data):
        try:
            parse(candidate)
        except OscParseError as error:
            assert str(error)


@pytest.mark.parametrize("data", GOLDEN)
def test_recorded_packets_parse(data):
    assert list(messages(parse(data)))


@pytest.mark.parametrize("data", [data for data in GOLDEN if data[:2] != b"/e" and b"nosl" not in data and data[:1] == b"/"])
def test_recorded_packets_parse_as_python_osc_reads_them(data):
    parsed = parse(data)
    if "c" not in str(data[data.index(b",") :].split(b"\0")[0]):  # sclang's characters are not OSC's
        assert list(parsed.arguments) == OscMessage(data).params


def test_sclang_peculiarities():
    assert parse(packet("/e/char", "ci", b"\0\0\0\7")).arguments == ("c", 7)
    assert parse(packet("/e/char", "ci", b"\0\0\0A\0\0\0\7")).arguments == ("A", 7)
    assert parse(packet("/e/char", "z")).arguments == ("z",)
    assert parse(pad(b"noslash") + pad(b",i") + b"\0\0\0\1") == Message("/noslash", (1,))
    assert parse(packet("/e", "b", b"\0\0\0\6\1\1\1\1\1\1\xc3\xa9")).arguments == (b"\1" * 6,)
    assert [math.isfinite(x) for x in parse(bytes.fromhex("2f652f6e616e00002c66666600000000ffc000007f800000ff800000")).arguments] == [False] * 3


def test_every_other_type():
    data = struct.pack(">Q4s4s", 5, b"\1\2\3\4", b"\5\6\7\x08") + b"sym\0"
    assert parse(packet("/a", "trmSI[TF]", data)).arguments == (TimeTag(5), Rgba(1, 2, 3, 4), Midi(5, 6, 7, 8), "sym", IMPULSE, [True, False])


def test_a_message_without_type_tags_has_no_arguments():
    assert parse(pad(b"/panic")) == Message("/panic", ())
    with pytest.raises(OscParseError, match="no type tags"):
        parse(pad(b"/gain") + b"\0\0\0\1")


def test_time_tags_and_nesting_are_kept():
    inner = bundle(packet("/b", "i", b"\0\0\0\2"), time_tag=7)
    parsed = parse(bundle(packet("/a", ""), inner, time_tag=2**64 - 1))
    assert parsed == Bundle(2**64 - 1, (Message("/a", ()), Bundle(7, (Message("/b", (2,)),))))
    assert parse(bundle()) == Bundle(1, ())


def nested(depth: int) -> bytes:
    data = packet("/a", "")
    for _ in range(depth):
        data = bundle(data)
    return data


MALFORMED = {
    "empty": b"",
    "one byte": b"/",
    "length": packet("/a", "i", b"\0\0\0\1") + b"\0",
    "no NUL": b"/abc",
    "padding": b"/a\0x,\0\0\0",
    "integer address": b"\0\0\0\1,i\0\0\0\0\0\1",
    "space": packet("/a b", ""),
    "hash": packet("/a#", ""),
    "control character": packet("/a\n", ""),
    "not UTF-8": b"/\xff\0\0,\0\0\0",
    "tags without comma": pad(b"/a") + pad(b"i") + b"\0\0\0\1",
    "tags unterminated": pad(b"/a") + b",iii",
    "tags not ASCII": pad(b"/a") + pad(",é".encode()),
    "unknown before data": packet("/a", "zz", b"\0\0\0\1"),
    **{f"{tag} cut short": packet("/a", "i" + tag, b"\0\0\0\1") for tag in "ifhdtrmsSb"},
    "h half": packet("/a", "h", b"\0\0\0\1"),
    "text not ended": packet("/a", "s", b"abcd"),
    "text badly padded": packet("/a", "s", b"a\0b\0"),
    "text not UTF-8": packet("/a", "s", b"\xff\0\0\0"),
    **{f"blob of {n}": packet("/a", "b", struct.pack(">i", n) + bytes(8)) for n in (-1, -8, 2**31 - 1, 9)},
    "blob unpadded": packet("/a", "b", struct.pack(">i", 6) + bytes(4)),
    "[ unclosed": packet("/a", "[i", b"\0\0\0\1"),
    "stray ]": packet("/a", "i]", b"\0\0\0\1"),
    "4000 arrays": packet("/a", "[" * 4000 + "]" * 4000),
    "m of 3 bytes": packet("/a", "m", b"\1\2\3"),
    "left over": packet("/a", "f", bytes(8)),
    "left over after a text": packet("/a", "s", bytes(8)),
    "bundle without NUL": b"#bundle/" + bytes(8),
    "bundle without time tag": b"#bundle\0",
    **{f"element of {n}": b"#bundle\0" + bytes(8) + struct.pack(">i", n) + packet("/a", "") for n in (0, 3, -4, -20, 12, 2**31 - 1)},
    "element without size": b"#bundle\0" + bytes(8) + b"\0\0\0",
    "bad beside good": bundle(packet("/a", ""), b"/abc"),
    **{f"{n} nested": nested(n) for n in (100, 400, 3000)},
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_packets_are_refused_with_a_reason(name):
    with pytest.raises(OscParseError, match=r"\w+ \w+"):
        parse(MALFORMED[name])


def test_long_but_sound_packets_parse():
    assert parse(packet("/a", "N" * 5000)).arguments == (None,) * 5000
    assert len(list(messages(parse(nested(MAX_DEPTH))))) == 1


def test_mutated_packets_raise_only_parse_errors_and_never_take_long():
    rng, worst = random.Random(440), 0.0
    for _ in range(170_000):
        data = bytearray(rng.choice(GOLDEN[:84]))
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.choice((0, 0, 1, 0x2C, 0x7F, 0xFF, rng.randrange(256)))
        if rng.random() < 0.2:
            del data[rng.randrange(len(data)) & ~3 :]
        start = time.thread_time()
        try:
            parse(bytes(data))
        except OscParseError:
            pass
        worst = max(worst, time.thread_time() - start)
    assert worst < 0.1  # of processor time: nothing hangs, how fast it is shows a benchmark
