"""What the demo prints of what is found: a line each, whatever becomes of the process that is asked."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.cli.demo_things import found_told, told
from appliance.wire import Reply, Request, Server
from appliance.wire.messages import AskNewest, FoundTold, MatchTold, NewestTold

AT = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
CUP = MatchTold(item="coffee-cup", title="Coffee cup", picture="1", score=0.814)


def look(number: int, *, known: bool, source: str = "camera") -> FoundTold:
    """A look-up; of what is not known the cup is the nearest."""
    return FoundTold.model_validate(
        {
            "number": number,
            "at": AT,
            "source": source,
            "name": "table",
            "known": known,
            "threshold": 0.5,
            "basis": "default",
            "featurizer": "efficientnet-lite0:0",
            "searched": 8,
            "matches": [CUP.model_dump()] if known else [],
            "near": None if known else CUP.model_dump(),
        }
    )


def test_a_line_says_what_was_found_or_that_there_is_nothing_like_it() -> None:
    """With how alike, as the other lines have their figures."""
    when = f"{AT.astimezone():%H:%M:%S}"

    assert f"{when}  found Coffee cup by camera table (0.81)" == told(look(1, known=True))
    strange = f"{when}  nothing like it in the catalogue by camera table (nearest: Coffee cup, 0.81)"
    assert strange == told(look(2, known=False))
    assert told(look(2, known=False).model_copy(update={"near": None})).endswith("by camera table")


def test_each_look_before_a_camera_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of functions are not; and it waits for a process that is not there yet."""
    socket, asked = tmp_path / "search.sock", list[int]()

    def newest(request: Request[AskNewest]) -> Reply[NewestTold]:
        asked.append(request.message.after)
        time.sleep(0.02)
        return Reply(
            NewestTold(
                found=(look(2, known=True), look(1, known=True, source="function")),
                number=3,
                last={"camera/table": look(3, known=False)},
            )
        )

    with found_told(socket), Server(socket, {AskNewest: newest}):
        until(lambda: len(asked) > 2)
    lines = [line for line in capsys.readouterr().out.splitlines() if "by camera" in line]

    assert [0, 3, 3] == asked[:3]
    assert ["found Coffee cup", "nothing like it"] == [line[10:26].strip() for line in lines]
    assert "found-told" not in {each.name for each in threading.enumerate()}


def until(met: Callable[[], bool]) -> None:
    """Wait for something."""
    deadline = time.monotonic() + 60
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.01)
