"""The folders: which patches and decoders there are.

Any thread but audio's, any process but the engine's; imports from ``patch_file`` downwards. The factory's folder comes with the program and is
only read; the user's holds their own and shadows factory patches of the same name.
"""

from __future__ import annotations

from pathlib import Path

from .errors import PatchError, shown
from .metadata import ENCODER_SUFFIX
from .patch import Patch
from .patch_file import load_patch

SUFFIXES = (".yaml", ".yml")
SET_LIST = "setlist.yaml"  # beside the patches, and none of them


def factory_folder() -> Path:
    """Return the folder of the patches that come with the program: inside the package when installed, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "patches"
    return installed if installed.is_dir() else package.parent / "patches"


def user_folder() -> Path:
    """Return the folder of the user's own patches, which need not exist yet."""
    import platformdirs

    return platformdirs.user_data_path("oscsynth", appauthor=False) / "patches"


class Library:
    """What two folders hold, as of the last `scan`.

    Attributes
    ----------
    patches : dict of str to Patch
        By name, sorted by name.
    faults : dict of Path to str
        For each file that is not in ``patches`` the whole message.
    """

    def __init__(self, user_folder: Path | None, factory_folder: Path) -> None:
        self.user_folder = user_folder
        self.factory_folder = factory_folder
        self.patches: dict[str, Patch] = {}
        self.faults: dict[Path, str] = {}

    @property
    def folders(self) -> tuple[Path, ...]:
        """The user's folder, where there is one, then the factory's."""
        return tuple(folder for folder in (self.user_folder, self.factory_folder) if folder is not None)

    def scan(self) -> None:
        """Read both folders again; one broken file leaves the others as they are. Never raises."""
        found: dict[str, Patch] = {}
        self.faults = {}
        for folder in reversed(self.folders):
            found |= self._scan_folder(folder)
        self.patches = {name: found[name] for name in sorted(found, key=lambda name: (name.casefold(), name))}

    def decoders(self) -> list[Path]:
        """Return every decoder file in both folders (and one folder down), the user's first."""
        patterns = ("*.onnx", "*/*.onnx")
        found = [file for folder in self.folders for pattern in patterns for file in sorted(folder.glob(pattern))]
        return list(dict.fromkeys(file for file in found if not file.name.endswith(ENCODER_SUFFIX)))

    def is_factory(self, patch: Patch) -> bool:
        """Say whether a patch came with the program."""
        return Path(patch.path).parent == self.factory_folder

    def _scan_folder(self, folder: Path) -> dict[str, Patch]:
        patches: dict[str, Patch] = {}
        for file in self._files(folder):
            try:
                patch = load_patch(file, self.folders)
            except PatchError as error:
                self.faults[file] = str(error)
                continue
            if patch.name in patches:
                other = Path(patches[patch.name].path).name
                self.faults[file] = f"{shown(file)}: name: {patch.name} is the name of {other} already: give one of them another"
            else:
                patches[patch.name] = patch
        return patches

    def _files(self, folder: Path) -> list[Path]:
        try:
            files = sorted(folder.iterdir())
        except FileNotFoundError:
            return []
        except OSError as error:
            self.faults[folder] = f"{shown(folder)}: the folder cannot be read: {error.strerror}"
            return []
        # Editors keep their copies under names that begin with a dot.
        return [file for file in files if file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and file.name != SET_LIST]
