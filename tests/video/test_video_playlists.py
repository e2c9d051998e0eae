"""Playlists: word for word while a clip is recorded and afterwards, with holes and changes told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from video_pieces import plain_track

from appliance.video.playlists import Piece, check_address, master_playlist, media_playlist

AT_MS = 1_772_000_000_000
HEAD = """#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:10
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:{kind}
#EXT-X-INDEPENDENT-SEGMENTS
"""
FIRST = """#EXT-X-MAP:URI="init.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-02-25T06:13:20.000Z
#EXTINF:2.000,
0.m4s
"""


def pieces(count: int) -> list[Piece]:
    """Two seconds each, one behind the other."""
    return [Piece(f"{index}.m4s", AT_MS + 2000 * index, 2000, "init.mp4") for index in range(count)]


def test_a_clip_being_recorded_is_an_event() -> None:
    """It begins at its begin and has no end yet: players ask again."""
    assert HEAD.format(kind="EVENT") + FIRST + "#EXTINF:2.000,\n1.m4s\n" == media_playlist(
        pieces(2), ended=False
    )


def test_a_finished_clip_is_on_demand() -> None:
    """Nothing more comes, and players say how long it is."""
    assert HEAD.format(kind="VOD") + FIRST + "#EXT-X-ENDLIST\n" == media_playlist(pieces(1), ended=True)


def test_before_the_first_piece_there_is_a_playlist() -> None:
    """A player may ask before anything is there."""
    assert HEAD.format(kind="EVENT") == media_playlist([], ended=False)


def test_a_hole_is_told() -> None:
    """Fragments that were lost: the player steps over them, and its clock stays right."""
    made = pieces(4)
    del made[1:3]

    assert (
        FIRST
        + "#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2026-02-25T06:13:26.000Z\n#EXTINF:2.000,\n3.m4s\n"
    ) in media_playlist(made, ended=False)


def test_another_track_is_told() -> None:
    """A player begins anew with the other init segment."""
    made = [*pieces(1), Piece("1.m4s", AT_MS + 2000, 1500, "other.mp4")]

    assert '#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="other.mp4"\n' in media_playlist(made, ended=True)


@given(st.lists(st.integers(1, 20_000), min_size=1, max_size=20))
def test_no_piece_is_longer_than_the_playlist_says(durations: list[int]) -> None:
    """RFC 8216, 4.3.3.1: rounded to seconds, each is at most the target; and only pieces that fit follow."""
    made, at = [], AT_MS
    for index, duration in enumerate(durations):
        made.append(Piece(f"{index}.m4s", at, duration, "init.mp4"))
        at += duration
    written = media_playlist(made, ended=True).splitlines()
    target = int(next(line for line in written if "TARGETDURATION" in line).partition(":")[2])
    told = [line.removeprefix("#EXTINF:").rstrip(",") for line in written if line.startswith("#EXTINF")]

    assert target >= max(round(float(each)) for each in told)
    assert [f"{duration / 1000:.3f}" for duration in durations] == told
    assert "#EXT-X-DISCONTINUITY" not in written


def test_a_growing_playlist_only_grows() -> None:
    """RFC 8216, 6.2.1: what was said of an event is never said otherwise."""
    said = ""
    for count in range(5):
        now = media_playlist(pieces(count), ended=False)
        assert now.startswith(said)
        said = now


def test_the_master_playlist_names_codec_and_size() -> None:
    """So that a player knows whether it can play it before it asks for anything."""
    written = master_playlist(plain_track(), "media.m3u8", bandwidth=2_000_000)

    codec = plain_track().codec_private[1:4].hex()
    assert f'BANDWIDTH=2000000,CODECS="avc1.{codec}",RESOLUTION=96x64\nmedia.m3u8\n' in written


@pytest.mark.parametrize("address", ["", "#EXT-X-ENDLIST", "a b", "a\nb", 'a"b', "a\x7fb"])
def test_an_address_that_would_break_a_playlist_is_refused(address: str) -> None:
    """Nothing that stands in one can say anything else."""
    with pytest.raises(ValueError, match="address"):
        check_address(address)
    with pytest.raises(ValueError, match="address"):
        Piece(address, AT_MS, 1000, "init.mp4")
    with pytest.raises(ValueError, match="address"):
        master_playlist(plain_track(), address, bandwidth=1)


def test_a_piece_lasts_some_time() -> None:
    """One without a duration stops players."""
    with pytest.raises(ValueError, match="lasts"):
        Piece("0.m4s", AT_MS, 0, "init.mp4")
