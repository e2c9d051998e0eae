"""Running an OpenVINO IR, `.xml` with `.bin`, inside a function's view, where OpenVINO is installed.

It is an extra of the appliance: nothing here is imported before a model needs it.
"""

import importlib
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.deeplens.guest.descriptors import ModelFaultError

MISSING = (
    "this model is an OpenVINO one, and openvino is not installed here; whoever runs the appliance installs "
    "it with: python -m pip install 'office-door-appliance[openvino]'"
)


class OpenvinoNetwork:
    """A network in OpenVINO on the processor, one thread. Several may ask; they take turns.

    Args:
        file: The `.xml`; its `.bin` lies beside it.

    Raises:
        ModelFaultError: OpenVINO is not there, cannot read the file, or it takes more than one picture.
    """

    def __init__(self, file: Path) -> None:
        try:
            openvino = importlib.import_module("openvino")
        except ImportError as error:
            raise ModelFaultError(MISSING) from error
        try:
            core = openvino.Core()
            compiled = core.compile_model(
                core.read_model(str(file)),
                "CPU",
                {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"},
            )
            (taken,) = compiled.inputs
            self._outputs = [_name(each, at) for at, each in enumerate(compiled.outputs)]
            self._request = compiled.create_infer_request()
        except Exception as error:  # openvino raises plain RuntimeErrors, and others
            raise ModelFaultError(f"{file.name} cannot be read by openvino {openvino.__version__}") from error
        self._lock = threading.Lock()
        self._type = taken.element_type.to_dtype()

    def run(self, batch: NDArray[Any]) -> Mapping[str, NDArray[Any]]:
        """Every output by its name, in the file's order.

        Raises:
            ModelFaultError: The network does not take this.
        """
        try:
            with self._lock:
                given = self._request.infer([np.ascontiguousarray(batch, self._type)])
                values = [np.array(given[at]) for at in range(len(self._outputs))]
        except Exception as error:
            raise ModelFaultError(f"the network does not take an array of {batch.shape}") from error
        return dict(zip(self._outputs, values, strict=True))


def _name(output: Any, at: int) -> str:
    """The name of an output; that of the layer which makes it where it has none, as in the first versions."""
    names = sorted(output.get_names())
    return (
        str(names[0]) if names else str(output.get_node().input_value(0).get_node().get_friendly_name() or at)
    )
