"""Changes the device key of copies of a box, each killed by -9 after another step; says which steps it saw.

python rekeyer.py FOLDER: FOLDER/state is the box. FOLDER/0 … FOLDER/n are made: copies in which the change
was killed before its first step, after its first, and so on; the last came to its end.
python rekeyer.py FOLDER NAME …: copies FOLDER/NAME, killed when the file of that name was written and about
to be put in its place.
"""

import os
import shutil
import signal
import sys
from pathlib import Path

from appliance.app.rekeying import Places, rekey
from appliance.services import Layout
from appliance.settings import load
from appliance.settings.overlay import SettingsFiles
from appliance.vault import KeyFile, PassphraseKey

NEW = b"correct horse battery staple"
CHEAP = 10
"""scrypt's cost in tests."""


def places(state: Path) -> Places:
    """From a key file to a passphrase."""
    target = PassphraseKey(state / "device.passphrase.json", NEW, log2_n=CHEAP)
    return Places("file", KeyFile(state / "device.key"), "passphrase", target)


def change(state: Path, steps: int) -> str:
    """So many steps; the name of the last, or `end`."""
    files = SettingsFiles(state / "appliance.toml", state / "overlay.toml")
    going = rekey(load(state / "appliance.toml"), files, Layout(state), places(state))
    name = "begin"
    for _ in range(steps):
        step = next(going, None)
        if step is None:
            return "end"
        name = step.name
    os.kill(os.getpid(), signal.SIGKILL)
    return name


def killed_writing(folder: Path, name: str) -> None:
    """A copy, killed in the middle of writing that file."""

    def kill(event: str, arguments: tuple[object, ...]) -> None:
        if event in {"os.rename", "os.link"} and Path(str(arguments[1])).name == name:
            os.kill(os.getpid(), signal.SIGKILL)

    state = folder / name
    shutil.copytree(folder / "state", state)
    child = os.fork()
    if child == 0:
        sys.addaudithook(kill)
        change(state, 100)
        os._exit(0)
    os.waitpid(child, 0)


def main(folder: Path) -> None:
    """Until a copy comes to its end."""
    steps = 0
    while True:
        state = folder / str(steps)
        shutil.copytree(folder / "state", state)
        child = os.fork()
        if child == 0:
            change(state, steps)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            break
        steps += 1
    sys.stdout.write(f"{steps}\n")


if __name__ == "__main__":
    for each in sys.argv[2:]:
        killed_writing(Path(sys.argv[1]), each)
    if not sys.argv[2:]:
        main(Path(sys.argv[1]))
