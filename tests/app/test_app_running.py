"""What `appliance run` starts, and when a camera may still be missing."""

import pytest

from appliance.app.running import child_specs, renewed_argv, supervise
from appliance.errors import SettingsError
from appliance.services import Layout, Services, without_secrets
from appliance.settings import Settings, parse


def command(name: str) -> list[str]:
    """A command line that only names its process."""
    return [name]


def loop_of(settings: Settings, layout: Layout, *, once: bool) -> tuple[tuple[str, ...], bool]:
    """The loop's command line, and whether it is waited for when its settings are wrong."""
    specs = child_specs(settings, layout, command, once=once)
    spec = next(each for each in specs if each.name == "loop")
    return spec.argv, spec.patient


def test_with_pages_a_loop_without_a_camera_is_waited_for(layout: Layout) -> None:
    """Somebody may set one up in the browser; without pages nobody can, and a recording is played once."""
    assert (("loop", "--patient"), True) == loop_of(Settings(), layout, once=False)
    assert (("loop", "--once"), False) == loop_of(Settings(), layout, once=True)
    assert (("loop",), False) == loop_of(parse("[web]\nenabled = false\n"), layout, once=False)


def test_what_records_stops_before_the_cameras_do(layout: Layout) -> None:
    """They stop from the last to the first: a clip ends as stopped, and dispatch hears what the loop says."""
    order = [each.name for each in child_specs(Settings(), layout, command, once=False)]

    assert order.index("dispatch") < order.index("loop") < order.index("video")


def test_without_pages_and_camera_nothing_is_started(services: Services) -> None:
    """It is said what to do instead of watching nothing for ever."""
    with pytest.raises(SettingsError, match="no camera is configured"):
        supervise(parse("[web]\nenabled = false\n"), services, command, once=False)
    with pytest.raises(SettingsError, match="no camera is configured"):
        supervise(Settings(), services, command, once=True)


def test_a_command_line_is_made_of_the_settings_as_they_are_now(layout: Layout) -> None:
    """A process that died of its settings is started with mended ones; while they are wrong, as it was."""
    held = {"web": "wrong"}

    def of_now(name: str) -> list[str]:
        if held["web"] == "broken":
            raise SettingsError("appliance.toml:3: no such key")
        return [name, held["web"]]

    def renewed() -> object:
        return renewed_argv("web", Settings(), layout, of_now, once=False)

    said = [renewed()]
    held["web"] = "broken"
    said.append(renewed())
    held["web"] = "mended"
    said.append(renewed())

    assert [("web", "wrong"), None, ("web", "mended")] == said


def test_credentials_for_aws_reach_who_sends_there_alone(layout: Layout) -> None:
    """Dispatch copies, video streams; what they were not handed, its own environment gives neither."""
    given = {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_SESSION_TOKEN": "c",
        "AWS_REGION": "d",
    }
    specs = child_specs(Settings(), layout, command, once=False, environment=given)
    secret = {name: each for name, each in given.items() if name != "AWS_REGION"}

    assert [("dispatch", secret), ("video", secret)] == [
        (each.name, dict(each.env)) for each in specs if each.env
    ]
    assert {"AWS_REGION": "d"} == without_secrets(given)
