"""The supervisor: starts the processes of the appliance, restarts what dies, stops all in good order.

It knows command lines, exit codes and signals; what the processes do, it does not know. It
is handed its children by `appliance run`; under systemd alone nobody needs it.
"""

from appliance.supervisor.child import die_with_parent, leave_last_words
from appliance.supervisor.spec import DEFAULT_BACKOFF, ChildSpec
from appliance.supervisor.supervise import Supervisor

__all__ = ["DEFAULT_BACKOFF", "ChildSpec", "Supervisor", "die_with_parent", "leave_last_words"]
