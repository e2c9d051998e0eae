"""Debian's Mosquitto on loopback, with TLS and client certificates or without; and somebody who listens.

The certificates are made by a small authority of the tests' own (trustme).
"""

import contextlib
import itertools
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from appliance.settings import MqttSettings

PROGRAM = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
_PATIENCE_S = 20.0
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Certificates:
    """PEM files.

    Attributes:
        authority: What signed the others.
        server: The broker's certificate.
        server_key: Its key.
        client: A client's certificate.
        client_key: Its key.
    """

    authority: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path


def certificates(folder: Path) -> Certificates:
    """An authority with a broker at 127.0.0.1 and localhost, and one client."""
    authority = trustme.CA()
    server = authority.issue_cert("127.0.0.1", "localhost")
    client = authority.issue_cert("box@example.org", common_name="box")
    made = Certificates(
        *(folder / name for name in ("ca.pem", "server.pem", "server.key", "client.pem", "client.key"))
    )
    authority.cert_pem.write_to_path(str(made.authority))
    server.cert_chain_pems[0].write_to_path(str(made.server))
    server.private_key_pem.write_to_path(str(made.server_key))
    client.cert_chain_pems[0].write_to_path(str(made.client))
    client.private_key_pem.write_to_path(str(made.client_key))
    return made


class Mosquitto:
    """One broker, at one port for as long as this object lives; started and stopped at will.

    Args:
        folder: For its files; given to nobody else.
        lines: Further lines of its configuration.
        tls: Certificates: with them it speaks TLS and asks clients for theirs.
    """

    def __init__(self, folder: Path, *, lines: str = "", tls: Certificates | None = None) -> None:
        self.tls = tls
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._log = folder / "mosquitto.log"
        self._file = folder / "mosquitto.conf"
        safe = (
            ""
            if tls is None
            else (
                f"cafile {tls.authority}\ncertfile {tls.server}\nkeyfile {tls.server_key}\n"
                "require_certificate true\nuse_identity_as_username true\n"
            )
        )
        anybody = "" if "allow_anonymous" in lines else "allow_anonymous true\n"
        self._file.write_text(
            f"user root\nlistener {self.port} 127.0.0.1\n{safe}{anybody}"
            f"persistence true\npersistence_location {folder}/\n{lines}"
        )

    def start(self) -> None:
        """Run it until `stop`; returns once it listens."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(PROGRAM), "-c", str(self._file)], stdout=log, stderr=log, start_new_session=True
            )
        until_s = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until_s:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.02)
        raise AssertionError(f"mosquitto does not listen: {self._log.read_text()[-500:]}")

    def stop(self) -> None:
        """End it in order: it writes down what nobody has fetched yet."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_PATIENCE_S)
            self._process = None

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """It stands still until the end of the block: what is sent to it lies there and waits."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def settings(self, **more: Any) -> MqttSettings:
        """How the box reaches it."""
        safe: dict[str, Any] = {"tls": False}
        if self.tls is not None:
            safe = {
                "ca_file": self.tls.authority,
                "certificate": self.tls.client,
                "private_key": self.tls.client_key,
            }
        given = {"host": "127.0.0.1", "port": self.port, "timeout_s": 5, **safe, **more}
        return MqttSettings.model_validate(given)


@dataclass(frozen=True)
class Message:
    """What came: topic, payload, and whether the broker had kept it."""

    topic: str
    payload: bytes
    retained: bool


class Listener:
    """Somebody who is subscribed, through restarts of the broker.

    Attributes:
        messages: What came, in order.
    """

    def __init__(self, broker: Mosquitto, *filters: str) -> None:
        self.messages: list[Message] = []
        self._filters = filters
        self._came = threading.Condition()
        self._subscribed = 0
        # The broker keeps for it what comes while it is away, and through a restart of its own.
        self.client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"listener-{next(_NUMBERS)}",
            clean_session=False,
            protocol=MQTTProtocolVersion.MQTTv311,
        )
        if broker.tls is not None:
            self.client.tls_set(str(broker.tls.authority), str(broker.tls.client), str(broker.tls.client_key))
        self.client.on_connect = self._connected
        self.client.on_subscribe = self._noted
        self.client.on_message = self._heard
        self.client.reconnect_delay_set(1, 1)
        self.client.connect_async("127.0.0.1", broker.port, keepalive=10)
        self.client.loop_start()

    def wait(self, that: Callable[[list[Message]], Any], *, seconds: float = _PATIENCE_S) -> list[Message]:
        """Wait until something holds of the messages; they as they are then."""
        with self._came:
            assert self._came.wait_for(lambda: that(self.messages), seconds), self.messages
            return list(self.messages)

    def ready(self, times: int = 1) -> None:
        """Wait until it is subscribed for the nth time."""
        with self._came:
            assert self._came.wait_for(lambda: self._subscribed >= times, _PATIENCE_S)

    def close(self) -> None:
        """Leave."""
        self.client.disconnect()
        self.client.loop_stop()

    def _connected(self, client: Client, *_: Any) -> None:
        client.subscribe([(each, 1) for each in self._filters])

    def _noted(self, *_: Any) -> None:
        with self._came:
            self._subscribed += 1
            self._came.notify_all()

    def _heard(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        with self._came:
            new = Message(message.topic, bytes(message.payload), message.retain)
            # What the broker sends us again after its restart, unsure whether we had it, is its own doing.
            if not (message.dup and new in self.messages):
                self.messages.append(new)
            self._came.notify_all()


@contextlib.contextmanager
def listening(broker: Mosquitto, *filters: str) -> Iterator[Listener]:
    """Somebody subscribed, until the end of the block."""
    listener = Listener(broker, *filters)
    try:
        listener.ready()
        yield listener
    finally:
        listener.close()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
