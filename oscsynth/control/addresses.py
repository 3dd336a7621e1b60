"""The table of every address: what it takes, and what it does to the sound. A new value or action is one row, and one function beside it.

Control process, one thread; imports the functions of `values`, `places`, `playing`, `midi_rows` and `actions`. docs/osc.md is made from here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..analysis import HIGHEST_HZ, LOWEST_HZ, N_BANDS
from ..parameters import MASTER_PARAMETERS, MAX_INSTRUMENTS, MAX_LATENTS, MAX_VOICES, N_CLASSES, N_VOICE_LATENTS, PART_PARAMETERS, Parameter
from . import actions as a
from . import midi_rows as m
from . import places as p
from . import playing as n
from . import recording as rec
from . import requests as r
from . import scenes as s
from . import timbres as i
from . import transport as t
from . import values as v
from .part import N_SNAPSHOTS, Part
from .row import Row

_PLAIN = [parameter for parameter in PART_PARAMETERS if parameter.description and parameter.size == 1 and parameter.name not in ("gate", "hold")]
_GATE = next(parameter for parameter in PART_PARAMETERS if parameter.name == "gate")
_HOLD = next(parameter for parameter in PART_PARAMETERS if parameter.name == "hold")
_INDEX = Parameter("index", 0, N_CLASSES - 1, 9, continuous=False)
_SWITCH = Parameter("switch", 0, 1, 0, continuous=False)
_PLACE = Parameter("index", 1, float("inf"), 1, continuous=False)

# fmt: off
_PART: tuple[Row, ...] = (
    Row("latent/{}", "f", "moves one latent: a number from 1 or the name that the patch gives it", v.read_latent, v.write_latent,
        parameter=v.LATENT, keys=v.latents, placeholder="K"),
    Row("latent/{}/name", "s", "the name of the latent, for a label", v.read_latent_name, keys=v.latents, placeholder="K"),
    Row("latent/{}/scale", "f", v.SCALE.description, v.read_scale, v.write_scale, parameter=v.SCALE, keys=v.latents, placeholder="K"),
    Row("latents", "f" * MAX_LATENTS, "moves several latents at once; fewer values set the first ones", v.read_latents, v.write_latents,
        parameter=v.LATENT, least=1),
    Row("xy", "ff", "moves the patch's two axes, for a pad", v.read_xy, v.write_xy, parameter=v.LATENT),
    Row("timbre/{}", "f", "weighs one instrument of a note decoder, by its name or number; scaled to a sum of 1, all zero keeps the last",
        i.read_weight, i.write_weight, parameter=i.TIMBRE, keys=i.instruments, placeholder="NAME"),
    Row("timbre/{}/name", "s", "the name of the instrument, for a label", i.read_name, keys=i.instruments, placeholder="NAME"),
    Row("timbre", "f" * MAX_INSTRUMENTS, "weighs the instruments of a note decoder in order; the rest have no weight", i.read_weights,
        i.write_weights, parameter=i.TIMBRE, least=1),
    Row("timbre/latent/{}", "f", "shifts one dimension of the timbre of a note decoder, 0.5 not at all: the same as latent", v.read_latent,
        v.write_latent, parameter=v.LATENT, keys=i.latents, placeholder="K"),
    Row("transfer/from", "s", "the instrument at 0 of transfer; the patch's strongest until set", *i.end("transfer/from")),
    Row("transfer/to", "s", "the instrument at 1 of transfer; the one after that until set", *i.end("transfer/to")),
    Row("chroma", "f" * N_CLASSES, "weighs the twelve note classes from C to B; scaled to a sum of 1, all zero keeps the last", v.read_chroma,
        v.write_chroma, parameter=v.WEIGHT),
    Row("chroma/name", "s", "chooses the note class that sounds: A, C#, Cs, Bb ...", v.read_class_name, v.write_class_name),
    Row("chroma/index", "i", "chooses the note class that sounds: 0 is C, 11 is B", v.read_class_index, v.write_class_index, parameter=_INDEX),
    Row("chroma/weight/{}", "f", "weighs one note class against the others", v.read_weight, v.write_weight, parameter=v.WEIGHT,
        keys=a.note_classes, placeholder="C"),
    Row("chroma/{}", "", "lets one note class sound alone: C, Cs, D ... B", act=a.choose, keys=a.note_classes, placeholder="C", shows=v.read_chosen),
    Row("patch", "s", "switches to a patch by its name, in a 20 ms crossfade", p.read_patch, p.write_patch, creates=True),
    Row("patch/index", "i", "switches to a patch by its place in the list", p.read_patch_index, p.write_patch_index, parameter=_PLACE, creates=True),
    Row("patch/select/{}", "", "switches to the patch at that place in the list, for a button", act=a.select_patch, keys=a.patches, placeholder="K",
        creates=True, shows=p.read_selected),
    Row("patch/mode", "s", "how the patch is played: drone, notes or resynthesis", p.read_mode),
    Row("patch/next", "", "switches to the next patch in the list", act=a.next_patch),
    Row("patch/previous", "", "switches to the patch before in the list", act=a.previous_patch),
    Row("gate", "i", _GATE.description, v.read_gate, v.write_gate, parameter=_GATE),
    Row("note", "ff", "plays a note: pitch and velocity, 0 releases it; a drone takes its class and octave", write=n.write_note, parameter=n.MIDI),
    Row("note/on", "fff", "plays a note: pitch 0 to 127 with cents as fractions, velocity 0 to 1 or to 127, and an id, the pitch if left out",
        write=n.write_note_on, least=2),
    Row("note/off", "ff", "releases the notes of that pitch; second the velocity of the release", write=n.write_note_off, least=1),
    Row("note/off/id", "ff", "releases the note of that id", write=n.write_note_off_id, least=1),
    Row("note/bend", "ff", "bends the note of that id by so many semitones, -96 to 96", write=n.write_bend),
    Row("note/pressure", "ff", "presses the note of that id, 0 to 1 or to 127", write=n.write_pressure),
    Row("note/latent", "f" * (1 + N_VOICE_LATENTS), "moves the first latents, 0 to 1, of the note of that id alone", write=n.write_note_latents,
        least=2),
    Row("note/latent/{}", "ff", "moves one latent, 0 to 1, of the note of that id alone", write=n.write_note_latent, keys=v.latents,
        placeholder="K"),
    Row("note/held", "f" * MAX_VOICES, "the pitches of the notes that are held, lowest first; nothing while there are none", n.read_held,
        follows_voices=True),
    Row("hold", "i", _HOLD.description, n.read_hold, n.write_hold, parameter=_HOLD),
    *map(v.parameter_row, _PLAIN),
    Row("track/play", "", "resynthesis: plays the patch's track on from where it stands, after the end from the beginning", act=t.play),
    Row("track/stop", "", "resynthesis: stops the track where it is", act=t.stop),
    Row("track/position", "f", "resynthesis: where in the track it is; a number jumps there", t.read_position, t.write_position,
        parameter=t.POSITION, is_live=True),
    Row("track/position/normalized", "f", "resynthesis: where in the track it is, 0 its beginning and 1 its end, for a fader", t.read_share,
        t.write_share, parameter=t.SHARE, is_live=True),
    Row("track/position/text", "s", "resynthesis: where in the track it is and how long that is, for a label", t.read_text, is_live=True),
    Row("track/length", "f", "resynthesis: how many seconds the track lasts; 0 while there is none", t.read_length, is_live=True),
    Row("track/name", "s", "resynthesis: what is heard, the name of the track or `live`", t.read_name),
    Row("point", "s", "sends the latents to a named point of the patch", p.read_point, p.write_point),
    Row("point/seconds", "f", "time in which a point is reached", *p.remembered("point_seconds", p.POINT_SECONDS), parameter=p.POINT_SECONDS),
    Row("point/{}", "", "sends the latents to that point, for a button", act=a.point, keys=a.points, placeholder="NAME"),
    Row("morph", "f", "moves the latents along the line between two points", p.read_morph, p.write_morph, parameter=p.MORPH),
    Row("morph/from", "s", "the point at 0 of that line; the patch's first until set", p.read_morph_from, p.write_morph_from),
    Row("morph/to", "s", "the point at 1 of that line; the patch's second until set", p.read_morph_to, p.write_morph_to),
    Row("snapshot/{}/store", "", "remembers every value of the part, 1 to 32", act=a.store_snapshot, keys=a.snapshots, placeholder="K"),
    Row("snapshot/{}/recall", "", "sends every value back to where it was stored", act=a.recall_snapshot, keys=a.snapshots, placeholder="K"),
    Row("snapshot/stored", "i" * N_SNAPSHOTS, "1 for each snapshot that is stored", p.read_stored),
    Row("snapshot/seconds", "f", "time in which a snapshot is reached", *p.remembered("snapshot_seconds", p.SNAPSHOT_SECONDS),
        parameter=p.SNAPSHOT_SECONDS),
    Row("midi/learn", "s", "waits for a control to move, which then moves that address; an empty text ends the waiting", m.read_learn, m.write_learn),
    Row("midi/learned", "s", "the controls, each with the address that it moves", m.read_learned),
    Row("midi/forget", "s", "lets no control move that address any more", write=m.write_forget),
    Row("panic", "", "silences the part at once; gate 1 goes on", act=a.panic),
    Row("close", "", "ends the part; part 1 always exists", act=a.close),
)
_WHOLE: tuple[Row, ...] = (
    *(v.master_row(parameter) for parameter in MASTER_PARAMETERS if parameter.description),
    Row("panic", "", "silences every part at once", act=a.panic_all),
    Row("midi", "m", "plays a MIDI message, as if a keyboard had sent it", write=m.write_midi),
    Row("record", "i", "records what is heard (1), until told to stop (0)", rec.read_record, rec.write_record, parameter=_SWITCH),
    Row("record/start", "", "begins a recording, in a file of that name (.wav or .flac) in your music folder; /done names it when it ends",
        act=rec.start, named=rec.start_named),
    Row("record/stop", "", "ends the recording", act=rec.stop),
    Row("record/file", "s", "the file that is being recorded, or nothing", rec.read_file),
    Row("patches", "s", "the names of all patches, in order", p.read_patches),
    Row("patches/{}/name", "s", "the name of one patch, for a label", p.read_patches_name, keys=a.patches, placeholder="K"),
    Row("scene", "s", "switches all parts to a scene of the set list, by its name", s.read_scene, s.write_scene),
    Row("scene/index", "i", "switches to a scene by its place in the set list", s.read_scene_index, s.write_scene_index, parameter=_PLACE),
    Row("scene/select/{}", "", "switches to the scene at that place, for a button", act=s.select_scene, keys=s.scenes, placeholder="K",
        shows=s.read_selected_scene),
    Row("scene/next", "", "switches to the next scene; the last is the end", act=s.next_scene),
    Row("scene/previous", "", "switches to the scene before", act=s.previous_scene),
    Row("scene/store", "s", "keeps what all parts play now as the scene of that name, in setlist.yaml in your folder", s.read_scene, s.store_scene),
    Row("scene/update", "", "keeps what all parts play now in the scene that was chosen last, for a button", act=s.update_scene),
    Row("scene/note", "s", "the note to the performer in the scene that was chosen last", s.read_scene_note, s.write_scene_note),
    Row("scene/seconds", "f", "time in which the scene that was chosen last is reached; 0 is a patch switch's", s.read_scene_seconds,
        s.write_scene_seconds, parameter=s.SCENE_SECONDS),
    Row("scenes", "s", "the names of all scenes, in order", s.read_scenes),
    Row("scenes/{}/name", "s", "the name of one scene, for a label", s.read_scenes_name, keys=s.scenes, placeholder="K"),
    Row("scenes/{}/note", "s", "the note of one scene, for a label", s.read_scenes_note, keys=s.scenes, placeholder="K"),
    Row("addresses", "s", "every address there is now, in several messages where they are many", p.read_addresses),
    Row("status", "s", "names and figures in turn: parts, voices, notes shed under overload, load, underruns, latency ...", p.read_status),
    Row("levels", "ff", "loudest sample of left and right in the last moment, in dB; who asks for the first time in 10 s gets silence",
        p.read_levels, is_live=True),
    Row("spectrum", "f" * N_BANDS, f"what is heard: the power of {N_BANDS} bands in dB, from {LOWEST_HZ:g} to {HIGHEST_HZ:g} Hz, each as much wider "
        "than the one before", p.read_spectrum, is_live=True),
    Row("version", "s", "the version of the program", p.read_version),
    Row("notify", "ii", "1: the sender is told of every change, at its own port or the one named second; 0: no more", r.read_notify, r.write_notify,
        parameter=_SWITCH, least=1, of_sender=True),
    Row("sync", "i", "answered by /synced with the same number once everything sent before was done", r.read_sync, r.write_sync, of_sender=True),
    Row("timetags", "i", "heeds (1) or ignores (0) the time tags of whoever sends this: then bundles happen as they arrive", r.read_timetags,
        r.write_timetags, parameter=_SWITCH, of_sender=True),
)
# fmt: on


def _with_beside(rows: tuple[Row, ...]) -> Iterator[Row]:
    for row in rows:
        yield row
        if row.parameter and row.parameter.continuous and row.types == "f" and row.write:
            yield from v.beside(row)


PART_ROWS = tuple(_with_beside(_PART))
WHOLE_ROWS = tuple(_with_beside(_WHOLE))


def rows(prefix: str = "/oscsynth") -> Iterator[tuple[str, str, str, str]]:
    """Yield for each row the address, what it takes, its range with unit, and what it does; as a person reads it."""
    for row in (*PART_ROWS, *WHOLE_ROWS):
        yield f"{prefix}/{row.path.replace('{}', row.placeholder)}", row.takes_types, row.range, row.description


class Route(NamedTuple):
    """Where one address leads; ``reply`` is the address on which a question is answered, ``named`` says that another form comes first."""

    part: Part
    row: Row
    key: int
    reply: str
    named: bool


def find(part: Part, below: str) -> tuple[Row | None, int]:
    """Return the row and the key of an address below a part, with no row for one that it does not have."""
    for row in PART_ROWS:
        if row.keys is None:
            if row.path == below:
                return row, 0
            continue
        before, _, after = row.path.partition("{}")
        if below.startswith(before) and below.endswith(after):
            key = row.keys(part).get(below[len(before) : len(below) - len(after)])
            if key is not None:
                return row, key
    return None, 0


def routes(part: Part, prefix: str) -> dict[str, Route]:
    """Return every address of a part, or of the whole (part 0), as it is now; part 1 has the short form and the long one."""
    long = f"{prefix}/part/{part.number}/" if part.number else f"{prefix}/"
    short = f"{prefix}/" if part.number <= 1 else long
    found: dict[str, Route] = {}
    for row in PART_ROWS if part.number else WHOLE_ROWS:
        keys = set()
        for label, key in row.keys(part).items() if row.keys else (("", 0),):
            below = row.path.replace("{}", label)
            found.setdefault(short + below, Route(part, row, key, short + below, key in keys))
            keys.add(key)
    if long != short:
        found.update({long + address[len(short) :]: route for address, route in list(found.items())})
    return found
