"""The module `awscam` of a DeepLens: frames and models, as a function imports it.

The names a function sees keep the spelling of the device. Reading pictures is `heads`', finding models
`descriptors`'; where frames come from is the hosting side's.
"""

import threading
from collections.abc import Callable, Mapping
from enum import IntEnum
from types import ModuleType
from typing import Any, ClassVar, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from appliance.deeplens.guest.descriptors import Descriptor, ModelFaultError
from appliance.deeplens.guest.heads import Network
from appliance.deeplens.guest.message_fields import shortened
from appliance.deeplens.guest.messages import (
    MAX_NAME_BYTES,
    MAX_TEXT_BYTES,
    GuestSaid,
    Inferred,
    ModelLoaded,
)

_GPU: Final = "GPU"


class Runtime(IntEnum):
    """What ran a model on the device; a function passes one of them as third argument."""

    DLDT = 0
    NEO = 1


class Frames(Protocol):
    """Gives frames."""

    def take(self) -> tuple[bool, NDArray[np.uint8]]:
        """Whether the camera gives frames, and the newest, the caller's own."""


class Finds(Protocol):
    """Finds models."""

    def find(self, spelling: str) -> Descriptor:
        """The model that a function means; ModelFaultError if there is none."""


class Says(Protocol):
    """Takes what the function says; never waits."""

    def put(self, message: GuestSaid) -> None:
        """Have it sent."""


class Paces(Protocol):
    """Says when it is a function's turn to infer."""

    def wait(self, model: object = None) -> None:
        """Wait for the turn of this model, if a frame was taken since the last."""


class Shelf:
    """Where models come from, and who is told that they are used. One for each function."""

    def __init__(self, finds: Finds, opens: Callable[[Descriptor], Network], says: Says, pace: Paces) -> None:
        """Note where models are.

        Args:
            finds: Finds a model by any of its names.
            opens: Makes one ready to run.
            says: Takes what is to be said to the hosting side.
            pace: Whose turn an inference waits for.
        """
        self._pace = pace
        self._finds = finds
        self._opens = opens
        self._says = says
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}

    def open(self, path: str) -> Network:
        """A model, ready to run.

        Raises:
            ModelFaultError: There is none of this name, or it cannot be run.
        """
        try:
            network = self._opens(self._finds.find(path))
        except ModelFaultError as error:
            self._say(path, str(error))
            raise
        self._say(path, "")
        return network

    def missing(self, name: str, why: str) -> None:
        """Somebody else looked for a model that is not there."""
        self._say(name, why)

    def turn(self, model: object) -> None:
        """Wait for a model's turn to infer."""
        self._pace.wait(model)

    def count(self, name: str) -> None:
        """A model read a picture."""
        with self._lock:
            self._counts[name] = count = self._counts.get(name, 0) + 1
        self._says.put(Inferred(shortened(name, MAX_NAME_BYTES), count))

    def _say(self, path: str, reason: str) -> None:
        name, state = shortened(path, MAX_NAME_BYTES), "missing" if reason else "loaded"
        self._says.put(ModelLoaded(name, state, shortened(reason, MAX_TEXT_BYTES)))  # type: ignore[arg-type]


class Model:
    """A model that reads pictures, as on the device.

    Args:
        path: The `.xml` that `mo.optimize` gave, or any name of the model.
        config: `{'GPU': 1}` or `{'GPU': 0}`; both run on the processor here.
        runtime: 0 for the device's DLDT; 1 for Neo, which gives its layers by number.

    Raises:
        Exception: No such model is installed, by its name; or an argument is none that the device took.
    """

    _shelf: ClassVar[Shelf]

    def __init__(self, path: Any, config: Any, runtime: Any = Runtime.DLDT) -> None:
        if not isinstance(config, Mapping) or config.get(_GPU) not in (0, 1):
            raise ValueError("awscam.Model wants {'GPU': 1} or {'GPU': 0} as its second argument")
        if runtime not in (0, 1):
            raise ValueError("awscam.Model knows awscam.Runtime.DLDT (0) and awscam.Runtime.NEO (1)")
        self._neo = int(runtime) == Runtime.NEO
        if self._neo and config[_GPU] != 1:
            raise ValueError("awscam.Model runs Neo with {'GPU': 1} alone")
        self._network = self._shelf.open(str(path))

    def doInference(self, frame: Any) -> Mapping[Any, NDArray[np.float32]]:  # noqa: N802 - the device's name
        """What the model makes of a picture.

        Args:
            frame: (height, width, 3), uint8 or float32, blue first; or float32, (3, height, width).

        Returns:
            Name of each output layer → its numbers, float32, one axis. For Neo by number instead of name.
        """
        self._shelf.turn(self)
        layers = self._network.infer(frame)
        self._shelf.count(self._network.descriptor.name)
        return dict(enumerate(layers.values())) if self._neo else layers

    def parseResult(self, model_type: Any, raw: Any) -> Mapping[Any, Any]:  # noqa: N802 - the device's name
        """What `doInference` gave, as objects.

        Args:
            model_type: `ssd` or `classification`, as the model is.
            raw: What `doInference` gave.

        Returns:
            `{model_type: [...]}`, most certain first; each `{'label': int, 'prob': float}`, of `ssd` also
            `xmin`, `ymin`, `xmax`, `ymax` in pixels of the model's input. For Neo what was given.

        Raises:
            Exception: The model is of another type, or `raw` is not its own.
        """
        if self._neo:
            given: Mapping[Any, Any] = raw
            return given
        if model_type == "segmentation":
            raise ModelFaultError(
                "parseResult('segmentation') is not done here: read the output layer of doInference"
            )
        if not isinstance(raw, Mapping):
            raise ModelFaultError("parseResult wants what doInference gave")
        return {model_type: self._network.parsed(model_type, raw)}


def modules(frames: Frames, shelf: Shelf) -> dict[str, ModuleType]:
    """The modules a function may import for this: `awscam`, `awscam.model` and `awscamdldt`.

    Args:
        frames: Gives frames.
        shelf: Where its models come from.
    """

    def getLastFrame() -> tuple[bool, NDArray[np.uint8]]:  # noqa: N802 - the device's name
        """The newest frame: whether the camera gives frames, and (1520, 2688, 3), uint8, BGR, to keep."""
        return frames.take()

    model = type("Model", (Model,), {"_shelf": shelf, "__module__": "awscam.model", "__doc__": Model.__doc__})
    names = {"Model": model, "Runtime": Runtime, "getLastFrame": getLastFrame, "getlastFrame": getLastFrame}
    made = {each: ModuleType(each, __doc__) for each in ("awscam", "awscam.model", "awscamdldt")}
    for each in made.values():
        vars(each).update(names, __all__=list(names), __file__=__file__)
    vars(made["awscam"]).update(model=made["awscam.model"], __path__=[])
    return made
