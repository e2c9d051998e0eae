"""One HTTP request to an address that was checked: POST, and the answer's status. Nothing is tried twice.

The socket is made here, so that it goes to the checked address while the certificate, SNI and `Host` are
those of the name; and it is shut at the deadline or at the end, whatever it is busy with. No redirect is
followed, no cookie and no proxy of the environment taken. Of the answer's body nothing is kept.
"""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from appliance.errors import ActionError

_READ: Final = 65_536
"""Bytes of an answer's body that are read, so that the server sees its answer taken; the rest is left."""
_RETRY_AFTER: Final = "Retry-After"

_WORDS: Final = (
    (TimeoutError, ("the server did not answer in time", "look at the server, and at timeout_s")),
    (
        ssl.SSLCertVerificationError,
        (
            "the server's certificate is not trusted",
            "look at the webhook's url, at its ca_file, and at the clock",
        ),
    ),
    (ssl.SSLError, ("the server and the box do not agree on TLS", "look at the webhook's url")),
    (
        ConnectionRefusedError,
        ("nobody listens at the webhook's address", "is the server running, and the port right?"),
    ),
    (
        http.client.RemoteDisconnected,
        ("the server went away without an answer", "look at the server's log"),
    ),
    (http.client.HTTPException, ("the server's answer is no HTTP", "look at the webhook's url")),
    (ValueError, ("the server's answer is no HTTP", "look at the webhook's url")),
)
"""By what went wrong, the first that fits: what to say, and what to do."""
_UNTRUSTED: Final[Mapping[int, str]] = {
    9: "it is not valid yet",
    10: "it is not valid any more",
    18: "it was signed by itself",
    19: "the authority above it is not known",
    20: "the authority that signed it is not known",
    21: "the authority that signed it is not known",
    23: "it was revoked",
    24: "what signed it is no authority",
    26: "it is not made for a server",
    62: "it is of another name",
    64: "it is of another address",
    66: "its key is too weak",
    68: "its signature is too weak",
}
"""OpenSSL's numbers of why a certificate is not trusted (X509_V_ERR_*)."""
_UNTRUSTED_ELSE: Final = "it does not hold"
_ELSE: Final = ("the server cannot be reached, or went away in the middle", "look at the network")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes.

    Attributes:
        host: The name in the address: for `Host`, SNI and the certificate.
        port: Of the server.
        addresses: Checked ones of that host, tried in order.
        path: With the query, as it is sent.
        context: For TLS; None: without.
    """

    host: str
    port: int
    addresses: Sequence[str]
    path: str
    context: ssl.SSLContext | None

    @property
    def authority(self) -> str:
        """What stands in `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.context is not None else 80
        return host if self.port == usual else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back.

    Attributes:
        status: Of HTTP.
        retry_after: What the server says of when to come again, as it says it; None: nothing.
    """

    status: int
    retry_after: str | None


class Requests:
    """Makes one request at a time, and can be ended from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._number = 0
        self._late = False
        self._begun = False
        self._missed = False
        self._closed = False

    def post(
        self,
        target: Target,
        body: bytes,
        headers: Mapping[str, str],
        timeout_s: float,
        begin_s: float | None = None,
    ) -> Answered:
        """Post a body, and wait for the answer.

        Args:
            target: Where to.
            body: As it is.
            headers: Besides `Host` and `Content-Length`.
            timeout_s: Seconds for all of it.
            begin_s: Seconds in which connection and handshake have to be done; then nothing is sent any
                more. None: as long as all of it may take.

        Raises:
            ActionError: No answer came; another try makes sense, but where it was too late to begin.
        """
        now_s = time.monotonic()
        begin_s = timeout_s if begin_s is None else min(begin_s, timeout_s)
        with self._watched(timeout_s, begin_s):
            try:
                return self._exchange(target, body, headers, now_s + begin_s)
            except (OSError, http.client.HTTPException, ValueError) as error:
                # Whoever connects may notice that the time is over before the watch says so.
                over = begin_s < timeout_s and time.monotonic() >= now_s + begin_s
                raise self._explained(error, over=over) from error

    @property
    def begun(self) -> bool:
        """Whether anything of the last request was sent: without an answer it may have been taken."""
        with self._lock:
            return self._begun

    def close(self) -> None:
        """End the request that is under way, and begin none any more."""
        with self._lock:
            self._closed = True
        self._cut()

    @contextlib.contextmanager
    def _watched(self, timeout_s: float, begin_s: float) -> Iterator[None]:
        """A server that sends a byte now and then is cut off at the deadline all the same."""
        with self._lock:
            self._late = self._begun = self._missed = False
            self._number += 1
            watches = [threading.Timer(timeout_s, self._expire, [self._number])]
            if begin_s < timeout_s:
                watches.append(threading.Timer(begin_s, self._miss, [self._number]))
        for watch in watches:
            watch.daemon = True
            watch.start()
        try:
            yield
        finally:
            for watch in watches:
                watch.cancel()
            with self._lock:
                open_, self._socket = self._socket, None
            if open_ is not None:
                open_.close()

    def _exchange(self, target: Target, body: bytes, headers: Mapping[str, str], begin_s: float) -> Answered:
        connection = http.client.HTTPConnection(target.host, target.port)
        connection.sock = self._connected(target, begin_s)
        connection.putrequest("POST", target.path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", target.authority)
        for name, value in {**headers, "Content-Length": str(len(body)), "Connection": "close"}.items():
            connection.putheader(name, value)
        self._begin(begin_s)  # until here nothing was sent
        connection.endheaders(body)
        answer = connection.getresponse()
        with contextlib.closing(answer):
            self._go_on()  # cut off by ourselves, it looks like the end of the headers
            told = Answered(answer.status, answer.headers.get(_RETRY_AFTER))
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
                answer.read(_READ)  # it was taken, however the rest of its answer ends
        return told

    def _connected(self, target: Target, until_s: float) -> socket.socket:
        """A connection to the first address that answers."""
        plain = self._first(target, until_s)
        with self._lock:
            self._socket = plain
            self._go_on()
            if target.context is None:
                return plain
            # Not cut off in the middle of this, which waits for nobody: hands are shaken afterwards.
            safe = target.context.wrap_socket(
                plain,
                server_hostname=target.host,
                do_handshake_on_connect=False,
                suppress_ragged_eofs=False,  # half an answer is none
            )
            self._socket = safe
        safe.do_handshake()
        return safe

    def _first(self, target: Target, until_s: float) -> socket.socket:
        failure: OSError = TimeoutError("no time was left")
        for address in target.addresses:
            left_s = until_s - time.monotonic()
            if left_s <= 0 or self._closed:
                break
            try:
                return socket.create_connection((address, target.port), left_s)
            except OSError as error:
                failure = error
        raise failure

    def _begin(self, begin_s: float) -> None:
        """See that there is still time to send anything.

        Raises:
            TimeoutError: There is not, or somebody ended it.
        """
        with self._lock:
            self._go_on()
            if time.monotonic() >= begin_s:
                self._missed = True
                raise TimeoutError("too late to begin")
            self._begun = True

    def _go_on(self) -> None:
        """See that nobody ended it meanwhile.

        Raises:
            TimeoutError: Somebody did, or the time is over.
        """
        if self._closed or self._late or self._missed:
            raise TimeoutError("ended meanwhile")

    def _expire(self, number: int) -> None:
        with self._lock:
            if number != self._number:
                return
            self._late = True
        self._cut()

    def _miss(self, number: int) -> None:
        """The moment in which something could have been sent is over."""
        with self._lock:
            if number != self._number or self._begun:
                return
            self._missed = True
        self._cut()

    def _cut(self) -> None:
        """Shut the socket under whoever reads or writes it."""
        with self._lock:
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    # The bare shutdown: that of TLS says goodbye first, and may wait for an answer.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _explained(self, error: Exception, *, over: bool) -> ActionError:
        """What went wrong, in words; over: the moment in which it could have begun is."""
        if self._closed:
            return ActionError("not posted: the dispatcher stops")
        if (self._missed or over) and not self._begun:
            return too_late()
        if self._late:
            error = TimeoutError()
        words, hint = next((told for kind, told in _WORDS if isinstance(error, kind)), _ELSE)
        if isinstance(error, ssl.SSLCertVerificationError):
            # In our words: those of the library hold the host's name.
            words = f"{words}: {_UNTRUSTED.get(error.verify_code, _UNTRUSTED_ELSE)}"
        return ActionError(words, hint=hint)


def too_late() -> ActionError:
    """What is said where the moment for sending something was over before it could be sent."""
    return ActionError(
        "the server could not be reached while it was time; nothing was sent",
        permanent=True,
        hint="look at the server, and at the network",
    )
