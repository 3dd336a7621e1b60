"""Packets on a TCP connection, in both framings, split and merged anyhow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscsynth.control.framing import MAX_PACKET_BYTES, Unframer
from oscsynth.errors import OscParseError

PACKETS = st.lists(st.binary(min_size=1, max_size=60).map(lambda data: b"/" + data), max_size=8)


def unframer(is_slip):
    unframer = Unframer()
    unframer.is_slip = is_slip
    return unframer


@given(PACKETS, st.booleans(), st.lists(st.integers(1, 20)))
def test_framing_and_unframing_in_any_pieces(packets, is_slip, sizes):
    stream = b"".join(map(unframer(is_slip).frame, packets))
    reader, found, at = Unframer(), [], 0
    for size in (*sizes, len(stream)):
        found += reader.feed(stream[at : at + size])
        at += size
    assert found == packets and not reader.malformed
    assert not packets or reader.is_slip == is_slip


@given(st.lists(st.binary(max_size=50)))
def test_random_bytes_raise_only_parse_errors(pieces):
    reader = Unframer()
    try:
        for piece in pieces:
            list(reader.feed(piece))
    except OscParseError:
        assert not reader.is_slip


def test_slip_with_double_or_single_ends_and_escapes():
    assert list(Unframer().feed(b"\xc0/a\xdb\xdc\xc0\xc0\xdb\xdd\xc0")) == [b"/a\xc0", b"\xdb"]
    assert list(Unframer().feed(b"/a\xc0/b\xc0")) == [b"/a", b"/b"]
    assert list(Unframer().feed(b"\xc0")) == []


@pytest.mark.parametrize("bad", [b"/a\xdbx", b"/a\xdb", b"/" * (MAX_PACKET_BYTES + 1), b"/" * (3 * MAX_PACKET_BYTES)])
def test_a_broken_slip_frame_is_counted_and_the_next_is_read(bad):
    reader = Unframer()
    found = [packet for piece in (b"\xc0" + bad[:9], bad[9:], b"\xc0\xc0/b\xc0") for packet in reader.feed(piece)]
    assert (found, reader.malformed) == ([b"/b"], 1)


def test_an_endless_slip_frame_needs_no_memory():
    reader = Unframer()
    for _ in range(100):
        assert list(reader.feed(b"/" * 10000)) == []
    assert len(reader._rest) <= 2 * MAX_PACKET_BYTES
    assert list(reader.feed(b"\xc0/b\xc0")) == [b"/b"]


def test_sizes():
    assert list(Unframer().feed(b"\0\0\0\0\0\0\0\2/a")) == [b"", b"/a"]
    for size in (2**32 - 1, MAX_PACKET_BYTES + 1):
        with pytest.raises(OscParseError, match=f"{size} bytes was announced"):
            list(unframer(False).feed(size.to_bytes(4, "big")))
