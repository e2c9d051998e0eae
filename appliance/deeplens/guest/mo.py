"""The module `mo` of a DeepLens: the model optimizer, which here only looks whether a model is there.

Models were made ready when they were installed, so `optimize` gives a path at once and any number of times.
What it cannot give it logs as an error, as the device did, and says by its status.
"""

import logging
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final, Protocol

from appliance.deeplens.guest.descriptors import Descriptor, ModelFaultError

ARTIFACTS: Final = "/opt/awscam/artifacts"
MAX_SIDE: Final = 1024
"""Pixels."""

OK: Final = 0
UNKNOWN_PLATFORM: Final = 1
FAILED: Final = 1

PLATFORMS: Final = ("caffe", "mxnet", "mx", "tensorflow", "tf", "onnx")

_log = logging.getLogger("mo")


class Finds(Protocol):
    """Finds models."""

    def find(self, spelling: str) -> Descriptor:
        """The model that a function means; ModelFaultError if there is none."""


def modules(
    finds: Finds, missing: Callable[[str, str], None], artifacts: str = ARTIFACTS
) -> dict[str, ModuleType]:
    """The module a function may import for this, by name.

    Args:
        finds: Finds a model by any of its names.
        missing: Told the path of a model that is not there, and why.
        artifacts: The folder that paths are given in.
    """

    def optimize(
        model_name: Any,
        input_width: Any,
        input_height: Any,
        platform: Any = "mxnet",
        aux_inputs: Any = None,
        **others: Any,
    ) -> tuple[int, str]:
        """Look for a model.

        Args:
            model_name: Its name, with a folder or an ending or without.
            input_width: Pixels, 1 to 1024. Like the height and what follows it changes nothing.
            input_height: Pixels, 1 to 1024.
            platform: What it was trained with: mxnet, mx, caffe, tensorflow or tf, in any case.
            aux_inputs: Options of the optimizer, each with its value; all are accepted.
            others: Options by keyword; likewise.

        Returns:
            Status and path: 0 and where the model is; or another number, after an error in the log, and where
            it would be. Many go on to `awscam.Model` with that, which then tells the model's name.
        """
        path = f"{artifacts}/{_stem(str(model_name))}.xml"
        problem = _problem(input_width, input_height, platform, aux_inputs)
        if problem:
            _log.error("%s", problem)
            return UNKNOWN_PLATFORM, path
        if others:
            _log.warning("options that the optimizer does not know: %s", ", ".join(sorted(others)))
        try:
            finds.find(str(model_name))
        except ModelFaultError as error:
            _log.error("%s", error)
            missing(path, str(error))
            return FAILED, path
        return OK, path

    module = ModuleType("mo", __doc__)
    vars(module).update(optimize=optimize, __file__=__file__, __all__=["optimize"])
    return {"mo": module}


def _problem(width: Any, height: Any, platform: Any, aux_inputs: Any) -> str:
    """What is wrong with the arguments; empty if nothing."""
    for name, value in (("input_width", width), ("input_height", height)):
        try:
            sound = 1 <= int(value) <= MAX_SIDE
        except (TypeError, ValueError):
            sound = False
        if not sound:
            return f"{name} must be a number from 1 to {MAX_SIDE}"
    if str(platform).lower() not in PLATFORMS:
        return f"the platform {str(platform)[:40]!r} is none of {', '.join(PLATFORMS)}"
    if aux_inputs is not None and not isinstance(aux_inputs, Mapping):
        return "aux_inputs must be a dictionary"
    return ""


def _stem(name: str) -> str:
    """The model's name as a file name without its ending."""
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    for ending in ("-symbol.json", ".xml", ".json", ".params", ".pb", ".prototxt", ".caffemodel", ".onnx"):
        if last.lower().endswith(ending):
            return last[: -len(ending)]
    return last
