"""One child: started, watched by descriptor, killed with its group, and remembered.

It does what it is told; when to restart is the supervisor's to decide.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from appliance.processes import how_it_ended, kill_group
from appliance.supervisor.child import LAST_WORDS, SUPERVISOR, read_last_words
from appliance.supervisor.notify import VARIABLES
from appliance.supervisor.spec import ChildSpec
from appliance.wire.messages import ChildState, ChildStatus


@dataclass(frozen=True, slots=True)
class Ending:
    """How a child ended.

    Attributes:
        code: Exit code; negative: the signal that killed it; None: it could not be started.
        reason: In words: `exit 3`, `killed by SIGKILL`, …
        message: What it left as its last message; may be empty.
        hint: What it left as a hint.
    """

    code: int | None
    reason: str
    message: str = ""
    hint: str = ""


class Child:
    """A child of the supervisor over all its lives. Used from the supervisor's thread.

    Attributes:
        end_fd: Readable once it has ended; None while it does not run.
        failures: Deaths in a row without a healthy life between them.
        fatal: Endings in a row with an exit code that a restart cannot mend.
        due: When it is to be started again, monotonic seconds; None if it is not.
        started: When this life began, monotonic seconds.
        life: Counts its starts, so that what is said of one life is not taken for another's.
        ready_life: The life in which it last was ready; written by its probe's thread.
        asked: It was asked to end, in order to be started again at once.
        kill_at: When it is killed if it has not ended by itself, monotonic seconds.
    """

    def __init__(self, spec: ChildSpec, environment: Mapping[str, str]) -> None:
        self.spec = spec
        self.state: ChildState = "stopped"
        self.end_fd: int | None = None
        self.failures = 0
        self.fatal = 0
        self.due: float | None = None
        self.started = 0.0
        self.restarts = 0
        self.life = 0
        self.ready_life = 0
        self.last_exit = ""
        self.asked = False
        self.kill_at: float | None = None
        self._said = "", ""
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._words: int | None = None
        self._doom = ""

    @property
    def ready(self) -> bool:
        """It said yes to a probe in this life, or has no probe."""
        return self.pid is not None and self.ready_life == self.life

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        process = self._process
        return None if process is None else process.pid

    def start(self, now: float) -> None:
        """Begin a life.

        Raises:
            OSError: The system cannot start it.
        """
        self._words = os.memfd_create("last-words")
        variables = {k: v for k, v in self._environment.items() if k not in VARIABLES}
        try:
            # Its own session: a Ctrl-C in the terminal reaches the supervisor alone, which stops in order.
            self._process = subprocess.Popen(
                self.spec.argv,
                env={
                    **variables,
                    **self.spec.env,
                    SUPERVISOR: str(os.getpid()),
                    LAST_WORDS: str(self._words),
                },
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=(self._words,),
            )
        except (OSError, ValueError):
            os.close(self._words)
            self._words = None
            raise
        self.end_fd = os.pidfd_open(self._process.pid)
        self._doom = ""
        self.started = now
        self.due = None
        self.life += 1
        self.state = "starting"
        if self.spec.probe is None:
            self.ready_life = self.life

    def terminate(self) -> None:
        """Ask it to end."""
        if self._process is not None:
            self.state = "stopping"
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGTERM)

    def kill(self, why: str = "") -> None:
        """End it and its group; `why` becomes the reason of its ending."""
        if self._process is not None:
            self._doom = why or self._doom
            kill_group(self._process.pid)

    def reap(self) -> Ending:
        """Take note of its end, once `end_fd` is readable."""
        process, words = self._process, self._words
        if process is None or words is None or self.end_fd is None:
            raise RuntimeError(f"{self.spec.name} does not run")
        # What it left behind in its group goes too. Before reaping: until then the number is its own.
        kill_group(process.pid)
        code = process.wait()
        message, hint = read_last_words(words)
        os.close(words)
        os.close(self.end_fd)
        self._process = self._words = self.end_fd = None
        self.kill_at = None
        self.state = "stopped"
        ending = Ending(code, self._doom or how_it_ended(code), message, hint)
        self.last_exit = ending.reason
        self._said = message, hint
        return ending

    def status(self) -> ChildStatus:
        """How it is."""
        # What it said of its last life holds until it is well again.
        message, hint = ("", "") if self.ready else self._said
        return ChildStatus(
            name=self.spec.name,
            pid=self.pid,
            state=self.state,
            restarts=self.restarts,
            last_exit=self.last_exit,
            message=message,
            hint=hint,
        )
