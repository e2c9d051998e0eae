"""Which installed model each choice of `[[objects]]` is, and what its labels are. Loads no network."""

import difflib
from collections.abc import Iterator, Mapping

from appliance.models.manifest import Manifest, Model, read_manifest
from appliance.settings import ObjectsSettings

MODELS: Mapping[str, str] = {"voc": "voc-ssd", "coco": "coco-ssd", "yolox": "yolox-nano"}
"""By what it is called in the settings: its id in the manifest."""


def object_model(name: str, manifest: Manifest) -> Model:
    """The manifest's entry of a model as the settings call it.

    Raises:
        ModelError: The manifest does not list it.
    """
    return manifest.model(MODELS[name])


def labels_of(name: str, manifest: Manifest) -> tuple[str, ...]:
    """The labels in use of a model, in its order.

    Raises:
        ModelError: The manifest does not list it.
    """
    return tuple(label for label in object_model(name, manifest).output.labels if label)


def label_faults(watches: tuple[ObjectsSettings, ...]) -> Iterator[tuple[int, str, str, str]]:
    """Labels in the settings that their model does not know, and a second watch of a camera.

    Yields:
        Number of the `[[objects]]`, key in it, what is wrong, what to do about it.

    Raises:
        ModelError: The manifest cannot be read.
    """
    manifest = read_manifest() if watches else None
    cameras: set[str] = set()
    for number, watch in enumerate(watches):
        if watch.camera in cameras:
            words = f"there are things looked for on camera {watch.camera!r} already"
            yield number, "camera", words, "one [[objects]] a camera; it may have several triggers"
        cameras.add(watch.camera)
        known = labels_of(watch.model, manifest) if manifest is not None else ()
        for key, label in _named(watch):
            if label not in known:
                near = difflib.get_close_matches(label, known, n=1, cutoff=0.5)
                advice = f"did you mean {near[0]!r}?" if near else "it knows other things"
                words = f"the model {watch.model!r} knows no {label[:32]!r}; {advice}"
                yield number, key, words, f"what it knows: appliance objects models {watch.model}"


def _named(watch: ObjectsSettings) -> Iterator[tuple[str, str]]:
    """Every label that a watch names, with the key it stands under."""
    yield from (("labels", label) for label in watch.labels)
    yield from (("thresholds", label) for label in watch.thresholds)
    yield from (("regions", label) for region in watch.regions for label in region.labels)
    yield from (("triggers", trigger.label) for trigger in watch.triggers)
