"""A box made known to AWS IoT Core: its name and topics by the settings, its key by the vault's room."""

import re
from functools import partial
from pathlib import Path
from typing import Any, Final

from appliance.errors import InputError, SinkError
from appliance.services import Services
from appliance.settings import MqttSettings
from appliance.sinks.iot_policy import iot_policy
from appliance.sinks.iot_provisioning import Provisioning, Step, Wanted
from appliance.sinks.mqtt_topics import Topics
from appliance.vault.certificate_request import request_certificate

_THING: Final = re.compile(r"[A-Za-z0-9:_-]{1,100}")
_TOPIC: Final = re.compile(r"[^$#+\x00-\x1f\x7f][^#+\x00-\x1f\x7f]{0,199}")
_CERTIFICATE: Final = "certificate.pem"
_KEY: Final = "private.key.pem"


class BoxAtIot:
    """This box at AWS IoT Core.

    Args:
        thing: Its name there, and what it calls itself to the broker.
        folder: Where certificate and key are.
        mqtt: Its topics.
        device: Its id.
        region: Of AWS.
        profile: Of the credentials.

    Raises:
        SinkError: There is no such profile, or no region.
    """

    def __init__(
        self,
        thing: str,
        folder: Path,
        mqtt: MqttSettings,
        device: str,
        *,
        region: str | None,
        profile: str | None,
    ) -> None:
        self._thing = thing
        self._folder = folder
        self._topic = mqtt.infer_topic or ""
        self._topics = Topics.of(mqtt, device)
        wanted = Wanted(
            thing,
            folder / _CERTIFICATE,
            lambda account: iot_policy(account, self._topics, thing),
            partial(request_certificate, folder / _KEY, thing),
        )
        self._work = Provisioning(wanted, region=region, profile=profile)

    def plan(self) -> list[Step]:
        """See `Provisioning.plan`."""
        return self._work.plan()

    def apply(self) -> list[Step]:
        """See `Provisioning.apply`.

        Raises:
            SinkError: The folder cannot be made, or the service refused something.
            VaultError: The key cannot be made.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(
                f"{self._folder} cannot be made: {error.strerror}", hint="name another --folder"
            ) from error
        return self._work.apply()

    def endpoint(self) -> str:
        """The broker's name."""
        return self._work.endpoint()

    def policy(self) -> dict[str, Any]:
        """What the box may."""
        return iot_policy(self._work.account(), self._topics, self._thing)

    def settings(self, endpoint: str) -> str:
        """What goes into the settings file."""
        lines = {
            "host": endpoint,
            "client_id": self._thing,
            "certificate": str((self._folder / _CERTIFICATE).resolve()),
            "private_key": str((self._folder / _KEY).resolve()),
            "infer_topic": self._topic,
        }
        return "\n".join(["[mqtt]", *(f'{name} = "{value}"' for name, value in lines.items())])


def provisioning(
    mqtt: MqttSettings,
    services: Services,
    *,
    thing: str | None,
    folder: Path | None,
    topic: str,
    region: str | None,
    profile: str | None,
) -> BoxAtIot:
    """This box, as it is to be at AWS IoT Core.

    Raises:
        InputError: That is no name of a thing, or no topic.
        SinkError: There is no such profile, or no region.
    """
    thing = thing or f"office-door-{services.device[:18]}"
    if not _THING.fullmatch(thing):
        raise InputError("that is no name of a thing", hint="letters, digits, - _ and : only, 100 at most")
    if not _TOPIC.fullmatch(topic):
        raise InputError("that is no topic to publish to there", hint="no $ at the beginning, no # and no +")
    folder = folder or services.layout.state / "iot"
    told = mqtt.model_copy(update={"infer_topic": topic})
    return BoxAtIot(thing, folder, told, services.device, region=region, profile=profile)
