"""Messages and failures: what goes in comes out, and nothing else does."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance import errors
from appliance.errors import (
    ActionError,
    ApplianceError,
    CameraLostError,
    ChainBrokenError,
    ModelError,
    PeerRefusedError,
    PhotoError,
    WireError,
)
from appliance.wire.failures import to_error, to_failure
from appliance.wire.messages import MESSAGES, EmbeddedFace, Failure, Ping, Status, decode, encode, kind

float32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def test_every_message_has_a_name_of_its_own_and_a_version() -> None:
    """The wire name and the version have defaults, and no two messages share a name."""
    names = [kind(cls) for cls in MESSAGES]

    assert len(names) == len(set(names))
    assert all(cls.model_fields["version"].default >= 1 for cls in MESSAGES)


@given(
    st.text(max_size=20),
    st.integers(0, 2**22),
    st.floats(0, 1e9),
    st.dictionaries(st.text(max_size=8), json_values, max_size=4),
)
def test_a_status_survives_the_wire(
    process: str, pid: int, uptime: float, details: dict[str, object]
) -> None:
    """What is written is read back equal, whatever is in it."""
    status = Status(process=process, pid=pid, uptime_s=uptime, details=details)

    assert status == decode(encode(status))


@given(st.lists(float32, min_size=1, max_size=128))
def test_embeddings_survive_json_exactly(numbers: list[float]) -> None:
    """A float32 read back is the same float32, so a template enrolled over the wire is the template."""
    face = EmbeddedFace(box=(0, 0, 1, 1), score=1, quality=50, templates={"sface": tuple(numbers)})

    assert tuple(numbers) == EmbeddedFace.model_validate_json(face.model_dump_json()).templates["sface"]


@given(st.binary(max_size=200))
def test_garbage_is_a_wire_error(data: bytes) -> None:
    """No bytes make decoding raise anything but WireError."""
    with pytest.raises(WireError):
        decode(data)


@pytest.mark.parametrize(
    "body",
    [
        {"type": "open_the_door", "version": 1},  # no such message
        {"type": "status", "version": 1},  # fields are missing
        {"type": "ping", "version": 1, "extra": True},  # a field nobody knows
        {"version": 1},  # no type
        {"type": "ping", "version": "1"},  # a version that is no number
        [],
    ],
)
def test_a_message_that_does_not_fit_is_a_wire_error(body: object) -> None:
    """Unknown types and fields are errors, not silences."""
    with pytest.raises(WireError) as caught:
        decode(json.dumps(body).encode())

    assert WireError is type(caught.value)


def test_values_do_not_appear_in_the_error() -> None:
    """A malformed message may be personal; its error names places only."""
    body = {"type": "status", "version": 1, "process": 1, "pid": "Ann Example", "uptime_s": 0}

    with pytest.raises(WireError, match="pid") as caught:
        decode(json.dumps(body).encode())

    assert "Ann" not in str(caught.value)


@pytest.mark.parametrize(
    ("version", "older"), [(0, "the other process is older"), (2, "this process is older")]
)
def test_another_version_of_a_message_is_refused_and_says_who_is_older(version: int, older: str) -> None:
    """Two versions of a message do not talk."""
    with pytest.raises(PeerRefusedError, match=older):
        decode(json.dumps({"type": "ping", "version": version, "new": 1}).encode())


def test_deeply_nested_json_is_a_wire_error() -> None:
    """A message cannot exhaust the stack."""
    with pytest.raises(WireError):
        decode(b'{"type":"status","version":1,"details":' + b"[" * 100_000)


def test_numbers_that_are_not_finite_do_not_pass() -> None:
    """NaN has no place in JSON, and none in a message."""
    with pytest.raises(ValueError, match="finite"):
        Status(process="loop", pid=1, uptime_s=float("nan"))


@pytest.mark.parametrize(
    "error",
    [
        ModelError("weights are missing", hint="run set-up"),
        PhotoError("cut short", reason="truncated"),
        ChainBrokenError("a row was edited", position=17),
        ActionError("no such program", permanent=True),
        CameraLostError("gone"),
        ApplianceError("just so"),
    ],
)
def test_an_error_comes_back_as_itself(error: ApplianceError) -> None:
    """Class, message, hint and the class's own fields survive the wire."""
    back = to_error(Failure.model_validate_json(encode(to_failure(error))))

    assert (type(error), vars(error)) == (type(back), vars(back))


def test_every_error_of_ours_can_travel() -> None:
    """No class of errors.py is forgotten when one is added."""
    classes = [v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, ApplianceError)]

    assert classes == [type(to_error(Failure(error=cls.__name__, message="m"))) for cls in classes]


def test_a_class_of_a_rooms_own_travels_as_its_ancestor() -> None:
    """What the other side cannot know arrives as what it can."""

    class DoorJammedError(CameraLostError):
        """Known here only."""

    assert "CameraLostError" == to_failure(DoorJammedError("stuck")).error


def test_an_unknown_class_becomes_a_wire_error() -> None:
    """A newer process cannot make us raise something that does not exist, or that is not ours."""
    assert WireError is type(to_error(Failure(error="SystemExit", message="m")))


def test_the_longest_error_fits_a_message() -> None:
    """An error's text is cut rather than lost."""
    failure = to_failure(ModelError("x" * 5_000_000, hint="y" * 5_000_000))

    assert len(encode(failure)) < 1 << 20
    assert kind(Ping) == "ping"
