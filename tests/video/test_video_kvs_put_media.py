"""One PutMedia, full duplex: answers while the body goes out, and the reason whatever breaks first."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trustme
from kvs_script import OK, Heard, Line, chunk, scripted
from swift_loop import LoopClock, run_swiftly

from appliance.errors import StreamError
from appliance.video.kvs.duplex import trusting
from appliance.video.kvs.put_media import Ending

BUFFERING = b'{"EventType":"BUFFERING","FragmentTimecode":1000,"FragmentNumber":"7"}\r\n'
ERROR = b'{"EventType":"ERROR","ErrorCode":"INVALID_MKV_DATA","ErrorId":4006}\r\n'
REFUSED = (
    b"HTTP/1.1 400 Bad Request\r\nx-amz-ErrorType: ConnectionLimitExceededException\r\n"
    b'Content-Length: 31\r\n\r\n{"message":"too many, go away"}'
)
MUCH = b"\x00" * 8_000_000


def ended(script: Callable[[Line], Awaitable[None]], body: bytes = MUCH, **options: float) -> Ending:
    """How a request ends whose body is sent as far as it goes."""

    async def story(_: object) -> Ending:
        async with scripted(script) as endpoint:
            session = await Heard().open(endpoint, **options)
            try:
                if await session.send(body):
                    await session.finish()
                async with asyncio.timeout(60):
                    await session.over.wait()
                return await session.ending()
            finally:
                await session.close()

    return run_swiftly(story)


def fault_of(ending: Ending) -> StreamError:
    """What is wrong."""
    assert ending.fault is not None
    return ending.fault


def test_answers_come_while_the_body_goes_out() -> None:
    """The first is heard before the body has ended; without that everything would wait for the clip's end."""

    async def script(line: Line) -> None:
        await line.say(OK + chunk(BUFFERING))
        await line.take(1)
        await line.say(chunk(BUFFERING) + b"0\r\n\r\n")

    async def story(_: object) -> tuple[int, bool]:
        async with scripted(script) as endpoint:
            heard = Heard()
            session = await heard.open(endpoint)
            try:
                await heard.until(1)
                before, open_still = len(heard.acks), not session.over.is_set()
                await session.send(b"the body begins only now")
                await heard.until(2)
                return before, open_still
            finally:
                await session.close()

    assert run_swiftly(story) == (1, True)


@pytest.mark.parametrize("reset", [False, True])
def test_the_reason_is_heard_although_writing_fails_first(reset: bool) -> None:  # noqa: FBT001
    """The service says why and closes at once with megabytes unread: what it said counts, not the reset."""

    async def script(line: Line) -> None:
        await line.take(100_000)
        await line.say(OK + chunk(BUFFERING) + chunk(ERROR))
        if reset:
            line.reset()

    ending = ended(script)

    assert ending.error is not None
    assert (4006, None) == (ending.error.error_id, ending.fault)


def test_a_refusal_in_the_middle_of_the_body_is_understood() -> None:
    """Its type stands in either of two headers; what else the service says is not repeated."""

    async def script(line: Line) -> None:
        await line.take(100_000)
        await line.say(REFUSED)

    ending = ended(script)

    assert ("occupied", "ConnectionLimitExceededException") == (fault_of(ending).reason, ending.type)
    assert "go away" not in fault_of(ending).message + fault_of(ending).hint


@pytest.mark.parametrize(
    ("status", "header", "body", "reason"),
    [
        (
            b"403 Forbidden",
            b"",
            b'{"message":"The security token in the request is expired"}',
            "credentials",
        ),
        (b"403 Forbidden", b"x-amzn-ErrorType: ExpiredTokenException:http://x/\r\n", b"{}", "credentials"),
        (b"403 Forbidden", b"x-amzn-ErrorType: AccessDeniedException\r\n", b"not json", "denied"),
        (b"401 Unauthorized", b"", b"", "denied"),
        (b"404 Not Found", b"", b'{"__type":"com.amazonaws#ResourceNotFoundException"}', "no_stream"),
        (b"400 Bad Request", b"x-amzn-ErrorType: InvalidEndpointException\r\n", b"[]", "endpoint"),
        (b"400 Bad Request", b"x-amzn-ErrorType: \xff\xfe<b>\r\n", b"", "failed"),
        (b"429 Too Many", b"", b"", "busy"),
        (b"503 Later", b"", b"", "busy"),
        (b"500 Oh", b"", b"", "server"),
    ],
)
def test_every_refusal_has_its_reason(status: bytes, header: bytes, body: bytes, reason: str) -> None:
    """By type where one is said, by status else; noise in either is no fault of ours."""

    async def script(line: Line) -> None:
        await line.say(b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s" % (status, header, len(body), body))

    assert fault_of(ended(script, b"body")).reason == reason


@pytest.mark.parametrize("said", [b"", OK, OK + chunk(BUFFERING), OK + b"5\r\nab", b"nonsense\r\n\r\n"])
def test_a_connection_that_breaks_off_is_told_as_cut(said: bytes) -> None:
    """Before the answer, after its head, within a chunk, and where what comes is no HTTP."""

    async def script(line: Line) -> None:
        await line.say(said)
        await line.take(4)

    assert fault_of(ended(script, b"body")).reason == "cut"


@pytest.mark.parametrize("said", [b"", OK, OK + chunk(BUFFERING)])
def test_a_service_that_falls_silent_is_left(said: bytes) -> None:
    """An answer is owed and nothing moves: it is cut off after the time that is set, while writing, too."""

    async def script(line: Line) -> None:
        await line.say(said)
        await asyncio.sleep(10_000)

    assert fault_of(ended(script, silent_s=10.0)).reason == "silent"


@pytest.mark.parametrize(
    ("received", "patience", "silence_s"), [(False, 4.0, 10), (True, 1.0, 20), (True, 4.0, 80)]
)
def test_a_service_that_has_received_all_is_given_time_to_store_it(
    received: bool,  # noqa: FBT001
    patience: float,
    silence_s: float,
) -> None:
    """Twice as long as any other answer may take, and longer where it needed that before."""
    saying = BUFFERING.replace(b"BUFFERING", b"RECEIVED") if received else BUFFERING

    async def script(line: Line) -> None:
        await line.take(1)
        await line.say(OK + chunk(saying))
        await asyncio.sleep(10_000)

    async def story(clock: LoopClock) -> tuple[Ending, float]:
        async with scripted(script) as endpoint:
            heard = Heard()
            session = await heard.open(endpoint, silent_s=10.0, patience=patience)
            await session.send(b"body")
            await heard.until(1)
            await session.finish()
            begun = clock.monotonic()
            await session.over.wait()
            ending = await session.ending()
            await session.close()
            return ending, clock.monotonic() - begun

    ending, took = run_swiftly(story)

    assert fault_of(ending).reason == "silent"
    assert silence_s - 1 < took < silence_s + 1


def test_an_error_ends_the_request_although_the_service_stays_on_the_line() -> None:
    """The service means to close after any ERROR; where it does not, nobody waits until it is silent."""

    async def script(line: Line) -> None:
        await line.take(1)
        await line.say(OK + chunk(ERROR) + chunk(BUFFERING))
        await line.take(100_000_000)

    async def story(clock: LoopClock) -> tuple[Ending, bool, int, float]:
        async with scripted(script) as endpoint:
            heard = Heard()
            session = await heard.open(endpoint, silent_s=10_000.0)
            await session.send(b"body")
            begun = clock.monotonic()
            await heard.until(2)
            more = await session.send(b"more")
            await session.over.wait()
            ending = await session.ending()
            await session.close()
            return ending, more, len(heard.acks), clock.monotonic() - begun

    ending, more, acks, took = run_swiftly(story)

    assert ending.error is not None
    assert (4006, False, 2) == (ending.error.error_id, more, acks)
    assert took < 5


def test_answers_in_single_bytes_are_answers() -> None:
    """However the network cuts them."""

    async def script(line: Line) -> None:
        await line.say(OK)
        for byte in BUFFERING + BUFFERING:
            await line.say(chunk(bytes([byte])))
        await line.say(b"0\r\n\r\n")

    async def story(_: object) -> list[int | None]:
        async with scripted(script) as endpoint:
            heard = Heard()
            session = await heard.open(endpoint)
            await session.finish()
            assert Ending() == await session.ending()
            await session.close()
            return [ack.timecode_ms for ack in heard.acks]

    assert run_swiftly(story) == [1000, 1000]


@pytest.mark.parametrize(
    ("names", "trusted", "reason"),
    [
        (("127.0.0.1",), True, ""),
        (("127.0.0.1",), False, "certificate"),
        (("elsewhere",), True, "certificate"),
    ],
)
def test_certificates_and_names_are_checked(
    tmp_path: Path,
    names: tuple[str, ...],
    trusted: bool,  # noqa: FBT001
    reason: str,
) -> None:
    """Only an authority of the file that is named, and only for the host that is asked."""
    authority, other = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    (authority if trusted else other).cert_pem.write_to_path(tmp_path / "ca.pem")

    async def script(line: Line) -> None:
        await line.say(OK)
        await line.take(5_000_000)
        await line.say(chunk(ERROR) + b"0\r\n\r\n")

    async def story(_: object) -> str:
        async with scripted(script, context) as endpoint:
            try:
                session = await Heard().open(endpoint, trust=lambda: trusting(str(tmp_path / "ca.pem")))
            except StreamError as error:
                return error.reason
            await session.send(MUCH[:5_000_000])
            ending = await session.ending()
            await session.close()
            assert ending.error is not None
            return ""

    assert run_swiftly(story) == reason


@pytest.mark.parametrize("content", [None, "no certificates"])
def test_a_file_of_certificates_that_is_none_is_told(tmp_path: Path, content: str | None) -> None:
    """Missing or noise: said with the setting that names it."""
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)

    with pytest.raises(StreamError) as caught:
        trusting(str(tmp_path / "ca.pem"))

    assert "video.kvs.ca_file" in caught.value.hint


def test_the_next_address_of_a_host_is_tried() -> None:
    """`localhost` is an address of IPv6 first, at which nobody listens here."""

    async def script(line: Line) -> None:
        await line.say(OK + b"0\r\n\r\n")

    async def story(_: object) -> Ending:
        async with scripted(script) as endpoint:
            session = await Heard().open(endpoint.replace("127.0.0.1", "localhost"))
            await session.finish()
            ending = await session.ending()
            await session.close()
            return ending

    assert run_swiftly(story) == Ending()


def test_nobody_there_is_told() -> None:
    """A port at which nobody listens."""

    async def story(_: object) -> None:
        await Heard().open("http://127.0.0.1:1")

    with pytest.raises(StreamError) as caught:
        run_swiftly(story)

    assert caught.value.reason == "unreachable"
