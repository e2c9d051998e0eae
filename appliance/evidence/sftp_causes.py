"""Why a connection ended: what OpenSSH says, turned into one sentence and the next step.

Of what it says itself, only a line without known meaning is repeated, and only its printable part.
"""

from collections.abc import Sequence

from appliance.errors import RetrievalError, RetrievalFault
from appliance.evidence.sftp_target import Target

_FINGERPRINT = "on the box: ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub"


def explained(said: Sequence[str], target: Target) -> RetrievalError:
    """Why a connection ended, by what OpenSSH said of it."""
    text = "\n".join(said)
    host = target.shown
    for fragments, fault, message, hint, command in _CAUSES:
        if any(fragment in text for fragment in fragments):
            return RetrievalError(
                message.format(host=host), fault=fault, hint=hint, command=_typed(command, target)
            )
    words = [line for line in said if line.strip() and not line.startswith("sftp>")]
    last = "".join(each for each in words[-1] if each.isprintable())[:200] if words else "nothing was said"
    return RetrievalError(
        f"the connection to {host} was lost: {last}",
        fault="cut",
        hint="try again: what has arrived is kept, and a file that was cut is resumed",
    )


_CAUSES: tuple[tuple[tuple[str, ...], RetrievalFault, str, str, str], ...] = (
    (
        ("REMOTE HOST IDENTIFICATION HAS CHANGED",),
        "host_key_changed",
        "{host} shows another host key than before: somebody may stand between, so nothing was sent",
        "ask whoever runs the box whether it was set up anew, and compare fingerprints with them first",
        _FINGERPRINT + "; forget the old one with: ssh-keygen -R {known}",
    ),
    (
        ("Host key verification failed", "host key is known for"),
        "host_key_unknown",
        "{host} was never connected to from here, and nobody is there to be asked about its key",
        "compare its fingerprint with the one that the box shows",
        _FINGERPRINT + "; then connect once in a terminal: sftp -P {port} {account}@{name}",
    ),
    (
        ("Permission denied (", "Too many authentication failures", "No supported authentication methods"),
        "key_refused",
        "{host} does not let this key in",
        "it lets in the SSH keys among the recipients; a key with a passphrase needs a terminal or an agent",
        "after a change of recipients, on the box: appliance captures account --apply",
    ),
    (
        ("Connection refused",),
        "refused",
        "{host} is there, but no SSH server answers",
        "check the port, and that the SSH server runs on the box",
        "",
    ),
    (
        (
            "Could not resolve hostname",
            "Name or service not known",
            "timed out",
            "No route to host",
            "Network is unreachable",
        ),
        "unreachable",
        "{host} cannot be reached",
        "check the name, the network and the box's power",
        "",
    ),
    (
        ("subsystem request failed", "Received message too long", "exec request failed"),
        "no_sftp",
        "{host} lets the key in, but offers no sftp",
        "prepare the account anew on the box, or name another one",
        "on the box: appliance captures account",
    ),
    (
        ("Bad configuration option", "Can't open user config file", "Bad owner or permissions on"),
        "client",
        "OpenSSH's own configuration on this machine has a fault",
        "run sftp by hand to see it",
        "",
    ),
)
"""What OpenSSH says, and what it means. The first that fits counts."""


def _typed(command: str, target: Target) -> str:
    port = target.port or 22
    known = target.host if port == 22 else f"[{target.host}]:{port}"  # noqa: PLR2004 - SSH's own port
    return command.format(known=f'"{known}"', port=port, account=target.account, name=target.host)
