"""The page and its wire: several at once, a network that goes and comes, and what a first look costs."""

import pytest

from .browser import PHONE, Wire, answers, axe_script, opened


def fader(page):
    return page.locator('.track[data-path="/oscsynth/latent/1"]')


def follows(page, per_cent):
    page.wait_for_selector(f'.track[data-path="/oscsynth/latent/1"][aria-valuenow="{per_cent}"]', timeout=4000)


def test_two_pages_and_an_osc_client_at_once(browser, serve):
    with opened(browser, serve.port + 1) as one, opened(browser, serve.port + 1, **PHONE) as other:
        fader(one).press("Home")
        follows(other, 0)
        assert answers(serve, "latent/1", 0.0)
        one.wait_for_timeout(260)
        fader(other).press("End")
        follows(one, 100)
        assert answers(serve, "latent/1", 1.0)
        one.wait_for_timeout(260)
        serve.ask("latent/1", 0.4, seconds=0.01)
        follows(one, 40)
        follows(other, 40)


def test_it_comes_back_after_the_network_was_cut_and_knows_what_happened_meanwhile(browser, serve):
    wire = Wire(serve.port + 1)
    try:
        with opened(browser, wire.port) as page:
            page.evaluate("document.body.dataset.same = 'yes'")  # it is not loaded again
            wire.cut()
            page.wait_for_selector("body.lost", timeout=8000)
            assert "connection is lost" in page.locator(".said").text_content()
            serve.ask("latent/1", 0.35, seconds=0.01)
            serve.ask("patch", "A tiny 3", seconds=0.01)
            page.wait_for_timeout(1500)
            assert page.locator("body.lost").count() == 1
            wire.mend()
            page.wait_for_selector("body:not(.lost)", timeout=8000)
            assert "Connected again" in page.locator(".said").text_content()
            page.wait_for_selector('.row[data-name="A tiny 3"][aria-pressed="true"]')
            fader(page).press("End")
            assert answers(serve, "latent/1", 1.0)
            assert page.evaluate("document.body.dataset.same") == "yes"
    finally:
        wire.close()


def test_an_orchestra_and_a_track_are_followed_by_two_pages_and_after_a_cut(browser, serve):
    wire = Wire(serve.port + 1)
    weight, scale = ('.track[data-path="/oscsynth/{}"][aria-valuenow="{}"]'.format(path, "{}") for path in ("timbre/2", "latent/2/scale"))
    try:
        serve.ask("patch", "C band", seconds=0.01)
        with opened(browser, wire.port) as one, opened(browser, serve.port + 1, **PHONE) as other:
            one.locator('.track[data-path="/oscsynth/timbre/2"]').press("End")
            other.wait_for_selector(weight.format(100))
            serve.ask("timbre/2", 0.3, seconds=0.01)
            one.wait_for_selector(weight.format(30))
            wire.cut()
            one.wait_for_selector("body.lost", timeout=8000)
            serve.ask("patch", "D tape")
            assert answers(serve, "patch", "D tape")
            serve.ask("latent/2/scale", 0.5, seconds=0.01)
            wire.mend()
            one.wait_for_selector("body:not(.lost)", timeout=8000)
            one.wait_for_selector(scale.format(25))
            other.wait_for_selector(scale.format(25))
            one.get_by_role("button", name="stop the track").click()
            assert answers(serve, "track/playing", 0)
            other.get_by_role("button", name="play the track").wait_for()
            other.locator('.track[data-path="/oscsynth/latent/2/scale"]').press("End")
            one.wait_for_selector(scale.format(100))
    finally:
        wire.close()


def test_it_follows_a_control_process_that_was_killed_and_came_back(browser, serve):
    import os

    with opened(browser, serve.port + 1) as page:
        os.kill(serve.children()["control"], 9)
        page.wait_for_selector("body.lost", timeout=4000)
        page.wait_for_selector("body:not(.lost)", timeout=15000)
        serve.ask("latent/1", 0.65, seconds=0.01)
        follows(page, 65)


def test_a_first_look_is_small_and_asks_nothing_of_the_internet(browser, serve):
    page = browser.new_context().new_page()
    sizes = {}
    page.on("response", lambda response: sizes.update({response.url: len(response.body())}) if response.request.method == "GET" else None)
    page.goto(f"http://127.0.0.1:{serve.port + 1}/")
    page.wait_for_selector(".surface.mapped")
    page.wait_for_load_state("networkidle")
    assert all(url.startswith(f"http://127.0.0.1:{serve.port + 1}/") for url in sizes)
    assert 30_000 < sum(sizes.values()) < 300_000, sizes
    page.context.close()


# Of each kind a patch, and what is there once the page shows it.
KINDS = {
    "A tiny 1": ".surface.mapped",
    "B notes": ".notes.played",
    "C band": ".surface.arranged",
    "D tape": ".strip .play[aria-pressed=true]",
    "E ear": ".strip.live",
}


@pytest.mark.parametrize("size", ["phone", "laptop"])
@pytest.mark.parametrize("patch", KINDS)
def test_axe_finds_no_serious_fault(browser, serve, size, patch):
    serve.ask("patch", patch)
    assert answers(serve, "patch", patch)
    with opened(browser, serve.port + 1, **(PHONE if size == "phone" else {})) as page:
        page.wait_for_selector(KINDS[patch])
        page.evaluate(axe_script())
        tabs = page.locator("[role=tab]:visible")
        for at in range(tabs.count() if size == "phone" else 1):
            if size == "phone":
                tabs.nth(at).click()
            found = page.evaluate("axe.run(document).then(({ violations }) => violations)")
            serious = [each for each in found if each["impact"] in ("serious", "critical")]
            assert not serious, [(each["id"], [node["html"] for node in each["nodes"]][:3]) for each in serious]
