"""Brings the patches of the folders to the instrument: scans, has decoders checked, and watches for what is saved.

Control process, on its event loop; what may wait (scanning, checking) runs on daemon threads. A broken file is said once, in one message, and
whatever plays goes on.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypeVar

from .check import strange_controls
from .control.instrument import Instrument
from .control.row import Refused, Reply
from .errors import OscsynthError, shown
from .folder_watch import saves
from .library import SET_LIST, Library
from .patch import Patch
from .patch_fit import fit
from .probe import Report, probe_decoders
from .scene import Scene
from .setlist import SetListError, load_set_list, missing_patches, store_scene

log = logging.getLogger(__name__)
WATCHED = (".yaml", ".yml", ".onnx")

T = TypeVar("T")
Deliver = Callable[[list[tuple[Any, Reply]]], None]


class Librarian:
    """What stands between folders and instrument.

    Parameters
    ----------
    library : Library
        The folders.
    instrument : Instrument
        Gets the names of all patches, and each patch once its decoder has been checked.
    deliver : callable
        Called after the instrument was told something, with the replies that this set off.
    complain : callable
        Called with the sentences about a file that is broken.
    """

    def __init__(self, library: Library, instrument: Instrument, deliver: Deliver, complain: Callable[[str], None]) -> None:
        self._library = library
        self._instrument = instrument
        self._deliver = deliver
        self._complain = complain
        self._patches: dict[str, Patch] = {}
        self._reports: dict[str, tuple[str, Report]] = {}  # by decoder, with the stamp of the file that was checked
        self._said: dict[str, str] = {}  # the last sentence about each file or patch
        self._there: set[Path] = set()  # the folders, when they were read last
        self._start = ""
        self._checking, self._storing = asyncio.Lock(), asyncio.Lock()
        self._stores: set[asyncio.Task[None]] = set()
        self._set_list = library.user_folder / SET_LIST if library.user_folder else None
        if self._set_list:
            instrument.scenes.keep = self._keep_scene

    def read(self) -> None:
        """Read the folders: which patches there are."""
        self._library.scan()
        self._take_library()

    def open(self, start: str | None) -> None:
        """Let part 1 wait for its first patch of those that were read, unless it plays already.

        Parameters
        ----------
        start : str, optional
            Its name instead of the first.

        Raises
        ------
        OscsynthError
            When there is no patch of that name.
        """
        self._start = start or next(iter(self._patches), "")
        part = self._instrument.parts[1]
        if self._start and part.version is None and not part.wanted:
            try:
                self._instrument.repertoire.start(self._start)
            except Refused as refused:
                raise OscsynthError(str(refused).replace("send /oscsynth/patches for the list", f"there are {self._listed()}")) from None
        if not self._patches:
            folders = " or ".join(str(folder) for folder in self._library.folders)
            self._complain(f"there is no patch in {folders}: put one there, it is taken up at once")

    def _listed(self) -> str:
        return ", ".join(self._patches) or "none"

    async def run(self) -> None:
        """Have everything checked, then watch the folders until cancelled."""
        await self._check()
        self._instrument.shelf.settle()
        try:
            await self._watch()
        except OSError as error:
            self._complain(f"saved patches are not taken up by themselves: the folders cannot be watched ({error.strerror or error})")

    async def _watch(self) -> None:
        async with aclosing(saves(self._library.folders, WATCHED)) as changes:
            async for _ in changes:
                await self.read_again()

    async def read_again(self) -> None:
        """Take up what the folders hold now."""
        await _on_thread(self._library.scan)
        self._take_library()
        await self._check()

    # ---- what the folders hold

    def _take_library(self) -> None:
        there = {folder for folder in self._library.folders if folder.is_dir()}
        for folder in self._there - there:
            self._complain(f"{shown(folder)}: the folder is gone; what plays goes on, and what is put there again is taken up")
        self._there = there
        broken = {str(path) for path in self._library.faults}
        # A patch whose file is broken now is still the one that was.
        kept = {name: patch for name, patch in self._patches.items() if patch.path in broken}
        patches = {**kept, **self._library.patches}
        self._patches = {name: patches[name] for name in sorted(patches, key=lambda name: (name.casefold(), name))}
        for path, fault in self._library.faults.items():
            self._say(str(path), fault)
        for sound in set(self._said) - broken - set(self._patches) - {str(self._set_list)}:
            del self._said[sound]
        self._instrument.repertoire.set_patches(self._patches)
        if self._set_list:
            self._take_set_list(self._set_list)
        self._deliver([])

    # ---- the set list

    def _take_set_list(self, path: Path) -> None:
        """Read the scenes again; while the file has faults those that were known stay."""
        scenes, fault = self._instrument.scenes, ""
        try:
            scenes.set(load_set_list(path))
            if missing := missing_patches(path, self._patches):
                self._say(str(path), "\n".join(missing))
            else:
                self._said.pop(str(path), None)
        except SetListError as error:
            fault = str(error)
            self._say(str(path), fault)
        scenes.fault = fault

    def _keep_scene(self, scene: Scene) -> None:
        assert self._set_list is not None
        task = asyncio.get_running_loop().create_task(self._store(self._set_list, scene))
        self._stores.add(task)
        task.add_done_callback(self._stores.discard)

    async def _store(self, path: Path, scene: Scene) -> None:
        async with self._storing:
            try:
                await _on_thread(store_scene, path, scene)
            except (OSError, OscsynthError) as error:
                why = error.strerror or str(error) if isinstance(error, OSError) else str(error)
                self._complain(f"the scene {scene.name} is there until the program ends, but cannot be kept in {shown(path)}: {why}")

    def _say(self, about: str, fault: str) -> None:
        if self._said.get(about) != fault:
            self._said[about] = fault
            self._complain(fault)

    async def _check(self) -> None:
        async with self._checking:
            first = {name: place for place, name in reversed([*enumerate((*self._playing(), self._start))])}
            patches = sorted(self._patches.values(), key=lambda patch: first.get(patch.name, len(first)))
            unknown = []
            for patch in patches:
                known = self._reports.get(patch.decoder_path)
                if known is not None and known[0] == _stamp(patch.decoder_path):
                    self._offer(patch)
                elif patch.decoder_path not in unknown:
                    unknown.append(patch.decoder_path)
            if unknown:
                await self._probe(unknown)

    def _playing(self) -> list[str]:
        """Return what plays or is awaited, then what the scenes beside the current one need."""
        parts, scenes = self._instrument.parts.values(), self._instrument.scenes
        here = max(0, scenes.place())
        near = [part.patch for scene in scenes.all[max(0, here - 1) : here + 2] for part in scene.parts.values()]
        return [part.patch.name for part in parts if part.patch] + [part.wanted for part in parts] + near

    async def _probe(self, decoders: list[str]) -> None:
        """Have decoders checked one after the other; each patch can be played as soon as its own is."""
        loop = asyncio.get_running_loop()

        def probe(paths: Iterable[Path]) -> None:
            for path, stamp, report in ((report.path, _stamp(str(report.path)), report) for report in probe_decoders(paths)):
                loop.call_soon_threadsafe(self._take_report, str(path), stamp, report)

        await _on_thread(probe, map(Path, decoders))

    def _take_report(self, decoder: str, stamp: str, report: Report) -> None:
        self._reports[decoder] = stamp, report
        for patch in list(self._patches.values()):
            if patch.decoder_path == decoder:
                self._offer(patch)

    def _offer(self, patch: Patch) -> None:
        stamp, report = self._reports[patch.decoder_path]
        faults = fit(patch, report.metadata) if report.metadata else [report.error]
        if not faults:
            assert report.metadata is not None
            if strange := strange_controls(patch, report.metadata):
                self._say(patch.name, "\n".join(strange))
            else:
                self._said.pop(patch.name, None)
            self._deliver(self._instrument.repertoire.offer(patch, report.metadata, stamp))
            return
        fault = "\n".join(faults)
        self._say(patch.name, fault)
        replies = self._instrument.repertoire.refuse(patch.name, fault)
        self.start_another()
        self._deliver(replies)

    def start_another(self) -> None:
        """Let part 1 wait for another patch when its first one turned out not to work."""
        part = self._instrument.parts[1]
        if part.version is None and not part.wanted and (names := self._instrument.shelf.playable):
            self._instrument.repertoire.start(names[0])


def _stamp(path: str) -> str:
    try:
        status = Path(path).stat()
    except OSError:
        return ""
    return f"{status.st_mtime_ns}:{status.st_size}"


async def _on_thread(function: Callable[..., T], *arguments: object) -> T:
    """Run something on a daemon thread, which does not keep the process from ending, and wait for it."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        try:
            result, error = function(*arguments), None
        except Exception as raised:
            result, error = None, raised
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:
            log.debug("the loop ended before %s", function)

    threading.Thread(target=run, daemon=True).start()
    return await done
