"""What the supervisor is told about a child. Values only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from appliance.backoff import BackOff

DEFAULT_BACKOFF = BackOff(first_s=0.2, cap_s=30.0)


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """A process to keep running.

    Attributes:
        name: What it is called in events and logs.
        argv: Program and arguments.
        env: Variables on top of the supervisor's own.
        probe: Asks the child whether it is well; False or an exception means no. It is called
            from a thread of its own and should give up within a few seconds. Its first yes
            makes the child ready; without a probe a child is ready when it was started.
        probe_every_s: Seconds between probes.
        probe_failures: Times in a row that it may fail before the child counts as hung and is
            killed and restarted.
        patient: Settings, models or keys that it refuses may be mended while the others run (in the UI):
            it is tried again and again, and nothing else ends because of it.
        final: Its exit with code 0 is no fault but the end of everything: the supervisor stops.
        start_s: Seconds that a child may take to its first yes before failures count.
        gives_way_s: Seconds for which its first start waits until every child that does not wait is ready
            or has failed once: on a small box those that start together slow each other down.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    probe: Callable[[], bool] | None = None
    probe_every_s: float = 5.0
    probe_failures: int = 3
    start_s: float = 60.0
    gives_way_s: float = 0.0
    final: bool = False
    patient: bool = False
