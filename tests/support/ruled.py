"""Rules on a box, with what became of what they asked for; and the box with all that a rule may name."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import stores
from html_forms import sent
from rule_bodies import HOOK, body
from web_site import Site

from appliance.rules import parse_rule
from appliance.services import Services
from appliance.store import NewEvent, OutboxState
from appliance.values import Grade

SETTINGS_FILE = """\
[[cameras]]
id = "entrance"
source = "scene:door"
when = "approach"

[[doors]]
id = "main"
camera = "entrance"

[[webhooks]]
id = "chat"
url = "https://chat.example/hook?token=swordfish"
secret = "0123456789abcdef"

[[locks]]
id = "front"
door = "main"
policy = "face_alone"
argv = ["true"]

[mqtt]
host = "broker.example"

[[actions]]
id = "chime"
on = ["camera_lost"]
kind = "command"
argv = ["true"]
"""
"""Of a box with one of each that a rule may name."""
FAULT = "the webhook answered 503 Service Unavailable"


@dataclass(frozen=True)
class Ruled:
    """A site with one of each that a rule may name, and two people.

    Attributes:
        site: It.
        ann: Enrolled.
        ben: Enrolled.
    """

    site: Site
    ann: str
    ben: str

    @property
    def rules(self) -> list[dict[str, Any]]:
        """What the desk keeps."""
        found: list[dict[str, Any]] = self.site.ask("rules.list")["rules"]
        return found

    @property
    def asked_for(self) -> int:
        """How many rows the outbox has, whatever became of them."""
        return sum(self.site.ask("outbox.list")["counts"].values())

    def kept(self, said: Mapping[str, Any]) -> str:
        """Keep a rule; its id."""
        return kept(self.site.services, said)

    def came(self, subject: str, *, days: float = 0, repeated: bool = False) -> None:
        """Somebody was recognised at the door, so long ago."""
        seen = stores.identified(subject, grade=Grade.CONFIRMED, repeated=repeated)
        at = self.site.services.clock.wall() - timedelta(days=days)
        self.site.services.store.append_all([NewEvent(seen.model_copy(update={"door": "main"}), at=at)])

    def emptied(self) -> "Ruled":
        """Without rules and groups; what was logged and done stays."""
        store = self.site.services.store
        for rule in store.rules():
            store.remove_rule(rule.id)
        for group in store.groups():
            store.remove_group(group.id)
        return self


def shown(page: str, **typed: str | list[str]) -> dict[str, str | list[str]]:
    """The editor's form as a page shows it, with something typed; `__` stands for the dot of a name."""
    return {
        **sent(page, "rule").to_dict(flat=False),
        **{name.replace("__", "."): value for name, value in typed.items()},
    }


def kept(services: Services, said: Mapping[str, Any], *, enabled: bool = True) -> str:
    """Keep a rule as it is, whatever the settings have; its id."""
    return services.store.add_rule(parse_rule(dict(said)).body(), enabled=enabled).id


def a_failure(services: Services) -> tuple[str, int]:
    """A rule whose webhook could not be told that the door opened: its id, and the dead letter's number."""
    rule = kept(services, {**body("door_opened", HOOK), "name": "Tell the chat"})
    services.store.append_all([NewEvent(stores.OPENED)])
    row = services.store.claim(services.clock.wall() + timedelta(seconds=1))[-1]
    services.store.finish(row, OutboxState.DEAD.value, error=FAULT)
    return rule, row.id
