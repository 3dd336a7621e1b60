"""The page of the committed figures, from their JSON: python -m benchmarks.figures docs/benchmarks.

Also writes the table of docs/low-latency.md between its two marks. ``tests/test_figures.py`` holds both against the JSON.
"""

from __future__ import annotations

import itertools
import json
import statistics
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from . import soak_page

FLOOD = "latency-flood"
FITS_PERCENT = 70.0  # of a core: what the engine plans of a block
BEGIN, END = "<!-- latency: written by benchmarks/figures.py -->", "<!-- end -->"
Rows = Iterable[tuple[object, ...]]


def table(head: tuple[str, ...], rows: Rows) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def latency_table(results: list[dict[str, Any]]) -> str:
    """Return the table of `benchmarks.latency`."""

    def rows() -> Rows:
        for each in results:
            first, beyond = (f"{low:.2f} / {high:.2f}" for low, high in (each["first"], each["two_percent"]))
            how = "ahead of time" if each["timetagged"] else "at once"
            yield each["period_samples"], each["player"], how, first, beyond, f"{each['half_after_first']:.2f}", *_spread(each), each["xruns"]

    head = (
        "period",
        "player",
        "sent",
        "first sample, p50 / p99",
        "2 %, p50 / p99",
        "half, after the first",
        "p99 - p1",
        "where no xrun was near",
        "xruns",
    )
    return table(head, rows())


def _spread(each: dict[str, Any]) -> tuple[str, str]:
    kept = sorted(latency for latency, is_kept in zip(each["latencies"], each.get("undisturbed", ()), strict=False) if is_kept)
    if len(kept) < 100:
        return f"{each['spread']:.2f}", ""
    return f"{each['spread']:.2f}", f"{kept[int(0.99 * len(kept))] - kept[int(0.01 * len(kept))]:.2f} ({len(kept)} of {each['events']})"


def latency(found: list[dict[str, Any]]) -> str:
    """Return the figures of `benchmarks.latency`, in milliseconds."""
    return f"Milliseconds; {found[0]['events']} events each.\n\n{latency_table(found)}"


def flood(found: list[dict[str, Any]]) -> str:
    """Return the figures of `benchmarks.latency` with everything against it, in milliseconds."""
    [busy, messages] = {(each["load"], each["flood"]) for each in found}.pop()
    how = f"The same with {busy} programs that only compute, and another process that sends {messages:,} messages a second."
    return f"{how}\n\n{latency_table(found)}"


def deadlines(found: dict[str, Any]) -> str:
    """Return the figures of `benchmarks.deadlines`."""

    def rows() -> Rows:
        for each in found["results"]:
            shares = (f"{100 * each[name]:.0f} %" for name in ("p50", "p99", "p99_9", "worst"))
            how = f"{each['load']} busy programs" if each["load"] else "alone"
            yield each["piece"], each["period_samples"], how, *shares, f"{each['late']} of {each['blocks']:,}"

    head = ("what plays", "period", "beside", "p50", "p99", "p99.9", "worst", "blocks late")
    return table(head, rows())


def overload(found: dict[str, Any]) -> str:
    """Return the figures of `benchmarks.overload`."""

    def rows() -> Rows:
        for each in found["results"]:
            how = "as it is" if each["gives_up"] else "with giving up switched off"
            yield how, f"{each['late']} of {each['blocks']:,}", f"{100 * each['worst']:.0f} %", each["shed"]

    return table(("", "blocks late", "the worst, of its length", "notes given up"), rows())


def start(found: dict[str, Any]) -> str:
    """Return the figures of `benchmarks.start`."""

    def rows() -> Rows:
        for name in found["runs"][0]:
            values = [run[name] for run in found["runs"]]
            yield name, f"{statistics.median(values):.2f}", f"{max(values):.2f}"

    return f"Seconds, megabytes; {len(found['runs'])} runs.\n\n{table(('', 'median', 'worst'), rows())}"


def voices(found: dict[str, Any]) -> str:
    """Return the figures of `benchmarks.voices`."""
    counts = sorted({count for each in found["results"] for count in each["counts"]})

    def rows() -> Rows:
        for each in found["results"]:
            percent = dict(zip(each["counts"], each["median"], strict=True))
            cells = (f"{percent[count]:.1f}" if count in percent else "" for count in counts)
            yield f"{each['decoder']}, {each['kind'].replace(',', '')}", *cells, _fit(each["counts"], each["median"])

    head = ("notes", *map(str, counts), f"that fit into {FITS_PERCENT:.0f} %")
    how = f"Percent of a core, the median of {found['repeats']} turns, in blocks of {found['block_samples']} samples."
    return f"{how}\n\n{table(head, rows())}"


def _fit(counts: list[int], percent: list[float]) -> str:
    """Return how many notes take `FITS_PERCENT`, on a straight line between those that were measured."""
    for (few, little), (many, much) in itertools.pairwise(zip(counts, percent, strict=True)):
        if much > FITS_PERCENT >= little:
            return str(int(few + (many - few) * (FITS_PERCENT - little) / (much - little)))
    return f"{counts[-1]} and more" if percent[-1] <= FITS_PERCENT else f"less than {counts[0]}"


def answers(found: dict[str, Any]) -> str:
    """Return the figures of `benchmarks.osc_flood`."""

    def rows() -> Rows:
        for when, times in (("before", found["before_ms"]), ("during the flood", found["during_ms"])):
            ordered = sorted(times)
            yield when, len(ordered), *(f"{ordered[int(share * (len(ordered) - 1))]:.2f}" for share in (0.5, 0.99, 1.0))

    engine = f"{found['late_blocks']} blocks were late meanwhile, {found['held_up']} of them since the engine was kept waiting"
    head = f"{found['sent']:,} messages a second. {found['lost']} answers did not come; {engine}."
    return f"{head} Milliseconds:\n\n{table(('', 'answers', 'p50', 'p99', 'longest'), rows())}"


def idle(found: dict[str, Any]) -> str:
    """Return the figures of `benchmarks.idle`."""
    names = list(found["results"][0]["percent"])
    rows = ((each["period_samples"], *(f"{each['percent'][name]:.2f}" for name in names)) for each in found["results"])
    return "Percent of one core.\n\n" + table(("period", *names), rows)


def switching(found: dict[str, Any]) -> str:
    """Return the figures of `benchmarks.switch` and `benchmarks.scenes`."""
    late = ", ".join(f"{client} {count} times" for client, count in found["late_clients"].items()) or "nobody"
    growth = ", ".join(f"{name} {first:+.1f} and {second:+.1f} MB" for name, (first, second) in found["growth"].items())
    rows = [
        ("switches", f"{found['switches']} in {found['seconds']:g} s"),
        ("xruns of the server", f"{found['xruns']} (with nothing switched: {found['steady_xruns_per_minute']:.0f} a minute)"),
        ("whom the server named as late", late),
        ("blocks rendered too late by the engine's own work", found["late_blocks"] - found["held_up"]),
        ("blocks too late since the engine was kept waiting", found["held_up"]),
        ("other guests had the processors for", f"{found['stolen_seconds']:.2f} s"),
        ("worst block, of its length", f"{100 * found['load_peak']:.0f} %"),
        ("largest second difference, against the steady patches", f"{found['roughness']:.2f} times"),
        ("memory, in each half", growth),
    ]
    return table(("", ""), rows)


def recording(found: dict[str, Any]) -> str:
    """Return the figures of `benchmarks.recording`."""
    return f"{found['samples']:,} samples ({found['minutes']:.1f} minutes) in {found['name']}: **{found['different']}** differ from what was heard."


def soak(found: dict[str, Any]) -> str:
    """Return the figures of `benchmarks.soak`."""
    return f"{found['minutes']:.0f} minutes: [the report]({soak_page.name(found)}.md)."


# File, title, command, what is measured and how, what writes its figures.
SECTIONS: tuple[tuple[str, str, str, str, Callable[[Any], str]], ...] = (
    (
        "latency",
        "From the OSC packet to the sound",
        "benchmark-latency",
        "A gate opens at moments that have nothing to do with JACK's periods; each packet's moment is read off the server's own count of "
        "samples, and a "
        "client hears the output in the period that made it. *First* is the first sample that is not silence, *2 %* the first beyond 2 % "
        "of the steady "
        "level, *half* where the mean level of all events passes the half. scsynth is measured in the same run, a control of a synth "
        "going from 0 to 1. "
        "The dummy driver has no sound card behind it: add its latency. An xrun moves the server's count, and for some seconds its idea of "
        "when a sample is heard swings.",
        latency,
    ),
    (
        FLOOD,
        "The same under load and a flood",
        "benchmark-flood",
        "At once, with a program on each core that only computes, and a flood of OSC.",
        flood,
    ),
    (
        "flood",
        "What a flood does to everybody else",
        "benchmark-flood",
        "`serve` plays under JACK while one process sends it faders as fast as it can; another, which has subscribed, asks `/sync` all the while: "
        "how long its answers take, there and back.",
        answers,
    ),
    (
        "deadlines",
        "How much of its time a block takes",
        "benchmark-deadlines",
        "The engine's own renderer under JACK, every latent moving sixty times a second: the time from when the device asks until it has "
        "its samples, over "
        "the length of the block. A block beyond 100 % is a click.",
        deadlines,
    ),
    (
        "voices",
        "How many notes fit",
        "benchmark-voices",
        "Processor time for a second of sound: notes of one part that stand, and with every latent of all of them, or every pitch, or both, another "
        "in every block; notes of the orchestra, whose decoder goes through them hop by hop, held, and with a timbre that moves in all.",
        voices,
    ),
    (
        "overload",
        "More notes than there is time for",
        "benchmark-overload",
        "A note more every tenth of a second, tonal, all latents moving, until 64 are held. What moves is made anew less and less often, "
        "down to once in 46 ms, then notes fade out: those that end or are hardly heard first, then the oldest.",
        overload,
    ),
    (
        "start",
        "Start, memory, and back after a kill",
        "benchmark-start",
        "From the start of `serve`, with all shipped patches, to the first sample that is not silence; memory in use after that, and each "
        "process's share of it, where several have the same; how soon a killed process is replaced.",
        start,
    ),
    (
        "idle",
        "What a drone that stands costs",
        "benchmark-idle",
        "The whole program through JACK, and on the same server what PyAudio takes for a callback that returns zeros, and scsynth without a synth. "
        "A processor with hardly anything to do runs slowly, and forgets everything between two blocks: more of it is taken than of a busy one.",
        idle,
    ),
    (
        "switch",
        "Ten patch switches a second for a minute",
        "benchmark-switch",
        "Through JACK at 512 samples a period. A click would be a second difference larger than those of the patches themselves.",
        switching,
    ),
    (
        "scenes",
        "Ten scenes a second for a minute",
        "benchmark-scenes",
        "Twenty scenes of one to three parts, in random order; after each the whole state is compared with what belongs to the scene.",
        switching,
    ),
    (
        "recording",
        "A recording against what was heard",
        "benchmark-recording",
        "`serve` plays into a WAV file while `/record/start` writes the same to FLAC in a process of its own; the two are compared sample "
        "for sample.",
        recording,
    ),
    ("soak", "Hours of everything at once", "soak", "Notes, faders, patches, scenes, broken packets and clients that come and go, under JACK.", soak),
    (
        "soak-ahead",
        "The same with one block rendered ahead",
        "soak RENDER_AHEAD=1",
        "What a performer does whose computer others use as well, or that is not quick: `--render-ahead 1`, everything 11.6 ms later. A block that "
        "takes longer than it lasts is made up for by the one that is ready.",
        soak,
    ),
)


def page(folder: Path) -> str:
    """Return docs/benchmarks/README.md as the JSON beside it has the figures."""
    parts = [
        "# Figures\n\nEach is written by the command beside it, with all its numbers in the JSON file of the same name; run them on your own machine."
    ]
    notes = json.loads((folder / "notes.json").read_text())  # under which conditions the committed figures came about
    for name, title, command, text, figures in SECTIONS:
        path = folder / f"{name}.json"
        if not path.exists():
            continue
        found = json.loads(path.read_text())
        machines = {each.get("machine", "") for each in (found if isinstance(found, list) else [found])} - {""}
        where = f" Measured on: {'; '.join(sorted(machines))}." if machines else ""
        note = f" {notes[name]}" if name in notes else ""
        picture = f"\n\n![]({name}.png)" if path.with_suffix(".png").exists() else ""
        parts.append(f"## {title}\n\n`make {command}`. {text}{where}{note}\n\n{figures(found)}{picture}")
    return "\n\n".join(parts) + "\n"


def low_latency(text: str, folder: Path) -> str:
    """Return docs/low-latency.md with its table as the JSON has it."""
    before, rest = text.split(BEGIN)
    found = json.loads((folder / "latency.json").read_text())
    return f"{before}{BEGIN}\n\n{latency_table(found)}\n\n{END}{rest.split(END)[1]}"


def main() -> None:
    folder = Path(sys.argv[1])
    (folder / "README.md").write_text(page(folder), encoding="utf-8")
    guide = folder.parent / "low-latency.md"
    guide.write_text(low_latency(guide.read_text(encoding="utf-8"), folder), encoding="utf-8")


if __name__ == "__main__":
    main()
