"""Opening an ONNX network on one thread, with as little memory as it needs. Nothing else.

Two threads only spin on a box that has other work, and with one the results do not depend on the number of
cores. What a network takes and gives is checked by the room that knows it.
"""

import ctypes
from pathlib import Path
from typing import Any

import onnxruntime

from appliance.errors import ModelError


def open_session(weights: Path, *, arena: bool = True) -> Any:
    """Load a network.

    Args:
        weights: The ONNX file.
        arena: Whether buffers are kept from one run to the next; without, large networks take 30 MiB less
            and no measurable time more.

    Returns:
        The `onnxruntime.InferenceSession`.

    Raises:
        ModelError: The file cannot be read.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    # Buffers planned ahead for each input shape cost 10 MiB and no measurable time.
    options.enable_mem_pattern = False
    options.enable_cpu_mem_arena = arena
    try:
        return onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own errors share no base class
        raise ModelError(
            f"{weights} cannot be read by onnxruntime {onnxruntime.__version__}",
            command="check it with: appliance models verify",
        ) from error


def another_network(weights: Path, taken: object, given: object) -> ModelError:
    """What is said of a network that is not the one it should be."""
    return ModelError(
        f"{weights} is another network: it takes {taken} and gives {given}",
        command="replace it with: appliance models install",
    )


def return_memory() -> None:
    """Hand memory that loading left behind back to the system, where the C library can.

    onnxruntime reads a whole file before it keeps its own copy; glibc would hold on to 50 MiB of that.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only
    if trim is not None:
        trim(0)
