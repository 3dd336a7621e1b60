"""A patch of a note decoder: its ring, its weights, and the way from one instrument to another; each moves the daemon and follows it."""

import math

import pytest

from .browser import PHONE, answers, opened, track

NAMES = ("clarinet", "french-horn", "oboe")


@pytest.fixture(autouse=True)
def band(serve):
    serve.ask("patch", "C band")
    assert answers(serve, "patch", "C band")
    assert answers(serve, "timbre", (1.0, 0.0, 0.0))


@pytest.fixture
def page(page):
    page.wait_for_selector(".surface.arranged")
    return page


def test_each_instrument_has_a_fader_with_its_name(page, serve):
    for at, name in enumerate(NAMES, 1):
        assert track(page, f"timbre/{at}").get_attribute("aria-label") == name
    box = track(page, "timbre/3").bounding_box()
    track(page, "timbre/3").click(position={"x": 0.5 * box["width"], "y": 0.5 * box["height"]})
    assert answers(serve, "timbre/oboe", 0.5, tolerance=0.02)
    assert answers(serve, "timbre", (1 / 1.5, 0.0, 0.5 / 1.5), tolerance=0.02)


@pytest.mark.parametrize("path", ["timbre/1", "timbre/2", "transfer", "brightness", "spread"])
def test_a_fader_moves_the_daemon_follows_it_and_answers_to_keys(page, serve, path):
    track(page, path).press("End")
    assert answers(serve, f"{path}/normalized", 1.0)
    track(page, path).press("PageDown")
    assert answers(serve, f"{path}/normalized", 0.9)
    serve.ask(f"{path}/normalized", 0.25, seconds=0.01)
    page.wait_for_selector(f'.track[data-path="/oscsynth/{path}"][aria-valuenow="25"]')


def test_the_only_instrument_that_sounds_is_followed_too(page, serve):
    """Alone it is all there is, so nothing that sounds is another."""
    serve.ask("timbre/1", 0.3, seconds=0.01)
    page.wait_for_selector('.track[data-path="/oscsynth/timbre/1"][aria-valuenow="30"]')


def test_the_ends_of_a_transfer_are_chosen_and_followed(page, serve):
    page.get_by_label("transfer from").select_option("french-horn")
    assert answers(serve, "transfer/from", "french-horn")
    page.get_by_label("transfer to").select_option("clarinet")
    assert answers(serve, "transfer/to", "clarinet")
    serve.ask("transfer/to", "oboe", seconds=0.01)
    page.wait_for_function("() => document.querySelector('[aria-label=\"transfer to\"]').value === 'oboe'")


def spot(page, number, n=3):
    """Return where on the screen an instrument of the ring is."""
    order = page.evaluate("fetch('/page/map?part=1').then((answer) => answer.json()).then((found) => found.ring)")
    box = page.locator(".surface.ring").bounding_box()
    turn = 2 * math.pi * order.index(number) / n
    return box["x"] + (0.5 + 0.4 * math.sin(turn)) * box["width"], box["y"] + (0.5 - 0.4 * math.cos(turn)) * box["height"]


def test_on_an_instrument_of_the_ring_it_sounds_alone_and_between_two_both_do(page, serve):
    horn, oboe = spot(page, 2), spot(page, 3)
    page.mouse.move(*horn)
    page.mouse.down()
    assert answers(serve, "timbre", (0.0, 1.0, 0.0))
    page.mouse.move(*[(one + other) / 2 for one, other in zip(horn, oboe, strict=True)], steps=8)
    page.mouse.up()
    clarinet, *others = (serve.ask(f"timbre/{name}")[0] for name in NAMES)
    assert others == pytest.approx([1.0, 1.0], abs=0.05) and clarinet < 0.3


def test_the_ring_follows_and_says_what_sounds(page, serve):
    serve.ask("timbre", 0.0, 1.0, 0.5, seconds=0.01)
    page.wait_for_selector('.surface.ring[aria-valuetext="french-horn 1.00, oboe 0.50"]')
    serve.ask("timbre", 0.0, 0.0, 1.0, seconds=0.01)
    page.wait_for_selector('.surface.ring[aria-valuetext="oboe 1.00"]')


def test_the_ring_answers_to_keys(page, serve):
    ring = page.locator(".surface.ring")
    ring.press("Home")
    assert answers(serve, "timbre", (1 / 3, 1 / 3, 1 / 3))
    before = serve.ask("timbre")
    for _ in range(5):
        ring.press("ArrowUp")
    page.wait_for_function("() => document.querySelector('.surface.ring').getAttribute('aria-valuetext').includes('1.00')")
    assert not answers(serve, "timbre", before, seconds=0.1)


def test_a_phone_has_them_under_mix_and_a_drone_has_none(browser, serve):
    with opened(browser, serve.port + 1, **PHONE) as page:
        page.get_by_role("tab", name="Mix").wait_for()
        assert page.get_by_role("tab", name="Mix").get_attribute("aria-selected") == "true"
        for at in range(1, 4):
            box = track(page, f"timbre/{at}").bounding_box()
            assert box["height"] >= 44 and box["width"] >= 100, "a thumb finds it"
        track(page, "timbre/2").tap()
        assert answers(serve, "timbre/french-horn", 0.5, tolerance=0.02)
        serve.ask("patch", "A tiny 1", seconds=0.01)
        page.get_by_role("tab", name="Mix").wait_for(state="hidden")
        assert page.get_by_role("tab", name="Faders").get_attribute("aria-selected") == "true"
        assert page.locator('.track[data-path*="timbre"]').count() == 0
        assert page.locator(".surface.ring").count() == 0


def test_the_pedal_holds_notes_and_follows(page, serve):
    page.get_by_role("button", name="Hold", exact=True).click()
    assert answers(serve, "hold", 1)
    page.get_by_role("button", name="Held").wait_for()
    serve.ask("hold", 0, seconds=0.01)
    page.get_by_role("button", name="Hold", exact=True).wait_for()
    assert page.get_by_role("button", name="Gate").count() == 0, "notes have none"
