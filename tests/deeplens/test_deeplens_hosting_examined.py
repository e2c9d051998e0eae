"""What a look at the box says of functions that are deployed."""

from pathlib import Path

from hosted_functions import project
from hosting_at_hand import hosting_at_hand

from appliance.app.examining.hosted import hosted
from appliance.deeplens.projects import Projects
from appliance.services import Layout
from appliance.settings import Settings


def test_a_function_without_frames_is_a_problem(tmp_path: Path) -> None:
    """It runs, and nothing will come of it: the camera's words stand there, and what to do."""
    layout = Layout(tmp_path / "state")
    projects = Projects(layout.functions)
    with projects.laying_out("dogs") as new:
        new.source.mkdir()
        projects.put(new, project("dogs"))
    with hosting_at_hand(layout) as at_hand:
        well = {each.subject: each for each in hosted(Settings(), layout)}["function dogs"]
        trouble = {"trouble": "there is no camera 'yard'"}
        at_hand.functions["dogs"] = at_hand.functions["dogs"].model_copy(update=trouble)
        found = {each.subject: each for each in hosted(Settings(), layout)}["function dogs"]

    assert ("ok", "problem") == (well.health, found.health)
    assert "gets no frames: there is no camera 'yard'" in found.words
    assert "look at the camera" in found.hint
