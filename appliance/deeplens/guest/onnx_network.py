"""Running an ONNX file inside a function's view, on one thread, with as little memory as it needs.

As `appliance.networks` does it for the appliance's own work; that module is not in the view.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnxruntime
from numpy.typing import NDArray

from appliance.deeplens.guest.descriptors import ModelFaultError


class OnnxNetwork:
    """A network in onnxruntime. Safe for several threads.

    Args:
        weights: The file.

    Raises:
        ModelFaultError: It cannot be read, or takes more than one picture.
    """

    def __init__(self, weights: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        options.enable_mem_pattern = False
        options.enable_cpu_mem_arena = False
        try:
            self._session = onnxruntime.InferenceSession(
                str(weights), options, providers=["CPUExecutionProvider"]
            )
            (taken,) = self._session.get_inputs()
        except Exception as error:  # onnxruntime's own errors share no base class
            raise ModelFaultError(
                f"{weights.name} cannot be read by onnxruntime {onnxruntime.__version__}"
            ) from error
        self._input = taken.name
        self._outputs = [each.name for each in self._session.get_outputs()]

    def run(self, batch: NDArray[Any]) -> Mapping[str, NDArray[Any]]:
        """Every output by its name, in the file's order.

        Raises:
            ModelFaultError: The network does not take this.
        """
        try:
            values = self._session.run(None, {self._input: batch})
        except Exception as error:
            raise ModelFaultError(f"the network does not take an array of {batch.shape}") from error
        return dict(zip(self._outputs, values, strict=True))
