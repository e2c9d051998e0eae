"""The start of a function: its modules, its environment, its import, and its messages.

    python -P -m appliance.deeplens.guest.run --handler lambda_function.lambda_handler --runtime python2

The current directory is the function's folder. Its module is imported on the main thread, which for
most functions never comes back; what does come back gets messages. A thread of ours answers the host.
Contains nothing and limits nothing: that was done before.
"""

import argparse
import contextlib
import faulthandler
import importlib
import logging
import multiprocessing
import os
import queue
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NoReturn

from appliance.deeplens.guest import (
    awscam,
    bootstrap_download,
    device_paths,
    environment,
    greengrasssdk,
    heads,
    kinesis_video,
    local_display,
    mo,
    object_store,
    older_calls,
    older_libraries,
    project_file,
    sound,
)
from appliance.deeplens.guest.channel import ENVIRONMENT, ChannelGoneError, GuestChannel
from appliance.deeplens.guest.descriptors import Models
from appliance.deeplens.guest.events import Context, event
from appliance.deeplens.guest.frame_memory import FrameMemoryError
from appliance.deeplens.guest.imports import Fallbacks, OursFirst
from appliance.deeplens.guest.last_frame import LastFrame
from appliance.deeplens.guest.message_fields import shortened
from appliance.deeplens.guest.messages import (
    MAX_TRACEBACK_BYTES,
    ChannelError,
    Ended,
    Frames,
    Handled,
    Hello,
    HostSaid,
    ImportReturned,
    Message,
    Ping,
    Pong,
    Stop,
)
from appliance.deeplens.guest.outbox import Outbox
from appliance.deeplens.guest.pace import Pace
from appliance.deeplens.guest.shadows import Shadows
from appliance.deeplens.porting import python2, since37

_MOST_MESSAGES: Final = 100
"""Messages held for a handler that is busy; the oldest gives way."""
_PARTING_S: Final = 2.0
"""How long the last words may take."""
_TMP: Final = "/tmp"  # noqa: S108 - the function's own
_OURS: Final = str(Path(__file__).parent)


class Running:
    """One function, from its start to its end. Its process is its own."""

    def __init__(self, channel: GuestChannel, *, handler: str, runtime: str, memory_mb: int) -> None:
        """Note what is to run.

        Args:
            channel: To the host.
            handler: Module and function, as `lambda_function.lambda_handler`.
            runtime: `python2` or `python3`.
            memory_mb: What the function may use.
        """
        self._channel = channel
        self._module, _, self._name = handler.replace("/", ".").rpartition(".")
        self._handler = handler
        self._runtime = runtime
        self._memory_mb = memory_mb
        self._outbox = Outbox(channel)
        self._pace = Pace()
        self._frames = LastFrame(self._outbox, self._pace.taken)
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._parting = threading.Lock()

    def prepare(self, folder: Path) -> None:
        """Make this process what a function expects of a DeepLens.

        Args:
            folder: The function's.

        Raises:
            ChannelError: The host is gone.
        """
        os.environ.update(
            environment.completed(
                os.environ, folder=str(folder), handler=self._handler, memory_mb=self._memory_mb
            )
        )
        _log_to_output()
        models = Models()
        models.lay_out()
        shelf = awscam.Shelf(models, heads.open_network, self._outbox, self._pace)
        sys.modules.update(awscam.modules(self._frames, shelf))
        sys.modules.update(mo.modules(models, shelf.missing))
        sys.modules.update(greengrasssdk.modules(self._outbox, Shadows()))
        sys.modules.update(kinesis_video.modules(self._outbox))
        sys.meta_path.append(Fallbacks({**local_display.modules(), **sound.modules()}))
        root = os.environ.get(device_paths.ENVIRONMENT)
        if root:
            device_paths.of_process(root, str(folder)).install()
        project_file.install()
        bootstrap_download.install()
        older_calls.install()
        older_libraries.install()
        if os.environ.pop(object_store.ENVIRONMENT, ""):
            os.environ["AWS_ENDPOINT_URL_S3"] = object_store.serve(object_store.Objects())
        if self._runtime == "python2":
            python2.install()
        else:
            since37.install()
        sys.path.insert(0, str(folder))
        sys.meta_path.insert(0, OursFirst(str(folder)))
        sys.argv = [str(folder / f"{self._module.replace('.', '/')}.py")]
        self._greet()
        if sys.version_info >= (3, 14):
            multiprocessing.set_start_method("fork")  # as it was; from 3.14 on children know nothing of ours
        self._outbox.start()
        self._wait_for_host()
        os.register_at_fork(after_in_child=self._frames.forked)
        os.register_at_fork(after_in_child=self._pace.forked)
        os.register_at_fork(after_in_child=self._outbox.forked)
        threading.Thread(target=self._listen, name="host", daemon=True).start()

    def run(self) -> NoReturn:
        """Import the function's module, which may take for ever, and then answer messages."""
        try:
            module = importlib.import_module(self._module)
        except SystemExit as error:
            _wait_for_threads()
            self._leave("exited", code=_exit_code(error))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the host is told
            self._leave("import_failed", _told(error), code=1)
        self._outbox.put(ImportReturned(len(_own_threads())))
        handle = getattr(module, self._name, None)
        if not callable(handle):
            _wait_for_threads()
            self._leave("no_handler")
        while True:
            self._handle(handle, self._messages.get())

    def _handle(self, handle: Callable[[Any, Any], Any], message: Message) -> None:
        context = Context(message.topic, arn=os.environ["MY_FUNCTION_ARN"], memory_mb=self._memory_mb)
        error = ""
        try:
            handle(event(message.payload), context)
        except BaseException as raised:  # noqa: BLE001 - the function goes on, as on the device
            error = _told(raised)
            print(error, file=sys.__stderr__, end="", flush=True)  # whatever `sys.stderr` became
        self._outbox.put(Handled(message.id, shortened(error, MAX_TRACEBACK_BYTES)))

    def _greet(self) -> None:
        descriptors = []
        with contextlib.suppress(OSError):
            descriptors.append(os.open(_TMP, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
        version = ".".join(map(str, sys.version_info[:3]))
        try:
            self._channel.send(
                Hello(os.getpid(), version, "python2" if self._runtime == "python2" else "python3"),
                descriptors,
            )
        finally:
            for each in descriptors:
                os.close(each)

    def _wait_for_host(self) -> None:
        """Do what the host says until it answered the greeting: with frames, or a question if it has none.

        What the function forks afterwards has the frames' memory, and can take frames of its own.
        """
        while not isinstance(self._hear(), Frames | Ping):
            pass

    def _listen(self) -> None:
        """Do what the host says until it says to stop."""
        while True:
            self._hear()

    def _hear(self) -> HostSaid | None:
        """Do what the host says next; None: it was not understood."""
        try:
            heard = self._channel.receive()
        except ChannelGoneError:
            self._leave("stopped")
        except ChannelError as error:
            print(f"the host said what is not understood: {error}", file=sys.stderr, flush=True)  # noqa: T201
            return None
        if heard is None:
            return None
        self._obey(*heard)
        return heard[0]

    def _obey(self, said: HostSaid, descriptors: tuple[int, ...]) -> None:
        match said:
            case Frames():
                self._pace.set(said.apart_us / 1e6)
                try:
                    self._frames.share(descriptors[0])
                except FrameMemoryError as error:
                    print(f"frames cannot be read: {error}", file=sys.stderr, flush=True)  # noqa: T201
            case Message():
                while self._messages.qsize() >= _MOST_MESSAGES:
                    with contextlib.suppress(queue.Empty):
                        self._messages.get_nowait()
                self._messages.put(said)
            case Ping():
                self._outbox.put(Pong(said.n))
            case Stop():
                self._leave("stopped")

    def _leave(self, reason: Any, told: str = "", *, code: int = 0) -> NoReturn:
        """Say a last word and end the process, whatever its threads do."""
        with self._parting:
            if told:
                print(told, file=sys.__stderr__, end="", flush=True)
            for each in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError, ValueError):
                    each.flush()
            self._outbox.put(Ended(reason, shortened(told, MAX_TRACEBACK_BYTES)))
            self._outbox.close(_PARTING_S)
            os._exit(code)


def main(words: Sequence[str] | None = None) -> NoReturn:
    """Run a function; does not come back."""
    parser = argparse.ArgumentParser(description="Run one DeepLens function.")
    parser.add_argument("--handler", required=True)
    parser.add_argument("--runtime", choices=("python2", "python3"), required=True)
    parser.add_argument("--memory-mb", type=int, default=1536)
    given = parser.parse_args(words)
    descriptor = int(os.environ.pop(ENVIRONMENT))
    os.set_inheritable(descriptor, False)  # noqa: FBT003 - its only form
    for each in (sys.stdout, sys.stderr):
        # A line at a time, or a function's last words are lost; and no letter may end it.
        each.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    faulthandler.enable()
    channel = GuestChannel(socket.socket(fileno=descriptor))
    running = Running(channel, handler=given.handler, runtime=given.runtime, memory_mb=given.memory_mb)
    running.prepare(Path.cwd())
    running.run()


def _log_to_output() -> None:
    """Let what functions log appear in their log, in the form of Greengrass, as it did there."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        logging.Formatter("[%(asctime)s][%(levelname)s]-%(filename)s:%(lineno)d,%(message)s")
    )
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.INFO)


def _own_threads() -> list[threading.Thread]:
    """The threads that keep a process alive, but for the main one."""
    return [each for each in threading.enumerate() if not each.daemon and each is not threading.main_thread()]


def _wait_for_threads() -> None:
    """Wait until none of them is left, those included that they start."""
    while threads := _own_threads():
        threading.Thread.join(
            threads[0]
        )  # AWS's template overrides `join` by something that waits for nothing


def _exit_code(error: SystemExit) -> int:
    """What Python would make of `sys.exit(...)`: a number, or a text to print and 1."""
    if error.code is None or isinstance(error.code, int):
        return error.code or 0
    print(error.code, file=sys.stderr, flush=True)  # noqa: T201 - its last words
    return 1


def _told(error: BaseException) -> str:
    """A traceback without the lines of ours and of the import machinery that lead to the author's."""
    return "".join(traceback.format_exception(type(error), error, _authors(error.__traceback__)))


def _authors(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from the first line on that is not ours; None if there is none, as for broken text."""
    at = trace
    while at is not None:
        name = at.tb_frame.f_code.co_filename
        if (
            not name.startswith(_OURS)
            and not name.startswith("<frozen importlib")
            and "/importlib/" not in name
        ):
            return at
        at = at.tb_next
    return None


if __name__ == "__main__":
    main()
