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
N_PATCHES = 12
RECEIVE_PORT = 9000  # what TouchOSC proposes
WIDTH, HEIGHT = 844, 390  # a phone on its side; TouchOSC scales it to any other
_FADER, _PAD, _LAMP, _STOP, _QUIET = "#2a9d8f", "#457b9d", "#ffb703", "#e63946", "#30363d"

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
    """Return the layout: patches above, faders and pad in the middle, notes below."""
    from py2tosc import Document, ui

    whole = "/oscsynth"
    base = whole if part == 1 else f"{whole}/part/{part}"
    patches = ui.tiles((_patch(base, key) for key in range(1, N_PATCHES + 1)), columns=6, gap=4, name="patches")
    playing = ui.column(
        _label("playing", f"{base}/patch", size=18), ui.row(_gate(base), _action("panic", f"{whole}/panic", _STOP), gap=4), gap=4, name="above right"
    )
    faders = ui.row((_fader(f"latent {key}", f"{base}/latent/{key}", f"{base}/latent/{key}/name") for key in range(1, N_FADERS + 1)), gap=6)
    gain = _fader("gain", f"{base}/gain/normalized", f"{base}/gain/text")
    notes = ui.row((_note(base, *names) for names in zip(PITCH_CLASSES, PITCH_CLASS_ADDRESSES, strict=True)), gap=4, name="notes")
    return Document(
        root=ui.column(
            ui.row(patches, playing, sizes=(5, 2), gap=8),
            ui.row(faders, _pad(base), gain, sizes=(8, 4, 1), gap=8),
            notes,
            sizes=(4, 10, 3),
            gap=8,
            pad=8,
            frame=(0, 0, WIDTH, HEIGHT),
            name="oscsynth",
            script=_SCRIPT.format(port=receive_port),
        )
    ).resolve()


def _patch(base: str, key: int) -> Control:
    from py2tosc import ui

    return ui.stack(_action(f"patch {key}", f"{base}/patch/select/{key}", _PAD), _label(f"patch {key} name", f"/oscsynth/patches/{key}/name"))


def _fader(name: str, address: str, label: str) -> Control:
    from py2tosc import fader, ui

    return ui.column(fader(name=name, color=_FADER, messages=[ui.osc(address)]), _label(f"{name} label", label), sizes=(6, 1), gap=2)


def _pad(base: str) -> Control:
    from py2tosc import Trigger, ui, xy

    both = [Trigger("x"), Trigger("y")]
    return xy(name="xy", color=_PAD, messages=[ui.osc(f"{base}/xy", args=[ui.value("x"), ui.value("y")], triggers=both)])


def _note(base: str, name: str, address: str) -> Control:
    """Return a button under a lamp: a button that is let go is dark, but the note that it chose goes on."""
    from py2tosc import button, ui

    lamp = button(name=f"lamp {name}", color=_LAMP, interactive=False, background=False, messages=[ui.osc(f"{base}/chroma/{address}", send=False)])
    return ui.stack(_action(f"note {name}", f"{base}/chroma/{address}", _QUIET), lamp, _caption(name))


def _gate(base: str) -> Control:
    from py2tosc import ButtonType, button, ui

    toggle: dict[str, Any] = {"buttonType": ButtonType.TOGGLE_PRESS}
    argument = ui.value("x", conversion="INTEGER")
    return ui.stack(button(name="gate", color=_LAMP, messages=[ui.osc(f"{base}/gate", args=[argument])], **toggle), _caption("gate"))


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
