"""What rules may name: people, groups, doors, cameras, songs, webhooks, locks, commands; and which do not.

Reads settings and database. A rule that names what is not there is refused where it is made; one whose target
went afterwards says so where it fails.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from appliance.errors import FormError
from appliance.rules import Action, CallWebhook, PlaySong, PublishMqtt, RecordVideo, Rule, RunCommand, Unlock
from appliance.rules.wording import Called
from appliance.settings import Settings
from appliance.store import Store, SubjectState

MISSING: Final[Mapping[str, str]] = {
    "song": "this box plays no songs as its settings are",
    "screen": "this box shows nothing on screens as its settings are",
    "mqtt": "the settings name no MQTT broker; set one, restart dispatch, and try this again",
    "webhook": "the settings have no webhook {}; add it, restart dispatch, and try this again",
    "unlock": "the settings have no lock {}",
    "record": "this box records no video as its settings are",
    "command": "the settings have no [[actions]] {} that is a command; add it, restart, and try this again",
}
"""Kind of an action → what is missing where nobody does it."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What there is.

    Attributes:
        people: Id → name, of those who are enrolled; None: the name does not open.
        groups: Id → label.
        songs: Id → title.
        doors: Ids.
        cameras: Ids.
        webhooks: Ids.
        locks: Id → the door it locks.
        commands: Ids.
        mqtt: Whether a broker is set.
        video: Whether video is recorded.
    """

    people: Mapping[str, str | None]
    groups: Mapping[str, str]
    songs: Mapping[str, str]
    doors: tuple[str, ...]
    cameras: tuple[str, ...]
    webhooks: tuple[str, ...]
    locks: Mapping[str, str]
    commands: tuple[str, ...]
    mqtt: bool
    video: bool = True

    @property
    def called(self) -> Called:
        """For sentences."""
        return Called(self.people.get, self.groups.get, self.songs.get)

    def check(self, rule: Rule, before: Rule | None = None) -> None:
        """See that a rule names only what is there.

        Args:
            rule: As it is to be.
            before: As it was; what it named already is let pass, so that a rule whose door went can be
                changed in everything else.

        Raises:
            FormError: It does not, field by field.
        """
        known = {what for _, what, _ in self._strays(before)} if before is not None else set()
        fields = {place: words for place, what, words in self._strays(rule) if what not in known}
        if fields:
            first, words = next(iter(fields.items()))
            raise FormError(f"{first}: {words}", fields=fields)

    def _strays(self, rule: Rule) -> Iterator[tuple[str, tuple[str, str], str]]:
        """Field, what it names of which kind, and what is wrong with that."""
        when = rule.when
        for name, named, there in (
            ("people", when.people, self.people),
            ("groups", when.groups, self.groups),
            ("doors", when.doors, self.doors),
            ("cameras", when.cameras, self.cameras),
        ):
            for number, each in enumerate(named):
                if each not in there:
                    yield f"when.{name}.{number}", (name, each), f"there is no such {_ONE[name]}"
        for number, action in enumerate(rule.actions):
            for name, each, words in self._astray(action):
                yield f"actions.{number}.{name}", (name, each), words

    def _astray(self, action: Action) -> Iterator[tuple[str, str, str]]:
        """Field of an action, what stands in it, and what is wrong with that."""
        if isinstance(action, PlaySong):
            if action.song != "theme" and action.song not in self.songs:
                yield "song", action.song, "there is no such song"
            if words := self._output(*action.output.partition(":")[::2]):
                yield "output", action.output, words
        elif isinstance(action, CallWebhook) and action.webhook not in self.webhooks:
            yield "webhook", action.webhook, "there is no such webhook in the settings"
        elif isinstance(action, Unlock) and action.lock not in self.locks:
            yield "lock", action.lock, "there is no such lock in the settings"
        elif isinstance(action, RunCommand) and action.command not in self.commands:
            yield "command", action.command, "there is no such command among the [[actions]]"
        elif isinstance(action, RecordVideo):
            yield from self._unseen(action)
        elif isinstance(action, PublishMqtt) and not self.mqtt:
            yield "kind", action.kind, "no MQTT broker is set in the settings"

    def _unseen(self, action: RecordVideo) -> Iterator[tuple[str, str, str]]:
        """Why nothing can be recorded."""
        if not self.video:
            yield "kind", action.kind, "video is not recorded, by the settings"
        if action.camera and action.camera not in self.cameras:
            yield "camera", action.camera, "there is no such camera"

    def _output(self, kind: str, target: str) -> str | None:
        if kind in {"box", "screen"} and not target:
            return None
        if kind in {"mqtt", "home_assistant"}:
            if not self.mqtt:
                return "no MQTT broker is set in the settings"
            return None if bool(target) == (kind == "home_assistant") else "this cannot be taken"
        if kind == "webhook":
            return None if target in self.webhooks else "there is no such webhook in the settings"
        return "one of these is needed: box, screen, mqtt, webhook:ID, home_assistant:ENTITY"


_ONE: Final[Mapping[str, str]] = {
    "people": "person",
    "groups": "group",
    "doors": "door",
    "cameras": "camera",
}


def targets(settings: Settings, store: Store) -> Targets:
    """What there is at present."""
    return Targets(
        people={
            str(each.id): each.name for each in store.subjects() if each.state is not SubjectState.REMOVED
        },
        groups={each.id: each.label for each in store.groups()},
        songs=store.song_titles(),
        doors=tuple(each.id for each in settings.doors),
        cameras=tuple(each.id for each in settings.cameras),
        webhooks=tuple(each.id for each in settings.webhooks),
        locks={each.id: each.door for each in settings.locks},
        commands=tuple(each.id for each in settings.actions if each.kind == "command"),
        mqtt=bool(settings.mqtt.host),
        video=settings.video.enabled,
    )


def missing(lane: str) -> str:
    """Why nobody does what stands in the outbox under this name, and what helps."""
    kind, _, target = lane.partition(":")
    words = MISSING.get(kind)
    if words is None or bool(target) != ("{}" in words):
        return "no action of this name is in the settings; add it, restart, and try this again"
    return words.format(target)
