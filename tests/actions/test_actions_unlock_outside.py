"""From outside nothing opens a lock: no operation of the desk, no message of a process, no other code."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk_box import DeskBox, desk_box
from locked_box import ANNS, LockedBox, locked_box

import appliance
from appliance.errors import ApplianceError
from appliance.permissions import GRANTED, Permission, Role
from appliance.wire import Message
from appliance.wire.messages import MESSAGES, PinGone, PinJudged, PinTyped

PACKAGE = Path(appliance.__file__).parent
OURS = (PACKAGE, PACKAGE.parent / "enroll", PACKAGE.parent / "web")


@pytest.fixture
def box(tmp_path: Path) -> Iterator[LockedBox]:
    """A box whose lock opens for a face alone: the easiest there is to open."""
    with locked_box(tmp_path, policy="face_alone") as made:
        yield made


def _makers(name: str) -> set[str]:
    """The modules that call something of that name."""
    found = set()
    for folder in OURS:
        for path in folder.rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            calls = ast.walk(ast.parse(text)) if name in text else ()
            if any(
                isinstance(each, ast.Call)
                and (getattr(each.func, "id", None) == name or getattr(each.func, "attr", None) == name)
                for each in calls
            ):
                found.add(path.relative_to(PACKAGE.parent).as_posix())
    return found


def test_one_place_tells_a_lock() -> None:
    """What a lock is told is made behind the policy, which dispatch alone puts together."""
    assert {"appliance/actions/unlock.py"} == _makers("Opening")
    assert {"appliance/app/unlocking.py"} == _makers("UnlockAction")
    assert {"appliance/app/dispatching.py"} == _makers("Unlocking")


def _plausible(box: LockedBox, fields: Any) -> dict[str, Any]:
    """Arguments of those names that fit what is there."""
    store = box.services.store
    decision = box.identified()[0]
    known: dict[str, Any] = {
        "lock": "front",
        "door": "front",
        "camera": "outside",
        "pin": ANNS,
        "turn": "0" * 32,
        "subject": str(box.ann),
        "person": str(box.ann),
        "rule": store.rules()[0].id,
        "row": store.outbox()[0].id,
        "event": decision.id,
        "decision": decision.id,
        "position": decision.position,
        "enabled": True,
        "policy": "face_alone",
        "understood": True,
        "timeout_s": 0.0,
    }
    return {name: known[name] for name in fields if name in known}


def _asked_everything(desk: DeskBox, box: LockedBox, credentials: list[str]) -> int:
    """Every operation, as everybody, with arguments that fit; how many were carried out."""
    done = 0
    # What ends a session or takes something away comes last: it leaves less to be tried.
    last = ("close", "end", "remove", "revoke", "change", "erase", "merge")
    ordered = sorted(desk.desk.operations.items(), key=lambda item: item[0].rpartition(".")[2] in last)
    for name, operation in ordered:
        arguments = _plausible(box, operation.arguments.model_fields)
        for credential in credentials:
            try:
                desk.ask(name, credential, **arguments)
            except ApplianceError:
                continue
            done += 1
    return done


def test_no_operation_opens_a_lock(box: LockedBox) -> None:
    """Every operation of the desk, as admin, as keypad and as nobody, after Ann was recognised: not once."""
    box.recognise(box.ann, ago_s=4.0)
    assert ["too_old"] == box.said()
    with desk_box(box.services) as desk:
        admin = desk.first_admin()
        done = _asked_everything(desk, box, ["", box.paired(), admin])

    assert done > 20
    assert ["too_old"] == box.said()
    assert 0 == box.opened


def test_no_message_between_processes_opens_a_lock(box: LockedBox) -> None:
    """Whatever the dispatch process is told: a word about a PIN is no decision, and none is made by it."""
    box.recognise(box.ann, ago_s=4.0)
    decision = box.identified()[0].id
    said: list[Message] = [
        PinTyped(lock="front", turn="t"),
        PinJudged(lock="front", turn="t", decision=decision, word="fits"),
        PinJudged(lock="front", turn="t", decision="made up", word="fits"),
        PinGone(lock="front", turn="t"),
    ]
    client = box.client("dispatch")
    for each in said:
        client.call(each)
    for kind in MESSAGES:
        try:
            message = kind.model_validate({"lock": "front", "camera": "outside"} if kind not in _BARE else {})
            client.call(message, timeout_s=1.0)
        except (ApplianceError, ValueError):
            continue

    assert ["too_old"] == box.said()
    assert 0 == box.opened


_BARE = tuple(each for each in MESSAGES if not set(each.model_fields) - {"type", "version"})


def test_who_may_type_a_pin_may_nothing_else() -> None:
    """A keypad's permission is its own, no role of people has it, and it has no other."""
    assert frozenset({Permission.KEYPAD}) == GRANTED[Role.KEYPAD]
    assert [Role.KEYPAD] == [role for role, granted in GRANTED.items() if Permission.KEYPAD in granted]
