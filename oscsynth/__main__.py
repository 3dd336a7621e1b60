"""The command line: ``oscsynth serve`` and everything beside it.

Knows everyone, but brings each in only inside the command that needs it, so that every command answers at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from . import __version__
from .errors import OscsynthError, shown

if TYPE_CHECKING:
    from rich.console import Console

    from .library import Library

app = typer.Typer(
    name="oscsynth",
    help="A headless instrument: neural decoders trained on real sounds, played over OSC. Hear it: `oscsynth demo`; start it: `oscsynth serve`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

PatchesOption = Annotated[
    Path | None, typer.Option("--patches", metavar="DIR", exists=True, file_okay=False, help="Folder of your own patches, instead of the usual one.")
]
HostOption = Annotated[str, typer.Option(help="Where oscsynth runs.")]
PortOption = Annotated[int, typer.Option(min=0, max=65535, help="OSC port.")]
DEFAULT_PORT = 57140


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"oscsynth {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and leave.")] = False,
) -> None:
    pass


@app.command()
def serve(
    audio: Annotated[
        str, typer.Option(metavar="auto|portaudio|null|FILE.wav", help="Where the sound goes: the sound card, nowhere, or into a file.")
    ] = "auto",
    patch: Annotated[str | None, typer.Option(metavar="NAME", help="Patch that sounds first; otherwise the first by name.")] = None,
    patches: PatchesOption = None,
    device: Annotated[str | None, typer.Option(metavar="NAME", help="Sound device: a part of its name, as `oscsynth devices` lists them.")] = None,
    block_size: Annotated[
        int | None, typer.Option(min=16, max=8192, help="Samples the sound card takes at once: fewer answers faster, more is safer.")
    ] = None,
    sample_rate: Annotated[int | None, typer.Option(min=8000, max=192000, metavar="HZ", help="Of the sound card; otherwise its own.")] = None,
    input: Annotated[
        str | None,
        typer.Option(
            metavar="default|NAME|FILE",
            help="What patches with `input: live` listen to: the default sound input, a part of one's name, or a sound file; else nothing.",
        ),
    ] = None,
    render_ahead: Annotated[int, typer.Option(min=0, max=64, metavar="BLOCKS", help="1 or more if it crackles: safer, and that much later.")] = 0,
    port: PortOption = DEFAULT_PORT,
    http_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="OSCQuery port, where apps ask what there is; the one after --port unless given, 0: none.")
    ] = None,
    announce: Annotated[bool, typer.Option(help="Let apps on the network (on this computer, without a network) find the instrument.")] = True,
    host: Annotated[str, typer.Option(help="Address of this computer to listen on, instead of all that may be reached.")] = "127.0.0.1",
    lan: Annotated[
        bool | None, typer.Option("--lan/--no-lan", help="Let the networks in that this computer is in: phones, other computers; the key n does too.")
    ] = None,
    allow: Annotated[list[str] | None, typer.Option(metavar="NETWORK", help="Let this network in, such as 192.168.1.0/24; once for each.")] = None,
    midi: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="MIDI input: a part of its name, as `oscsynth devices` lists them; once for each; all unless given, none: no MIDI."
        ),
    ] = None,
    feedback: Annotated[list[str] | None, typer.Option(metavar="IP:PORT", help="Tell this address of every change; once for each.")] = None,
    recordings: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for recordings, instead of one in your music folder.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start clean, instead of going on where it ended.")] = False,
) -> None:
    """Play: load the patches, open the sound card and listen for OSC, until Ctrl-C."""
    from . import daemon, options

    code = daemon.serve(
        options.Options(
            audio=audio,
            device=device,
            block_size=block_size,
            sample_rate_hz=sample_rate,
            render_ahead=render_ahead,
            input=input,
            port=port,
            host=host,
            patch=patch,
            patches=patches,
            http_port=http_port,
            announce=announce,
            lan=_is_lan_wanted(lan),
            allow=tuple(allow or ()),
            feedback=tuple(feedback or ()),
            midi=tuple(midi or ()),
            fresh=fresh,
            recordings=recordings.absolute() if recordings else None,
        )
    )
    raise typer.Exit(code or 0)


@app.command()
def demo(
    audio: Annotated[
        str, typer.Option(metavar="auto|FILE.wav", help="The sound card, or a file to write it into (.flac, .aiff, .ogg too).")
    ] = "auto",
    device: Annotated[str | None, typer.Option(metavar="NAME", help="Sound device: a part of its name, as `oscsynth devices` lists them.")] = None,
) -> None:
    """Hear a tour of twenty seconds that plays itself, and see every message that it sends; it begins quietly."""
    from . import demo, options

    if Path(audio).suffix:
        demo.render(Path(audio), _console())
    else:
        raise typer.Exit(demo.play(options.Options(audio=audio, device=device), _console()))


@app.command()
def render(
    score: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            help="Lines such as `1.5 latent/1 0.8` (seconds, address, values), a binary score of sclang's, or a MIDI file.",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.wav", help="The sound file to write; .flac, .aiff and .ogg too.")],
    patch: Annotated[str | None, typer.Option(metavar="NAME", help="Patch that sounds first.")] = None,
    patches: PatchesOption = None,
    sample_rate: Annotated[int, typer.Option(min=8000, max=192000, metavar="HZ", help="Of the file.")] = 44100,
    seconds: Annotated[float | None, typer.Option(min=0, max=86400, help="Length; otherwise until what the last line leaves has faded.")] = None,
    bits: Annotated[Literal["16", "24"], typer.Option(help="Of the file; OGG has its own.")] = "24",
    channel: Annotated[
        list[str] | None,
        typer.Option(metavar="N=PATCH", help="Patch for one channel of a MIDI file, once for each, none to leave it out: --channel 10=none."),
    ] = None,
    input: Annotated[
        Path | None, typer.Option(metavar="FILE", dir_okay=False, exists=True, help="A sound file that patches with `input: live` hear.")
    ] = None,
) -> None:
    """Play a score into a sound file, faster than it sounds; the same score gives the same samples."""
    from .render import render_file

    channels = dict(map(_channel, channel or ()))
    rendered = render_file(
        score, output, patches=patches, patch=patch, sample_rate_hz=sample_rate, seconds=seconds, bits=int(bits), channels=channels, heard=input
    )
    typer.echo(f"wrote {shown(output)}: {rendered.seconds:.1f} s")
    for fault in rendered.faults:
        typer.secho(fault, fg="red", err=True)
    raise typer.Exit(1 if rendered.faults else 0)


def _channel(text: str) -> tuple[int, str]:
    number, _, patch = text.partition("=")
    if not number.isdecimal() or not 1 <= int(number) <= 16 or not patch:
        raise OscsynthError(f"--channel {text}: write a channel from 1 to 16 and a patch, such as 2=Violin")
    return int(number), patch


@app.command()
def check(
    files: Annotated[list[Path] | None, typer.Argument(metavar="[PATCH_OR_DECODER]...", help="Files or folders; all there are if left out.")] = None,
    patches: PatchesOption = None,
) -> None:
    """Look for everything that is wrong with patches and decoders; leaves with 1 if anything is."""
    from . import check as checks

    library = _library(patches)
    n_faults, n_good = 0, 0
    for checked in checks.check_files(files, library.folders) if files else checks.check_library(library):
        if checked.faults:
            n_faults += checked.faults.count("\n") + 1
            typer.secho(checked.faults, fg="red", err=True)
        else:
            n_good += 1
            typer.echo(f"{shown(checked.path)}: good ({checked.text})")
    if n_faults:
        typer.secho(f"{n_faults} fault{'s' * (n_faults != 1)}; {n_good} good", fg="red", err=True)
        raise typer.Exit(1)
    if not n_good:
        raise OscsynthError(f"there is nothing to check in {' or '.join(map(shown, files or library.folders))}")


@app.command("patches")
def list_patches(patches: PatchesOption = None) -> None:
    """List the patches there are: yours, and those that come with the program."""
    from . import tables

    library = _library(patches)
    library.scan()
    _console().print(tables.patches(library))
    typer.echo(f"Your own folder is {library.user_folder}.")
    for faults in library.faults.values():
        typer.secho(faults, fg="red", err=True)


@app.command("devices")
def list_devices() -> None:
    """List sound devices, sound inputs and MIDI inputs; `--device`, `--input` and `--midi` take a part of a name."""
    from . import tables
    from .audio import devices, input_devices
    from .midi_systems import inputs

    try:
        if found := inputs():
            _console().print(tables.midi(found))
        else:
            typer.echo("There is no MIDI input now; `oscsynth serve` hears one as soon as it comes.")
    except OscsynthError as error:
        typer.echo(str(error))
    if heard := input_devices():
        _console().print(tables.sound_inputs(heard))
    if not (played := devices()):
        raise OscsynthError("no sound device was found: connect or switch one on; `oscsynth serve` runs without one, silently")
    _console().print(tables.sound_devices(played))


@app.command("addresses")
def list_addresses() -> None:
    """List every OSC address: what it takes and what it does to the sound."""
    from . import tables

    _console().print(tables.addresses())
    typer.echo("Every value answers when sent without arguments, and every number has K/normalized (0 to 1) and K/text beside it.")
    typer.echo("/part/2/... to /part/8/... are further parts; without it, an address means part 1.")


@app.command(context_settings={"ignore_unknown_options": True})
def send(
    address: Annotated[str, typer.Argument(help="Such as latent/1; /oscsynth comes before it by itself.")],
    arguments: Annotated[list[str] | None, typer.Argument(metavar="[ARGUMENT]...", help="Numbers or words; none asks for the value.")] = None,
    host: HostOption = "127.0.0.1",
    port: PortOption = DEFAULT_PORT,
) -> None:
    """Send one OSC message and print what comes back: `oscsynth send latent/1 0.7`."""
    from . import client

    with client.Client(host, port) as connection:
        replies = connection.ask(client.full_address(address), [client.parse_argument(word) for word in arguments or []])
    for reply in replies:
        typer.secho(client.text(reply), fg="red" if client.is_fault(reply) else None, err=client.is_fault(reply))
    if any(map(client.is_fault, replies)):
        raise typer.Exit(1)


@app.command()
def monitor(
    host: HostOption = "127.0.0.1",
    port: PortOption = DEFAULT_PORT,
    once: Annotated[bool, typer.Option("--once", help="Print once and leave.")] = False,
) -> None:
    """Watch what a running oscsynth plays: patch, values and load, twice a second, until Ctrl-C."""
    from .monitor import watch

    watch(host, port, _console(), once=once)


@app.command()
def doctor(
    port: PortOption = DEFAULT_PORT,
    patches: PatchesOption = None,
    phone: Annotated[str | None, typer.Option(metavar="IP", help="Measure the way to this phone and back, too.")] = None,
) -> None:
    """Look at what stands between this computer and a good show: a line for each thing, and what to do."""
    from .doctor import Where, examine

    n_todo = 0
    for finding in examine(Where(port, patches, phone)):
        n_todo += bool(finding.todo)
        mark, colour = ("!", "yellow") if finding.todo else ("+", None)
        todo = f": {finding.todo}" if finding.todo else ""
        typer.secho(f"{mark} {finding.area:<11}{finding.text}{todo}", fg=colour)
    typer.echo(f"{n_todo} thing{'s' * (n_todo != 1)} to look at" if n_todo else "all is well")


@app.command()
def layout(
    controller: Annotated[Literal["touchosc"], typer.Argument(help="What the layout is for.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.tosc", help="The layout to write.")],
    part: Annotated[int, typer.Option(min=1, max=8, help="The part that it plays.")] = 1,
    receive_port: Annotated[int, typer.Option(min=1, max=65535, help="Where the app listens, as its connections page says.")] = 9000,
    port: PortOption = DEFAULT_PORT,
) -> None:
    """Write a layout for a phone or tablet: it fits every patch, as its labels follow the one that plays."""
    from . import lan
    from .layouts import write_touchosc

    write_touchosc(output, part, receive_port)
    here = " or ".join(lan.addresses("0.0.0.0")) or "this computer's address (it has no network now)"
    typer.echo(f"wrote {shown(output)}: open it in TouchOSC, on the phone or through its editor; let the phone in: oscsynth serve --lan")
    typer.echo(f"in TouchOSC, Connections, OSC: type UDP, host {here}, send port {port}, receive port {receive_port}")


PASSED_ON = {"ignore_unknown_options": True, "allow_extra_args": True}


@app.command(add_help_option=False, context_settings=PASSED_ON)
def train(context: typer.Context) -> None:
    """Make a decoder of your own from a folder of sounds; `oscsynth train --help` says how."""
    from .training_door import run

    run(context.args, "oscsynth train")


@app.command("import", add_help_option=False, context_settings=PASSED_ON)
def import_model(context: typer.Context) -> None:
    """Make a decoder from a Keras decoder of the ancestor program; `oscsynth import --help` says how."""
    from .training_door import run

    run(["import", *context.args], "oscsynth")


def _is_lan_wanted(lan: bool | None) -> bool:
    from . import choices

    if lan is False:
        choices.remember_lan(False)
    return choices.remembers_lan() if lan is None else lan


def _library(patches: Path | None) -> Library:
    from .library import Library, factory_folder, user_folder

    return Library(patches or user_folder(), factory_folder())


def _console() -> Console:
    from rich.console import Console

    # A table that goes into a file or through grep keeps its lines whole.
    return Console() if sys.stdout.isatty() else Console(width=200)


def main() -> None:
    """Run the command line; what a user can do something about is one red sentence and exit code 1."""
    try:
        app(prog_name="oscsynth")
    except OscsynthError as error:
        typer.secho(str(error), fg="red", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
