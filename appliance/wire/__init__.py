"""Typed, versioned messages between our own processes, over Unix sockets.

Both ends run under one account (the kernel says so) and speak one version, or they do not
talk. It carries messages; it knows nothing of cameras, faces or people.

    with Server(path, {StatusRequest: status}):
        ...
    Client(path).call(StatusRequest(), Status).message.uptime_s
"""

from appliance.wire.address import Peer
from appliance.wire.client import Client
from appliance.wire.framing import MAX_BLOB, MAX_FDS, MAX_JSON
from appliance.wire.messages import Message
from appliance.wire.server import Handler, Reply, Request, Server

__all__ = [
    "MAX_BLOB",
    "MAX_FDS",
    "MAX_JSON",
    "Client",
    "Handler",
    "Message",
    "Peer",
    "Reply",
    "Request",
    "Server",
]
