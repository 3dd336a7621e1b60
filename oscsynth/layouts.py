"""Layouts for controllers: a TouchOSC layout for the phone that fits every patch, because its labels are what the instrument answers.

Any process; py2tosc is imported inside. The addresses are those of docs/osc.md, and a test holds them against the table.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import OscsynthError, shown
from .units import PITCH_CLASS_ADDRESSES, PITCH_CLASSES

if TYPE_CHECKING:
    from py2tosc import Control, Document

N_FADERS = 8
N_INSTRUMENTS = 12  # of a note decoder
N_PATCHES = 12
RECEIVE_PORT = 9000  # what TouchOSC proposes
WIDTH, HEIGHT = 844, 390  # a phone on its side; TouchOSC scales it to any other
OCTAVES = 5, 4, 3  # of the keys, the highest above
VELOCITY = 100
_TAB = 38  # high
_FADER, _PAD, _LAMP, _STOP, _QUIET, _OTHER = "#2a9d8f", "#457b9d", "#ffb703", "#e63946", "#30363d", "#b08968"
# What stands on the third page: captions, and addresses below the part or below everything.
_SOUND = (
    *((name, name) for name in ("pan", "width", "transpose", "register", "glide", "breath")),
    *((name, f"envelope/{name}") for name in ("attack", "decay", "sustain", "release")),
)

# TouchOSC says nothing of itself; this asks for feedback, and again before the lease of 60 s ends or after the phone slept.
_SCRIPT = """local last = -1000000
function update()
  local now = getMillis()
  if now - last > 20000 then
    last = now
    sendOSC({{'/oscsynth/notify', {{{{tag = 'i', value = 1}}, {{tag = 'i', value = {port}}}}}}})
  end
end
"""


def write_touchosc(path: Path, part: int = 1, receive_port: int = RECEIVE_PORT) -> None:
    """Write a TouchOSC layout.

    Parameters
    ----------
    path : Path
        A file whose name ends with ``.tosc``; one that is there is replaced.
    part : int
        The part that it plays, 1 to 8.
    receive_port : int
        Where TouchOSC listens, as its connections page says.

    Raises
    ------
    OscsynthError
        When the name does not end so, or the file cannot be written.
    """
    if path.suffix.lower() != ".tosc":
        raise OscsynthError(f"{shown(path)}: the name of a TouchOSC layout ends with .tosc")
    try:
        touchosc(part, receive_port).save(path, validate=True)
    except OSError as error:
        raise OscsynthError(f"{shown(path)} cannot be written: {error.strerror or error}") from error


def touchosc(part: int = 1, receive_port: int = RECEIVE_PORT) -> Document:
    """Return the layout: patches above; below them pages for what a drone, notes, instruments, any sound, and what is heard need."""
    from py2tosc import Document, ui

    whole = "/oscsynth"
    base = whole if part == 1 else f"{whole}/part/{part}"
    patches = ui.tiles((_patch(base, key) for key in range(1, N_PATCHES + 1)), columns=6, gap=4, name="patches")
    stops = ui.row(_switch("gate", f"{base}/gate"), _switch("hold", f"{base}/hold"), _action("panic", f"{whole}/panic", _STOP), gap=4)
    playing = ui.column(_label("playing", f"{base}/patch", size=18), stops, gap=4, name="above right")
    pages = ui.pager(_play(base), _keys(base), _mix(base), _sound(base, whole), _heard(base), tabbarSize=_TAB, name="pages")
    return Document(
        root=ui.column(
            ui.row(patches, playing, sizes=(5, 2), gap=8),
            pages,
            sizes=(84, 282),
            gap=8,
            pad=8,
            frame=(0, 0, WIDTH, HEIGHT),
            name="oscsynth",
            script=_SCRIPT.format(port=receive_port),
        )
    ).resolve()


def _play(base: str) -> Control:
    from py2tosc import ui

    faders = ui.row((_fader(f"latent {key}", f"{base}/latent/{key}", f"{base}/latent/{key}/name") for key in range(1, N_FADERS + 1)), gap=6)
    gain = _fader("gain", f"{base}/gain/normalized", f"{base}/gain/text")
    notes = ui.row((_note(base, *names) for names in zip(PITCH_CLASSES, PITCH_CLASS_ADDRESSES, strict=True)), gap=4, name="notes")
    return _page("play", ui.row(faders, _pad(base), gain, sizes=(8, 4, 1), gap=8), notes, sizes=(10, 3))


def _keys(base: str) -> Control:
    """Return the page of a patch that plays notes."""
    from py2tosc import ui

    rows = (ui.row((_key(base, name, at, octave) for at, name in enumerate(PITCH_CLASSES)), gap=4) for octave in OCTAVES)
    return _page("keys", *rows, sizes=(1,) * len(OCTAVES))


def _key(base: str, name: str, at: int, octave: int) -> Control:
    from py2tosc import button, ui

    pitch = ui.const(str(12 * (octave + 1) + at), conversion="INTEGER")
    plays = ui.osc(f"{base}/note", args=[pitch, ui.value("x", conversion="INTEGER", scale=(0, VELOCITY))], receive=False)
    return ui.stack(button(name=f"key {name}{octave}", color=_QUIET if "#" in name else _FADER, messages=[plays]), _caption(f"{name}{octave}"))


def _mix(base: str) -> Control:
    """Return the page of a note decoder: how much of each instrument, and the way from one to another."""
    from py2tosc import ui

    keys = range(1, N_INSTRUMENTS + 1)
    weights = ui.row((_fader(f"timbre {key}", f"{base}/timbre/{key}", f"{base}/timbre/{key}/name") for key in keys), gap=6)
    ends = ui.row(_label("transfer from", f"{base}/transfer/from", size=16), _label("transfer to", f"{base}/transfer/to", size=16), gap=8)
    lying = [_lying(name, f"{base}/{name}") for name in ("transfer", "brightness", "spread")]
    return _page("mix", weights, ui.row(ui.column(lying[0], ends, sizes=(40, 22), gap=2), *lying[1:], sizes=(2, 1, 1), gap=8), sizes=(166, 64))


def _sound(base: str, whole: str) -> Control:
    """Return the page of what the part sounds like, whatever it plays."""
    from py2tosc import ui

    named = [(caption, f"{base}/{below}") for caption, below in _SOUND] + [("master", f"{whole}/master/gain")]
    faders = (ui.column(_caption(caption), _fader(caption, f"{path}/normalized", f"{path}/text"), sizes=(1, 8), gap=2) for caption, path in named)
    return _page("sound", ui.row(faders, gap=6))


def _heard(base: str) -> Control:
    """Return the page of a patch that plays what it hears: how far that moves each latent, and the track."""
    from py2tosc import ui

    keys = range(1, N_FADERS + 1)
    scales = ui.row(
        (_fader(f"scale {key}", f"{base}/latent/{key}/scale/normalized", f"{base}/latent/{key}/name", colour=_OTHER) for key in keys), gap=6
    )
    switches = [_switch(name, f"{base}/{below}") for name, below in (("playing", "track/playing"), ("loop", "track/loop"), ("follow", "follow"))]
    names = _label("track name", f"{base}/track/name")
    track = ui.row(ui.column(_lying("track", f"{base}/track/position"), names, sizes=(40, 18), gap=2), *switches, sizes=(5, 1, 1, 1), gap=8)
    return _page("heard", scales, track, sizes=(166, 64))


def _page(name: str, *rows: Control, sizes: tuple[int, ...] = (1,)) -> Control:
    from py2tosc import ui

    return ui.column(*rows, sizes=sizes, gap=8, pad=(0, 8, 0, 0), name=name)


def _patch(base: str, key: int) -> Control:
    from py2tosc import ui

    return ui.stack(_action(f"patch {key}", f"{base}/patch/select/{key}", _PAD), _label(f"patch {key} name", f"/oscsynth/patches/{key}/name"))


def _fader(name: str, address: str, label: str, colour: str = _FADER) -> Control:
    from py2tosc import fader, ui

    return ui.column(fader(name=name, color=colour, messages=[ui.osc(address)]), _label(f"{name} label", label), sizes=(6, 1), gap=2)


def _lying(name: str, address: str) -> Control:
    """Return a fader that lies, with its name at its left and what the instrument says of it at its right."""
    from py2tosc import Orientation, fader, ui

    lies = fader(name=name, color=_OTHER, orientation=Orientation.EAST, messages=[ui.osc(f"{address}/normalized")])
    return ui.stack(lies, ui.row(_caption(name), _label(f"{name} text", f"{address}/text"), gap=4))


def _pad(base: str) -> Control:
    from py2tosc import Trigger, ui, xy

    both = [Trigger("x"), Trigger("y")]
    return xy(name="xy", color=_PAD, messages=[ui.osc(f"{base}/xy", args=[ui.value("x"), ui.value("y")], triggers=both)])


def _note(base: str, name: str, address: str) -> Control:
    """Return a button under a lamp: a button that is let go is dark, but the note that it chose goes on."""
    from py2tosc import button, ui

    lamp = button(name=f"lamp {name}", color=_LAMP, interactive=False, background=False, messages=[ui.osc(f"{base}/chroma/{address}", send=False)])
    return ui.stack(_action(f"note {name}", f"{base}/chroma/{address}", _QUIET), lamp, _caption(name))


def _switch(name: str, address: str) -> Control:
    """Return a button for what is on or off."""
    from py2tosc import ButtonType, button, ui

    toggle: dict[str, Any] = {"buttonType": ButtonType.TOGGLE_PRESS}
    argument = ui.value("x", conversion="INTEGER")
    return ui.stack(button(name=name, color=_LAMP, messages=[ui.osc(address, args=[argument])], **toggle), _caption(name))


def _action(name: str, address: str, colour: str) -> Control:
    from py2tosc import button, ui

    pressed = button(name=name, color=colour, messages=[ui.osc(address, receive=False)])
    return ui.stack(pressed, _caption(name)) if name == "panic" else pressed


def _label(name: str, address: str, size: int = 12) -> Control:
    """Return a label that shows whatever text comes."""
    from py2tosc import label, ui

    shows = ui.osc(address, args=[ui.value("text", conversion="STRING")], var="text", send=False)
    return label(name=name, textSize=size, interactive=False, background=False, messages=[shows])


def _caption(text: str) -> Control:
    from py2tosc import Value, label

    return label(name=f"caption {text}", textSize=14, interactive=False, background=False, values=[Value("text", default=text)])
