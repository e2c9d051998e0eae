"""All processes of one hosted function: where they are found, and how they are ended together.

Knows nothing of how they were started. What they use is `occupancy`'s.
"""

import contextlib
import os
import select
import signal
from dataclasses import dataclass

from appliance.deeplens import occupancy
from appliance.processes import kill_group


@dataclass(frozen=True, slots=True)
class ProcessTree:
    """Where all processes of a child are found, and how they are ended.

    Attributes:
        namespace: Number of its process namespace; None: it runs without a view.
        first: Its first process there, which takes all others with it; a pidfd; None without a view.
        session: Number of its first process; where there is no view, of its session too.
        uid: Its own account, where it has one and no view.
    """

    namespace: int | None
    first: int | None
    session: int
    uid: int | None

    def processes(self) -> list[int]:
        """Numbers of its processes."""
        if self.namespace is not None:
            return occupancy.in_namespace(self.namespace)
        return occupancy.in_session(self.session, self.uid)

    def kill(self) -> None:
        """End all of them, as far as they are found."""
        if self.first is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.first, signal.SIGKILL)
            return
        for _ in range(3):  # what is forked between finding and ending is found the next time
            for each in self.processes():
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(each, signal.SIGKILL)
        kill_group(self.session)

    def wait(self, longest_s: float) -> bool:
        """Wait until none of them is left; whether that is so, where it can be told."""
        if self.first is None:
            return True
        waiting = select.poll()
        waiting.register(self.first, select.POLLIN)
        # The first of a process namespace ends after all others.
        return bool(waiting.poll(longest_s * 1000))

    def close(self) -> None:
        """Let go of the descriptor."""
        if self.first is not None:
            os.close(self.first)
