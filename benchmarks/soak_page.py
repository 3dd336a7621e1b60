"""The picture and the page of `benchmarks.soak`, from its JSON: python -m benchmarks.soak_page docs/benchmarks.

Draws those of every soak that lies there.
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import Any

from .picture import pyplot

PAGE = """# Hours of everything at once

*{machine}; {minutes:.0f} minutes{unfinished}. Written by `make {command}`, with all figures in [{name}.json]({name}.json).*

`serve{options}` plays the shipped patches in {n_parts} parts through a JACK server with its dummy driver, 512 samples a period, while all at once
comes what can come on a stage: {crowd}. {alone}

| what is looked at | wanted | found |
| --- | --- | --- |
{rows}

![Load, xruns and memory over time]({name}.png)

**Xruns by client**, as the server's log names them: *Running*, the client's thread had begun and did not end in time; *Triggered*, the system had not
let it begin. scsynth is a client of the same server that has nothing to do: where it is late too, the machine was.

{xruns}

**How much of the two cores the system gave to others** (a virtual machine's stolen time, in steps of {step:.0f} seconds):

| stolen | minutes | blocks computed too long | blocks kept waiting | xruns | notes given up |
| --- | --- | --- | --- | --- | --- |
{stolen}

**Quarters of a second in which the daemon (PortAudio) was named**, by what its blocks did then:

{moments}

**What the daemon said** (N for numbers):

{printed}
"""
STOLEN_SECONDS = 0.02  # in a step: what the host's own housekeeping takes
BUSY = "The machine was not alone: other programs computed all the while on both of its cores (mean load {load:.1f})."


def page(report: dict[str, Any], wrong: list[str]) -> str:
    """Return the page as Markdown."""
    samples = report["samples"]
    load = sum(row["machine load"] for row in samples) / max(1, len(samples))
    growth = {name: report["memory_last_mb"][name] - first for name, first in report["memory_first_mb"].items()}
    answers = report["answers_ms"]
    n_ahead = report.get("render_ahead", 0)
    first = [("blocks for which the engine computed longer than they last", "0", ours(report))]
    if n_ahead:
        first = [
            ("blocks for which the engine computed longer than they last, and that was heard", "0", ours(report)),
            ("the same, and what was rendered ahead made up for it", "", report["unheard"]),
            ("times that nothing was left for the device, or it was late itself", "", report["underruns"]),
        ]
    rows = [
        *first,
        ("blocks late by the engine's own clock, in whose time a processor stood still", "", report.get("stood_still", "not looked at")),
        *(
            (f"times that a processor stood still for longer than {least}, whoever was at work", "", count)
            for least, count in report.get("standstills", {}).items()
        ),
        ("blocks that came late because the system or other programs kept the engine waiting", "", report["held_up"]),
        ("the longest block, of its length", "", f"{100 * report['load_peak']:.0f} %"),
        ("notes given up under overload", "", report["shed"]),
        ("notes and parts that sound after all was let go", "0", f"{report['stuck_notes']} and {report['sounding_parts_at_the_end']}"),
        *(
            (f"memory of {name}: growth after the first minutes", "below 5 MB", f"{mb:+.1f} MB of {report['memory_last_mb'][name]:.0f}")
            for name, mb in growth.items()
        ),
        ("processes that had to be started again", "0", report["restarts"]),
        ("faults in the render", "0", report["errors"]),
        ("answers to `/sync`, p50, p99, longest", "", ", ".join(f"{answers[key]:.1f} ms" for key in ("p50", "p99", "longest"))),
        ("answers that did not come in 2 s", "0", report["unanswered"]),
    ]
    return PAGE.format(
        machine=report["machine"],
        minutes=report["minutes"],
        name=name(report),
        command=f"soak RENDER_AHEAD={n_ahead}" if n_ahead else "soak",
        options=f" --render-ahead {n_ahead}" if n_ahead else "",
        unfinished="" if report["finished"] else ", ended by hand",
        n_parts="two",
        crowd=", ".join(f"{count:,} {what}" for what, count in sorted(report["crowd"].items(), key=lambda item: -item[1])),
        alone=BUSY.format(load=load) if load > 2 else "",
        rows="\n".join(f"| {what} | {wanted} | {found} |" for what, wanted, found in rows),
        xruns="\n".join(f"- {who}: {count}" for who, count in sorted(report["xruns"].items())) or "- none",
        step=samples[-1]["seconds"] / max(1, len(samples) - 1),
        stolen="\n".join(_by_steal(samples)),
        moments="\n".join(f"- {kind}: {count}" for kind, count in report["moments"].items()) or "- none",
        printed="\n".join(f"- {count} times: {line}" for line, count in report["printed"].items() if line) or "- nothing",
    ) + ("\n**Wrong:** " + "; ".join(wrong) + ".\n" if wrong else "")


def name(report: dict[str, Any]) -> str:
    """Return what its files are called."""
    return "soak-ahead" if report.get("render_ahead") else "soak"


def ours(count: dict[str, Any]) -> int:
    """Return how many blocks were late by the engine's own doing; reports from before `standstill` did not look at that."""
    late = count["late_blocks"] - count["held_up"] - count.get("stood_still", 0) - count.get("unheard", 0)
    return int(late)


def _by_steal(samples: list[dict[str, float]]) -> list[str]:
    """Return a row for the steps in which next to nothing was stolen, and one for the others."""
    counts = {kind: dict.fromkeys(("seconds", "late_blocks", "held_up", "stood_still", "unheard", "xruns", "shed"), 0.0) for kind in (False, True)}
    for before, now in itertools.pairwise(samples):
        count = counts[now["steal"] - before["steal"] > STOLEN_SECONDS]
        for name in count:
            count[name] += now.get(name, 0) - before.get(name, 0)
    names = {False: f"{1000 * STOLEN_SECONDS:.0f} ms at most", True: "more"}
    return [
        f"| {names[kind]} | {count['seconds'] / 60:.0f} | {ours(count)} | {count['held_up']:.0f} | {count['xruns']:.0f} | {count['shed']:.0f} |"
        for kind, count in counts.items()
    ]


def draw(report: dict[str, Any], path: Path) -> None:
    """Draw load, xruns and memory over time."""
    plt = pyplot()
    samples = report["samples"]
    minutes = [row["seconds"] / 60 for row in samples]
    figure, (load, count, memory) = plt.subplots(3, 1, figsize=(8, 7), sharex=True, layout="constrained")
    load.plot(minutes, [100 * row["load"] for row in samples], lw=0.7, color="#0072b2", label="engine, % of a block's length")
    load.plot(minutes, [10 * row["machine load"] for row in samples], lw=0.7, color="#999999", label="machine, processes at work x 10")
    stolen = [50 * (now["steal"] - before["steal"]) / (now["seconds"] - before["seconds"]) for before, now in itertools.pairwise(samples)]
    load.plot(minutes[1:], stolen, lw=0.7, color="#d55e00", label="stolen by other guests, % of both cores")
    for name, colour in (("xruns", "#d55e00"), ("late_blocks", "#cc79a7"), ("held_up", "#56b4e9"), ("shed", "#009e73")):
        count.plot(minutes, [row[name] for row in samples], lw=1, color=colour, label=f"{name.replace('_', ' ')} so far")
    for name, colour in (("engine", "#0072b2"), ("control", "#e69f00"), ("parent", "#000000")):
        memory.plot(minutes, [row.get(f"{name} MB") for row in samples], lw=1, color=colour, label=f"{name}, MB")
    for axes in (load, count, memory):
        axes.legend(fontsize=8, loc="upper left")
        axes.set_ylim(0, None)
    memory.set(xlabel="minutes")
    figure.savefig(path, dpi=110)


def write(report: dict[str, Any], wrong: list[str], folder: Path) -> None:
    """Write the page, and its picture beside it."""
    (folder / f"{name(report)}.md").write_text(page(report, wrong))
    draw(report, folder / f"{name(report)}.png")


def main() -> None:
    from .soak import Report

    for path in Path(sys.argv[1]).glob("soak*.json"):
        data = json.loads(path.read_text())
        write(data, Report(**data).wrong(), path.parent)


if __name__ == "__main__":
    main()
