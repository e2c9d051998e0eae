"""`appliance deeplens deploy` with options that cannot be: one sentence each, before anything is done."""

import json
from pathlib import Path

import pytest
from commands import call
from hosted_functions import package_at

MXNET = Path(__file__).parents[1] / "models" / "data" / "mxnet"


def test_each_remedy_has_a_line_of_its_own(tmp_path: Path) -> None:
    """What to do with what to type for it, and what else can be done: not one after the other."""
    done = call("--state", tmp_path, "deeplens", "list")

    assert [
        "start the appliance, with deeplens.enabled; appliance run",
        "or, without it: appliance deeplens run FUNCTION --source scene:door",
    ] == done.hints


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--name", "bad name"], "--name: a name is 1 to 64 letters"),
        (["--handler", f"{'a' * 400}.b"], "--handler: a handler is written module.function"),
        (["--allow-network", "http://x"], "--allow-network, number 1: a host is written example.com"),
        (["--allow-network", "a.example", "--allow-network", "x:99999"], "--allow-network, number 2: a host"),
        (["--subscribe", "#a"], "--subscribe, number 1: # stands alone"),
        (["--publish", "a/+"], "--publish, number 1: a topic to publish to is named in full"),
        (["--subscribe", "a"] * 33, "--subscribe: 33 are given, and 32 are the most"),
        (["--env", "LD_PRELOAD=x"], "--env: LD_PRELOAD is set by the appliance"),
        (["--env", "NOT_SET_HERE"], "--env NOT_SET_HERE: it is not set here"),
        (["--model", "fish"], "--model fish: write NAME=FILE, NAME=FILE,FILE or NAME=FILE@WxH"),
        (["--model", "=fish.onnx@9x9"], "--model =fish.onnx@9x9: write NAME=FILE"),
        (["--camera", "c" * 40], "--camera: a camera's name has 32 characters at most"),
    ],
)
def test_an_option_that_cannot_be_is_refused_in_words(tmp_path: Path, options: list[str], words: str) -> None:
    """Which, and how it is written; no traceback, no pattern, and where its help is."""
    folder = package_at(tmp_path / "greets", {"lambda_function.py": "def lambda_handler(a, b): pass\n"})
    done = call("--state", tmp_path, "deeplens", "deploy", folder, *options)
    code, error = done.refusal

    assert 2 == code
    assert error.startswith(words)
    assert "[A-Z" not in error
    assert ["see: appliance deeplens deploy --help"] == done.hints


def test_a_model_is_installed_first_with_the_size_of_its_pictures(tmp_path: Path) -> None:
    """MXNet's files do not say it; a file that is called as if it said one is a file."""
    folder = package_at(tmp_path / "greets", {"lambda_function.py": "def lambda_handler(a, b): pass\n"})
    symbol, params = MXNET / "resnet-symbol.json", MXNET / "resnet-0000.params"
    odd = tmp_path / "labels.txt@9x9"
    odd.write_text("none")
    for said in (f"fish={symbol},{params}@32x32", f"odd={odd}"):
        call("--state", tmp_path, "deeplens", "deploy", folder, "--model", said)
    listed = {
        row["name"]: row["input"]
        for row in json.loads(call("--state", tmp_path, "deeplens", "models", "list", "--json").out)
    }

    assert (32, 32) == (listed["fish"]["width"], listed["fish"]["height"])
