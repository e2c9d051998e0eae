"""`greengrasssdk`, call by call: what a function publishes, and what a thing's shadow keeps."""

import json
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.deeplens.guest import greengrasssdk as greengrass
from appliance.deeplens.guest.messages import GuestSaid, Publish
from appliance.deeplens.guest.shadows import MAX_THINGS, ShadowFaultError, Shadows


class Noted:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[GuestSaid] = []

    def put(self, message: GuestSaid) -> None:
        """Note it."""
        self.said.append(message)


@pytest.fixture
def noted() -> Noted:
    """What the function says."""
    return Noted()


@pytest.fixture
def modules(noted: Noted) -> dict[str, ModuleType]:
    """The modules a function imports."""
    return greengrass.modules(noted, Shadows(now=lambda: 1000.0))


@pytest.fixture
def client(modules: dict[str, ModuleType]) -> Any:
    """`greengrasssdk.client('iot-data')`."""
    sdk: Any = modules["greengrasssdk"]
    return sdk.client("iot-data")


@pytest.mark.parametrize(
    ("payload", "published"),
    [
        ("Loading model", b"Loading model"),
        (b"\xff\x00", b"\xff\x00"),
        (bytearray(b"ab"), b"ab"),
        ("é", "é".encode()),
        ("", b""),
        ("x" * 128 * 1024, b"x" * 128 * 1024),
    ],
)
def test_text_and_bytes_are_published(client: Any, noted: Noted, payload: Any, published: bytes) -> None:
    """Free text as often as JSON, up to 128 KiB; nothing is given back."""
    assert client.publish(topic="$aws/things/t/infer", payload=payload) is None
    assert [Publish("$aws/things/t/infer", published)] == noted.said


def test_a_payload_may_be_left_out(client: Any, noted: Noted) -> None:
    """Without one, an empty message goes out."""
    client.publish(topic="t")

    assert [Publish("t", b"")] == noted.said


@pytest.mark.parametrize("more", [{"qos": 0}, {"retain": True}, {"queueFullPolicy": "BestEffort"}])
def test_further_keywords_are_taken(client: Any, noted: Noted, more: dict[str, Any]) -> None:
    """Those the core knew, and those it ignored."""
    client.publish(topic="t", payload="p", **more)
    client.publish(topic="t", payload="p", queueFullPolicy="AllOrException")

    assert [Publish("t", b"p")] * 2 == noted.said


@pytest.mark.parametrize(
    "keywords",
    [
        {},
        {"payload": "p"},
        {"topic": None},
        {"topic": ""},
        {"topic": 5},
        {"topic": "t" * 257},
        {"topic": "topic\ud800"},
        {"topic": "t", "queueFullPolicy": "Sometimes"},
        {"topic": "t", "payload": "x" * (128 * 1024 + 1)},
    ],
)
def test_a_message_that_cannot_go_is_an_error(client: Any, noted: Noted, keywords: dict[str, Any]) -> None:
    """No topic, one that is too long, another policy, too large a payload: a ValueError, and nothing goes."""
    with pytest.raises(ValueError, match=r"topic|queueFullPolicy|payload|surrogates"):
        client.publish(**keywords)

    assert [] == noted.said


def test_publishing_takes_keywords_only_and_no_other_payloads(client: Any) -> None:
    """As the core's module."""
    with pytest.raises(TypeError):
        client.publish("t", "p")
    with pytest.raises(TypeError):
        client.publish(topic="t", payload={"a": 1})


@pytest.mark.parametrize("arguments", [("iot-data",), ("iot-data", "us-east-1")])
def test_clients_of_known_types_are_made(modules: dict[str, ModuleType], arguments: tuple[str, ...]) -> None:
    """Further arguments are ignored."""
    sdk: Any = modules["greengrasssdk"]

    assert hasattr(sdk.client(*arguments, region_name="x"), "publish")
    assert hasattr(sdk.client("lambda"), "invoke")


def test_a_client_of_an_unknown_type_is_an_error(modules: dict[str, ModuleType]) -> None:
    """In the core's own words; those that exist elsewhere say that they do not here."""
    sdk: Any = modules["greengrasssdk"]
    with pytest.raises(Exception, match=r"^Client type iot is not recognized\.$"):
        sdk.client("iot")
    for each in ("secretsmanager", "streammanager"):
        with pytest.raises(NotImplementedError, match=each):
            sdk.client(each)


def test_other_functions_cannot_be_called(modules: dict[str, ModuleType]) -> None:
    """`invoke` raises the core's error, naming the function; without a name it is a ValueError."""
    sdk: Any = modules["greengrasssdk"]
    inner: Any = modules["greengrasssdk.Lambda"]
    with pytest.raises(inner.InvocationException, match="other"):
        sdk.client("lambda").invoke(FunctionName="other", InvocationType="Event", Payload=b"{}")

    with pytest.raises(ValueError, match="FunctionName"):
        sdk.client("lambda").invoke(Payload=b"{}")


def test_the_inner_modules_have_what_functions_import_from_them(modules: dict[str, ModuleType]) -> None:
    """`greengrasssdk.Lambda.StreamingBody` reads like a file; both inner modules make clients."""
    lambdas: Any = modules["greengrasssdk.Lambda"]
    data: Any = modules["greengrasssdk.IoTDataPlane"]
    body = lambdas.StreamingBody(b"abcd")

    assert (b"ab", b"cd", b"") == (body.read(2), body.read(), body.read())
    assert body.close() is None
    assert hasattr(data.Client(), "publish")
    assert hasattr(lambdas.Client(), "invoke")
    assert issubclass(data.ShadowError, Exception)


def test_a_shadow_is_kept_merged_and_deleted(client: Any) -> None:
    """Each call gives bytes under `payload`; what is null goes; what is desired and not reported is told."""
    first = client.update_thing_shadow(
        thingName="t", payload=json.dumps({"state": {"desired": {"lamp": "on", "level": 3}}})
    )
    client.update_thing_shadow(
        thingName="t", payload=b'{"state": {"reported": {"lamp": "off"}, "desired": {"level": null}}}'
    )
    kept = json.loads(client.get_thing_shadow(thingName="t")["payload"])
    gone = json.loads(client.delete_thing_shadow(thingName="t")["payload"])

    assert {"state": {"desired": {"lamp": "on", "level": 3}}, "version": 1, "timestamp": 1000} == json.loads(
        first["payload"]
    )
    assert isinstance(first["payload"], bytes)
    assert {
        "state": {"desired": {"lamp": "on"}, "reported": {"lamp": "off"}, "delta": {"lamp": "on"}},
        "version": 2,
        "timestamp": 1000,
    } == kept
    assert {"version": 2, "timestamp": 1000} == gone


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ("no JSON", 400),
        ("[]", 400),
        ('{"state": 1}', 400),
        ('{"state": {"desired": 1}}', 400),
        ('{"state": {}, "version": 9}', 409),
        (json.dumps({"state": {"desired": {"k": "x" * 9000}}}), 413),
        ("[" * 8000, 400),
    ],
)
def test_a_shadow_that_cannot_be_changed_is_a_shadow_error(
    client: Any, modules: dict[str, ModuleType], payload: str, code: int
) -> None:
    """With the code that AWS IoT gives."""
    data: Any = modules["greengrasssdk.IoTDataPlane"]
    with pytest.raises(data.ShadowError, match=str(code)):
        client.update_thing_shadow(thingName="t", payload=payload)


def test_a_shadow_that_is_not_there_is_a_shadow_error(client: Any, modules: dict[str, ModuleType]) -> None:
    """404 for reading and deleting; a missing name or payload is a ValueError."""
    data: Any = modules["greengrasssdk.IoTDataPlane"]
    for ask in (client.get_thing_shadow, client.delete_thing_shadow):
        with pytest.raises(data.ShadowError, match="404"):
            ask(thingName="t")
        with pytest.raises(ValueError, match="thingName"):
            ask()
    with pytest.raises(ValueError, match="payload"):
        client.update_thing_shadow(thingName="t")


VALUES = st.recursive(
    st.integers() | st.text("ab", max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=6,
)


@settings(max_examples=40)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), VALUES), max_size=5))
def test_reporting_all_that_is_desired_leaves_no_delta(desired: list[dict[str, Any]]) -> None:
    """Whatever was desired before, after a report of the same there is nothing left to do."""
    shadows = Shadows()
    for each in desired:
        shadows.update("t", json.dumps({"state": {"desired": each, "reported": each}}).encode())

    if any(desired):
        assert "delta" not in json.loads(shadows.get("t"))["state"]


def test_there_is_room_for_so_many_shadows() -> None:
    """A function that makes ever new ones is stopped."""
    shadows = Shadows()
    for n in range(MAX_THINGS):
        shadows.update(str(n), b'{"state": {"reported": {"n": 1}}}')

    with pytest.raises(ShadowFaultError):
        shadows.update("more", b'{"state": {"reported": {"n": 1}}}')
