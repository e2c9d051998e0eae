"""Which events trigger which actions."""

import pytest
from stores import OPENED, dead_letter, identified, on

from appliance.events import Event
from appliance.settings import ActionSettings
from appliance.store import Delivery, Subscription
from appliance.values import Grade


def test_a_subscription_is_as_the_settings_say() -> None:
    """Every field of the action that the outbox needs."""
    action = ActionSettings(
        id="song", on=("subject_identified",), grade="confirmed", delivery="at_most_once", deadline_s=5
    )

    assert Subscription(
        "song", frozenset({"subject_identified"}), "confirmed", Delivery.AT_MOST_ONCE, 5
    ) == Subscription.of(action)


@pytest.mark.parametrize(
    ("subscription", "event", "wanted"),
    [
        (on("door_opened"), OPENED, True),
        (on("door_shut"), OPENED, False),
        (on("subject_identified"), identified(grade=Grade.FINAL), True),
        (on("subject_identified", grade="final"), identified(grade=Grade.FINAL), True),
        (on("subject_identified", grade="final"), identified(grade=Grade.GREETING), False),
        (on("subject_identified"), identified(repeated=True), False),
        (on("door_opened", grade="final"), OPENED, True),
        (on("action_dead", action="mail"), dead_letter("song"), True),
        (on("action_dead", action="mail"), dead_letter("mail"), False),
    ],
    ids=[
        "type",
        "other type",
        "every grade",
        "its grade",
        "other grade",
        "repeated",
        "ungraded",
        "end",
        "own end",
    ],
)
def test_an_action_gets_what_it_asked_for(subscription: Subscription, event: Event, *, wanted: bool) -> None:
    """By type, by grade where there is one, never for a repetition or its own end."""
    assert wanted == subscription.wants(event)
