"""Laying out, without a view, what a function would see in one: folders of its own, and links.

Only for boxes whose admin accepted that functions run uncontained. Contains nothing and starts nothing.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from appliance.deeplens import view as views
from appliance.deeplens.view import Machine, View


def lay_out(view: View, machine: Machine, scratch: Path) -> str:
    """Lay out what a function without a view gets, by links, in a folder of its own.

    Args:
        view: What it would get.
        machine: What the box has.
        scratch: An empty folder.

    Returns:
        The function's folder, for its current one.
    """
    for path, content in views.small_files(view, machine).items():
        place = scratch / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    pairs = {
        view.folder: view.function,
        **{f"{views.ARTIFACTS}/{name}": path for name, path in view.artifacts.items()},
        **{f"{views.CODE}/appliance/{each}": Path(machine.code, each) for each in views.GUEST_CODE},
        **({} if view.out is None else {views.OUT: view.out}),
        **({} if view.writable is None else {views.WRITABLE: view.writable}),
    }
    copied = (
        {view.function, *view.artifacts.values()} if views.becomes(view, machine, contained=False) else set()
    )
    for path, source in pairs.items():
        place = scratch / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if source in copied:  # the state's folders are closed to the account it changes to
            _copy(source, place)
        else:
            place.symlink_to(source.resolve())
    own = [scratch / each for each in ("tmp", views.HOME.lstrip("/"), views.ARTIFACTS.lstrip("/"))]
    for each in own:
        each.mkdir(parents=True, exist_ok=True)
    if machine.root:
        uid, gid = views.account(view, machine)
        scratch.chmod(0o755)
        for each in own:
            os.chown(each, uid, gid)
    return str(scratch / view.folder.lstrip("/"))


def placed(words: Sequence[str], scratch: Path) -> list[str]:
    """A command whose paths of the view lead to what was laid out for it."""
    return [
        f"{scratch}{each}" if each.startswith("/") and os.path.lexists(f"{scratch}{each}") else each
        for each in words
    ]


def _copy(source: Path, place: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, place, symlinks=True)
    else:
        shutil.copyfile(source, place)
    place.chmod(0o755)


def environment(scratch: Path) -> dict[str, str]:
    """Variables that lead a function without a view to what was laid out for it.

    `DEEPLENS_ROOT` is the folder in which /opt, /tmp and /home/aws_cam of the device stand.
    """
    return {
        "DEEPLENS_ROOT": str(scratch),
        "PYTHONPATH": f"{scratch}{views.CODE}",
        "HOME": f"{scratch}{views.HOME}",
        "TMPDIR": str(scratch / "tmp"),
        # The network is open to it: no proxy is in its way.
        **dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), ""),
    }
