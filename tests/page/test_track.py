"""A patch that plays what it hears: the track, whose notes are played, and how far each latent is moved; each moves the daemon and follows it."""

import re

import pytest

from .browser import PHONE, answers, opened, track
from .conftest import TRACK_SECONDS


@pytest.fixture(autouse=True)
def tape(serve):
    serve.ask("patch", "D tape")
    assert answers(serve, "patch", "D tape")
    assert answers(serve, "track/length", TRACK_SECONDS)


@pytest.fixture
def page(page):
    page.wait_for_selector(".strip .play[aria-pressed=true]")
    return page


def position(page):
    return int(track(page, "track/position").get_attribute("aria-valuenow"))


def test_the_track_is_stopped_played_and_followed(page, serve):
    page.get_by_role("button", name="stop the track").click()
    assert answers(serve, "track/playing", 0)
    page.get_by_role("button", name="play the track").click()
    assert answers(serve, "track/playing", 1)
    serve.ask("track/stop", seconds=0.01)
    page.get_by_role("button", name="play the track").wait_for()
    serve.ask("track/play", seconds=0.01)
    page.get_by_role("button", name="stop the track").wait_for()


def test_where_it_is_is_seen_and_moved(page, serve):
    serve.ask("track/stop", seconds=0.01)
    page.get_by_role("button", name="play the track").wait_for()
    scrubber = track(page, "track/position")
    assert scrubber.get_attribute("aria-label") == "tape"
    box = scrubber.bounding_box()
    scrubber.click(position={"x": 0.5 * box["width"], "y": 0.5 * box["height"]})
    assert answers(serve, "track/position", TRACK_SECONDS / 2, tolerance=1.0)
    page.wait_for_function("() => /^0:(19|20) . 0:40$/.test(document.querySelector('.strip .track').getAttribute('aria-valuetext'))")
    serve.ask("track/position", 10.0, seconds=0.01)
    page.wait_for_selector('.track[data-path="/oscsynth/track/position"][aria-valuenow="25"][aria-valuetext="0:10 / 0:40"]')
    scrubber.press("PageUp")
    assert answers(serve, "track/position/normalized", 0.35, tolerance=0.02)
    page.get_by_role("button", name="to the beginning of the track").click()
    assert answers(serve, "track/position", 0.0)


def test_while_it_plays_the_place_moves_by_itself(page, serve):
    serve.ask("track/position", 0.0, seconds=0.01)
    page.wait_for_function("() => /^0:0[3-9]/.test(document.querySelector('.strip .track').getAttribute('aria-valuetext'))")


def test_at_its_end_it_waits_to_be_played_from_the_beginning(page, serve):
    serve.ask("track/loop", 0, seconds=0.01)
    serve.ask("track/position", TRACK_SECONDS, seconds=0.01)
    page.get_by_role("button", name="play the track").click()
    assert answers(serve, "track/playing", 1)
    page.get_by_role("button", name="stop the track").wait_for()
    assert serve.ask("track/position")[0] < TRACK_SECONDS / 2


@pytest.mark.parametrize(("name", "path"), [("loop", "track/loop"), ("follow", "follow")])
def test_what_is_on_or_off(page, serve, name, path):
    page.get_by_role("button", name=name, exact=True).click()
    assert answers(serve, path, 0)
    serve.ask(path, 1, seconds=0.01)
    page.wait_for_selector(f'.toggle[data-path="/oscsynth/{path}"][aria-pressed="true"]')


def test_keys_are_pale_while_the_notes_that_are_heard_are_followed(page, serve):
    page.wait_for_selector(".octave.idle")
    serve.ask("follow", 0, seconds=0.01)
    page.wait_for_selector(".octave:not(.idle)")


def test_each_latent_has_its_scale_beside_it(page, serve):
    for number in (1, 2, 3):
        path = f"latent/{number}/scale"
        fader = track(page, path)
        fader.press("Home")
        assert answers(serve, path, 0.0)
        fader.press("PageUp")
        assert answers(serve, path, 0.2)
        serve.ask(path, 1.5, seconds=0.01)
        page.wait_for_selector(f'.track[data-path="/oscsynth/{path}"][aria-valuenow="75"][aria-valuetext="1.50"]')
        assert re.fullmatch(r".+ scale", fader.get_attribute("aria-label"))


def test_a_phone_has_room_for_it_and_a_drone_has_none(browser, serve):
    with opened(browser, serve.port + 1, **PHONE) as page:
        page.wait_for_selector(".strip .play")
        assert page.evaluate("document.documentElement.scrollWidth <= 390 && document.documentElement.scrollHeight <= 844")
        for each in page.locator(".strip button, .strip .track, .scale .track").all():
            box = each.bounding_box()
            assert min(box["width"], box["height"]) >= 38 and max(box["width"], box["height"]) >= 44, each
        assert page.locator(".surface").bounding_box()["height"] >= 140
        serve.ask("patch", "A tiny 1", seconds=0.01)
        page.locator(".strip").wait_for(state="detached")
        assert page.locator(".scale").count() == 0


def test_what_hears_the_input_has_no_track(page, serve):
    serve.ask("patch", "E ear", seconds=0.01)
    page.get_by_text("live input").wait_for()
    assert page.locator(".strip .track").count() == 0
    page.get_by_role("button", name="follow", exact=True).click()
    assert answers(serve, "follow", 0)
    track(page, "latent/1/scale").press("End")
    assert answers(serve, "latent/1/scale", 2.0)
