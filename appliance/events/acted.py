"""Actions: what became of them, and the rules they come from."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from appliance.events.event import Event


class ActionOutcome(Event):
    """An action's end that somebody should know of; plain success is in the outbox only."""

    type: Literal["action_unknown", "action_expired", "action_dead"]
    action: str
    event: str
    reason: str


class RuleChanged(Event):
    """A rule was made, changed or removed; what it says stands in the database, not here."""

    type: Literal["rule_added", "rule_changed", "rule_removed"]
    rule: str
    enabled: bool = True


class RuleTried(Event):
    """An admin had a rule's actions done once about somebody, to try it out; nothing is counted by it."""

    type: Literal["rule_tried"] = "rule_tried"
    rule: str
    subject: str


class GroupChanged(Event):
    """A group of people was made, changed or removed, or somebody joined or left it."""

    type: Literal["group_added", "group_changed", "group_removed", "group_joined", "group_left"]
    group: str
    subject: str | None = None
    """Who joined or left."""


class ScreenAsked(Event):
    """A rule has the office screens show a line, which stands in the rule as it is kept, not here.

    Version 1 held the line itself, in `text`: words an admin wrote freely, in a log that forgets nothing.
    """

    versions: ClassVar[tuple[int, ...]] = (1, 2)

    type: Literal["screen_asked"] = "screen_asked"
    version: Literal[1, 2] = 2
    rule: str
    rule_version: int | None = Field(default=None, ge=1)
    """Of the rule as it was then; of another version the line is not shown any more."""
    number: int | None = Field(default=None, ge=0)
    """Of the action in the rule, from 0."""
    text: str | None = None
    """Of version 1 alone; `{alias}` stands for what the person is called on screens."""
    seconds: float
    subject: str | None = None
    """Whom it is about; their alias is shown only if they agreed to be greeted."""
    cause: str | None = None
    """Id of the event that triggered it."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        placed = self.rule_version is not None and self.number is not None
        if (self.text is None, placed) != (self.version > 1, self.version > 1):
            raise ValueError("version 1 holds the line, later ones where in the rule it stands")
        return self
