"""Progress of fetching: silent for a moment, then one line on a terminal, few lines elsewhere."""

import io

from appliance.cli.captures_progress import Meter
from appliance.evidence.pull import Progress

HALF = Progress(done=2, of=4, done_bytes=2_000_000, of_bytes=4_000_000)


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def test_what_is_quick_shows_nothing() -> None:
    """Two seconds are no time; nor is anything shown before it is known how much there is."""
    screen, clock = Screen(), Hands()
    meter = Meter(screen, clock=clock)
    meter(HALF)
    clock.now += 1.9
    meter.look()
    unknown = Meter(screen, clock=clock)
    clock.now += 60
    unknown.look()

    assert "" == screen.getvalue()


def test_a_terminal_shows_one_line_with_what_is_under_way() -> None:
    """Captures, megabytes with those of the file that is arriving, and how long it will take."""
    screen, clock = Screen(), Hands()
    meter = Meter(screen, clock=clock).watching(lambda: 1_000_000)
    meter(HALF)
    clock.now += 3
    meter.look()

    assert "\r2 of 4 captures, 3.0 of 4.0 MB, 1 s left" == screen.getvalue()


def test_the_line_is_written_over_and_left_at_the_end() -> None:
    """A shorter line leaves nothing of a longer one."""
    screen, clock = Screen(), Hands()
    meter = Meter(screen, clock=clock)
    with meter:
        meter(Progress(0, 4, 1, 4_000_000))
        clock.now += 200
        meter.look()
        meter(Progress(3, 4, 3_900_000, 4_000_000))
        meter.look()
    first, second = screen.getvalue().removeprefix("\r").removesuffix("\n").split("\r")[:2]

    assert len(first) == len(second)
    assert screen.getvalue().endswith("\n")


def test_a_journal_gets_few_lines() -> None:
    """After 4, 8, 16, 32 … seconds, however often is looked."""
    journal, clock = io.StringIO(), Hands()
    meter = Meter(journal, clock=clock)
    meter(HALF)
    for _ in range(100):
        clock.now += 1
        meter.look()

    assert 5 == len(journal.getvalue().splitlines())


def test_what_is_done_is_not_under_way() -> None:
    """The report says it then."""
    screen, clock = Screen(), Hands()
    meter = Meter(screen, clock=clock)
    meter(Progress(4, 4, 4, 4))
    clock.now += 10
    meter.look()

    assert "" == screen.getvalue()
