"""docs/osc.md, made from the tables: ``python -m oscsynth.control.docs docs/osc.md``. A test compares the two."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from ..link import MAX_QUEUE_BYTES
from ..parameters import MAX_PART_VOICES, MAX_VOICES, N_VOICE_LATENTS
from .addresses import PART_ROWS, WHOLE_ROWS
from .answers import MAX_EFFORT
from .clients import LEASE_SECONDS, MAX_CLIENTS, MAX_CLIENTS_OF_A_HOST, SETTLE_SECONDS, SWEEP_SECONDS, TICK_SECONDS
from .connection import MAX_CONNECTIONS, MAX_UNREAD_BYTES
from .encoding import MAX_BUNDLE_BYTES
from .framing import MAX_PACKET_BYTES
from .guard import REPLY_BYTES_A_SECOND, REPLY_BYTES_AT_ONCE, SHARE, SHARE_OF_ALL, SUBSCRIPTIONS_A_SECOND, SUBSCRIPTIONS_AT_ONCE
from .osc import MAX_DEPTH
from .part import N_SNAPSHOTS
from .patterns import MAX_LEVELS, MAX_PATTERN
from .punctuality import AHEAD_SECONDS, BEHIND_SECONDS, EVERY_SECONDS, N_TAGS
from .row import Row
from .server import MAX_FAILS_A_SECOND
from .timeline import FARTHEST_SECONDS, LATE_SECONDS, MAX_BUNDLES, MAX_MOMENTS

_INTRODUCTION = f"""# OSC

oscsynth listens for OSC on port 57140, over UDP and TCP. The first message anyone sends is

    /oscsynth/latent/1 0.7

A **part** is one running patch. Part 1 always exists, and its addresses need no `/part/1`; `/oscsynth/part/2/patch NAME` creates
part 2 and `/oscsynth/part/2/close` ends it; there are up to 8. Below, `/oscsynth/` is left out; `K` stands for a number from 1,
`NAME` for a name of the patch, `C` for a note class written C, Cs, D, Ds, E, F, Fs, G, Gs, A, As or B.

**Values and actions.** Each address is one or the other. A *value* without arguments is a question, answered on the same address
(those of part 1 in their short form). An *action* happens on no argument, true, an impulse, the text `bang` or a number of 0.5
and more; it ignores false and numbers below, so a button that sends 1 when pressed and 0 when released happens once. What can
only be asked says so.

**Numbers** may come as any of `i f h d T F`; `f` is rounded where a whole number is meant. They are clamped to their range; NaN
and infinity are refused. `K/normalized` beside a continuous value is the same from 0 to 1, for a fader; `K/text` is a label such
as `-6.0 dB`.

**Answers** go to the address and port from which the message came, or to the port that `/notify` named. What cannot be done is
answered by `/oscsynth/fail ADDRESS SENTENCE` (at most {MAX_FAILS_A_SECOND} a second to one sender), and a patch switch, once it
has happened, by `/oscsynth/done ADDRESS PATCH`.

**Wildcards** work in every level, for setting and for asking: `?` one character, `*` any number, `[a-z]` and `[!a-z]` one of
these or none of them, `{{bow,air}}` one of these words, `//` any number of levels. A pattern that means values and actions alike
leaves the actions alone: `/oscsynth/*` asks for everything and presses no button. A pattern has at most {MAX_PATTERN} characters
and {MAX_LEVELS} levels.

**Bundles** happen at their time tag, to the sample, all messages of a bundle in one instant; the device's latency comes on top, as with
everything. Time tags 0 and 1 mean now. An inner bundle happens at its own time, but never before the outer one; one packet may
hold {MAX_MOMENTS} moments. A bundle may lie
{FARTHEST_SECONDS:g} s ahead at most, and {MAX_BUNDLES} of them ({MAX_QUEUE_BYTES // 1024} KiB) may wait; what is refused is answered
by `/oscsynth/fail`. One that comes after its time happens at once, and is answered by `/oscsynth/late SECONDS` when that was more than
{1000 * LATE_SECONDS:g} ms. Values, answers and feedback change when the moment has come; answers to a bundle are sent then. What waits
outlives a restart of oscsynth's own parts, and is dropped by `panic` (that of a part: what it would change there).

**Clocks.** Time tags are in the time of day of whoever sends them, and two machines' clocks may differ by seconds. A sender of whom
all time tags for more than {(N_TAGS - 1) * EVERY_SECONDS:g} s were more than {1000 * BEHIND_SECONDS:g} ms late, or lay ahead by always
the same, more than {AHEAD_SECONDS:g} s, is told so once by `/oscsynth/fail /oscsynth/timetags SENTENCE` with the figure. Let both
machines take their time from the network, or send `/oscsynth/timetags 0`: then the bundles of that sender happen as they arrive.

**Notes** sound in patches of `mode: notes`; a drone takes its class and octave from them, and never opens its gate for one. `note 60 100` and
`note 60 0` are what Max's makenote and Pd send. `note/on 60.25 0.8` is a quarter tone above middle C; a velocity above 1 is read as 0 to 127,
and 0 releases. A third number is the note's id, any number, its pitch if left out: `note/off/id`, `note/bend`, `note/pressure` and
`note/latent` mean the note that is held under it, in its part, and nothing where there is none any more. A note with the id of one that is
held ends that one. `note/latent 60 0.2 0.7` gives the note under 60 its own first two latents, `note/latent/bow 60 0.7` one by name; a note has
{N_VOICE_LATENTS} of its own, and those that were not set follow the part's. `hold 1` is the pedal down; `gate 0` ends every note, and `panic` lets go
of bends and pedal too. A part sounds as many notes at once as its patch has `voices`, {MAX_PART_VOICES} at most, all parts together
{MAX_VOICES}; the next one takes the place of the one that was released longest ago, then of the quietest.
Notes of a TCP client end when it hangs up, after the last
bundle that it sent; a note that is due while oscsynth is being restarted is left out, its end is not. `chroma` and what belongs to it is refused:
the pitch is the notes'.

**On a patch switch** gain (a trim over the patch's own), pan, width, transpose, gate, chroma, hold and output stay with the part;
latents, envelope, register, glide, breath and points come from the new patch. Notes that are held go on in the new patch, with their ids and bends;
those that are released end under the old one; between a drone and notes everything that is held is released.
What is sent while a patch is still being loaded is meant
for it and is kept. A patch file that is saved while it sounds changes only the keys that were edited.

**Points and snapshots** are reached in the time of `point/seconds` and `snapshot/seconds`; the next ordinary change of a value
acts in its own time again. A snapshot holds every value of its part, but neither its patch, nor its gate, nor its output; there
are {N_SNAPSHOTS} for each part; the next start has them again.

**A scene** is all parts at once, with their patches, values and gates: [scenes.md](scenes.md). All of it changes in one instant; patches
are crossfaded and values arrive in the time of the scene. What `serve` plays when it ends, however it ends, is what it begins with.
"""

_WIRE = f"""## Who is told

`/oscsynth/notify 1` subscribes whoever sends it; `/oscsynth/notify 1 9000` has everything sent to port 9000 of the same machine, answers
too: Max, Pd and most apps listen on another port than they send from. `/oscsynth/notify 0` ends it. `oscsynth serve --feedback
192.168.1.20:9000` subscribes an address for good.

- First, and whenever a part plays another patch, comes every value. Then each change, the latest value, at most
  {1 / TICK_SECONDS:.0f} times a second for each address: to all but the one who moves it, and {1000 * SETTLE_SECONDS:.0f} ms after the last touch
  to everybody. Everything comes again every {SWEEP_SECONDS:.0f} seconds, for what Wi-Fi lost. Setting the value that stands emits nothing.
- Addresses are those of part 1 in their short form, latents by number. Once a client has used a name (`latent/bow`), it is told under the
  name as well.
- Buttons light up: `chroma/A` and `patch/select/3` are told as 1 and 0.
- Several messages come in one bundle (time tag "now", {MAX_BUNDLE_BYTES} bytes at most), because Wi-Fi counts packets.
- Who has sent nothing for {LEASE_SECONDS:.0f} seconds is told no more; any packet renews that. Only the telling ends: what sounds goes on.
  A TCP client is told until it hangs up. There is room for {MAX_CLIENTS} subscribers, {MAX_CLIENTS_OF_A_HOST} for each machine of the network.

`/oscsynth/sync 7` is answered by `/oscsynth/synced 7` when everything sent before has been done.

## The network

Only this computer is heard (127.0.0.1 and ::1) until `oscsynth serve --lan` lets in the networks in which the computer is, or
`--allow 10.1.0.0/16` another one. On a terminal the key n does what `--lan` does, for good; `--no-lan` ends that. Who comes from
elsewhere gets no answer; oscsynth says on the screen who was turned away.

- **TCP** takes up to {MAX_CONNECTIONS} connections, in either framing; the first byte tells which, and answers come alike: the size
  before each packet (OSC 1.0), or SLIP with an END at both ends of each packet (OSC 1.1). A packet has at most {MAX_PACKET_BYTES} bytes.
  Who does not read what it asked for is let go when {MAX_UNREAD_BYTES // 1024} KiB wait.
- **Subscribing** from the network is possible {SUBSCRIPTIONS_AT_ONCE} times at once and then every {1 / SUBSCRIPTIONS_A_SECOND:.0f} seconds.
- **From the network** one address gets at most {100 * SHARE:.0f} % of control's time and all together {100 * SHARE_OF_ALL:.0f} %:
  what is more is dropped, and `dropped` in `/oscsynth/status` counts it. Answers to one address come to
  {REPLY_BYTES_A_SECOND // 1024} KiB a second at most, {REPLY_BYTES_AT_ONCE // 1024} at once, so that a
  false sender's address makes no flood of them. This computer itself has no limits.
- One packet may ask for at most {MAX_EFFORT} values.
"""

_OSCQUERY = """## For apps: OSCQuery and discovery

Apps that speak [OSCQuery](https://github.com/Vidvox/OSCQueryProposal) find everything by themselves: the tree of all addresses, with
types, ranges, units and values, is at `http://127.0.0.1:57141/` (the port after OSC's; `--http-port N` takes another, 0 none). A browser
is given the page there instead, which is an OSCQuery client like any other.
`/oscsynth/gain?VALUE` asks for one attribute: FULL_PATH, CONTENTS, TYPE, ACCESS, VALUE, RANGE, DESCRIPTION, UNIT or CLIPMODE;
`?HOST_INFO` says where OSC goes. A node without that attribute answers 204, an attribute that nobody knows 400, an address that is not
there 404. An action has the type I and can only be written. The addresses of part 1 stand there in their short form.

Over WebSocket, on the same port, `{"COMMAND": "LISTEN", "DATA": "/oscsynth/gain"}` brings the value as an OSC packet, at once and then at
each change, 30 times a second at most; `IGNORE` ends it. When a patch is switched, PATH_REMOVED and PATH_ADDED name what went and came,
and PATH_CHANGED with `/` says that names, ranges and choices are to be read again. A binary message is an OSC packet: it is played, and
answered on the same stream, where `notify 1` has everything told too.

What is heard comes as float32 samples, left and right in turn, over a WebSocket at `/page/sound`; a text before them says their rate.

Only IP addresses and this computer's own names are answered as Host, and only its own pages as Origin, so that no page on the web can
reach the instrument through your browser.

The instrument announces itself as `_osc._udp` and `_oscjson._tcp` over mDNS (Bonjour, Zeroconf), on the networks on which it listens;
`--no-announce` keeps it quiet. All this opens once the instrument sounds.
"""

# What arrives in practice and in malice, and what is done with it; tests/control/test_osc.py holds each.
ODD_PACKETS: tuple[tuple[str, str], ...] = (
    ("an address without a leading `/` (sclang sends symbols as they stand)", "read as if the slash were there"),
    (
        "a character of sclang's (`$c`: a type tag of its own, without data)",
        "read as that character when the data then fit to the byte; OSC's own `c` with four bytes comes first",
    ),
    ("a blob padded with garbage (sclang)", "read; only what is inside counts"),
    ("true and false as the integers 1 and 0 (sclang), every number as `f` (Pd), `i` and `f` mixed in a list", "read; the address decides"),
    ("NaN and infinity", "read, then refused by every value with `/fail`"),
    ("arrays, `[ ]`", f"read, at most {MAX_DEPTH} deep; a list value takes them as if the brackets were not there"),
    ("datagrams up to the 64 KiB that UDP allows, thousands of arguments", "read"),
    ("no type-tag string, and nothing after the address", "a message without arguments"),
    ("no type-tag string, but data", "malformed"),
    ("an empty bundle", "read; nothing happens"),
    ("a length that is no multiple of 4; an empty packet", "malformed"),
    ("an address that is empty, not UTF-8, or holds a space, `#` or a control character", "malformed"),
    ("a text that is not ended, not padded by zeros, or not UTF-8", "malformed"),
    ("type tags that are not printable ASCII; data cut short or left over", "malformed"),
    ("a blob or a bundle's element whose size is negative, too large, or (elements) 0 or no multiple of 4", "malformed"),
    (f"bundles nested more than {MAX_DEPTH} deep", "malformed"),
    ("a good element beside a malformed one", "malformed as a whole"),
    ("an inner bundle that is earlier than the outer", "read; it happens with the outer one"),
    ("types `i f s b h t d S c r m T F N I [ ]`", "read, all of them"),
    ("an unknown type tag", "read as a character of sclang's if the data then fit to the byte, otherwise malformed"),
    ("TCP: frames split and merged anyhow; SLIP with one END between packets, or none at the start", "read"),
    ("TCP: a broken SLIP escape, or a SLIP packet that is too long", "malformed; the packet after the next END is read"),
    ("TCP: a size of 0", "malformed; what follows is read"),
    ("TCP: a size above the limit, or a first byte that is none of the two framings'", "malformed, and the connection is closed"),
    (
        "`/oscsynth/fail`, `/done`, `/late`, `/synced` sent to oscsynth; a packet from its own port",
        "ignored, so that two programs cannot answer each other for ever",
    ),
)


def markdown() -> str:
    """Return docs/osc.md."""
    parts = [
        _INTRODUCTION,
        "## A part\n",
        _table(PART_ROWS),
        "## The whole\n",
        "`panic` in its short form means every part; `/oscsynth/part/1/panic` means part 1.\n",
        _table(WHOLE_ROWS),
        _WIRE,
        _OSCQUERY,
        "## Odd packets\n",
        "A malformed packet is counted (`/oscsynth/status`) and said once a second at most; nothing of it happens, and the next one is handled.\n",
        "| what arrives | what is done |\n| --- | --- |",
        *(f"| {what} | {done} |" for what, done in ODD_PACKETS),
    ]
    return "\n".join(parts) + "\n"


def _table(rows: Iterable[Row]) -> str:
    lines = ["| address | takes | range | what it does |", "| --- | --- | --- | --- |"]
    lines += [
        f"| `{row.path.replace('{}', row.placeholder)}` | {row.takes_types} | {row.range} | {row.description} |"
        for row in rows
        if not row.path.endswith(("/normalized", "/text"))
    ]
    lines.append("")
    beside = ", ".join(f"`{row.path[: -len('/text')].replace('{}', row.placeholder)}`" for row in rows if row.path.endswith("/text"))
    lines.append(f"With `/normalized` and `/text` beside them: {beside}.\n")
    return "\n".join(lines)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(markdown(), encoding="utf-8")
