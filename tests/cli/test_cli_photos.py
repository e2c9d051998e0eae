"""What `evaluate` and `calibrate` make of a folder of photos, beside a models process that dies of one."""

from pathlib import Path
from typing import Any

import pytest

from appliance.cli.context import Context
from appliance.cli.evaluate import embedded
from appliance.services import Layout
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
