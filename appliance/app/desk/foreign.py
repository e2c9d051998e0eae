"""Which changes of the broker's and of webhooks' settings are not taken over the network.

Whoever gets into the pages may name a broker and webhooks. They get nothing by it that the pages do not
show: a password of the broker is not sent to another one than it was typed for, and nothing is posted into a
private network but where the settings file says so. Which settings are closed altogether is `describing`'s.
"""

from collections.abc import Mapping
from typing import Any, Final

from appliance.settings import MqttSettings, Settings

_PLACES: Final = ("host", "port", "tls", "username")
"""Settings of the broker that say to whom a password goes."""
_AGAIN: Final = "the broker is another one now: its password has to be given in the same change"
_PRIVATE: Final = (
    "this webhook may post into a private network; its address is changed in the settings file alone"
)


def foreign_targets(
    before: Settings, after: Settings, given: Mapping[str, Any], written: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """What is not taken over the network, of a change of settings.

    Args:
        before: As they are.
        after: As they would be.
        given: The change: key → value.
        written: The tables of the settings file alone, as they stand there.

    Returns:
        Key of the setting → why not.
    """
    found: dict[str, str] = {}
    old, new = before.mqtt, after.mqtt
    moved = any(getattr(old, name) != getattr(new, name) for name in _PLACES)
    # Taken back here, the password is the settings file's again, and the broker may be one of these pages'.
    other = old.password != new.password
    if (moved or other) and new.host and new.password is not None:
        typed = _typed(given) == new.password.get_secret_value()
        as_written = _goes(new) == _of_the_file(written or {})
        if not typed and not as_written:
            found["mqtt.password"] = _AGAIN
    known = {each.id: each.url for each in before.webhooks}
    for each in after.webhooks:
        if each.allow_private and known.get(each.id) != each.url:
            found[f"webhooks.{each.id}.url"] = _PRIVATE
    return found


def _goes(mqtt: MqttSettings) -> tuple[Any, ...]:
    """A password, and to whom it goes."""
    return (mqtt.password, *(getattr(mqtt, name) for name in _PLACES))


def _of_the_file(written: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The same of what stands in the settings file; None: that is no broker by itself."""
    try:
        return _goes(MqttSettings.model_validate(written.get("mqtt", {})))
    except ValueError:
        return None


def _typed(given: Mapping[str, Any]) -> Any:
    """The broker's password, if the change brings it.

    Naming it is not enough: null takes what these pages said of it, and the settings file's holds again.
    """
    table = given.get("mqtt")
    values = (given.get("mqtt.password"), table.get("password") if isinstance(table, Mapping) else None)
    return next((value for value in values if value is not None), None)
