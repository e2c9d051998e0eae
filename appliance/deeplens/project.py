"""A deployed function as it stands on disk: what it is called, how it is run and what it may.

Only the values, checked when made and when read. Reading and writing files is `projects`; nothing of a
function's own is looked at here.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from appliance.deeplens.grants import read_host
from appliance.deeplens.topics import fault_of_pattern, fault_of_topic
from appliance.errors import FunctionError

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
"""What a function may be called: it is a folder's name, and part of a path in the function's view."""

HANDLERS = ("lambda_function.lambda_handler", "greengrassHelloWorld.function_handler")
"""Handlers of the two families of templates, newest first."""

MOST = 32
"""Topics to subscribe to, topics to publish to, and hosts: so many of each at most."""


MOST_VARIABLES: Final = 64
"""Variables of its own."""
_MOST_BYTES: Final = 4096
"""Of all their names and values together, as in Lambda."""
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_SET_HERE: Final = re.compile(
    r"LD_.*|GLIBC_TUNABLES|MALLOC_.*|PYTHON.*|OMP_.*|OPENBLAS_.*|OPENCV_FOR_.*|.*_PROXY|PATH|HOME|USER|LOGNAME|LANG"
    r"|TMPDIR|DEEPLENS_(CHANNEL|MODELS|ROOT|OBJECT_STORE)|AWS_LAMBDA_FUNCTION_NAME|AWS_ENDPOINT_URL.*",
    re.IGNORECASE,
)
"""What linker, Python and launcher read before the function begins, what it is called, and the ways out."""


def _variables(given: Mapping[str, str]) -> Mapping[str, str]:
    if len(given) > MOST_VARIABLES:
        raise ValueError(f"{len(given)} are given, and {MOST_VARIABLES} are the most")
    for name, value in given.items():
        if not _VARIABLE.fullmatch(name):
            raise ValueError("a variable's name is letters, digits and _, and begins with no digit")
        if _SET_HERE.fullmatch(name):
            raise ValueError(f"{name} is set by the appliance")
        if "\0" in value or not _is_text(value):
            raise ValueError(f"the value of {name} is no text")
    if sum(len(name) + len(value.encode()) for name, value in given.items()) > _MOST_BYTES:
        raise ValueError(f"names and values have more than {_MOST_BYTES:,} bytes together")
    return given


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _pattern(text: str) -> str:
    if fault := fault_of_pattern(text):
        raise ValueError(fault)
    return text


def _topic(text: str) -> str:
    if fault := fault_of_topic(text):
        raise ValueError(fault)
    return text


def _host(text: str) -> str:
    try:
        read_host(text)
    except FunctionError as error:
        raise ValueError(error.message) from error
    return text


Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Pattern = Annotated[str, AfterValidator(_pattern)]
"""A topic to subscribe to, with `+` and `#` as MQTT has them."""
Topic = Annotated[str, AfterValidator(_topic)]
"""A topic to publish to."""
Host = Annotated[
    str,
    Field(pattern=r"^(\[[0-9A-Fa-f:]{2,45}\]|[A-Za-z0-9._-]{1,253})(:[0-9]{1,5})?$"),
    AfterValidator(_host),
]
"""A host, or a host and its port."""
Handler = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]{0,200}\.[A-Za-z_][A-Za-z0-9_]{0,100}$")]
"""Module and function: `lambda_function.lambda_handler`."""


Variables = Annotated[Mapping[str, str], AfterValidator(_variables)]
"""Variables of a function's own: name → value, which may be a secret."""


class Limits(BaseModel):
    """What a function may use of the machine.

    Attributes:
        memory_mb: Memory of the whole function, MiB.
        processes: Processes and threads together.
        tmp_mb: Its private /tmp, MiB.
        artifacts_mb: What it writes beside the models, MiB.
        open_files: Descriptors of one process.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    memory_mb: Annotated[int, Field(ge=128, le=65536)] = 1536
    processes: Annotated[int, Field(ge=8, le=1024)] = 64
    tmp_mb: Annotated[int, Field(ge=16, le=16384)] = 512
    artifacts_mb: Annotated[int, Field(ge=16, le=16384)] = 1024
    open_files: Annotated[int, Field(ge=64, le=4096)] = 256


class Project(BaseModel):
    """One deployed function.

    Attributes:
        name: Unique among those deployed.
        runtime: Whose rules its sources follow.
        handler: Module and function; the module is imported, the function called for messages.
        pinned: Whether its import never returns; False: driven by messages; None: that shows.
        subscriptions: Topics whose messages it is handed; `+` and `#` as MQTT has them.
        publishes: Topics besides its infer topic that leave the box, exactly as written here.
        network: Hosts that were granted to it; empty: none.
        variables: Of its own, as Lambda's settings had them; values may be secrets.
        limits: What it may use of the machine.
        camera: Whose frames it gets; empty: the first.
        thing: Name in AWS_IOT_THING_NAME.
        accept_uncontained: Whether it runs even where this system does not contain it.
        source_sha256: Of its package, for whoever wants to know which version runs.
        deployed_at: When.
        wanted: Whether it is to run.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    version: Literal[1] = 1
    name: Name
    runtime: Literal["python2", "python3"] = "python2"
    handler: Handler = HANDLERS[0]
    pinned: bool | None = None
    subscriptions: Annotated[tuple[Pattern, ...], Field(max_length=MOST)] = ()
    publishes: Annotated[tuple[Topic, ...], Field(max_length=MOST)] = ()
    network: Annotated[tuple[Host, ...], Field(max_length=MOST)] = ()
    variables: Annotated[Variables, Field(repr=False)] = {}
    limits: Limits = Limits()
    camera: Annotated[str, Field(max_length=32)] = ""
    thing: str = Field(pattern=r"^[A-Za-z0-9:_-]{1,128}$")
    accept_uncontained: bool = False
    source_sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    deployed_at: AwareDatetime
    wanted: Literal["running", "stopped"] = "running"

    @property
    def module(self) -> str:
        """The module that is imported: `lambda_function`."""
        return self.handler.rpartition(".")[0].replace("/", ".")

    @property
    def function(self) -> str:
        """The function in it that messages are handed to: `lambda_handler`."""
        return self.handler.rpartition(".")[2]

    @property
    def infer_topic(self) -> str:
        """The topic that DeepLens projects publish to."""
        return f"$aws/things/{self.thing}/infer"

    def wanting(self, wanted: Literal["running", "stopped"]) -> "Project":
        """The same, to be started or stopped."""
        return self.model_copy(update={"wanted": wanted})


def thing_for(device: str) -> str:
    """What a box is called towards functions, by the form that devices had: `deeplens_…`."""
    kept = "".join(each for each in device if each.isalnum() or each == "-")[:64]
    return f"deeplens_{kept or 'local'}"


def runtime_of(word: str) -> Literal["python2", "python3"] | None:
    """Whose rules `python2.7`, `python3.7` and the like mean; None for anything else."""
    if word.startswith("python2"):
        return "python2"
    return "python3" if word.startswith("python3") else None
