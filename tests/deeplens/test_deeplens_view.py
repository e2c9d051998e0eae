"""What a function sees of the machine: the command line that makes a view, and the limits in it."""

import functools
import json
import os
import re
import struct
import threading
from pathlib import Path

import hostile_functions as hostile
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipe_readers import eventually

from appliance.deeplens import printed, syscall_filter
from appliance.deeplens import view as views
from appliance.deeplens.containment import Containment, containment, this_machine
from appliance.deeplens.launching import launch
from appliance.deeplens.project import Limits
from appliance.deeplens.view import NICE, Machine, View
from appliance.deeplens.view_arguments import arguments
from appliance.errors import ContainmentError, FunctionError

OPTIONS = {
    *(
        "--unshare-pid",
        "--unshare-net",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-cgroup-try",
        "--hostname",
    ),
    *("--die-with-parent", "--new-session", "--cap-drop", "--cap-add", "--unshare-user", "--disable-userns"),
    *("--info-fd", "--seccomp", "--proc", "--dev", "--perms", "--size", "--tmpfs", "--dir", "--ro-bind"),
    *("--ro-bind-try", "--ro-bind-data", "--symlink", "--bind", "--remount-ro", "--chdir"),
}
"""All options of bwrap that a view may use, and how many words follow each."""
WORDS = {
    **dict.fromkeys(
        ("--hostname", "--cap-drop", "--cap-add", "--info-fd", "--seccomp", "--proc", "--dev"), 1
    ),
    **dict.fromkeys(("--perms", "--size", "--tmpfs", "--dir", "--remount-ro", "--chdir"), 1),
    **dict.fromkeys(("--ro-bind", "--ro-bind-try", "--ro-bind-data", "--symlink", "--bind"), 2),
}


def _machine(*, root: bool) -> Machine:
    return Machine(
        bwrap="/usr/bin/bwrap",
        root=root,
        uid=0 if root else 1000,
        gid=0 if root else 1000,
        python="/venv/bin/python",
        folders=("/venv/bin", "/venv/lib"),
        masked=("/venv/lib/python3.11/site-packages/appliance",),
        links=(("/bin", "usr/bin"),),
        trees=("/usr",),
        code="/code/appliance",
        processor="x86_64",
    )


def _read(words: list[str]) -> list[tuple[str, ...]]:
    """A command line as bwrap reads it: options with what follows each, up to the `--`."""
    found, rest = [], words[1:]
    while rest[0] != "--":
        count = WORDS.get(rest[0], 0)
        found.append(tuple(rest[: 1 + count]))
        rest = rest[1 + count :]
    assert ["--"] == rest
    return found


TEXT = st.one_of(
    st.sampled_from(
        ["--bind", "--", "--dev-bind", "--share-net", "a b", "--ro-bind=/", "$(id)", "-", "é", "a'b"]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8),
)


@given(
    TEXT,
    st.dictionaries(TEXT, TEXT, max_size=3),
    st.dictionaries(TEXT, st.binary(max_size=3), max_size=2),
    st.booleans(),
)
def test_no_text_of_a_view_becomes_an_option(
    name: str,
    artifacts: dict[str, str],
    notes: dict[str, bytes],
    root: bool,  # noqa: FBT001 - drawn
) -> None:
    """Read as bwrap reads it, a command line has our options alone, and its texts are their paths."""
    try:
        view = View(
            name=name,
            function=Path("/state") / name,
            artifacts={key: Path("/models", value) for key, value in artifacts.items()},
            notes=notes,
            proxy=Path("/run") / name,
        )
    except ValueError:
        assert not all(views.is_plain_name(each) for each in (name, *artifacts, *notes))
        return
    machine = _machine(root=root)
    files = {path: 100 + number for number, path in enumerate(views.small_files(view, machine))}

    options = _read(arguments(view, machine, files, info=9, seccomp=8))

    assert OPTIONS >= {each[0] for each in options}
    assert all(word.startswith("/") for each in options if "bind" in each[0] for word in each[-1:])
    assert [("--chdir", view.folder)] == options[-1:]


def test_nothing_is_writable_but_what_has_a_size() -> None:
    """Every folder in memory has a size, the root and /dev end read-only, and none outside is writable."""
    view = View(name="dog", function=Path("/f"), limits=Limits(tmp_mb=20, artifacts_mb=30))
    options = _read(arguments(view, _machine(root=True), {}, info=9, seccomp=None))

    sized = {each[1]: options[n - 1] for n, each in enumerate(options) if each[0] == "--tmpfs"}
    assert {"--size"} == {each[0] for each in sized.values()}
    assert ("--size", str(20 << 20)) == sized["/tmp"]
    assert ("--size", str(30 << 20)) == sized["/opt/awscam/artifacts"]
    assert {("--remount-ro", "/"), ("--remount-ro", "/dev")} <= set(options)
    assert [] == [each for each in options if each[0] == "--bind"]
    assert ("--unshare-net",) in options


def test_a_state_that_lies_among_the_programs_is_hidden() -> None:
    """Somebody may keep the state below /usr, or where Python is: it is shown empty, whoever may read it."""
    view = View(name="dog", function=Path("/f"), hidden=(Path("/usr/local/door"), Path("/var/lib/door")))
    options = _read(arguments(view, _machine(root=False), {}, info=9, seccomp=None))

    assert options.index(("--tmpfs", "/usr/local/door")) > options.index(("--ro-bind", "/usr", "/usr"))
    assert ("--remount-ro", "/usr/local/door") in options
    assert not any("/var/lib/door" in each for each in options)


def test_root_keeps_no_more_than_it_needs_to_step_down() -> None:
    """As root all capabilities go but those to change the account; else a namespace of users stands in."""
    view = View(name="dog", function=Path("/f"))
    as_root = _read(arguments(view, _machine(root=True), {}, info=9, seccomp=None))
    as_user = _read(arguments(view, _machine(root=False), {}, info=9, seccomp=None))

    assert [("--cap-drop", "ALL"), ("--cap-add", "CAP_SETUID"), ("--cap-add", "CAP_SETGID")] == [
        each for each in as_root if each[0].startswith("--cap")
    ]
    assert {("--unshare-user",), ("--disable-userns",)} <= set(as_user)
    assert (1000, 1000) == views.account(view, _machine(root=False))
    assert 60578 <= views.account(view, _machine(root=True))[0] <= 61183


def test_credentials_are_in_no_command_line() -> None:
    """Everybody on a box can read command lines; variables are passed as such, and ours replace theirs."""
    view = View(
        name="dog", function=Path("/f"), environment={"AWS_SECRET_ACCESS_KEY": "s3cret", "HOME": "/x"}
    )
    machine = _machine(root=True)
    words = arguments(view, machine, {}, info=9, seccomp=None)
    order = views.launch_order(view, machine, ready=5, contained=True)

    assert not any("s3cret" in each for each in [*words, *views.command_line(machine, order, ["x"])])
    assert "s3cret" == views.environment(view)["AWS_SECRET_ACCESS_KEY"]
    assert "/home/aws_cam" == views.environment(view)["HOME"]


def test_a_view_of_no_plain_name_is_refused() -> None:
    """Names are names: a path in one would put something where it does not belong."""
    for name in ("", ".", "..", "a/b", "a\0b", "a\n", "x" * 256):
        with pytest.raises(ValueError, match="no plain name"):
            View(name=name, function=Path("/f"))


# ---------------------------------------------------------------------- the filter of calls


def _answer(program: bytes, architecture: int, number: int, first: int = 0, second: int = 0) -> int:
    """What a filter answers to a call, by the kernel's rules."""
    data = {0: number, 4: architecture, 16: first, 24: second}
    lines = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    word, at = 0, 0
    while True:
        code, yes, no, value = lines[at]
        at += 1
        if code == 0x20:
            word = data[value]
        elif code == 0x54:
            word &= value
        elif code == 0x15:
            at += yes if word == value else no
        elif code == 0x35:
            at += yes if word >= value else no
        else:
            assert code == 0x06
            return int(value)


def test_the_filter_refuses_what_it_says_and_nothing_else() -> None:
    """Run as the kernel runs it, on both kinds of processors; another kind of calls ends the process."""
    allow, refuse = 0x7FFF0000, 0x00050001
    for name, (setsid, architecture, clone, ioctl, sock, unshare, read) in {
        "x86_64": (112, 0xC000003E, 56, 16, 41, 272, 0),
        "aarch64": (157, 0xC00000B7, 220, 29, 198, 97, 63),
    }.items():
        program = syscall_filter.filter_for(name)
        assert program is not None
        asked = [
            _answer(program, architecture, unshare),
            _answer(program, architecture, clone, 0x10000000 | 17),
            _answer(program, architecture, ioctl, 0, 0x5412),
            _answer(program, architecture, sock, 40),
        ]
        given_way = [
            _answer(program, architecture, read),
            _answer(program, architecture, clone, 0x3D0F00),
            _answer(program, architecture, ioctl, 0, 0x5413),
            *(_answer(program, architecture, sock, family) for family in (1, 2, 10, 16)),
        ]

        assert [refuse] * 4 == asked
        assert 0x00050000 == _answer(program, architecture, setsid)
        assert {allow} == set(given_way)
        assert 0x80000000 == _answer(program, 0x40000003, read)
    assert syscall_filter.filter_for("riscv64") is None


# ---------------------------------------------------------------------- what is printed


def _paced(content: bytes) -> bytes:
    """What is kept of a content that a function prints all at once."""
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb") as file:
            file.write(content)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        return b"".join(printed.read_paced(reading, monotonic=lambda: 0.0, sleep=lambda _wait_s: None))
    finally:
        writer.join()
        os.close(reading)


def test_what_is_printed_is_kept_up_to_a_rate() -> None:
    """Ten seconds' worth at once is kept to the last byte; of a flood every line is kept or counted."""
    little = b"over and over\n" * 10_000
    assert little == _paced(little)
    kept = _paced(little * 30)
    note = re.search(rb"\n\[([\d,]+) lines left out: the function prints too much\]\n$", kept)

    assert note is not None
    assert printed.KEPT_A_SECOND * 10 >= note.start()
    assert 300_000 == int(note[1].replace(b",", b"")) + kept[: note.start()].count(b"\n")


# ---------------------------------------------------------------------- starting


def _just(program: str, machine: Machine) -> list[str]:
    """A command of one word."""
    return [program]


def _without_view() -> Containment:
    return Containment(this_machine(None), "no_bwrap")


def test_uncontained_is_refused_and_says_what_would_be_open(tmp_path: Path) -> None:
    """Without bubblewrap nothing starts, and the admin reads what accepting it would mean."""
    with pytest.raises(ContainmentError) as caught:
        hostile.start(tmp_path / "f", "tell(ran=True)", _without_view())

    for words in ("not contained", "bwrap", "use the network", "read every file"):
        assert words in caught.value.message
    assert "accept" in caught.value.hint
    assert any(
        "Network: none" in each for each in Containment(this_machine("/usr/bin/bwrap"), None).contained
    )


@pytest.mark.debian(reason="bubblewrap")
def test_a_function_runs_in_its_view_with_its_limits(tmp_path: Path) -> None:
    """Its folder is current and first on the path, its notes and models lie where the device had them."""
    model = tmp_path / "weights"
    model.mkdir()
    (model / "w.bin").write_text("weights")
    source = """
import resource
tell(cwd=os.getcwd(), first=sys.path[0], note=open("/opt/awscam/artifacts/a.xml").read(),
     model=open("/opt/awscam/artifacts/m/w.bin").read(),
     mac=len(open("/sys/class/net/mlan0/address").read().strip()),
     home=os.listdir("/home/aws_cam"), thing=os.environ["AWS_IOT_THING_NAME"],
     user=__import__("pwd").getpwuid(os.getuid()).pw_name,
     files=resource.getrlimit(resource.RLIMIT_NOFILE)[1], core=resource.getrlimit(resource.RLIMIT_CORE)[1],
     nice=os.nice(0), first_killed=open("/proc/self/oom_score_adj").read(),
     descriptors=len(os.listdir("/proc/self/fd")))
"""
    told = hostile.run(
        tmp_path / "f",
        source,
        containment(),
        artifacts={"m": model},
        notes={"a.xml": b"note"},
        environment={"AWS_IOT_THING_NAME": "deeplens_x"},
    )
    folder = "/opt/awscam/greengrass/ggc/deployment/lambda/hostile"
    expected = {
        "cwd": folder,
        "first": folder,
        "note": "note",
        "model": "weights",
        "mac": 17,
        "home": [],
        "thing": "deeplens_x",
        "user": "aws_cam",
        "files": 64,
        "core": 1,
        "nice": min(19, os.nice(0) + NICE),
        "first_killed": "800\n",
        "descriptors": 5,
    }

    assert "exit 0" == told.ended
    assert expected == told.outcomes


@pytest.mark.debian(reason="bubblewrap")
def test_a_command_that_cannot_start_leaves_nothing(tmp_path: Path) -> None:
    """A missing folder or program is our error, at once, and no descriptor stays open."""
    allowed = containment()
    before = set(Path("/proc/self/fd").iterdir())
    (tmp_path / "f").mkdir()
    for folder, program in ((tmp_path / "f", "/no/such/program"), (tmp_path / "none", "/usr/bin/env")):
        with pytest.raises(FunctionError, match="could not be started"):
            launch(View(name="dog", function=folder), functools.partial(_just, program), allowed)

    # What a thread of another test has open just now is closed again; what is left behind is not.
    assert eventually(lambda: set(Path("/proc/self/fd").iterdir()) <= before)


@pytest.mark.debian(reason="bubblewrap")
def test_a_time_that_is_over_ends_it(tmp_path: Path) -> None:
    """What must come to an end, porting, is ended when it does not."""
    told = hostile.run(tmp_path / "f", "time.sleep(60)", containment(), longest_s=0.2, with_channel=False)

    assert "killed: it took longer than 0.2 s" == told.ended


def test_the_order_to_the_launcher_is_what_the_limits_say() -> None:
    """Limits go to the launcher in bytes, and the account only where we are root."""
    view = View(name="dog", function=Path("/f"), limits=Limits(memory_mb=200, processes=9, open_files=70))
    order = json.loads(views.launch_order(view, _machine(root=False), ready=5, contained=True))

    assert {"DATA": 200 << 20, "NPROC": 9, "NOFILE": 70, "CORE": 1}.items() <= order["limits"].items()
    assert order["become"] is None
