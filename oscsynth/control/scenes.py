"""Scenes: the set list as control holds it, and what the addresses about it do.

Control process, one thread; functions of a part and a key, for the rows of `addresses`, as in `values`. The file is somebody else's: what is
to be kept is handed to `Scenes.keep`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..parameters import Parameter
from ..scene import MAX_FADE_SECONDS, Scene
from .arrange import arrange, scene_of
from .part import Part
from .row import Answer, Refused
from .shelf import nearest

if TYPE_CHECKING:
    from .instrument import Instrument

SCENE_SECONDS = Parameter("scene/seconds", 0, MAX_FADE_SECONDS, 0, "s", curve="cubic")
_MAX_SCENES = 512
_MAX_TEXT = 200


class Scenes:
    """The scenes there are, in order.

    Attributes
    ----------
    current : str
        The name of the one that was chosen or stored last.
    keep : callable or None
        Given a scene, has it written to the set list; None where there is no file to write.
    fault : str
        What is wrong with the file: then it is not written.
    """

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self.all: tuple[Scene, ...] = ()
        self.current = ""
        self.keep: Callable[[Scene], None] | None = None
        self.fault = ""

    @property
    def names(self) -> list[str]:
        """The names in order."""
        return [scene.name for scene in self.all]

    def set(self, scenes: Sequence[Scene]) -> None:
        """Take over which scenes there are; nothing sounds otherwise for it."""
        if tuple(scenes) != self.all:
            self.all = tuple(scenes)
            self._instrument.part_changed(self._instrument.whole)

    def place(self) -> int:
        """Return the place of the current one from 0, -1 if there is none."""
        return self.names.index(self.current) if self.current in self.names else -1

    def chosen(self) -> Scene:
        """Return the current one.

        Raises
        ------
        Refused
            When there is none.
        """
        if (place := self.place()) < 0:
            raise Refused("no scene was chosen yet")
        return self.all[place]

    def find(self, name: str) -> int:
        """Return the place of a scene from 0."""
        names = self.names
        if name not in names:
            raise Refused(f"there is no scene {name!r}{nearest(name, names)}{'; send /oscsynth/scenes for the list' if names else _NONE}")
        return names.index(name)

    def recall(self, place: int) -> None:
        """Let all parts play what a scene says, those not in it nothing."""
        instrument, scene = self._instrument, self.all[place]
        faults = arrange(instrument, scene.parts, scene.fade_seconds, instrument.request())
        self.current = scene.name
        instrument.noted = True
        if not any(instrument.parts[number].wanted for number in scene.parts if number in instrument.parts):
            instrument.reply("done", instrument.request().address, scene.name)
        for fault in faults:
            instrument.reply("fail", instrument.request().address, f"scene {scene.name}: {fault}")

    def store(self, name: str) -> None:
        """Keep what all parts play now as a scene, with the note and the time of the one it replaces."""
        parts = {number: kept for number, part in sorted(self._instrument.parts.items()) if (kept := scene_of(part)) is not None}
        if not parts:
            raise Refused("nothing plays that could be kept")
        old = next((scene for scene in self.all if scene.name == name), Scene(name, {}))
        self.change(replace(old, parts=parts))
        self.current = name

    def change(self, scene: Scene) -> None:
        """Put a scene in the place of the one of its name, or at the end, here and in the file."""
        if self.keep is None:
            raise Refused("there is no folder of yours to keep it in")
        if self.fault:
            raise Refused(f"setlist.yaml has faults, and is not written over: {self.fault}")
        if scene.name not in self.names and len(self.all) >= _MAX_SCENES:
            raise Refused(f"there are {_MAX_SCENES} scenes already: take one out of setlist.yaml")
        names = self.names
        self.set([scene if each.name == scene.name else each for each in self.all] + [scene] * (scene.name not in names))
        self._instrument.noted = True
        self.keep(scene)


_NONE = "; there are none yet: /oscsynth/scene/store NAME keeps what plays now as the first"


def scenes(part: Part) -> dict[str, int]:
    """Return the keys of the scenes: their places from 1."""
    return {str(index + 1): index for index in range(len(part.instrument.scenes.all))}


def read_scene(part: Part, key: int) -> Answer:
    """Return the name of the scene that was chosen last."""
    return (part.instrument.scenes.current,)


def write_scene(part: Part, key: int, values: Sequence[Any]) -> None:
    """Choose a scene by its name."""
    part.instrument.scenes.recall(part.instrument.scenes.find(values[0]))


def read_scene_index(part: Part, key: int) -> Answer:
    """Return its place in the list, from 1; 0 while there is none."""
    return (part.instrument.scenes.place() + 1,)


def write_scene_index(part: Part, key: int, values: Sequence[Any]) -> None:
    """Choose a scene by its place in the list."""
    count = len(part.instrument.scenes.all)
    if not count:
        raise Refused(f"there is no scene{_NONE}")
    part.instrument.scenes.recall(min(max(values[0], 1), count) - 1)


def read_selected_scene(part: Part, key: int) -> Answer:
    """Return 1 if the scene at that place is the one that was chosen."""
    return (int(part.instrument.scenes.place() == key),)


def select_scene(part: Part, key: int) -> None:
    """Choose the scene at a place."""
    part.instrument.scenes.recall(key)


def next_scene(part: Part, key: int) -> None:
    """Choose the scene after this one, the first if none was chosen."""
    _step(part, 1)


def previous_scene(part: Part, key: int) -> None:
    """Choose the scene before this one."""
    _step(part, -1)


def _step(part: Part, step: int) -> None:
    scenes = part.instrument.scenes
    if not scenes.all:
        raise Refused(f"there is no scene{_NONE}")
    place = scenes.place() + step
    # On stage the end of the set is an end: it does not begin anew under a foot that presses once too often.
    if not 0 <= place < len(scenes.all):
        raise Refused(f"{scenes.current} is the last scene" if step > 0 else f"{scenes.current or 'nothing'} is the first scene")
    scenes.recall(place)


def store_scene(part: Part, key: int, values: Sequence[Any]) -> None:
    """Keep what plays now under a name."""
    name = str(values[0]).strip()
    if not name or not name.isprintable() or len(name) > _MAX_TEXT:
        raise Refused(f"a scene needs a name, one line of printable text, at most {_MAX_TEXT} letters")
    part.instrument.scenes.store(name)
    part.instrument.reply("done", part.instrument.request().address, name)


def update_scene(part: Part, key: int) -> None:
    """Keep what plays now as the current scene."""
    name = part.instrument.scenes.chosen().name
    part.instrument.scenes.store(name)
    part.instrument.reply("done", part.instrument.request().address, name)


def read_scene_note(part: Part, key: int) -> Answer:
    """Return the current scene's note."""
    scenes = part.instrument.scenes
    return (scenes.all[scenes.place()].note if scenes.place() >= 0 else "",)


def write_scene_note(part: Part, key: int, values: Sequence[Any]) -> None:
    """Change the current scene's note."""
    scenes = part.instrument.scenes
    if not values[0].isprintable() or len(values[0]) > _MAX_TEXT:
        raise Refused(f"a note is one line of printable text, at most {_MAX_TEXT} letters")
    scenes.change(replace(scenes.chosen(), note=values[0]))


def read_scene_seconds(part: Part, key: int) -> Answer:
    """Return the time in which the current scene is reached."""
    scenes = part.instrument.scenes
    return (float(scenes.all[scenes.place()].fade_seconds) if scenes.place() >= 0 else 0.0,)


def write_scene_seconds(part: Part, key: int, values: Sequence[Any]) -> None:
    """Change the time in which the current scene is reached."""
    scenes = part.instrument.scenes
    scenes.change(replace(scenes.chosen(), fade_seconds=SCENE_SECONDS.clamp(values[0])))


def read_scenes(part: Part, key: int) -> Answer:
    """Return the names of all scenes, in order."""
    return tuple(part.instrument.scenes.names)


def read_scenes_name(part: Part, key: int) -> Answer:
    """Return the name of one scene."""
    return (part.instrument.scenes.all[key].name,)


def read_scenes_note(part: Part, key: int) -> Answer:
    """Return the note of one scene."""
    return (part.instrument.scenes.all[key].note,)
