"""What `evaluate` and `calibrate` make of a folder of photos, beside a models process that dies of one."""

from pathlib import Path
from typing import Any

import pytest
from commands import call

from appliance.cli.context import Context
from appliance.cli.evaluate import embedded
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.values import DLIB, DLIB_MIRROR, SFACE
from appliance.wire import Reply, Request, Server
from appliance.wire.messages import EmbeddedFace, EmbedPhoto, PhotoEmbedded

POISON = b"poison"


def answer(request: Request[Any]) -> Reply[Any]:
    """One face in every picture; of poison the connection is cut, as by a process that dies."""
    if request.blob == POISON:
        raise SystemExit
    templates = dict.fromkeys(map(str, (DLIB, DLIB_MIRROR, SFACE)), (float(len(request.blob)), *[0.0] * 127))
    face = EmbeddedFace(box=(0, 0, 90, 90), score=0.9, quality=80.0, templates=templates)
    return Reply(PhotoEmbedded(width=90, height=90, faces_found=1, faces=(face,)))


# The thread of the connection ends as the process would, which pytest takes for an accident.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_picture_that_the_models_process_dies_of_costs_itself_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was embedded before it is kept, what comes after it is embedded, and it is left out by reason."""
    layout = Layout(tmp_path / "state")
    for person, content in {"ann": b"a", "ben": POISON, "cem": b"ccc"}.items():
        (tmp_path / "people" / person).mkdir(parents=True)
        (tmp_path / "people" / person / "0.jpg").write_bytes(content)
    with Server(layout.socket("models"), {EmbedPhoto: answer}):
        found = embedded(Context(None, layout.state), tmp_path / "people")

    assert (("ben/0.jpg", "unreadable"),) == found.refused
    assert [1.0, 3.0] == found.embeddings[SFACE][:, 0].tolist()
    assert "ben" not in capsys.readouterr().err


def blurred(request: Request[Any]) -> Reply[Any]:
    """One face in every picture, which enrolment would refuse."""
    found = answer(request).message
    (face,) = found.faces
    refused = face.model_copy(update={"reasons": ("LOW_SHARPNESS",)})
    return Reply(found.model_copy(update={"faces": (refused,)}))


def test_each_command_hints_at_what_it_can_do(tmp_path: Path) -> None:
    """No face can be used: `evaluate` has an option for that, `calibrate` has none and names none."""
    layout = Layout(tmp_path / "state")
    with open_services(Settings(), layout, create=True):
        (layout.state / "appliance.toml").write_text('site = "test"\n', encoding="utf-8")
    (tmp_path / "people" / "ann").mkdir(parents=True)
    (tmp_path / "people" / "ann" / "0.jpg").write_bytes(b"a")
    with Server(layout.socket("models"), {EmbedPhoto: blurred}):
        evaluated = call("--state", layout.state, "evaluate", tmp_path / "people")
        calibrated = call("--state", layout.state, "calibrate", "--folder", tmp_path / "people")

    assert (3, 3) == (evaluated.code, calibrated.code)
    assert evaluated.errors == calibrated.errors
    assert "--every-face" in evaluated.hints[0]
    assert "--every-face" not in calibrated.hints[0]
