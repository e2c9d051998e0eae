"""A user's artefact, whatever its kind, to ONNX with a description of what goes in and comes out.

Says which converter a set of files needs, and calls it. Reads bytes only: it opens nothing, runs nothing of
what it reads, and needs no framework. The files come from anywhere, so every length in them is held against
what is there, and whatever is wrong with them is a `ModelError`.
"""

from collections.abc import Mapping

from appliance.models import convert_caffe_ssd, convert_mxnet, convert_onnx, convert_tensorflow_ssd
from appliance.models.artefact import Converted, Kind, unsupported
from appliance.models.recognising import Part, recognise


def convert_artefact(
    files: Mapping[str, bytes], *, width: int = 0, height: int = 0, epoch: int | None = None
) -> Converted:
    """Convert an artefact.

    Args:
        files: Its files by base name; others beside them are left out and named in the report.
        width: Of the network's input, in pixels; 0: as the artefact says (MXNet's says nothing).
        height: Likewise.
        epoch: Which of several `-NNNN.params`; None: the only one, else the last.

    Raises:
        ModelError: The files are no artefact we know, damaged, or use what is not supported; the message
            names everything unsupported at once. An OpenVINO IR is refused too: it is run as it is.
    """
    found = recognise(files, epoch=epoch)
    data = {part: files[name] for part, name in found.parts.items()}
    names = tuple(found.parts.values())
    match found.kind:
        case Kind.MXNET:
            return convert_mxnet.convert(
                data[Part.MXNET_SYMBOL],
                data[Part.MXNET_PARAMETERS],
                width=width,
                height=height,
                files=names,
                epoch=found.epoch,
            )
        case Kind.ONNX:
            return convert_onnx.convert(data[Part.ONNX], width=width, height=height, files=names)
        case Kind.OPENVINO:
            raise unsupported("an OpenVINO IR is run as it is, not converted", hint="it needs openvino")
        case Kind.CAFFE:
            return convert_caffe_ssd.convert(
                data[Part.CAFFE_LAYERS], data[Part.CAFFE_WEIGHTS], width=width, height=height, files=names
            )
        case Kind.TENSORFLOW:
            return convert_tensorflow_ssd.convert(
                data[Part.TENSORFLOW], width=width, height=height, files=names
            )
