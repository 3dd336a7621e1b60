"""Every control of the page moves the daemon, and follows it."""

import re
import time

from .browser import PHONE, answers, opened, track


def below(path):
    return path.removeprefix("/oscsynth/")


def test_every_fader_moves_the_daemon_and_follows_it(page, serve):
    paths = page.locator(".track").evaluate_all("all => all.map((each) => each.dataset.path)")
    assert {"/oscsynth/latent/3", "/oscsynth/gain", "/oscsynth/master/gain", "/oscsynth/morph", "/oscsynth/envelope/release"} <= set(paths)
    for path in map(below, paths):
        fader = track(page, path)
        box = fader.bounding_box()
        is_upright = fader.get_attribute("aria-orientation") == "vertical"
        where = (0.5, 0.25) if is_upright else (0.75, 0.5)  # from the upper left
        fader.click(position={"x": where[0] * box["width"], "y": where[1] * box["height"]})
        assert answers(serve, f"{path}/normalized", 0.75, tolerance=0.02), path
        page.wait_for_timeout(260)  # what was moved here is not moved by others at the same time
        serve.ask(f"{path}/normalized", 0.25, seconds=0.01)
        page.wait_for_selector(f'.track[data-path="/oscsynth/{path}"][aria-valuenow="25"]')
        said = serve.ask(f"{path}/text")
        assert said is not None and fader.get_attribute("aria-valuetext") == said[0]


def test_a_fader_answers_to_keys(page, serve):
    serve.ask("latent/1", 0.5, seconds=0.01)
    page.wait_for_selector('.track[data-path="/oscsynth/latent/1"][aria-valuenow="50"]')
    for key, there in (("ArrowUp", 0.51), ("PageUp", 0.61), ("Home", 0.0), ("End", 1.0), ("ArrowLeft", 0.99)):
        track(page, "latent/1").press(key)
        assert answers(serve, "latent/1", there), key


def test_the_pad_moves_both_axes_and_follows_them(page, serve):
    pad = page.locator(".surface")
    box = pad.bounding_box()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.9 * box["height"])
    page.mouse.down()
    assert answers(serve, "xy", (0.2, 0.1))
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.3 * box["height"], steps=5)
    assert answers(serve, "xy", (0.8, 0.7))
    page.mouse.up()
    page.wait_for_timeout(260)
    serve.ask("xy", 0.25, 0.5, seconds=0.01)
    page.wait_for_selector('.surface[aria-valuetext="brightness 0.25, even 0.50"]')
    pad.press("ArrowRight")
    assert answers(serve, "xy", (0.27, 0.5))


def test_the_pad_lies_over_a_map_with_the_points(page):
    page.wait_for_selector(".surface.mapped")
    seen = page.evaluate("""() => {
        const land = document.querySelector('.surface canvas');
        const at = (x, y) => [...land.getContext('2d').getImageData(x * land.width, y * land.height, 1, 1).data];
        return [at(0.1, 0.5), at(0.9, 0.5)];
    }""")
    assert seen[0][3] == seen[1][3] == 255
    assert seen[0] != seen[1]
    assert re.search(r"brightness, \d+.* Hz to \d", page.locator(".legend").inner_text())


def test_the_map_is_another_where_another_fader_stands(page, serve):
    # In sixteenths; the pad's own two have no place in it. Until then the map of the test before may be there.
    at_rest = '.surface.mapped[data-map="A tiny 1: ,,8"]'
    page.wait_for_selector(at_rest)
    ground = "() => { const land = document.querySelector('.surface canvas'); return land.toDataURL(); }"
    before = page.evaluate(ground)
    serve.ask("latent/3", 1.0, seconds=0.01)
    page.wait_for_selector('.surface.mapped[data-map="A tiny 1: ,,16"]')
    page.wait_for_function(f"(before) => ({ground})() !== before", arg=before)
    serve.ask("latent/3", 0.5, seconds=0.01)
    page.wait_for_selector(at_rest)
    page.wait_for_function(f"(before) => ({ground})() === before", arg=before)


def test_the_twelve_note_classes(page, serve):
    for name in ("C", "Cs", "D", "Ds", "E", "F", "Fs", "G", "Gs", "A", "As", "B"):
        page.locator(f'.key[data-path="/oscsynth/chroma/{name}"]').click()
        assert answers(serve, "chroma/name", name.replace("s", "#")), name
    serve.ask("chroma/name", "D", seconds=0.01)
    page.wait_for_selector('.key.sounds[data-path="/oscsynth/chroma/D"][aria-pressed="true"]')
    assert page.locator(".key.sounds").count() == 1


def test_shift_adds_a_note_class_and_takes_it_out(page, serve):
    page.locator('.key[data-path="/oscsynth/chroma/C"]').click()
    page.locator('.key[data-path="/oscsynth/chroma/E"]').click(modifiers=["Shift"])
    assert answers(serve, "chroma", tuple(0.5 if at in (0, 4) else 0.0 for at in range(12)))
    page.wait_for_selector('.key.sounds[data-path="/oscsynth/chroma/E"]')
    page.locator('.key[data-path="/oscsynth/chroma/G"]').press("Shift+Enter")
    assert answers(serve, "chroma", tuple(1 / 3 if at in (0, 4, 7) else 0.0 for at in range(12)))
    page.wait_for_selector('.key.sounds[data-path="/oscsynth/chroma/G"]')
    page.locator('.key[data-path="/oscsynth/chroma/C"]').click(modifiers=["Shift"])
    assert answers(serve, "chroma", tuple(0.5 if at in (4, 7) else 0.0 for at in range(12)))


def test_the_octave_of_a_drone_goes_step_by_step_and_is_followed(page, serve):
    serve.ask("register", 4.0, seconds=0.01)
    first = '.key[data-path="/oscsynth/chroma/C"]'
    page.wait_for_function("(first) => document.querySelector(first).textContent === 'C4'", arg=first)
    page.get_by_role("button", name="octave up").click()
    assert answers(serve, "register", 5.0)
    page.get_by_role("button", name="octave down").click()
    page.get_by_role("button", name="octave down").click()
    assert answers(serve, "register", 3.0)
    assert page.locator(first).inner_text() == "C3"


def test_the_gate(page, serve):
    page.get_by_role("button", name="Gate open").click()
    assert answers(serve, "gate", 0)
    serve.ask("gate", 1, seconds=0.01)
    page.get_by_role("button", name="Gate open").wait_for()


def test_panic(page, serve):
    page.get_by_role("button", name="Panic").click()
    assert answers(serve, "gate", 0)


def test_patches_and_what_belongs_to_them(page, serve):
    page.get_by_role("button", name="A tiny 3").click()
    assert answers(serve, "patch", "A tiny 3")
    page.wait_for_selector('.row[data-name="A tiny 3"][aria-pressed="true"]')
    page.get_by_role("button", name="previous patch").click()
    assert answers(serve, "patch", "A tiny 2")
    page.get_by_role("button", name="next patch").click()
    assert answers(serve, "patch", "A tiny 3")
    serve.ask("patch", "A tiny 1", seconds=0.01)
    page.wait_for_selector('.row[data-name="A tiny 1"][aria-pressed="true"]')
    assert page.locator(".patch").inner_text() == "A tiny 1"
    assert page.title() == "A tiny 1 · oscsynth"


def test_points_and_the_way_between_two(page, serve):
    page.get_by_role("button", name="bright", exact=True).click()
    assert answers(serve, "latents", (1.0, 1.0, 1.0))
    page.wait_for_selector('.chip[data-name="bright"][aria-pressed="true"]')
    serve.ask("point", "dark", seconds=0.01)
    page.wait_for_selector('.chip[data-name="dark"][aria-pressed="true"]')
    page.get_by_label("journey from").select_option("bright")
    assert answers(serve, "morph/from", "bright")
    serve.ask("morph/to", "bright", seconds=0.01)
    page.wait_for_function("() => document.querySelector('[aria-label=\"journey to\"]').value === 'bright'")


def test_snapshots_are_stored_recalled_and_seen(page, serve):
    serve.ask("latent/2", 0.3, seconds=0.01)
    page.get_by_role("button", name="store a snapshot").click()
    page.get_by_role("button", name="snapshot 5, empty").click()
    page.get_by_role("button", name="snapshot 5, stored").wait_for()
    serve.ask("latent/2", 0.9, seconds=0.01)
    page.get_by_role("button", name="snapshot 5, stored").click()
    assert answers(serve, "latent/2", 0.3)
    serve.ask("snapshot/7/store", seconds=0.01)
    page.get_by_role("button", name="snapshot 7, stored").wait_for()


def test_whole_numbers_go_step_by_step(page, serve):
    page.get_by_role("button", name="output: one more").click()
    assert answers(serve, "output", 2)
    page.get_by_role("button", name="output: one less").click()
    assert answers(serve, "output", 1)


def test_parts_come_and_go(page, serve):
    page.get_by_role("button", name="add a part").click()
    page.wait_for_selector('.track[data-path="/oscsynth/part/2/latent/1"]')
    assert answers(serve, "part/2/patch", "A tiny 1")
    track(page, "part/2/latent/1").press("End")
    assert answers(serve, "part/2/latent/1", 1.0)
    page.get_by_role("button", name="close part 2").click()
    page.wait_for_selector('.track[data-path="/oscsynth/latent/1"]')
    assert page.get_by_role("button", name="part 2").count() == 0


def test_what_cannot_be_done_is_said(page):
    page.get_by_role("button", name="snapshot 16, empty").click()
    page.wait_for_selector(".said.shown")
    assert "nothing was stored in snapshot 16" in page.locator(".said").text_content()


def test_the_status_says_how_it_fares(page):
    page.wait_for_function("() => /^\\d+ %$/.test(document.querySelector('[data-figure=load] dd')?.textContent)")
    page.wait_for_function("() => / ms$/.test(document.querySelector('[data-figure=trip] dd')?.textContent)")


def test_what_is_heard_is_seen(page, serve):
    level = "Number(document.querySelector('.level').getAttribute('aria-valuenow'))"
    ink = """() => {
        const seen = document.querySelector('.spectrum canvas');
        return seen.getContext('2d').getImageData(0, 0, seen.width, seen.height / 2).data.some((value) => value > 0);
    }"""
    page.wait_for_function(f"() => {level} > -40")
    page.wait_for_function(ink)
    serve.ask("panic", seconds=0.01)
    page.wait_for_function(f"() => {level} <= -72")
    page.wait_for_function(f"() => !({ink})()")
    page.wait_for_function("() => document.querySelector('.levels .value').textContent === 'silent'")


def test_scenes_are_stored_chosen_and_followed(page, serve):
    serve.ask("latent/1", 0.2, seconds=0.01)
    page.get_by_label("name of a new scene").fill("Dawn")
    page.get_by_role("button", name="store a scene").click()
    page.wait_for_selector('.row[data-name="Dawn"][aria-pressed="true"]')
    serve.ask("latent/1", 0.8, seconds=0.01)
    serve.ask("scene/store", "Noon", seconds=0.01)
    page.wait_for_selector('.row[data-name="Noon"][aria-pressed="true"]')
    page.get_by_role("button", name="Dawn").click()
    assert answers(serve, "scene", "Dawn") and answers(serve, "latent/1", 0.2)
    page.get_by_role("button", name="Next scene").click()
    assert answers(serve, "scene", "Noon") and answers(serve, "latent/1", 0.8)
    serve.ask("scene/note", "slowly", seconds=0.01)
    page.wait_for_function("() => document.querySelector('.note').textContent === 'slowly'")
    page.get_by_role("button", name="previous scene").click()
    assert answers(serve, "scene", "Dawn")


def test_what_is_kept_of_a_scene_is_changed_and_followed(page, serve):
    serve.ask("scene/store", "Night", seconds=0.01)
    page.wait_for_selector('.row[data-name="Night"][aria-pressed="true"]')
    page.get_by_text("This scene").click()
    page.get_by_label("note of the scene").fill("alone")
    page.get_by_label("note of the scene").press("Enter")
    assert answers(serve, "scene/note", "alone")
    page.wait_for_function("() => document.querySelector('.note').textContent === 'alone'")
    arrives = page.get_by_label("seconds in which the scene arrives")
    arrives.fill("2.5")
    arrives.press("Enter")
    assert answers(serve, "scene/seconds", 2.5)
    arrives.blur()
    serve.ask("scene/seconds", 4.0, seconds=0.01)
    page.wait_for_function("() => document.querySelector('.change input[type=number]').value === '4'")
    serve.ask("latent/1", 0.6, seconds=0.01)
    page.get_by_role("button", name="Keep what plays now").click()
    assert answers(serve, "latent/1", 0.6)
    serve.ask("scene/seconds", 0.0, seconds=0.01)
    serve.ask("latent/1", 0.1, seconds=0.01)
    serve.ask("scene", "Night", seconds=0.01)
    assert answers(serve, "latent/1", 0.6)


def test_a_recording_begins_and_ends(page, serve):
    button = page.get_by_role("button", name="record")
    button.click()
    assert answers(serve, "record", 1)
    page.wait_for_selector(".record[aria-pressed=true]")
    serve.ask("record", 0, seconds=0.01)
    page.wait_for_selector(".record[aria-pressed=false]")


def voices(serve, wanted):
    until = time.monotonic() + 3
    while time.monotonic() < until:
        figures = serve.ask("status") or ()
        if dict(zip(figures[::2], figures[1::2], strict=False)).get("voices") == wanted:
            return True
        time.sleep(0.02)
    return False


def test_a_patch_of_notes_is_played_on_keys_and_falls_silent_with_the_page(browser, serve):
    serve.ask("patch", "B notes", seconds=0.01)
    with opened(browser, serve.port + 1, **PHONE) as page:
        page.wait_for_selector(".notes.played")
        touch = page.context.new_cdp_session(page)

        def fingers(kind, *classes):
            boxes = {at: page.locator(f".key[data-class='{at}']").bounding_box() for at in classes}
            points = [
                {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2, "id": number} for number, box in enumerate(boxes.values())
            ]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        fingers("touchStart", 0)
        assert voices(serve, 1)
        fingers("touchStart", 0, 4)
        assert voices(serve, 2)
        assert page.locator(".key.held").count() == 2
        fingers("touchMove", 0, 7)  # the second finger slides to another key
        page.wait_for_selector(".key.held[data-class='7']")
        assert voices(serve, 2)
        fingers("touchEnd")
        assert voices(serve, 0)
        page.get_by_role("button", name="octave up").click()
        assert page.locator(".key[data-class='0']").inner_text() == "C5"
        fingers("touchStart", 9)
        assert voices(serve, 1)
    assert voices(serve, 0), "a page that is gone holds no notes"


def test_two_fingers_move_two_faders_and_a_chord_is_held(browser, serve):
    with opened(browser, serve.port + 1, **PHONE) as page:
        touch = page.context.new_cdp_session(page)

        def fingers(kind, *elements):
            boxes = [page.locator(each).bounding_box() for each in elements]
            points = [{"x": b["x"] + b["width"] / 2, "y": b["y"] + b["height"] / 4, "id": at} for at, b in enumerate(boxes)]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        faders = [f'.track[data-path="/oscsynth/latent/{number}"]' for number in (1, 3)]
        fingers("touchStart", *faders)
        assert answers(serve, "latent/1", 0.75) and answers(serve, "latent/3", 0.75)
        fingers("touchEnd")
        keys = [f'.key[data-path="/oscsynth/chroma/{name}"]' for name in ("C", "E", "G")]
        for n_held in (1, 2, 3):
            fingers("touchStart", *keys[:n_held])
        assert answers(serve, "chroma", tuple(1 / 3 if at in (0, 4, 7) else 0.0 for at in range(12)))
        fingers("touchEnd")


def test_a_phone_shows_one_panel_at_a_time(browser, serve):
    with opened(browser, serve.port + 1, **PHONE) as page:
        assert page.evaluate("document.documentElement.scrollWidth <= 390 && document.documentElement.scrollHeight <= 844")
        page.get_by_role("tab", name="Patches").click()
        assert not page.locator(".row-of-faders").is_visible()
        page.get_by_role("button", name="A tiny 2").click()
        assert answers(serve, "patch", "A tiny 2")
        page.get_by_role("tab", name="Patches").press("ArrowRight")
        assert page.get_by_role("tab", name="Places").get_attribute("aria-selected") == "true"


def test_the_lower_on_its_key_the_stronger_is_a_note_class_of_a_chord(browser, serve):
    with opened(browser, serve.port + 1, **PHONE) as page:
        touch = page.context.new_cdp_session(page)
        boxes = [page.locator(f'.key[data-path="/oscsynth/chroma/{name}"]').bounding_box() for name in ("C", "G")]

        def fingers(kind, *depths):
            pairs = zip(boxes, depths, strict=False)
            points = [{"x": b["x"] + b["width"] / 2, "y": b["y"] + depth * b["height"], "id": at} for at, (b, depth) in enumerate(pairs)]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        fingers("touchStart", 0.95)
        fingers("touchStart", 0.95, 0.05)
        strong, weak = 0.35 + 0.65 * 0.95, 0.35 + 0.65 * 0.05
        shares = {0: strong / (strong + weak), 7: weak / (strong + weak)}
        assert answers(serve, "chroma", tuple(shares.get(at, 0.0) for at in range(12)), tolerance=0.03)
        fingers("touchMove", 0.95, 0.95)
        assert answers(serve, "chroma", tuple(0.5 if at in (0, 7) else 0.0 for at in range(12)), tolerance=0.03)
        fingers("touchEnd")


def test_keys_light_for_notes_that_are_played_elsewhere(browser, serve):
    serve.ask("patch", "B notes", seconds=0.01)
    with opened(browser, serve.port + 1) as page:
        page.wait_for_selector(".notes.played")
        serve.ask("note/on", 64, 0.8, seconds=0.01)
        page.wait_for_selector(".key.sounds[data-class='4']")
        assert page.locator(".key.sounds").count() == 1
        page.get_by_role("button", name="octave up").click()
        assert page.locator(".key.sounds").count() == 0
        assert float(page.locator(".key[data-class='4']").evaluate("(key) => key.style.getPropertyValue('--weight')")) > 0, "dimly, an octave away"
        page.get_by_role("button", name="octave down").click()
        serve.ask("note/off", 64, seconds=0.01)
        page.wait_for_function("() => !document.querySelector('.key.sounds')")
