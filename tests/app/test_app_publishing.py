"""What a broker is told of coffees: of this day, by the last word, and since when."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stores

from appliance.app.publishing import States
from appliance.clock import ManualClock
from appliance.events import CoffeeCorrected, CoffeeTaken
from appliance.services import Layout, Services, open_services
from appliance.settings import Settings
from appliance.sinks.mqtt_topics import Topics
from appliance.store import Consent

SETTINGS = Settings.model_validate(
    {
        "cameras": [{"id": "kitchen", "source": "scene:door", "when": "always"}],
        "mqtt": {"host": "broker"},
        "coffee": {"cameras": ["kitchen"]},
    }
)


@pytest.fixture
def clock() -> ManualClock:
    """Noon."""
    return ManualClock(stores.NOON)


@pytest.fixture
def services(tmp_path: Path, clock: ManualClock) -> Iterator[Services]:
    """A box with a broker and a coffee corner."""
    with open_services(SETTINGS, Layout(tmp_path / "state"), create=True, clock=clock) as opened:
        yield opened


def test_coffees_are_of_this_day_and_say_since_when(services: Services, clock: ManualClock) -> None:
    """A correction takes one away from the same day; midnight begins another, in the same message."""
    topics = Topics.of(SETTINGS.mqtt, "box")
    states = States(SETTINGS, services, topics)
    agreed = Consent(purposes=("identify", "leaderboard"), text_version="1", given_by="paper")
    ann = services.store.add_subject("Ann", consent=agreed)

    def told() -> list[dict[str, Any]]:
        found = states.present().states
        return [dict(found[each]) for each in (topics.coffees, topics.coffee(states.drinker(ann.id)))]

    def midnight() -> datetime:
        return clock.wall().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)

    first = services.store.append(CoffeeTaken(encounter="e1", subject=ann.id)).id
    services.store.append(CoffeeTaken(encounter="e2", subject=ann.id))
    two = told()
    services.store.append(CoffeeCorrected(corrects=first, was_subject=ann.id))
    one, began = told(), midnight()
    clock.advance(timedelta(days=1).total_seconds())
    none = told()

    assert [[2, 2], [1, 1], [0, 0]] == [[each["today"] for each in said] for said in (two, one, none)]
    assert {two[0]["since"]} == {each["since"] for each in (*two, *one)}
    assert {None} != {datetime.fromisoformat(one[0]["since"]).tzinfo}
    assert (began, midnight()) == tuple(datetime.fromisoformat(each[1]["since"]) for each in (one, none))
