"""The settings that `appliance demo` writes, held against the scene that it plays."""

from appliance.camera.scene import DEFAULT_SCRIPT
from appliance.camera.scene_script import WALK_S
from appliance.cli.demo import SETTINGS
from appliance.settings.source import parse


def test_everybody_is_greeted_once_a_round() -> None:
    """Each time the scene comes round; but whom a busy machine loses from sight on the way is still here."""
    repeat_after_s = parse(
        SETTINGS.format(recipient='"age1"', port=0, output="off")
    ).encounters.repeat_after_s

    assert WALK_S < repeat_after_s
    assert repeat_after_s < DEFAULT_SCRIPT.duration_s - 2 * WALK_S
