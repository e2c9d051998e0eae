"""A process under the models process's limits that answers at a socket and can be asked to take too much.

Arguments: the socket, and the limit in MiB. Prints its limits, then answers until it is killed.
"""

import resource
import sys
import threading
from pathlib import Path

from appliance.app.embedding import limit_resources
from appliance.wire import Reply, Request, Server
from appliance.wire.messages import EmbedPhoto, PhotoEmbedded


def take(request: Request[EmbedPhoto]) -> Reply[PhotoEmbedded]:
    """Take as many MiB as the blob says, as a hostile picture would; answers with what it got."""
    taken = bytearray(int(request.blob) << 20)
    return Reply(PhotoEmbedded(width=len(taken) >> 20, height=1, faces_found=0, faces=()))


def main() -> None:
    """Limit ourselves, say how, answer."""
    limit_resources(int(sys.argv[2]))
    kinds = (resource.RLIMIT_AS, resource.RLIMIT_NOFILE, resource.RLIMIT_CORE)
    print(*(resource.getrlimit(kind)[0] for kind in kinds), flush=True)
    Server(Path(sys.argv[1]), {EmbedPhoto: take}).serve(threading.Event())


if __name__ == "__main__":
    main()
