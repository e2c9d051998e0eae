"""Introducing hosted functions' models to the appliance's own networks and to the folder they are kept in."""

from pathlib import Path

from appliance.deeplens.artifacts import OwnFacts
from appliance.deeplens.model_store import ModelStore, OwnWeights
from appliance.models.folder import ModelFolder


def open_model_store(state: Path, folder: ModelFolder) -> ModelStore:
    """The models that functions may use.

    Args:
        state: The state directory; installed models are in `deeplens/models` below it.
        folder: The appliance's own networks; each is checked when it is first used.
    """

    def own(model: str) -> OwnWeights:
        listed = folder.manifest.model(model)
        facts = OwnFacts(listed.file, listed.output.labels, listed.output.overlap)
        return OwnWeights(folder.path(model), facts)

    return ModelStore(state / "deeplens" / "models", own)
