"""Features of the catalogue, on both databases: a follower knows what the tables hold, whatever happened."""

import threading
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from catalogue_things import MODEL, NUMBERS, OTHER, Follower, catalogue, picture, rested, thing, unit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stores import NOON, sql
from structlog.testing import capture_logs

from appliance.errors import FormError, UnknownItemError
from appliance.events import SearchChanged
from appliance.store import SearchState, Store
from appliance.store.catalogue_features import AT_ONCE
from appliance.store.catalogue_rows import REMEMBERED

MakeStore = Callable[..., Store]
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("put"),
            st.sampled_from("abc"),
            st.lists(st.integers(0, 4), max_size=3),
            st.sampled_from([(MODEL, OTHER), (MODEL,), (OTHER,), ()]),
            st.booleans(),
        ),
        st.tuples(st.just("remove"), st.integers(0, 9)),
        st.tuples(st.just("remove picture"), st.integers(0, 9)),
        st.tuples(st.just("featurize"), st.sampled_from([MODEL, OTHER]), st.integers(0, 99)),
        st.tuples(st.just("drop"), st.sampled_from([MODEL, OTHER])),
        st.tuples(st.just("read"), st.integers(1, 3), st.integers(1, 3)),
    ),
    min_size=2,
    max_size=25,
)


@pytest.fixture
def box(make_store: MakeStore) -> Store:
    """An open store."""
    return make_store()


def kept(address: str, featurizer: str) -> dict[str, tuple[str, bytes]]:
    """What the tables hold: picture → item and features."""
    rows = sql(
        address,
        "SELECT f.picture, p.item, f.vector FROM search_features f "
        "JOIN search_pictures p ON p.id = f.picture "
        "JOIN search_featurizers z ON z.id = f.featurizer WHERE z.name = :name",
        name=featurizer,
    )
    return {
        row.picture: (row.item, np.frombuffer(bytes(row.vector), "<f2").astype(np.float32).tobytes())
        for row in rows
    }


def pictures(box: Store) -> list[str]:
    """All ids."""
    return [each.id for item in box.items(oldest_first=True) for each in item.pictures]


def do(box: Store, followers: Mapping[str, Follower], step: tuple[object, ...]) -> None:
    """One step of a history."""
    match step:
        case ("put", str(name), list(seeds), tuple(featurizers), bool(replace)):
            put = [picture(seed, *featurizers) for seed in seeds]
            box.put_item(thing(name), put, replace_pictures=replace)
        case ("remove", int(i)) if there := list(catalogue(box)):
            box.remove_item(there[i % len(there)])
        case ("remove picture", int(i)) if ids := pictures(box):
            box.remove_picture(ids[i % len(ids)])
        case ("featurize", str(name), int(seed)):
            box.put_features(name, {each: unit(seed + i) for i, each in enumerate(pictures(box))})
        case ("drop", str(name)):
            box.drop_features(name)
        case ("read", int(size), int(many)):
            for follower in followers.values():
                follower.read(size, many)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, limit=st.integers(1, 4))
def test_a_follower_knows_what_the_tables_hold(
    box: Store, address: str, steps: list[tuple[object, ...]], limit: int
) -> None:
    """Whatever was put, removed, made anew or dropped, and wherever between two pages it happened."""
    followers = {name: Follower(box, name) for name in (MODEL, OTHER)}
    box.put_item(thing("a"), [picture(seed, MODEL, OTHER) for seed in range(3)])
    box.put_item(thing("b"), [picture(0, MODEL)])
    for step in (("read", 9, 9), *steps):
        do(box, followers, step)
    for name, follower in followers.items():
        follower.read(limit)
        late = Follower(box, name)
        late.read(limit)

        assert kept(address, name) == follower.known == late.known
        assert sorted(set(pictures(box)) - set(late.known)) == box.pictures_without(name)
    assert (len(catalogue(box)), len(pictures(box))) == (box.item_count(), box.picture_count())
    for item in catalogue(box):
        box.remove_item(item)


def test_features_come_back_as_unit_vectors(box: Store) -> None:
    """float32 by way of half precision: of a cosine that changes less than a ten-thousandth."""
    box.put_item(thing("a"), [picture(i, MODEL, numbers=1280) for i in range(40)])
    page = box.features_after(0, MODEL)
    asked = np.stack([unit(1000 + i, 1280) for i in range(20)])
    exact = np.stack([unit(i, 1280) for i in range(40)])

    assert ((40, 1280), np.float32) == (page.features.shape, page.features.dtype)
    np.testing.assert_array_equal(rested(exact), page.features)
    assert float(np.abs(asked @ page.features.T - asked @ exact.T).max()) < 1e-4
    np.testing.assert_array_equal((asked @ exact.T).argmax(1), (asked @ page.features.T).argmax(1))


def test_only_what_changed_is_read(box: Store) -> None:
    """After the first time: a change is one row, another text of an item none."""
    box.put_item(thing("a"), [picture(i, MODEL) for i in range(5)])
    whole = box.features_after(0, MODEL)
    box.put_item(thing("a", "Another"))
    nothing = box.features_after(whole.version, MODEL)
    box.put_item(thing("b"), [picture(1, MODEL)])
    box.remove_picture(whole.pictures[0])
    page = box.features_after(nothing.version, MODEL)

    assert (True, 5, False) == (whole.anew, len(whole.pictures), whole.more)
    assert (False, (), ()) == (nothing.anew, nothing.pictures, nothing.removed)
    assert (False, ("b",), (whole.pictures[0],)) == (page.anew, page.items, page.removed)
    assert box.catalogue_version() == page.version


def test_who_was_away_for_too_long_begins_anew(box: Store, address: str) -> None:
    """What was removed long ago is forgotten, and who does not know of it is told so."""
    box.put_item(thing("a"), [picture(1, MODEL), picture(2, MODEL)])
    away, there = Follower(box), Follower(box)
    away.read()
    box.remove_picture(pictures(box)[0])
    there.read()
    sql(address, "UPDATE search_state SET version = version + :many", many=REMEMBERED)
    box.put_item(thing("b"))
    away.read()
    there.read()

    assert [] == sql(address, "SELECT * FROM search_removed")
    assert kept(address, MODEL) == away.known == there.known
    assert (2, 1) == (away.begun, there.begun)


def test_another_database_in_its_place_is_read_from_its_beginning(box: Store, address: str) -> None:
    """A version that was never given out tells that it is not the one that was followed."""
    box.put_item(thing("a"), [picture(1, MODEL)])
    follower = Follower(box)
    follower.read()
    sql(address, "UPDATE search_state SET version = 1")
    sql(address, "UPDATE search_features SET version = 1")
    follower.read()

    assert 2 == follower.begun
    assert 1 == len(follower.known)


def test_versions_become_visible_in_their_order(make_store: MakeStore, address: str) -> None:
    """Two who put at once, and one who follows meanwhile: nothing is passed over."""
    boxes = [make_store(device=f"box {i}", seed=i, patience_s=60.0) for i in range(3)]
    boxes[2].put_item(thing("first"))
    follower = Follower(boxes[2])
    failed: list[BaseException] = []

    def put(box: Store, letter: str) -> None:
        try:
            for i in range(15):
                box.put_item(thing(f"{letter}{i}"), [picture(i, MODEL), picture(i + 50, MODEL)])
                if i % 3 == 2:
                    box.remove_item(f"{letter}{i - 1}")
        except BaseException as error:  # noqa: BLE001 - told by the test's thread
            failed.append(error)

    threads = [threading.Thread(target=put, args=(boxes[i], letter)) for i, letter in enumerate("ab")]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        follower.read(limit=3, pages=1)
    for thread in threads:
        thread.join(60)
    follower.read(limit=3)

    assert [] == failed
    assert kept(address, MODEL) == follower.known
    assert 1 == follower.begun
    assert 40 == len(follower.known)


def test_what_lacks_features_is_paged_and_repaired(box: Store) -> None:
    """A picture that cannot be read keeps none after it from being found."""
    box.put_item(thing("a"), [picture(i) for i in range(7)])
    box.set_featurizer(MODEL)
    lacking: list[str] = []
    while page := box.pictures_without(MODEL, 3, after=lacking[-1] if lacking else ""):
        lacking += page
    put = box.put_features(MODEL, {each: unit(i) for i, each in enumerate([*lacking[1:], "gone meanwhile"])})

    assert sorted(pictures(box)) == lacking
    assert 6 == put
    assert lacking[:1] == box.pictures_without(MODEL)
    assert lacking == box.pictures_without(OTHER)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros(NUMBERS, np.float32),
        np.full(NUMBERS, np.nan, np.float32),
        np.full(NUMBERS, np.inf, np.float32),
        unit(1) * 2,
        unit(1) * np.float32(1.005),
        unit(1) * np.float32(1e6),
        unit(1).reshape(2, -1),
        np.zeros(0, np.float32),
        unit(1, 8193),
        unit(1, NUMBERS + 1),
    ],
)
def test_features_that_cannot_be_are_refused(box: Store, wrong: np.ndarray) -> None:
    """No numbers, another length, another shape, of another model: and the right one beside stays out."""
    box.put_item(thing("a"), [picture(1, MODEL), picture(2)])
    one, other = pictures(box)
    with pytest.raises(FormError) as caught:
        box.put_features(MODEL, {one: unit(9), other: wrong})
    page = box.features_after(0, MODEL)

    assert {"features"} == set(caught.value.fields)
    assert (one,) == page.pictures
    np.testing.assert_array_equal(rested(unit(1)), page.features[0])


def test_another_model_is_made_beside_and_taken_over(box: Store) -> None:
    """Searched is the old one until the new one has all; then the old one's features go, by the thousand."""
    box.set_featurizer(MODEL)
    box.put_item(thing("a"), [picture(i, MODEL) for i in range(3)])
    box.set_next_featurizer(OTHER)
    half = box.search_state()
    with pytest.raises(FormError):
        box.set_next_featurizer(MODEL)
    for wanted in (MODEL, OTHER):
        with pytest.raises(FormError):
            box.drop_features(wanted)
    box.put_features(OTHER, {each: unit(i, 16) for i, each in enumerate(box.pictures_without(OTHER))})
    box.set_featurizer(OTHER)
    after = box.search_state()
    follower = Follower(box)
    follower.read()
    went = [box.drop_features(MODEL), box.drop_features(MODEL), box.drop_features("never seen")]
    follower.read()

    assert (MODEL, OTHER) == (half.featurizer, half.next_featurizer)
    assert (OTHER, None) == (after.featurizer, after.next_featurizer)
    assert [3, 0, 0] == went
    assert {} == follower.known
    assert {MODEL: (None, 0), OTHER: (16, 3)} == {
        each.name: (each.numbers, each.pictures) for each in box.featurizers()
    }
    assert AT_ONCE > max(went)


def test_a_threshold_is_its_featurizers(box: Store) -> None:
    """Kept with when and on what; another one has none until it is calibrated."""
    fresh = box.search_state()
    box.set_featurizer(MODEL)
    box.set_threshold(MODEL, 0.625)
    calibrated = box.search_state()
    box.set_featurizer(OTHER)
    other = box.search_state()
    box.set_featurizer(MODEL)

    assert SearchState(0, 0, 0, None, None, None, None, None) == fresh
    assert (0.625, NOON, calibrated.version) == (
        calibrated.threshold,
        calibrated.calibrated_at,
        calibrated.calibrated_version,
    )
    assert other.threshold is None
    assert 0.625 == box.search_state().threshold
    assert box.search_state().version > other.version > calibrated.version > fresh.version


def test_what_is_searched_in_is_on_record(box: Store) -> None:
    """From the second network on, and each calibration, with how many pictures there are of it."""
    box.put_item(thing("a"), [picture(1, MODEL, OTHER), picture(2, MODEL)])
    for each in (MODEL, MODEL, OTHER):
        box.set_featurizer(each)
    box.set_threshold(MODEL, 0.62504)
    said = [each.event for each in box.events() if isinstance(each.event, SearchChanged)]

    assert [
        SearchChanged(type="search_featurizer_changed", featurizer=OTHER, pictures=1),
        SearchChanged(type="search_calibrated", featurizer=MODEL, pictures=2, threshold=0.625),
    ] == said


def test_a_threshold_goes_with_its_line_in_the_log(box: Store) -> None:
    """Once; where there is none nothing is written."""
    box.set_featurizer(MODEL)
    box.set_threshold(MODEL, 0.5)
    calibrated = box.catalogue_version()
    box.set_threshold(MODEL, None)
    gone = box.search_state()
    box.set_threshold(MODEL, None)
    said = [each.event for each in box.events(types=("search_calibrated",))]

    assert (None, None, None) == (gone.threshold, gone.calibrated_at, gone.calibrated_version)
    assert calibrated < gone.version
    assert gone == box.search_state()
    assert [0.5, None] == [each.threshold for each in said if isinstance(each, SearchChanged)]


@pytest.mark.parametrize("wrong", [-1.5, 1.01, float("nan"), float("inf")])
def test_a_threshold_is_a_cosine(box: Store, wrong: float) -> None:
    """Nothing else is kept."""
    with pytest.raises(FormError):
        box.set_threshold(MODEL, wrong)

    assert 0 == box.catalogue_version()


@pytest.mark.parametrize("name", ["", "x" * 65, "a b", "../x", "a'b", "é"])
def test_a_featurizer_has_a_plain_name(box: Store, name: str) -> None:
    """Of letters, digits and a few signs."""
    for ask in (lambda: box.set_featurizer(name), lambda: box.set_next_featurizer(name)):
        with pytest.raises(FormError):
            ask()


def test_damaged_features_are_left_out_and_told(box: Store, address: str) -> None:
    """The others of the page are there; the picture is named."""
    box.put_item(thing("a"), [picture(seed, MODEL) for seed in range(5)])
    *damaged, whole = pictures(box)
    wrong = (b"\0", b"\0" * 2 * NUMBERS, b"\xff" * 2 * NUMBERS, (unit(1) * 1.005).astype("<f2").tobytes())
    for each, vector in zip(damaged, wrong, strict=True):
        sql(address, "UPDATE search_features SET vector = :bad WHERE picture = :at", bad=vector, at=each)
    with capture_logs() as said:
        page = box.features_after(0, MODEL)

    assert ((whole,), (1, NUMBERS)) == (page.pictures, page.features.shape)
    assert sorted(damaged) == [line["picture"] for line in said if line["event"] == "features_left_out"]


def test_removing_twice_is_said(box: Store) -> None:
    """And counts nothing down."""
    box.put_item(thing("a"), [picture(1, MODEL)])
    box.remove_item("a")
    with pytest.raises(UnknownItemError):
        box.remove_item("a")

    assert (0, 0) == (box.item_count(), box.picture_count())
