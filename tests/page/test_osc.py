"""The page's own OSC codec against python-osc."""

import pytest
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

MESSAGES = [
    ("/oscsynth/panic", "", []),
    ("/oscsynth/gain", "f", [-6.5]),
    ("/oscsynth/gate", "i", [-7]),
    ("/oscsynth/patch", "s", ["Glocke\u00e4\u266f"]),
    ("/oscsynth/patch", "s", ["four"]),
    ("/abc", "sfi", ["", 0.25, 1]),
    ("/oscsynth/chroma", "f" * 12, [1 / 4] * 12),
]


def packet(address, types, values):
    builder = OscMessageBuilder(address)
    for kind, value in zip(types, values, strict=True):
        builder.add_arg(value, kind)
    return builder.build()


@pytest.mark.parametrize(("address", "types", "values"), MESSAGES)
def test_what_it_sends_is_what_python_osc_sends(page, address, types, values):
    run = "async ([address, types, values]) => [...(await import('/page/osc.js')).encode(address, types, ...values)]"
    assert bytes(page.evaluate(run, [address, types, values])) == packet(address, types, values).dgram


def test_it_reads_messages_and_bundles_in_bundles(page):
    inner, outer = OscBundleBuilder(IMMEDIATELY), OscBundleBuilder(IMMEDIATELY)
    for message in MESSAGES[:3]:
        inner.add_content(packet(*message))
    for content in (packet(*MESSAGES[3]), inner.build(), packet(*MESSAGES[5])):
        outer.add_content(content)
    run = "async (bytes) => (await import('/page/osc.js')).decode(Uint8Array.from(bytes).buffer)"
    found = page.evaluate(run, list(outer.build().dgram))
    wanted = [MESSAGES[3], *MESSAGES[:3], MESSAGES[5]]
    assert found == [[address, OscMessage(packet(address, types, values).dgram).params] for address, types, values in wanted]
