"""What messages do: parts, patches and values. No I/O; the same for the live server and for offline rendering.

Control process, one thread. Writes `parameters.State`; the caller hands that to the engine when `changed` says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..analysis import SILENCE
from ..parameters import MAX_PARTS, State
from .addresses import Route, routes
from .answers import Answers
from .directory import PART_ADDRESS, Directory
from .midi import Translator
from .osc import Argument, Bundle, Message, Midi, messages
from .part import Part, Request
from .patterns import is_pattern
from .repertoire import Repertoire
from .row import Refused, Reply, fires
from .scenes import Scenes
from .shelf import RequestLoad, Shelf
from .voices import Voices

if TYPE_CHECKING:
    from .clients import Clients
    from .recording import Studio

_MAX_SENTENCES = 16  # to one packet: then unknown addresses are no longer compared with all there are
_SEARCH_EFFORT = 512


class Instrument:
    """Parts 1 to 8, the patches they can play, and every address.

    Parameters
    ----------
    request_load : callable
        Given a number and a patch, has the engine load it (answered through `repertoire`); given a number and None, has it forget that one.
    state : State, optional
        As an earlier control left it.
    status : callable, optional
        What ``/status`` answers beside the parts: names with figures or texts.
    seconds : callable, optional
        The clock that notes are stamped with.
    heard : callable, optional
        The figures of what is heard now, as `analysis` has them: levels, then bands, in dB.
    track : callable, optional
        Where in its track a part is, and how long that is, in seconds.

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
        track: Callable[[int], tuple[float, float]] = lambda part: (0.0, 0.0),
    ) -> None:
        self.state = state or State()
        self.prefix = prefix
        self.shelf = Shelf(request_load)
        self.changed = self.noted = True
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
        self.repertoire = Repertoire(self)
        self.directory = Directory(self)
        self.parts: dict[int, Part] = {1: Part(self, 1)}
        self.midi = Translator(self)
        self.figures, self.heard, self.track = status, heard, track
        self._own_answers = {f"{prefix}/{name}" for name in ("fail", "done", "late", "synced")}
        self.clients: Clients | None = None
        self.studio: Studio | None = None  # where recordings are made
        self.kept_clients: list[dict[str, Any]] = []  # of an earlier control
        self.watch: Callable[[Route, Any, bool], None] | None = None  # told of each route, its sender, and whether it was more than a question
        self._answers = Answers()

    # ---- messages

    def perform(self, packet: Message | Bundle, sender: Any = None, terse: bool = False) -> list[Reply]:
        """Do what a packet says, and return the replies to its sender; ``terse``: without sentences, for one who has had too many."""
        self._answers = answers = Answers()
        for message in (packet,) if isinstance(packet, Message) else messages(packet):
            try:
                self._perform(message, sender, terse or len(answers.replies) > _MAX_SENTENCES)
            except Refused as refused:
                answers.add(self.fail(message.address, str(refused)))
        self.end_journeys()
        return answers.replies

    def end_journeys(self) -> None:
        """Let what is set from here on be no part of what has begun."""
        for part in self.travellers:
            part.travelling = False
        self.travellers.clear()

    def _perform(self, message: Message, sender: Any, terse: bool) -> None:
        route = self.directory.known.get(message.address)
        if route is None:
            self._perform_other(message, sender, terse)
        else:
            self._apply(route, *message, sender)

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
            self._answers.answer(route, reply)
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
                self._answers.add(self.fail(message.address, str(refused)))

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
        self._answers.add(Reply(f"{self.prefix}/{name}", arguments))

    def _perform_other(self, message: Message, sender: Any, terse: bool) -> None:
        address, arguments = message
        if not self.directory.known and (route := self.routes().get(address)) is not None:
            self._apply(route, address, arguments, sender)
            return
        if is_pattern(address):
            self._perform_pattern(address, arguments, sender)
        elif address not in self._own_answers and not self._create(message, sender):
            raise Refused("there is no such address" if terse else self.directory.unknown(address))

    def _perform_pattern(self, pattern: str, arguments: Sequence[Argument], sender: Any) -> None:
        found = self.directory.found(pattern)
        if found is None:
            self._answers.exert(_SEARCH_EFFORT)
            found = self.directory.find(pattern)
        self._answers.exert(len(found))
        if not found:
            raise Refused("the pattern fits no address; send /oscsynth/addresses for the list")
        if not arguments:  # who asks for many means those that can be asked
            found = [route for route in found if route.row.read or route.row.act] or found
        for route in found:
            try:
                self._apply(route, route.reply, arguments, sender)
            except Refused as refused:
                self._answers.add(self.fail(route.reply, str(refused)))

    def fail(self, address: str, sentence: str) -> Reply:
        """Return the reply that says why something cannot be done."""
        return Reply(f"{self.prefix}/fail", (address, sentence))

    # ---- parts

    def routes(self) -> dict[str, Route]:
        """Return every address as it is now."""
        return self.directory.routes()

    def part_changed(self, part: Part) -> None:
        """Have the addresses of a part made anew, as its names may be others."""
        self.directory.part_changed(part)
        self.noted = True

    def _create(self, message: Message, sender: Any) -> bool:
        """Let a part come to be if the message is one that says so."""
        found = PART_ADDRESS.fullmatch(message.address.removeprefix(self.prefix + "/"))
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

    def close(self, part: Part) -> None:
        """End a part; what sounds fades out."""
        part.close()
        del self.parts[part.number]
        self.part_changed(part)
