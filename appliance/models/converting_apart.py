"""Converting a user's artefact in a process of its own, which is ended with whatever it became.

The converters bound what they make of a file, but they are read by libraries too, and artefacts come from
anywhere. So the process that keeps the models hands the bytes over and gets an answer back: `convert_apart`
here, `python -m appliance.models.converting_apart` there. The child holds itself to memory in proportion to
the files, processor time, and the size of its answer, before it reads the first byte; it opens no file. It is
no sandbox: what it could still do, it could do to its own account's files.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from pydantic import TypeAdapter, ValidationError

from appliance.errors import ModelError
from appliance.models.artefact import LARGEST_BYTES, ConversionReport, Converted, Head, Kind, unsupported
from appliance.processes import how_it_ended

_MEMORY: Final = 1 << 30
"""What the child may have besides copies of the files."""
_COPIES: Final = 12
_CPU_S: Final = 300
_PATIENCE_S: Final = 600.0
_LARGEST_ANSWER: Final = (1 << 31) + (1 << 24)
"""No ONNX file is larger than 2 GiB."""
_LONGEST_LINE: Final = 1 << 24
_REFUSED: Final = 3
_ELSEWHERE: Final = "it asks for more memory or time than files of that size may: export it as ONNX elsewhere"
_KEPT: Final = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "PYTHONWARNINGS")


@dataclass(frozen=True, slots=True)
class _Order:
    files: tuple[tuple[str, int], ...]
    width: int
    height: int
    epoch: int | None


@dataclass(frozen=True, slots=True)
class _Answer:
    kind: Kind
    head: Head
    report: ConversionReport


@dataclass(frozen=True, slots=True)
class _Refusal:
    message: str
    hint: str


_ORDER: Final = TypeAdapter(_Order)
_ANSWER: Final = TypeAdapter(_Answer)
_REFUSAL: Final = TypeAdapter(_Refusal)


def convert_apart(
    files: Mapping[str, bytes], *, width: int = 0, height: int = 0, epoch: int | None = None
) -> Converted:
    """As `convert_artefact`, in a process of its own.

    Raises:
        ModelError: As there; or the conversion took more memory or time than files of that size may.
    """
    if sum(map(len, files.values())) > LARGEST_BYTES:
        raise unsupported(f"{len(files)} files of more than {LARGEST_BYTES >> 20} MiB together")
    order = _Order(tuple((name, len(data)) for name, data in files.items()), width, height, epoch)
    asked = _in_memory("artefact")
    answered = _in_memory("converted")
    try:
        with os.fdopen(os.dup(asked), "wb") as writing:
            writing.write(_line(asdict(order)))
            for data in files.values():
                writing.write(data)
        os.lseek(asked, 0, os.SEEK_SET)
        code = _run(asked, answered)
        os.lseek(answered, 0, os.SEEK_SET)
        with os.fdopen(os.dup(answered), "rb") as reading:
            line, content = reading.readline(_LONGEST_LINE), reading.read(_LARGEST_ANSWER)
    except OSError as error:
        raise ModelError(f"artefact: it could not be converted: {error.strerror}") from error
    finally:
        os.close(asked)
        os.close(answered)
    return read_answer(code, line, content)


def _in_memory(name: str) -> int:
    """An unnamed file that lies in memory alone."""
    return os.memfd_create(name, os.MFD_CLOEXEC)


def _line(given: object) -> bytes:
    return json.dumps(given).encode() + b"\n"


def _run(asked: int, answered: int) -> int:
    environment = {key: os.environ[key] for key in _KEPT if key in os.environ}
    try:
        return subprocess.run(
            [sys.executable, "-P", "-m", "appliance.models.converting_apart"],
            stdin=asked,
            stdout=answered,
            stderr=subprocess.DEVNULL,
            env={**environment, "OPENBLAS_NUM_THREADS": "1"},
            timeout=_PATIENCE_S,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"artefact: it was not converted within {_PATIENCE_S:.0f} seconds") from error


def read_answer(code: int, line: bytes, content: bytes) -> Converted:
    """What the child's exit code, its answer's first line, and the rest of it say.

    Raises:
        ModelError: It refused the artefact, gave no answer, or was ended.
    """
    try:
        if code == _REFUSED:
            refusal = _REFUSAL.validate_json(line)
            raise ModelError(refusal.message, hint=refusal.hint)
        if code == 0:
            answer = _ANSWER.validate_json(line)
            return Converted(content, answer.kind, answer.head, answer.report)
    except ValidationError as error:
        raise ModelError("artefact: its conversion gave an answer that is none") from error
    raise ModelError(
        f"artefact: its conversion ended ({how_it_ended(code)})",
        hint=_ELSEWHERE,
    )


def main() -> int:
    """Convert what stands on the standard input; the exit code says what the answer is."""
    source, target = sys.stdin.buffer, sys.stdout.buffer
    _hold_back(os.fstat(source.fileno()).st_size)
    # Read when the limits hold: these are the libraries that see the bytes.
    from appliance.models.convert_artefact import convert_artefact  # noqa: PLC0415 - see above

    order = _ORDER.validate_json(source.readline(_LONGEST_LINE))
    files = {name: source.read(size) for name, size in order.files}
    try:
        made = convert_artefact(files, width=order.width, height=order.height, epoch=order.epoch)
    except ModelError as error:
        target.write(_line(asdict(_Refusal(error.message, error.advice))))
        return _REFUSED
    except MemoryError:
        target.write(_line(asdict(_Refusal("artefact: its conversion asks for too much memory", _ELSEWHERE))))
        return _REFUSED
    target.write(_line(asdict(_Answer(made.kind, made.head, made.report))))
    target.write(made.onnx)
    return 0


def _hold_back(size: int) -> None:
    limits = {
        resource.RLIMIT_DATA: _MEMORY + _COPIES * size,
        resource.RLIMIT_CPU: _CPU_S,
        resource.RLIMIT_FSIZE: _LARGEST_ANSWER,
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_CORE: 0,
    }
    for kind, wanted in limits.items():
        hard = resource.getrlimit(kind)[1]
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(kind, (limit, limit))


if __name__ == "__main__":
    sys.exit(main())
