"""The command line's side of OSC: send one message, wait for what comes back.

For ``oscsynth send`` and ``oscsynth monitor`` alone; imports ``errors``. python-osc builds and reads the packets, so that two codecs that know
nothing of each other meet here.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator, Sequence

from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from .errors import OscsynthError

PREFIX = "/oscsynth"
_PING = f"{PREFIX}/version"
Argument = int | float | str
Reply = tuple[str, tuple[object, ...]]
LINGER_SECONDS = 0.1  # what a message sets off may answer a little after the message itself


def parse_argument(text: str) -> Argument:
    """Return what a word of the command line means: a whole number, a number, or text; text in quotes of its own stays text.

    >>> parse_argument("1"), parse_argument("0.5"), parse_argument("A"), parse_argument('"7"')
    (1, 0.5, 'A', '7')
    """
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


def full_address(address: str) -> str:
    """Return an address with its slash and the prefix.

    >>> full_address("latent/1"), full_address("/oscsynth/gate")
    ('/oscsynth/latent/1', '/oscsynth/gate')
    """
    address = "/" + address.lstrip("/")
    return address if address == PREFIX or address.startswith(PREFIX + "/") else PREFIX + address


class Client:
    """A socket that speaks to one daemon; in a ``with`` it closes itself."""

    def __init__(self, host: str, port: int) -> None:
        self.place = f"{host}:{port}"
        try:
            family, kind, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, kind)
            # Connected, so that a port at which nobody listens says so.
            self._socket.connect(where)
        except OSError as error:
            raise OscsynthError(f"{self.place} cannot be reached: {error.strerror or error}") from error

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the socket go."""
        self._socket.close()

    def send(self, address: str, arguments: Sequence[Argument] = ()) -> None:
        """Send one message.

        Raises
        ------
        OscsynthError
            When nobody listens there, or the message does not fit into a packet.
        """
        builder = OscMessageBuilder(address)
        for argument in arguments:
            fits = isinstance(argument, int) and -(2**31) <= argument < 2**31
            builder.add_arg(argument, "i" if fits else "h" if isinstance(argument, int) else None)  # type: ignore[arg-type, unused-ignore]
        try:
            self._socket.send(builder.build().dgram)
        except ConnectionRefusedError:
            raise self.silence() from None
        except (OSError, ValueError, OverflowError) as error:
            raise OscsynthError(f"{address} cannot be sent: {error}") from error

    def receive(self, seconds: float) -> Iterator[Reply]:
        """Give each message that arrives, for so long.

        Raises
        ------
        OscsynthError
            When nobody listens there.
        """
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                message = OscMessage(self._socket.recv(65536))
            except TimeoutError:
                return
            except ConnectionRefusedError:
                raise self.silence() from None
            except Exception:
                continue
            yield message.address, tuple(message.params)

    def ask(self, address: str, arguments: Sequence[Argument] = (), seconds: float = 0.5) -> list[Reply]:
        """Send a message, then a question that is always answered, and return what came before that answer and shortly after.

        Raises
        ------
        OscsynthError
            When nothing answers at all.
        """
        self.send(address, arguments)
        replies = self._until_version(seconds)
        if address == _PING:
            return replies[:1]
        return replies[:-1] or [reply for reply in self.receive(LINGER_SECONDS) if reply[0] != _PING]

    def ask_all(self, addresses: Sequence[str], seconds: float = 0.5) -> list[Reply]:
        """Send several questions at once and return the answers.

        Raises
        ------
        OscsynthError
            When nothing answers at all.
        """
        for address in addresses:
            self.send(address)
        return self._until_version(seconds)[:-1]

    def _until_version(self, seconds: float) -> list[Reply]:
        """Ask for the version, and return what came up to and with the answer."""
        self.send(_PING)
        replies: list[Reply] = []
        for reply in self.receive(seconds):
            replies.append(reply)
            if reply[0] == _PING:
                return replies
        raise self.silence()

    def silence(self) -> OscsynthError:
        """Return the error that says that nobody is there."""
        return OscsynthError(f"nothing answers on {self.place}: is `oscsynth serve` running?")


def is_fault(reply: Reply) -> bool:
    """Say whether a reply is a ``/fail``."""
    return reply[0].rpartition("/")[2] == "fail"


def text(reply: Reply) -> str:
    """Return a reply as a line: the address and its arguments, or the sentence of a ``/fail`` alone."""
    if is_fault(reply):
        return ": ".join(map(str, reply[1]))
    return " ".join((reply[0], *(f"{argument:.6g}" if isinstance(argument, float) else str(argument) for argument in reply[1])))
