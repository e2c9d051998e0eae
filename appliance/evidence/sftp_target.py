"""Where captures are fetched from: a host as people write it, and what `sftp` is started with for it.

Nothing that somebody wrote becomes an option or a second word: hosts and accounts are of few
characters, and the host comes last, after `--`. Starts nothing.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import RetrievalError

ACCOUNT = "captures"
"""Name of the account on the box, unless somebody chose another."""
ALIVE_S = 15
"""After three times as long without an answer, a connection counts as lost."""

_HOST = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_.-]{0,252}")
_ADDRESS = re.compile(r"[0-9A-Fa-f:.]{2,45}(?:%[0-9A-Za-z_.-]{1,32})?")
_ACCOUNT = re.compile(r"[A-Za-z_][0-9A-Za-z_.-]{0,31}")
_CONNECT_S = 20


def account_name(text: str) -> str:
    """A name of an account that is nothing else, not an option and no two words.

    Raises:
        RetrievalError: It is not.
    """
    if not _ACCOUNT.fullmatch(text):
        raise RetrievalError(
            "this is not the name of an account", fault="target", hint="small letters, digits, - and _"
        )
    return text


@dataclass(frozen=True, slots=True)
class Target:
    """Where captures are fetched from, and as whom.

    Attributes:
        host: A name, an address, or what the ssh_config calls it.
        port: TCP port; None: as the ssh_config says, or 22.
        account: Who to sign in as.
        key: The private key to sign in with; None: what OpenSSH finds by itself.
        config: An ssh_config to use instead of the reader's own.
    """

    host: str
    port: int | None
    account: str
    key: Path | None = None
    config: Path | None = None

    @classmethod
    def parse(
        cls, text: str, *, account: str = ACCOUNT, key: Path | None = None, config: Path | None = None
    ) -> "Target":
        """Read `HOST`, `HOST:PORT` or `[ADDRESS]:PORT`.

        Raises:
            RetrievalError: It is none of these, or the account's name is no name.
        """
        bracketed = re.fullmatch(r"\[([^\]]*)\](?::(.*))?", text)
        if bracketed:
            host, port = bracketed[1], bracketed[2]
        elif text.count(":") > 1:
            host, port = text, None
        else:
            host, colon, port = text.partition(":")
            port = port if colon else None
        known = _ADDRESS if ":" in host else _HOST
        if not known.fullmatch(host) or (port is not None and not _is_port(port)):
            raise RetrievalError(
                "this is not a host",
                fault="target",
                hint="write HOST, HOST:PORT or [ADDRESS]:PORT; the account is named by its own option",
            )
        return cls(host, None if port is None else int(port), account_name(account), key, config)

    @property
    def shown(self) -> str:
        """Host and port as people write them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    def arguments(self, *, may_ask: bool) -> list[str]:
        """What `sftp` is started with; the last argument is the host, after which no option is read.

        Args:
            may_ask: Somebody is there to be asked for a passphrase or about a new host.
        """
        options = {
            "BatchMode": "no" if may_ask else "yes",
            "User": self.account,
            "ConnectTimeout": _CONNECT_S,
            "ServerAliveInterval": ALIVE_S,
            "ServerAliveCountMax": 3,
            "ClearAllForwardings": "yes",
            "ForwardAgent": "no",
            "ForwardX11": "no",
            "PermitLocalCommand": "no",
            "RequestTTY": "no",
        }
        if self.key is not None:
            options["IdentitiesOnly"] = "yes"
        given: list[str] = []
        if self.config is not None:
            given += ["-F", str(self.config.absolute())]
        # Before -b, which would say BatchMode=yes: OpenSSH keeps what it was told first.
        for name, value in options.items():
            given += ["-o", f"{name}={value}"]
        if self.key is not None:
            given += ["-o", f"IdentityFile={_quoted(self.key.absolute())}"]
        if self.port is not None:
            given += ["-P", str(self.port)]
        return [*given, "-b", "-", "--", f"[{self.host}]" if ":" in self.host else self.host]


def _quoted(path: Path) -> str:
    """A path as OpenSSH reads it back: it splits at blanks and expands per cents."""
    text = str(path)
    for each, instead in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%")):
        text = text.replace(each, instead)
    return f'"{text}"'


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text[:6] or 0) < 65536  # noqa: PLR2004 - TCP's
