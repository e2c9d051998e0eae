"""Opening an ONNX network on one thread, with as little memory as it needs. Nothing else.

Two threads only spin on a box that has other work, and with one the results do not depend on the number of
cores. Every network of this room takes one uint8 input named `chips`.
"""

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnxruntime

from appliance.errors import ModelError


def open_session(weights: Path, *, side: int | None, last_axes: Sequence[int]) -> Any:
    """Load a network and check that it is of the expected kind.

    Args:
        weights: The ONNX file.
        side: Height and width of the input pictures, or None where they may vary.
        last_axes: Length of the last axis of each output.

    Returns:
        The `onnxruntime.InferenceSession`.

    Raises:
        ModelError: The file cannot be read, or is another network.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    # Buffers planned ahead for each input shape cost 10 MiB and no measurable time.
    options.enable_mem_pattern = False
    try:
        session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own errors share no base class
        raise ModelError(
            f"{weights} cannot be read by onnxruntime {onnxruntime.__version__}",
            command="check it with: appliance models verify",
        ) from error
    taken, given = session.get_inputs(), session.get_outputs()
    sides = taken[0].shape[1:3]
    if (
        [i.name for i in taken] != ["chips"]
        or taken[0].type != "tensor(uint8)"
        or (sides != [side, side] if side is not None else any(isinstance(s, int) for s in sides))
        or [o.shape[-1] for o in given] != list(last_axes)
    ):
        raise ModelError(
            f"{weights} is another network: it takes {taken[0].shape} and gives {[o.shape for o in given]}",
            command="replace it with: appliance models install",
        )
    return session


def return_memory() -> None:
    """Hand memory that loading left behind back to the system, where the C library can.

    onnxruntime reads a whole file before it keeps its own copy; glibc would hold on to 50 MiB of that.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only
    if trim is not None:
        trim(0)
