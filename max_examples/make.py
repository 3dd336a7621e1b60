"""Write the four Max patches: ``python max_examples/make.py``. Each is one function; a test compares what lies here with what they give."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

from py2max import Patcher

FOLDER = Path(__file__).parent
PORT, REPLY_PORT = 57140, 57150
P = "/oscsynth/"
NOTES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


class Sheet:
    """A patch that is drawn box by box, with coordinates in pixels."""

    def __init__(self, name: str, width: int, height: int) -> None:
        self.patcher = Patcher(FOLDER / f"{name}.maxpat", title=name, layout="grid")
        self.patcher.rect = [85.0, 104.0, float(width), float(height)]

    def box(self, text: str, x: float, y: float, width: float = 0.0, **more: Any) -> Any:
        """Add an object."""
        return self.patcher.add_textbox(text, patching_rect=[x, y, width or 14.0 + 6.6 * len(text), 22.0], **more)

    def ui(self, maxclass: str, x: float, y: float, width: float, height: float, **more: Any) -> Any:
        """Add an object that is seen and touched."""
        return self.patcher.add_textbox(maxclass, maxclass=maxclass, patching_rect=[x, y, width, height], **more)

    def message(self, text: str, x: float, y: float) -> Any:
        """Add a message to click."""
        return self.patcher.add_message(text, patching_rect=[x, y, 14.0 + 6.6 * len(text), 22.0])

    def say(self, text: str, x: float, y: float, width: float = 0.0) -> Any:
        """Add a comment."""
        return self.patcher.add_comment(text, patching_rect=[x, y, width or 14.0 + 6.6 * len(text), 20.0])

    def line(self, *boxes: Any, outlet: int = 0, inlet: int = 0) -> None:
        """Connect boxes one after the other; outlet and inlet are those of the first connection."""
        for at, (source, target) in enumerate(pairwise(boxes)):
            self.patcher.add_line(source, target, inlet=0 if at else inlet, outlet=0 if at else outlet)

    def sender(self, x: float, y: float) -> Any:
        """Add what sends to the instrument."""
        return self.box(f"udpsend 127.0.0.1 {PORT}", x, y)

    def subscription(self, send: Any, x: float, y: float) -> Any:
        """Add what asks to be told, at once and again before that ends; return the message."""
        self.line(self.box("loadbang", x, y), subscribe := self.message(f"{P}notify 1 {REPLY_PORT}", x + 160, y + 30), send)
        self.line(self.box("metro 20000 @active 1", x + 160, y), subscribe)
        return subscribe


def hello() -> Patcher:
    """Send the first messages of the README by clicking."""
    sheet = Sheet("hello", 560, 420)
    sheet.say("Start the instrument: oscsynth serve. Then click the messages, and drag the number.", 20, 15, 500)
    send = sheet.sender(20, 360)
    steps = (
        ("latent/1 0.1", "dark"),
        ("latent/1 0.9", "bright: the same tone, another timbre"),
        ("chroma/name C", "the note C"),
        ("chroma/name A", "the note A"),
        ("patch/next", "the next patch, without a gap"),
        ("gate 0", "it fades"),
        ("gate 1", "it comes back"),
        ("panic", "silence now"),
    )
    for at, (below, heard) in enumerate(steps):
        y = 45 + 28 * at
        sheet.line(sheet.message(P + below, 20, y), send)
        sheet.say(heard, 230, y)
    number = sheet.ui("flonum", 20, 290, 60, 22, minimum=0.0, maximum=1.0)
    sheet.line(number, sheet.box(f"prepend {P}latent/2", 20, 325), send)
    sheet.say("drag: the second latent, 0 to 1", 90, 290)
    return sheet.patcher


def control_surface() -> Patcher:
    """Play everything of part 1, with labels and faders that follow the instrument."""
    sheet = Sheet("control_surface", 1180, 720)
    sheet.say("Start oscsynth serve, then open this patch: it subscribes, and every fader and name follows whatever plays.", 20, 10, 660)
    send = sheet.sender(20, 680)
    told = sheet.box(f"udpreceive {REPLY_PORT}", 20, 400)
    subscribe = sheet.subscription(send, 700, 10)
    names = [f"{P}latent/{key}" for key in range(1, 9)]
    others = ("gain/normalized", "chroma/index", "patch/index", "patches", "gate", "point", "fail")
    faders = sheet.box(f"route {' '.join(names)} {' '.join(f'{name}/name' for name in names)}", 20, 430, 1100, numoutlets=17)
    rest = sheet.box(f"route {' '.join(P + name for name in others)}", 20, 560, 900, numoutlets=8)
    sheet.line(told, faders)
    sheet.line(faders, rest, outlet=16)
    for at, name in enumerate(names):
        x = 20 + 70 * at
        fader = sheet.ui("slider", x, 60, 30, 200, floatoutput=1, size=1.0)
        sheet.line(fader, sheet.box(f"prepend {name}", x, 300, 68), send)
        # `set` shows a value without sending it back.
        sheet.line(faders, sheet.box("prepend set", x, 470, 68), fader, outlet=at)
        label = sheet.message("", x, 265)
        sheet.line(faders, sheet.box("prepend set", x, 500, 68), label, outlet=8 + at)
    _surface_controls(sheet, send, rest, subscribe)
    return sheet.patcher


def _surface_controls(sheet: Sheet, send: Any, rest: Any, subscribe: Any) -> None:
    def shown(control: Any, outlet: int, x: float, before: str = "") -> None:
        prepend = sheet.box("prepend set", x, 620)
        sheet.line(rest, *([sheet.box(before, x, 590)] if before else []), prepend, control, outlet=outlet)

    gain = sheet.ui("slider", 600, 60, 30, 200, floatoutput=1, size=1.0)
    sheet.say("gain", 596, 265)
    sheet.line(gain, sheet.box(f"prepend {P}gain/normalized", 600, 398), send)
    shown(gain, 0, 60)
    tabs = sheet.ui("tab", 660, 120, 480, 30, tabs=list(NOTES), numoutlets=3)
    sheet.say("the note that sounds", 660, 98)
    sheet.line(tabs, sheet.box(f"prepend {P}chroma/index", 660, 155), send)
    shown(tabs, 1, 160)
    menu = sheet.ui("umenu", 660, 210, 200, 22, numoutlets=3)
    sheet.say("patch", 660, 188)
    sheet.line(menu, sheet.box("+ 1", 660, 235), sheet.box(f"prepend {P}patch/index", 696, 235), send)
    shown(menu, 2, 260, "- 1")
    # The names of all patches come in one message: the menu is emptied first.
    each = sheet.box("t l clear", 380, 590, numoutlets=2)
    sheet.line(rest, each, sheet.box("iter", 380, 620), sheet.box("prepend append", 426, 620), menu, outlet=3)
    sheet.line(each, menu, outlet=1)
    gate = sheet.ui("toggle", 900, 205, 30, 30)
    sheet.say("gate", 935, 210)
    sheet.line(gate, sheet.box(f"prepend {P}gate", 910, 240), send)
    shown(gate, 4, 560)
    sheet.line(sheet.message(f"{P}panic", 1010, 210), send)
    pad = sheet.ui("pictslider", 660, 280, 130, 110, numinlets=2, numoutlets=2)
    sheet.say("xy: the patch's two axes", 660, 258)
    pack = sheet.box("pak 0. 0.", 800, 340)
    for outlet in (0, 1):
        sheet.line(pad, scaled := sheet.box("scale 0 127 0. 1.", 800, 280 + 28 * outlet), outlet=outlet)
        sheet.line(scaled, pack, inlet=outlet)
    sheet.line(pack, sheet.box(f"prepend {P}xy", 800, 368), send)
    point = sheet.message("", 960, 300)
    sheet.say("the point that was gone to", 960, 278)
    shown(point, 5, 660)
    fault = sheet.message("", 960, 350)
    sheet.say("what could not be done", 960, 328)
    shown(fault, 6, 760)
    sheet.line(subscribe, sheet.message(f"{P}patches", 860, 70), send)


def orchestra() -> Patcher:
    """Mix the instruments of a note decoder, lead them to one another, and play a chord of them."""
    sheet = Sheet("orchestra", 1180, 640)
    sheet.say("Start oscsynth serve, then open this patch and click Parterre: each fader is an instrument. Play a note, and mix.", 20, 10, 640)
    send = sheet.sender(20, 600)
    told = sheet.box(f"udpreceive {REPLY_PORT}", 20, 430)
    sheet.subscription(send, 700, 10)
    below = [f"timbre/{key}" for key in range(1, 13)] + [f"{name}/normalized" for name in ("transfer", "brightness", "spread")]
    n = len(below)
    values = sheet.box(f"route {' '.join(P + each for each in below)}", 20, 460, 1120, numoutlets=n + 1)
    names = sheet.box(f"route {' '.join(f'{P}timbre/{key}/name' for key in range(1, 13))}", 20, 530, 1120, numoutlets=13)
    sheet.line(told, values)
    sheet.line(values, names, outlet=n)
    for at, each in enumerate(below):
        x = 20 + 74 * at
        fader = sheet.ui("slider", x, 100, 30, 200, floatoutput=1, size=1.0)
        sheet.line(fader, sheet.box(f"prepend {P}{each}", x, 350, 70), send)
        sheet.line(values, sheet.box("prepend set", x, 495, 70), fader, outlet=at)
        if each.startswith("timbre"):
            sheet.line(names, sheet.box("prepend set", x, 565, 70), sheet.message("", x, 305), outlet=at)
        else:
            sheet.say(each.partition("/")[0], x, 305)
    for at, text in enumerate(("patch Parterre", "hold 1", "note 48 90", "note 55 90", "note 64 90", "hold 0")):
        sheet.line(sheet.message(P + text, 20 + 190 * at, 65), send)
    return sheet.patcher


def sequencer() -> Patcher:
    """Send eight steps of note and timbre in bundles, each ahead of its time."""
    sheet = Sheet("sequencer", 620, 560)
    sheet.say(
        "Switch on: eight steps. Each goes out as one OSC bundle 100 ms ahead, so that note and timbre change in one instant, on time.", 20, 10, 580
    )
    metro = sheet.box("metro 250", 20, 95)
    sheet.line(sheet.ui("toggle", 20, 60, 30, 30), metro)
    speed = sheet.ui("number", 120, 65, 60, 22, minimum=40)
    sheet.say("milliseconds for each step", 185, 65)
    sheet.line(speed, metro, inlet=1)
    sheet.line(sheet.box("loadmess 250", 120, 35), speed)
    counter = sheet.box("counter 1 8", 20, 130, numinlets=5, numoutlets=4)
    fetch = sheet.box("prepend fetch", 20, 165)
    sheet.line(metro, counter, fetch)
    kinds = (("notes, 0 (C) to 11 (B)", "0 3 7 10 7 3 5 2", 11.0, 1), ("latent 1", "0.1 0.3 0.5 0.7 0.9 0.7 0.5 0.3", 1.0, 0))
    both = sheet.box("pack 0 0.", 20, 420)
    for at, (said, first, top, whole) in enumerate(kinds):
        x = 20 + 290 * at
        sheet.say(said, x, 200)
        steps = sheet.ui("multislider", x, 225, 270, 150, size=8, setminmax=[0.0, top], settype=0 if whole else 1, setstyle=1, numoutlets=2)
        sheet.line(fetch, steps)
        sheet.line(sheet.box(f"loadmess {first}", x, 390), steps)
        sheet.line(steps, both, outlet=1, inlet=at)
    # The right slider is asked first, as Max goes from right to left; the note then sends both.
    sheet.line(both, sheet.box("prepend step", 20, 450), sheet.box("node.script bundles.js @autostart 1", 20, 480, numinlets=1, numoutlets=2))
    sheet.say("sends to 127.0.0.1 57140", 270, 480)
    return sheet.patcher


def main() -> None:
    """Write all four."""
    for draw in (hello, control_surface, orchestra, sequencer):
        draw().save()


if __name__ == "__main__":
    main()
