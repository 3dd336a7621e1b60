"""What messages do: parts, patches and values. No I/O; the same for the live server and for offline rendering.

Control process, one thread. Writes `parameters.State`; the caller hands that to the engine when `changed` says so.
"""

from __future__ import annotations

import difflib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..analysis import SILENCE
from ..metadata import Metadata
from ..parameters import MAX_PARTS, State
from ..patch import Patch
from .addresses import Route, find, routes
from .arrange import dress
from .midi import Translator
from .osc import Argument, Bundle, Message, Midi, messages
from .part import Part, Request
from .patterns import Tree, is_pattern
from .row import Refused, fires
from .scenes import Scenes
from .shelf import RequestLoad, Shelf, Version
from .voices import Voices

if TYPE_CHECKING:
    from .clients import Clients
    from .recording import Studio

_MAX_TEXTS = 90  # in one reply, so that it fits into a packet that any system sends
_MAX_PATTERNS = 256
_MAX_SENTENCES = 16  # to one packet: then unknown addresses are no longer compared with all there are
# What one packet may ask for: each text or number of an answer and each address that a pattern means counts as one.
MAX_EFFORT = 8192
_SEARCH_EFFORT = 512
_BESIDE = ("/normalized", "/text", "/name")
_PART_ADDRESS = re.compile(r"part/(\d{1,9})(?:/(.+))?")


class Reply(NamedTuple):
    """A message to whoever sent the one that it answers."""

    address: str
    arguments: tuple[Any, ...]


class Instrument:
    """Parts 1 to 8, the patches they can play, and every address.

    Parameters
    ----------
    request_load : callable
        Given a number and a patch, has the engine load it (answered through `loaded`); given a number and None, has it forget that one.
    state : State, optional
        As an earlier control left it.
    status : callable, optional
        What ``/status`` answers beside the parts: names with figures or texts.
    seconds : callable, optional
        The clock that notes are stamped with.
    heard : callable, optional
        The figures of what is heard now, as `analysis` has them: levels, then bands, in dB.

    Attributes
    ----------
    changed : bool
        The state has changed since the caller last set this to False.
    noted : bool
        The same of what goes into `notes`.
    written : dict or None
        What is performed for later leaves its numbers here: the place in the state, and the value, whether it is another there or not.
    moment_seconds : float or None
        When that is; None: now.
    drops_notes : bool
        What is performed comes too late for a note to begin.
    untimed : dict
        Those whose time tags are ignored, as `client_of` names them; the oldest first.
    """

    def __init__(
        self,
        request_load: RequestLoad,
        state: State | None = None,
        prefix: str = "/oscsynth",
        status: Callable[[], Mapping[str, Any]] = dict,
        seconds: Callable[[], float] = time.monotonic,
        heard: Callable[[], Sequence[float]] = lambda: SILENCE,
    ) -> None:
        self.state = state or State()
        self.prefix = prefix
        self.shelf = Shelf(request_load)
        self.changed = True
        self.noted = True
        self.travellers: list[Part] = []
        self.written: dict[int, float] | None = None
        self.untimed: dict[Any, None] = {}
        self._asking: tuple[str, Any] = "", None  # the address and the sender of the message that is being done
        self.moment_seconds: float | None = None
        self.drops_notes = False
        self._seconds = seconds
        self.voices = Voices(self)
        self.whole = Part(self, 0)
        self.scenes = Scenes(self)
        self.parts: dict[int, Part] = {1: Part(self, 1)}
        self.midi = Translator(self)
        self._status = status
        self.heard = heard
        self._own_answers = {f"{prefix}/{name}" for name in ("fail", "done", "late", "synced")}
        self.clients: Clients | None = None
        self.studio: Studio | None = None  # where recordings are made
        self.kept_clients: list[dict[str, Any]] = []  # of an earlier control
        self.watch: Callable[[Route, Any, bool], None] | None = None  # told of each route, its sender, and whether it was more than a question
        self._replies: list[Reply] = []
        self._effort = 0
        self._routes: dict[str, Route] = {}
        self._routes_of: dict[int, dict[str, Route]] = {}
        self._tree: Tree | None = None
        self._patterns: dict[str, list[Route]] = {}

    # ---- messages

    def perform(self, packet: Message | Bundle, sender: Any = None, terse: bool = False) -> list[Reply]:
        """Do what a packet says, and return the replies to its sender; ``terse``: without sentences, for one who has had too many."""
        replies: list[Reply] = []
        self._replies = replies
        self._effort = 0
        for message in (packet,) if isinstance(packet, Message) else messages(packet):
            try:
                self._perform(message, sender, terse or len(replies) > _MAX_SENTENCES)
            except Refused as refused:
                replies.append(self.fail(message.address, str(refused)))
        self._end_journeys()
        return replies

    def _end_journeys(self) -> None:
        """Let what is set from here on be no part of what has begun."""
        for part in self.travellers:
            part.travelling = False
        self.travellers.clear()

    def _perform(self, message: Message, sender: Any, terse: bool) -> None:
        address, arguments = message
        route = self._routes.get(address)
        if route is None:
            self._perform_other(message, sender, terse)
        else:
            self._apply(route, address, arguments, sender)

    def _apply(self, route: Route, address: str, arguments: Sequence[Argument], sender: Any) -> None:
        part, row, key, reply, _ = route
        self._asking = address, sender
        if row.act is not None:
            if row.named is not None and arguments and isinstance(arguments[0], str) and arguments[0] != "bang":
                row.named(part, arguments[0])
            elif fires(arguments):
                row.act(part, key)
        elif not arguments:
            if row.read is None:
                raise Refused(f"takes {row.takes}, and cannot be asked")
            self._answer(route, reply)
        elif row.write is None:
            raise Refused("can only be asked: send it without arguments")
        else:
            row.write(part, key, row.coerce(arguments))
        if self.watch is not None:
            self.watch(route, sender, bool(arguments) or row.act is not None)

    def play_midi(self, midi: Midi) -> None:
        """Do what a MIDI message means, as part of the packet that is being done."""
        sender = self.sender
        for message in self.midi.translate(midi):
            try:
                self._perform(message, sender, True)
            except Refused as refused:
                self._replies.append(self.fail(message.address, str(refused)))

    @property
    def now_seconds(self) -> float:
        """When what is being done happens."""
        return self._seconds() if self.moment_seconds is None else self.moment_seconds

    @property
    def sender(self) -> Any:
        """Who sent the message that is being done."""
        return self._asking[1]

    def request(self) -> Request:
        """Return with which address the message came that is being done, and from whom."""
        return Request(*self._asking)

    def client_of(self, sender: Any) -> Any:
        """Return what a sender is known by: where it is told of changes, otherwise where it sends from."""
        return self.clients.where(sender) if self.clients else sender

    def reply(self, name: str, *arguments: Any) -> None:
        """Reply to the message that is being done, on an address below the prefix."""
        self._replies.append(Reply(f"{self.prefix}/{name}", arguments))

    def _answer(self, route: Route, address: str) -> None:
        assert route.row.read is not None
        answer = route.row.read(route.part, route.key)
        self._exert(len(answer))
        if len(answer) <= _MAX_TEXTS or not isinstance(answer[0], str):
            self._replies.append(Reply(address, answer))
            return
        self._replies += [Reply(address, answer[at : at + _MAX_TEXTS]) for at in range(0, len(answer), _MAX_TEXTS)]

    def _exert(self, effort: int) -> None:
        self._effort += effort
        if self._effort > MAX_EFFORT:
            raise Refused(f"one packet may ask for {MAX_EFFORT} values, and this one has: send the rest in another")

    def _perform_other(self, message: Message, sender: Any, terse: bool) -> None:
        address, arguments = message
        if not self._routes:
            self.routes()
            if address in self._routes:
                self._apply(self._routes[address], address, arguments, sender)
                return
        if is_pattern(address):
            self._perform_pattern(address, arguments, sender)
        elif address not in self._own_answers and not self._create(message, sender):
            raise Refused("there is no such address" if terse else self.unknown(address))

    def _perform_pattern(self, pattern: str, arguments: Sequence[Argument], sender: Any) -> None:
        found = self._patterns.get(pattern)
        if found is None:
            self._exert(_SEARCH_EFFORT)
            found = self._find(pattern)
        self._exert(len(found))
        if not found:
            raise Refused("the pattern fits no address; send /oscsynth/addresses for the list")
        for route in found:
            try:
                self._apply(route, route.reply, arguments, sender)
            except Refused as refused:
                self._replies.append(self.fail(route.reply, str(refused)))

    def _find(self, pattern: str) -> list[Route]:
        table = self.routes()
        if self._tree is None:
            self._tree = Tree(table)
        # An address has several forms, and each place is meant once.
        meant = {(route.part.number, id(route.row), route.key): route for route in reversed([table[address] for address in self._tree.find(pattern)])}
        found = [route for route in reversed(meant.values()) if not route.row.of_sender]
        # Who asks for everything does not want to press every button as well.
        if any(route.row.act is None for route in found):
            found = [route for route in found if route.row.act is None]
        if len(self._patterns) >= _MAX_PATTERNS:
            self._patterns.clear()
        self._patterns[pattern] = found
        return found

    def fail(self, address: str, sentence: str) -> Reply:
        """Return the reply that says why something cannot be done."""
        return Reply(f"{self.prefix}/fail", (address, sentence))

    def unknown(self, address: str) -> str:
        """Return the sentence about an address that is not there, with the nearest that is."""
        below = address[len(self.prefix) + 1 :] if address.startswith(self.prefix + "/") else ""
        if (found := _PART_ADDRESS.fullmatch(below)) is not None and int(found[1]) not in self.parts:
            number = int(found[1])
            if not 1 <= number <= MAX_PARTS:
                return f"there is no part {number}: parts are 1 to {MAX_PARTS}"
            return f"part {number} does not exist: {self.prefix}/part/{number}/patch NAME creates it"
        # Held against what comes below the prefix: a long beginning that all share makes everything look near.
        names = [known[len(self.prefix) + 1 :] for known in self.routes()]
        in_part = f"part/{found[1] if found else ''}"
        is_beside = bool(difflib.get_close_matches(address.rpartition("/")[2][:80], ("normalized", "text", "name"), 1, 0.7))
        known = [name for name in names if name.startswith(in_part) == bool(found) and name.endswith(_BESIDE) == is_beside]
        close = difflib.get_close_matches((below or address[1:])[:80], known, 1, 0.6)
        if close:
            return f"there is no such address, the nearest is {self.prefix}/{close[0]}"
        return f"there is no such address; {f'{self.prefix}/addresses lists them all' if below else f'all begin with {self.prefix}/'}"

    # ---- parts

    def routes(self) -> dict[str, Route]:
        """Return every address as it is now."""
        if not self._routes:
            for part in (*self.parts.values(), self.whole):
                if part.number not in self._routes_of:
                    self._routes_of[part.number] = routes(part, self.prefix)
                self._routes.update(self._routes_of[part.number])
        return self._routes

    def part_changed(self, part: Part) -> None:
        """Have the addresses of a part made anew, as its names may be others."""
        self._routes_of.pop(part.number, None)
        self._routes, self._tree, self._patterns = {}, None, {}
        self.noted = True

    def _create(self, message: Message, sender: Any) -> bool:
        """Let a part come to be if the message is one that says so."""
        found = _PART_ADDRESS.fullmatch(message.address.removeprefix(self.prefix + "/"))
        if found is None or not 1 <= int(found[1]) <= MAX_PARTS or int(found[1]) in self.parts:
            return False
        part = Part(self, int(found[1]))
        route = routes(part, self.prefix).get(message.address)
        if route is None or not route.row.creates or (route.row.act is None and not message.arguments):
            return False
        if route.row.act is not None and not fires(message.arguments):
            return True
        part.reset()
        self.parts[part.number] = part
        try:
            self._apply(route, message.address, message.arguments, sender)
        except Refused:
            del self.parts[part.number]
            raise
        self.part_changed(part)
        return True

    def part(self, number: int) -> Part:
        """Return a part; it comes to be if there is none, and should get a patch then."""
        if number not in self.parts:
            self.parts[number] = part = Part(self, number)
            part.reset()
            self.part_changed(part)
        return self.parts[number]

    def put(self, part: Part, address: str, arguments: Sequence[Argument]) -> None:
        """Set a value of a part by its address below the part.

        Raises
        ------
        Refused
            When there is no such value or it takes something else.
        """
        row, key = find(part, address)
        if row is None or row.write is None:
            raise Refused("there is no such value")
        row.write(part, key, row.coerce(arguments))

    def close(self, part: Part) -> None:
        """End a part; what sounds fades out."""
        part.close()
        del self.parts[part.number]
        self.part_changed(part)

    def status(self) -> dict[str, Any]:
        """Return what ``/status`` answers."""
        playing = {f"part/{number}": part.version.patch.name if part.version else "" for number, part in sorted(self.parts.items())}
        return {"parts": len(self.parts), **playing, **self._status()}

    # ---- patches

    def switch(self, part: Part, name: str) -> None:
        """Let a part play a patch, as soon as that is loaded; the newest request wins.

        Raises
        ------
        Refused
            When there is no such patch or it cannot be played.
        """
        version = self.shelf.ready(name)
        part.expect(name, self.request())
        if version is None:
            self.part_changed(part)
            return
        self.take(part, version)
        self._replies.append(self._done(part))  # to the sender of the packet that is being done

    def take(self, part: Part, version: Version) -> list[str]:
        """Let a part play a version that is ready, as it was arranged if it was; return what of that cannot be done."""
        faults: list[str] = []
        if (arrangement := part.arrangement) is None:
            part.take(version)
        else:
            part.travel(arrangement.seconds)
            part.take(version, lambda: faults.extend(dress(part, arrangement)))
        return faults

    def _done(self, part: Part) -> Reply:
        assert part.version is not None and part.request is not None
        return Reply(f"{self.prefix}/done", (part.request.address, part.version.patch.name))

    def start(self, name: str) -> None:
        """Let part 1 play a patch as the program starts; another than those there are is refused as in `switch`."""
        self._asking = f"{self.prefix}/patch", None
        self.switch(self.parts[1], name)

    def set_patches(self, patches: Mapping[str, Patch]) -> None:
        """Take over which patches there are, by name and in order; each is played once it was offered."""
        if self.shelf.set_patches(patches):
            for part in (*self.parts.values(), self.whole):
                self.part_changed(part)

    def offer(self, patch: Patch, metadata: Metadata | None, stamp: str = "") -> list[tuple[Any, Reply]]:
        """Have a checked patch loaded; ``stamp`` differs when the decoder's file does. Returns what `loaded` returns."""
        self.noted = True
        arrived = self.shelf.offer(patch, metadata, stamp)
        return self._arrive(arrived) if arrived else []

    def refuse(self, name: str, fault: str) -> list[tuple[Any, Reply]]:
        """Remember why a patch cannot be played; return the replies to those who wait for it, each with its sender."""
        self.shelf.refuse(name, fault)
        return self._give_up(name, fault)

    def loaded(self, number: int, error: str = "") -> list[tuple[Any, Reply]]:
        """Take the engine's answer; return the replies to those who waited for it, each with its sender."""
        answer = self.shelf.loaded(number, error)
        if answer is None:
            return []
        version, error = answer
        return self._give_up(version.patch.name, error) if error else self._arrive(version)

    def load_again(self) -> None:
        """Ask a new engine for everything, what sounds or is awaited first; it begins where the last journeys were to end."""
        for part in self.parts.values():
            part.set("travel", 0.0)
        self.shelf.load_again(self.sounding(), [part.wanted for part in self.parts.values() if part.wanted])

    def forget(self) -> None:
        """Have the engine drop what no part plays any more; some time after the switch, which the engine may not have seen yet."""
        self.shelf.forget(self.sounding())

    def sounding(self) -> list[Version]:
        """Return what the parts play."""
        return [part.version for part in self.parts.values() if part.version]

    def _arrive(self, version: Version) -> list[tuple[Any, Reply]]:
        replies: list[tuple[Any, Reply]] = []
        for part in self.parts.values():
            if part.wanted == version.patch.name:
                faults = self.take(part, version)
                if part.request is not None:
                    replies.append((part.request.sender, self._done(part)))
                    replies += [(part.request.sender, self.fail(part.request.address, fault)) for fault in faults]
            elif part.version is not None and part.version.patch.name == version.patch.name and part.version is not version:
                part.reload(version)
        self._end_journeys()
        return replies

    def _give_up(self, name: str, fault: str) -> list[tuple[Any, Reply]]:
        replies = []
        for part in list(self.parts.values()):
            if part.wanted != name:
                continue
            part.wanted, part.arrangement = "", None
            if part.request is not None:
                replies.append((part.request.sender, self.fail(part.request.address, f"the patch {name} cannot be played: {fault}")))
            if part.version is None and part.number > 1:
                self.close(part)
        return replies
