"""Which processes there are, in which order, and what each is handed."""

import pytest

from appliance.app.running import child_specs
from appliance.services import CAMERA_VARIABLE, CREDENTIALS_VARIABLE, PASSPHRASE_VARIABLE, Layout
from appliance.settings import Settings
from appliance.supervisor import ChildSpec

SECRETS = (CAMERA_VARIABLE, CREDENTIALS_VARIABLE, PASSPHRASE_VARIABLE)


@pytest.fixture
def specs(layout: Layout) -> dict[str, ChildSpec]:
    """The processes of a box, by name, where every secret is in the environment."""
    environment = {**dict.fromkeys(SECRETS, "a secret"), "HOME": "/root"}
    found = child_specs(Settings(), layout, lambda name: [name], once=False, environment=environment)
    return {spec.name: spec for spec in found}


def test_the_order_is_that_of_who_needs_whom(specs: dict[str, ChildSpec]) -> None:
    """The loop comes last and is stopped first."""
    assert ["models", "dispatch", "desk", "web", "loop"] == list(specs)


def test_each_is_handed_the_secrets_it_needs(specs: dict[str, ChildSpec]) -> None:
    """What decodes strangers' files and what listens on the network have none."""
    keys = {CREDENTIALS_VARIABLE, PASSPHRASE_VARIABLE}

    assert {
        "models": set(),
        "dispatch": keys,
        "desk": set(SECRETS),
        "web": set(),
        "loop": set(SECRETS),
    } == {name: set(spec.env) for name, spec in specs.items()}


def test_neither_desk_nor_pages_end_the_rest(specs: dict[str, ChildSpec]) -> None:
    """A port that is taken, a certificate that is wrong: the door is watched all the same."""
    assert {"models": False, "dispatch": False, "desk": True, "web": True} == {
        name: spec.patient for name, spec in specs.items() if name != "loop"
    }


def test_without_pages_there_is_no_desk(layout: Layout) -> None:
    """A small box that nobody looks at runs what it needs."""
    settings = Settings.model_validate({"web": {"enabled": False}})

    assert ["models", "dispatch", "loop"] == [
        spec.name for spec in child_specs(settings, layout, lambda name: [name], once=False)
    ]
