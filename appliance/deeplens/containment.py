"""What this system allows for containing hosted functions: found out by trying, told in plain words.

Starts one view that ends at once, and no function. What a view is made of is `view`'s.
"""

import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import appliance
from appliance.deeplens.spawning import spawn
from appliance.deeplens.view import Machine, View
from appliance.errors import ContainmentError, FunctionError

_TOP: Final = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_PYTHON: Final = ("bin", "lib", "lib64", "pyvenv.cfg")
"""What is shown of a folder that Python is installed in: a virtual environment may share its folder."""
_PACKAGES: Final = ("appliance", "enroll", "migrations", "web")

Missing = Literal["not_linux", "no_bwrap", "refused"]

CONTAINED: Final = (
    "Files: a function sees the system's programs and its own folder, for reading.",
    "What it writes goes into folders of its own, whose size is limited and which end with it.",
    "Keys, database, captures and settings are not in its view.",
    "Processes: it sees its own and no others; all of them end with it.",
    "Network: none, unless hosts were granted, and then those alone.",
    "Memory, processes, open files and disk are limited.",
    "Calls to the kernel that no function needs are refused, on x86-64 and 64-bit ARM.",
)
"""What holds for a function in a view."""
OPEN_ALWAYS: Final = (
    "A fault of the Linux kernel itself may let a function out.",
    "It shares the processors with everything else, at a low priority.",
)
"""What a view does not hold off either."""
OPEN_WITHOUT: Final = (
    "It can read every file that the account it runs under can read.",
    "It can write wherever that account can write.",
    "It can use the network, this machine's own services included.",
    "It can see other programs that run here, and processes it leaves behind may outlive it.",
    "The size of what it writes is not limited, only that of each single file.",
)
"""What besides is open without a view."""
OPEN_OWN_ACCOUNT: Final = (
    "It runs under the appliance's own account: it can read its keys, database and spool, and stop it.",
)
"""The worst of it, where we are no root and the function shares our account."""


@dataclass(frozen=True, slots=True)
class Containment:
    """Whether functions are contained here, and what that means.

    Attributes:
        machine: What views are made of.
        missing: Why there are no views; None: there are.
        detail: What the system said, for whoever mends it; empty when it said nothing.
    """

    machine: Machine
    missing: Missing | None
    detail: str = ""

    @property
    def works(self) -> bool:
        """Whether functions are contained."""
        return self.missing is None

    @property
    def statement(self) -> str:
        """In one sentence how things stand."""
        if self.works:
            how = "by an account of its own" if self.machine.root else "by a user namespace"
            return f"Functions are contained: bubblewrap gives each its own view, {how}."
        reasons = {
            "not_linux": "only Linux has what it takes",
            "no_bwrap": "the program bwrap (bubblewrap) is not installed",
            "refused": "this system does not let bubblewrap work",
            None: "",
        }
        return f"Functions are not contained: {reasons[self.missing]}."

    @property
    def hint(self) -> str:
        """What to do about it; empty when there is nothing to do."""
        hints = {
            "not_linux": "run functions on a Linux box",
            "no_bwrap": "install bubblewrap (on Debian: apt install bubblewrap)",
            "refused": "allow user namespaces to this account (sysctl kernel.unprivileged_userns_clone, the"
            " restrictions of AppArmor or of a container), or run the appliance as root; bubblewrap 0.8 or"
            " later is needed",
            None: "",
        }
        return hints[self.missing]

    @property
    def contained(self) -> tuple[str, ...]:
        """What is contained, sentence by sentence."""
        return CONTAINED if self.works else ("Memory, processes and open files are limited.",)

    @property
    def not_contained(self) -> tuple[str, ...]:
        """What is not, sentence by sentence; the worst first."""
        if self.works:
            return OPEN_ALWAYS
        return (*(() if self.machine.root else OPEN_OWN_ACCOUNT), *OPEN_WITHOUT, *OPEN_ALWAYS)

    def require(self, *, accepted: bool) -> None:
        """Let a function be started only where it is contained, or where its lack was accepted.

        Raises:
            ContainmentError: Neither.
        """
        if not self.works and not accepted:
            raise ContainmentError(
                " ".join((self.statement, *self.not_contained)),
                hint=f"{self.hint}; or accept that functions run uncontained (deeplens.accept_uncontained)",
                command="appliance deeplens deploy ... --accept-uncontained",
            )


def containment(environment: Mapping[str, str] | None = None) -> Containment:
    """Find out what this system allows, by trying it.

    Args:
        environment: Whose PATH bwrap is looked for in; None: our own.
    """
    path = (os.environ if environment is None else environment).get("PATH")
    machine = this_machine(shutil.which("bwrap", path=path))
    if sys.platform != "linux":
        return Containment(replace(machine, bwrap=None), "not_linux")
    if machine.bwrap is None:
        return Containment(machine, "no_bwrap")
    view = View(name="trial", function=Path(machine.code, "deeplens", "guest"))
    try:
        tried = spawn(view, machine, [machine.python, "-I", "-S", "-c", ""], None)
    except (OSError, FunctionError) as error:
        return Containment(replace(machine, bwrap=None), "refused", str(error))
    tried.process.wait()
    tried.tree.close()
    os.close(tried.output)
    return Containment(machine, None)


def this_machine(bwrap: str | None) -> Machine:
    """What views are made of here.

    Args:
        bwrap: The program, if there is one.
    """
    prefixes = dict.fromkeys(
        str(each)
        for prefix in (sys.base_prefix, sys.prefix)
        for each in (Path(prefix), Path(prefix).resolve())
    )
    folders = tuple(
        f"{prefix}/{name}"
        for prefix in prefixes
        if not _lies_in(prefix, "/usr")
        for name in _PYTHON
        if Path(prefix, name).exists()
    )
    sites = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
    masked = tuple(f"{site}/{name}" for site in sites for name in _PACKAGES if Path(site, name).is_dir())
    links, trees = [], ["/usr"]
    for name in _TOP:
        place = Path("/", name)
        if place.is_symlink():
            links.append((str(place), str(place.readlink())))
        elif place.is_dir():
            trees.append(str(place))
    return Machine(
        bwrap=bwrap,
        root=os.geteuid() == 0,
        uid=os.geteuid(),
        gid=os.getegid(),
        python=sys.executable,
        folders=folders,
        masked=masked,
        links=tuple(links),
        trees=tuple(trees),
        code=str(Path(appliance.__file__).parent),
        processor=os.uname().machine,
    )


def _lies_in(path: str, folder: str) -> bool:
    return Path(path).is_relative_to(folder)
