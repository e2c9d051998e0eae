"""What somebody asks for a function that this box does not have or does not give: said before it is deployed.

Its own description is judged where that is made; here, what only the box's settings and cameras can tell.
"""

from collections.abc import Callable, Collection

from appliance.errors import ActionError, ApplianceError, FunctionError
from appliance.services import Layout
from appliance.settings import MqttSettings, Settings
from appliance.sinks.mqtt_topics import fit_for_function
from appliance.wire import Client
from appliance.wire.messages import DeployFunction, Status, StatusRequest

_LOOP_S = 3.0


def check_wishes(asked: DeployFunction, mqtt: MqttSettings, cameras: Collection[str]) -> None:
    """Judge what is asked for a function.

    Args:
        asked: What.
        mqtt: The broker's settings: which topics are the box's own.
        cameras: Those of the box.

    Raises:
        FunctionError: It cannot be given: it would be refused with every message, or wait for ever.
    """
    for number, topic in enumerate(asked.publishes, 1):
        try:
            fit_for_function(topic, mqtt)
        except ActionError as error:
            raise FunctionError(
                f"publishes, number {number}: {error.message}",
                hint=f"name one of its own, such as office/dogs: not below {mqtt.prefix} or "
                f"{mqtt.discovery_prefix}, and not with $ at its beginning",
            ) from error
    if asked.camera and asked.camera not in cameras:
        there = ", ".join(sorted(cameras)) or "none"
        raise FunctionError(
            f"camera: there is no camera {asked.camera!r}; there are: {there}",
            hint="name one of these, or none for the first",
        )


def cameras_of(settings: Settings, layout: Layout) -> Callable[[], Collection[str]]:
    """Tells the cameras of the box: those of the settings, and those that the running loop has."""
    loop = Client(layout.socket("loop"), timeout_s=_LOOP_S)

    def cameras() -> Collection[str]:
        known = {str(each.id) for each in settings.cameras}
        try:
            known |= set(loop.call(StatusRequest(), Status).message.details.get("cameras", {}))
        except ApplianceError:  # it does not run now: the settings are what there is
            return known
        return known

    return cameras
