"""`appliance deeplens …`: functions in the foreground, many tried one after the other, and deployed ones."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from commands import Ended, call
from functions_box import GREETS, FunctionsBox
from hosted_functions import package_at
from hosting_at_hand import hosting_at_hand

from appliance.cli import appliance
from appliance.cli.deeplens_trying import name_for
from appliance.services import Layout

contained = pytest.mark.debian(reason="bubblewrap")

GOOD = GREETS.replace("WORD", "good")
BROKEN = "import awscam\nawscam.getLastFrame()\nraise KeyError('label')\n"
DEAD = """
import threading
import awscam
threading.Thread(target=lambda: [][0], name='Thread-1').start()
while True:
    awscam.getLastFrame()
"""
SAYS_SO = """
import awscam, greengrasssdk, time
client = greengrasssdk.client('iot-data')
client.publish(topic='t', payload='Test failed: no such model')
while True:
    awscam.getLastFrame()
"""
WAITS = "def lambda_handler(event, context):\n    return\n"
ASKS = """
import awscam
awscam.getLastFrame()
awscam.Model('/opt/awscam/artifacts/no_such_fish.xml', {'GPU': 1})
"""


def tried(*arguments: object) -> tuple[Ended, list[dict[str, Any]]]:
    """What `try --json` prints, a row each."""
    done = call("deeplens", "try", *arguments, "--json")
    return done, [json.loads(line) for line in done.out.splitlines()]


@contained
@pytest.mark.slow
def test_many_functions_are_tried_whatever_each_does(tmp_path: Path) -> None:
    """Good, broken, dead, silent, noise: each has its verdict and why, and none stops the others."""
    sources = {
        "good": GOOD,
        "broken": BROKEN,
        "dead": DEAD,
        "says_so": SAYS_SO,
        "waits": WAITS,
        "asks": ASKS,
        "syntax": "def lambda_handler(event, context:\n",
        "exits": "import sys\nsys.exit(3)\n",
    }
    folders = [package_at(tmp_path / name, {"lambda_function.py": code}) for name, code in sources.items()]
    noise = tmp_path / "noise.zip"
    noise.write_bytes(b"PK\x03\x04 noise")
    odd = tmp_path / "my first lambda.py"
    odd.write_text(GOOD, encoding="utf-8")
    empty = tmp_path / "empty"
    empty.mkdir()
    done, rows = tried(*folders, noise, odd, empty, "--seconds", 20)
    *found, totals = rows
    verdicts = {Path(row["path"]).stem: (row["verdict"], row["why"]) for row in found}

    assert {"totals": {"tried": 11, "run": 2, "wait": 1}} == totals
    assert 1 == done.code
    assert {"good", "my first lambda"} == {name for name, (word, _) in verdicts.items() if word == "runs"}
    assert "KeyError: 'label'" in verdicts["broken"][1]
    assert verdicts["dead"][1].startswith("a thread died: Thread-1")
    assert "Test failed: no such model" in verdicts["says_so"][1]
    assert ("waits", "it waits for messages") == verdicts["waits"]
    assert "no_such_fish" in verdicts["asks"][1]
    assert "lambda_function.py" in verdicts["syntax"][1] or "SyntaxError" in verdicts["syntax"][1]
    assert "it ended by itself" in verdicts["exits"][1]
    assert verdicts["noise"][1]
    assert verdicts["empty"][1]


@contained
def test_a_trial_counts_what_was_done(tmp_path: Path) -> None:
    """Frames, messages with their first texts, pictures of the project stream, in JSON."""
    folder = package_at(tmp_path / "greets", {"lambda_function.py": GOOD})
    done, (row, _) = tried(folder, "--frames", 6)

    assert (0, "runs", "python2", []) == (done.code, row["verdict"], row["runtime"], row["threads_died"])
    assert row["frames"] >= 6
    assert row["messages"] >= 6
    assert any("good" in each for each in row["first_messages"])
    assert row["project_stream"]["pictures"] >= 1


@contained
def test_a_function_runs_in_the_foreground(tmp_path: Path) -> None:
    """A zip on a rendered scene: messages on standard output, its lines and the summary on the other."""
    package = tmp_path / "greets.zip"
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("lambda_function.py", GOOD)
    done = call("deeplens", "run", package, "--source", "scene:door", "--frames", 3, "--seconds", 30)

    assert 0 == done.code
    assert '"width": 2688' in done.out
    assert "good begins" in done.err
    assert "frames" in done.err.splitlines()[-1]


@contained
def test_a_terminal_is_shown_no_more_than_text(tmp_path: Path) -> None:
    """Whatever a function publishes, and wherever: no escapes, no second line."""
    code = """
import greengrasssdk
greengrasssdk.client('iot-data').publish(topic='a\\x1b]0;b\\x07', payload='c\\x1bd')
"""
    folder = package_at(tmp_path / "paints", {"lambda_function.py": code})
    done = call("deeplens", "run", folder, "--source", "scene:door", "--seconds", 10)

    assert [] == [each for each in done.out if ord(each) < ord(" ") and each != "\n"]
    assert "]0;b" in done.out


@contained
def test_a_message_is_handed_to_one_that_waits(tmp_path: Path) -> None:
    """`--event` reaches the handler; the last line of JSON is the summary."""
    code = """
import greengrasssdk
client = greengrasssdk.client('iot-data')
def lambda_handler(event, context):
    import awscam
    awscam.getLastFrame()
    client.publish(topic='answer', payload='got %s' % event['action'])
"""
    folder = package_at(tmp_path / "waits", {"lambda_function.py": code})
    event = '{"action": "capture"}'
    done = call(
        "deeplens", "run", folder, "--source", "scene:door", "--frames", 1, "--event", event, "--json"
    )
    first, *_, last = [json.loads(line) for line in done.out.splitlines()]

    assert "got capture" == first["payload"]
    assert (True, "runs") == (last["summary"]["driven_by_messages"], last["summary"]["verdict"])


@contained
def test_a_failure_in_the_foreground_is_told_once(tmp_path: Path) -> None:
    """One traceback of an import or handler that fails, wherever `sys.stderr` leads; nothing starts again."""
    imports = package_at(tmp_path / "imports", {"lambda_function.py": "raise KeyError('not here')\n"})
    handles = (
        "import os, sys\nsys.stderr = open(os.devnull, 'w')\ndef lambda_handler(event, context):\n    [][9]\n"
    )
    handler = package_at(tmp_path / "handles", {"lambda_function.py": handles})
    import_failed = call("deeplens", "run", imports, "--source", "scene:door", "--seconds", 30)
    words = ("--source", "scene:door", "--frames", 1, "--seconds", 30, "--event", "{}")
    handler_failed = call("deeplens", "run", handler, *words)

    assert (1, 1) == tuple(each.err.count("Traceback (most") for each in (import_failed, handler_failed))
    assert "KeyError: 'not here'" in import_failed.err
    assert "IndexError" in handler_failed.err
    assert "started again" not in import_failed.err


def test_a_source_that_is_none_is_said(tmp_path: Path) -> None:
    """Nothing is started for a clip that there is not."""
    folder = package_at(tmp_path / "greets", {"lambda_function.py": GOOD})
    done = call("deeplens", "run", folder, "--source", tmp_path / "missing.mp4")

    assert (4, True) == (done.code, "there is no file or folder" in done.err)


def test_a_box_that_does_not_run_says_what_to_do(tmp_path: Path) -> None:
    """Every command that asks the host says how it is started, or how a function runs without it."""
    for words in (["list"], ["stop", "x"], ["messages", "x"], ["logs", "x"], ["port", "x"], ["remove", "x"]):
        done = call("--state", tmp_path, "deeplens", *words)
        assert 9 == done.code
        assert "nothing that hosts functions answers here" in done.err
        assert "appliance deeplens run" in done.err


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("my project.d", "my-project"),
        ("lambda_function.py", "lambda_function"),
        ("…", "function"),
        ("-a-", "a"),
    ],
)
def test_a_function_is_called_as_its_file(tmp_path: Path, name: str, expected: str) -> None:
    """A name that fits is made of whatever the file is called."""
    path = tmp_path / name
    path.write_text("", encoding="utf-8")

    assert expected == name_for(path)


def test_every_command_has_help() -> None:
    """The group's page shows examples."""
    page = CliRunner().invoke(appliance, ["deeplens", "--help"]).output

    assert "appliance deeplens try projects/* --frames 6 --json" in page


@pytest.fixture
def box(tmp_path: Path) -> Iterator[FunctionsBox]:
    """A box that hosts functions."""
    made = FunctionsBox(tmp_path)
    with made.hosting():
        yield made
    made.close()


def test_a_stream_that_is_none_is_in_the_list(tmp_path: Path) -> None:
    """What lies where the pipe belongs, in words below the function, and in JSON."""
    layout = Layout(tmp_path)
    with hosting_at_hand(layout) as hosted:
        trouble = {"stream_trouble": "results.mjpeg is a folder, not a pipe"}
        hosted.functions["dogs"] = hosted.functions["dogs"].model_copy(update=trouble)
        words = call("--state", tmp_path, "deeplens", "list").out
        rows = [
            json.loads(line)
            for line in call("--state", tmp_path, "deeplens", "list", "--json").out.splitlines()
        ]

    assert "  no stream: results.mjpeg is a folder, not a pipe" in words.splitlines()
    assert ["", trouble["stream_trouble"]] == [each["stream_trouble"] for each in rows]


@contained
@pytest.mark.slow
def test_a_function_has_the_variables_it_is_given(tmp_path: Path) -> None:
    """As its settings in Lambda had them; one named alone is what it is here, the thing's name is its own."""
    source = """
import os, awscam, greengrasssdk
awscam.getLastFrame()
greengrasssdk.client('iot-data').publish(topic='t', payload=' '.join(os.environ[each] for each in NAMES))
while True:
    awscam.getLastFrame()
"""
    names = ["BUCKET", "HERE", "AWS_IOT_THING_NAME"]
    code = source.replace("NAMES", repr(names))
    folder = package_at(tmp_path / "reads", {"lambda_function.py": code})
    given = ("--env", "BUCKET=a=b c", "--env", "HERE", "--env", "AWS_IOT_THING_NAME=deeplens_mine")
    command = ("deeplens", "run", folder, "--source", "scene:door", "--seconds", "8", "--frames", "2", *given)
    done = CliRunner(env={"HERE": "of the shell"}).invoke(appliance, [str(each) for each in command])
    without = CliRunner().invoke(appliance, ["deeplens", "run", str(folder), "--seconds", "8"])

    assert "t  a=b c of the shell deeplens_mine" in done.stdout
    assert "the appliance does not run" in str(without.exception or without.output)


@contained
def test_a_function_is_deployed_watched_and_removed(box: FunctionsBox, tmp_path: Path) -> None:
    """deploy, list, messages, logs, port, stop, start, remove: each by its name, in words and in JSON."""
    folder = package_at(tmp_path / "greets", {"lambda_function.py": GOOD, "labels.txt": "dog\n"})

    def said(*words: object) -> str:
        done = call("--state", box.layout.state, "deeplens", *words)
        assert 0 == done.code, done.err
        return str(done.out)

    assert "no function is deployed" in said("list")
    assert "greets: deployed; python2, lambda_function.lambda_handler" in said("deploy", folder)
    box.until(lambda: json.loads(said("list", "--json"))["messages"] > 3)
    assert "greets" in said("list")
    assert '"word": "good"' in said("messages", "greets", "--last", 4)
    assert "good" in json.loads(said("messages", "greets", "--json").splitlines()[0])["payload"]
    box.until(lambda: "good begins" in said("logs", "greets"))
    assert "print" in said("port", "greets")
    assert "+print('good begins')" in said("port", "greets", "--diff").replace(" (", "(")
    assert "python2" == json.loads(said("port", "greets", "--json"))["runtime"]
    said("stop", "greets")
    assert "stopped" == json.loads(said("list", "--json"))["phase"]
    said("start", "greets")
    assert "deployed in place of another" in said(
        "deploy", folder, "--camera", "entrance", "--env", "TOKEN=hush"
    )
    assert ["TOKEN"] == json.loads(said("list", "--json"))["variables"]
    assert "hush" not in said("list", "--json")
    said("remove", "greets")
    assert "no function is deployed" in said("list")
