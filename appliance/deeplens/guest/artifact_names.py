"""How one model is called by the many names its artefacts had on a DeepLens.

`deploy_ssd` was `deploy_ssd-symbol.json` and `deploy_ssd-0000.params` as trained, and became
`mxnet_deploy_ssd_FP16_FUSED.xml` with `.bin` in the first optimizer and `deploy_ssd.xml` in later ones;
functions name any of them, with a folder before it or without. Text only: knows no model and opens no file.
"""

import re
from typing import Final

_ENDINGS: Final = re.compile(
    r"(?:-symbol(?:\.json)?|-\d{4}\.params|\.(?:xml|bin|json|params|onnx|pb|prototxt|caffemodel|so|mapping))$",
    re.IGNORECASE,
)
_FRAMEWORK: Final = re.compile(r"^(?:mxnet|tensorflow|tf|caffe|onnx)_", re.IGNORECASE)
_OPTIMIZED: Final = re.compile(r"(?:_FP(?:16|32))?(?:_FUSED?)?$", re.IGNORECASE)
_DEPLOYED: Final = re.compile(r"^deploy_", re.IGNORECASE)


def base_name(spelling: str) -> str:
    """The name of a model without folder, framework, precision and ending.

    Args:
        spelling: A path or a name, as a function has it:
            `/opt/awscam/artifacts/mxnet_deploy_ssd_FP16_FUSED.xml`.

    Returns:
        What is left, lower case: `deploy_ssd`. Empty when nothing is.
    """
    return _OPTIMIZED.sub("", _FRAMEWORK.sub("", stem(spelling))).lower()


def stem(spelling: str) -> str:
    """A spelling without folder and ending, its letters as they are."""
    return _ENDINGS.sub("", spelling.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1])


def looser_name(spelling: str) -> str:
    """The base name without the `deploy_` that SageMaker's script put before it, for a second look."""
    return _DEPLOYED.sub("", base_name(spelling))


def optimized_spellings(name: str) -> tuple[str, ...]:
    """The file names, without their ending, that either optimizer would have given a model.

    Args:
        name: Its name as trained, `deploy_ssd`.
    """
    return (name, *(f"mxnet_{name}_{precision}_FUSED" for precision in ("FP16", "FP32")))
