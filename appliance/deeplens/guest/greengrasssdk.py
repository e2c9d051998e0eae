"""The module `greengrasssdk` of a Greengrass core, version 1: what a function publishes with.

Accepts what the core's own module accepted and gives what it gave. Where a message goes is the hosting
side's; shadows live as long as the function's process; other functions, secrets and stream managers do not
exist here and say so.
"""

import logging
from collections.abc import Callable
from io import BytesIO
from types import ModuleType
from typing import Any, Final, Protocol

from appliance.deeplens.guest.message_fields import MAX_PAYLOAD_BYTES
from appliance.deeplens.guest.messages import MAX_TOPIC_BYTES, GuestSaid, Publish
from appliance.deeplens.guest.shadows import ShadowFaultError, Shadows

_POLICIES: Final = ("AllOrException", "BestEffort", "", None)

_log = logging.getLogger("greengrasssdk")


class Says(Protocol):
    """Takes what the function says; never waits."""

    def put(self, message: GuestSaid) -> None:
        """Have it sent."""


class ShadowError(Exception):
    """A shadow was not given, changed or deleted."""


class InvocationException(Exception):  # noqa: N818 - the core's name
    """Another function cannot be called."""


class StreamingBody:
    """Bytes that are read like a file's."""

    def __init__(self, payload: bytes) -> None:
        self._file = BytesIO(payload)

    def read(self, amt: int | None = None) -> bytes:
        """The next bytes, all that are left without a number."""
        return self._file.read(amt)

    def close(self) -> None:
        """Let go of them."""
        self._file.close()


class IoTDataPlane:
    """`client('iot-data')`."""

    def __init__(self, says: Says, shadows: Shadows) -> None:
        """Note who is told.

        Args:
            says: Takes what is published.
            shadows: The shadows of things.
        """
        self._says = says
        self._shadows = shadows

    def publish(self, **kwargs: Any) -> None:
        """Publish a message; returns at once.

        Args:
            kwargs: `topic`, at most 256 bytes; `payload`, text or bytes, at most 128 KiB, empty by default;
                `queueFullPolicy`, `AllOrException` or `BestEffort`. Others are ignored.

        Raises:
            ValueError: There is no topic, or one of these is none.
        """
        topic = _required(kwargs, "topic")
        if not isinstance(topic, str) or not topic or len(topic.encode()) > MAX_TOPIC_BYTES:
            raise ValueError(f"topic must be a text of 1 to {MAX_TOPIC_BYTES} bytes.")
        if kwargs.get("queueFullPolicy") not in _POLICIES:
            raise ValueError("queueFullPolicy must be 'AllOrException' or 'BestEffort'.")
        payload = _bytes(kwargs.get("payload"))
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise ValueError(f"payload must be at most {MAX_PAYLOAD_BYTES} bytes, not {len(payload)}.")
        self._says.put(Publish(topic, payload))

    def get_thing_shadow(self, **kwargs: Any) -> dict[str, bytes]:
        """The shadow of `thingName`, as `{'payload': bytes}`.

        Raises:
            ValueError: There is no name.
            ShadowError: There is no shadow.
        """
        thing = _required(kwargs, "thingName")
        return _shadow(lambda: self._shadows.get(str(thing)))

    def update_thing_shadow(self, **kwargs: Any) -> dict[str, bytes]:
        """Merge `payload` into the shadow of `thingName`; what was accepted, as `{'payload': bytes}`.

        Raises:
            ValueError: There is no name or no payload.
            ShadowError: The payload is no document of a shadow, or for another version of it.
        """
        thing, payload = _required(kwargs, "thingName"), _required(kwargs, "payload")
        return _shadow(lambda: self._shadows.update(str(thing), _bytes(payload)))

    def delete_thing_shadow(self, **kwargs: Any) -> dict[str, bytes]:
        """Delete the shadow of `thingName`; its last version, as `{'payload': bytes}`.

        Raises:
            ValueError: There is no name.
            ShadowError: There is no shadow.
        """
        thing = _required(kwargs, "thingName")
        return _shadow(lambda: self._shadows.delete(str(thing)))


class LambdaClient:
    """`client('lambda')`: there are no other functions to call."""

    def invoke(self, **kwargs: Any) -> dict[str, Any]:
        """Say that there is no such function.

        Raises:
            ValueError: There is no name.
            InvocationException: Always, otherwise.
        """
        name = _required(kwargs, "FunctionName")
        raise InvocationException(f"there is no function {name!r} here: functions call no other functions")


def modules(says: Says, shadows: Shadows) -> dict[str, ModuleType]:
    """The modules a function may import for this, by name.

    Args:
        says: Takes what is published.
        shadows: The shadows of things.
    """

    def client(client_type: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG001 - the core ignored them too
        """A client of this type: `iot-data` or `lambda`.

        Raises:
            Exception: The type is not known, or not to be had here.
        """
        if client_type == "iot-data":
            return IoTDataPlane(says, shadows)
        if client_type == "lambda":
            return LambdaClient()
        if client_type in ("secretsmanager", "streammanager"):
            raise NotImplementedError(f"Client type {client_type} is not to be had on this appliance.")
        raise Exception(f"Client type {client_type} is not recognized.")  # noqa: TRY002 - the core's own words

    def iot_data_client(*args: Any, **kwargs: Any) -> IoTDataPlane:  # noqa: ARG001
        return IoTDataPlane(says, shadows)

    def lambda_client(*args: Any, **kwargs: Any) -> LambdaClient:  # noqa: ARG001
        return LambdaClient()

    contents: dict[str, dict[str, Any]] = {
        "greengrasssdk": {"client": client, "__path__": [], "__version__": "1.6.1"},
        "greengrasssdk.client": {"client": client},
        "greengrasssdk.IoTDataPlane": {
            "Client": iot_data_client,
            "ShadowError": ShadowError,
            "IoTDataPlane": IoTDataPlane,
        },
        "greengrasssdk.Lambda": {
            "Client": lambda_client,
            "StreamingBody": StreamingBody,
            "InvocationException": InvocationException,
        },
        "greengrasssdk.utils": {},
        "greengrasssdk.utils.testing": {},
    }
    made = {}
    for name, names in contents.items():
        made[name] = ModuleType(name, __doc__)
        vars(made[name]).update(names, __file__=__file__)
    for name in ("IoTDataPlane", "Lambda"):
        setattr(made["greengrasssdk"], name, made[f"greengrasssdk.{name}"])
    return made


def _shadow(ask: Callable[[], bytes]) -> dict[str, bytes]:
    try:
        return {"payload": ask()}
    except ShadowFaultError as error:
        raise ShadowError(
            f"Request for shadow state returned error code {error.code} with message {error}"
        ) from error


def _required(kwargs: dict[str, Any], name: str) -> Any:
    if kwargs.get(name) is None:
        raise ValueError(f'Parameter "{name}" is a required parameter but was not provided.')
    return kwargs[name]


def _bytes(payload: Any) -> bytes:
    if payload is None:
        return b""
    if isinstance(payload, str):
        return payload.encode(errors="replace")
    if isinstance(payload, bytes | bytearray | memoryview):
        return bytes(payload)
    raise TypeError(f"payload must be text or bytes, not {type(payload).__name__}.")
