"""One written form, two programs: what the hosting side writes the view reads, and neither takes more."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from appliance.deeplens import descriptor as host
from appliance.deeplens.guest import descriptors as guest
from appliance.deeplens.guest.descriptors import ModelFaultError, Models

FOLDER = Path("/nowhere")
NAMES = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,20}\Z")
TEXTS = st.text(st.characters(min_codepoint=32, exclude_categories=("Cs",)), max_size=20)
NUMBERS = st.floats(-1e6, 1e6)


@st.composite
def inputs(draw: st.DrawFn) -> host.ModelInput:
    """What a network takes."""
    colour = draw(st.sampled_from(["BGR", "RGB", "GRAY"]))
    channels = st.tuples(*[NUMBERS] * (1 if colour == "GRAY" else 3))
    return host.ModelInput(
        width=draw(st.integers(0, 4096)),
        height=draw(st.integers(0, 4096)),
        colour=colour,
        layout=draw(st.sampled_from(["NHWC", "NCHW"])),
        dtype=draw(st.sampled_from(["uint8", "float32"])),
        mean=draw(channels),
        scale=draw(channels),
        adapts=draw(st.booleans()),
    )


LAYERS = st.builds(host.OutputLayer, layer=TEXTS.filter(bool), output=TEXTS, size=st.integers(0, 10_000_000))


@st.composite
def models(draw: st.DrawFn) -> host.Descriptor:
    """Any model."""
    head = draw(st.sampled_from(sorted(host.KIND_OF_HEAD)))
    kind = host.KIND_OF_HEAD[head]
    return host.Descriptor(
        name=draw(NAMES),
        spellings=tuple(draw(st.lists(TEXTS, max_size=3))),
        kind=kind,
        engine=draw(st.sampled_from(["onnx", "openvino"])),
        file=draw(NAMES),
        head=head,
        input=draw(inputs()),
        outputs=tuple(draw(st.lists(LAYERS, min_size=1, max_size=3 if kind == "raw" else 1))),
        first_label=draw(st.integers(0, 10_000)),
        labels=tuple(draw(st.lists(TEXTS, max_size=4))),
        classes=tuple(draw(st.lists(st.integers(-1, 10_000), max_size=4))),
        overlap=draw(st.floats(0, 1)),
        least=draw(st.floats(0, 1)),
    )


PLAIN: Mapping[str, Any] = json.loads(
    host.Descriptor(
        name="plain",
        kind="ssd",
        file="plain.onnx",
        head="yunet",
        input=host.ModelInput(width=4, height=4),
        outputs=(host.OutputLayer(layer="out"),),
    ).file_bytes()
)


def by_host(fields: Mapping[str, Any]) -> bool:
    """Whether the hosting side takes it for a descriptor."""
    try:
        host.Descriptor.model_validate_json(json.dumps(fields))
    except ValidationError:
        return False
    return True


def by_guest(fields: Mapping[str, Any]) -> bool:
    """Whether the view does."""
    try:
        guest.read_descriptor(fields, FOLDER)
    except ModelFaultError:
        return False
    return True


@given(models())
def test_what_is_written_is_read(model: host.Descriptor) -> None:
    """Every field, with every value it may have."""
    read = asdict(guest.read_descriptor(json.loads(model.file_bytes()), FOLDER))
    del read["folder"]

    assert model.model_dump(exclude={"version"}) == read
    assert model == host.read_descriptor(model.file_bytes())


JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 20_000), st.floats(allow_nan=False), st.text(max_size=5),
    st.lists(st.integers(-2, 5), max_size=4), st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)  # fmt: skip
PLACES = st.sampled_from(
    [*((key,) for key in PLAIN), *(("input", key) for key in PLAIN["input"]), ("outputs", 0), ("more",)]
)


@given(PLACES, st.one_of(JUNK, st.sampled_from(["ssd", "raw", "onnx", "logits", "GRAY", 1, 0.5, [], ["a"]])))
def test_both_refuse_the_same(place: tuple[Any, ...], value: Any) -> None:
    """Whatever stands in whatever field: what one took and the other did not would be found by a function."""
    fields: dict[str, Any] = json.loads(json.dumps(PLAIN))
    at: Any = fields
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = value

    assert by_host(fields) == by_guest(fields)


@given(PLACES)
def test_both_miss_the_same(place: tuple[Any, ...]) -> None:
    """The view has no defaults: a file with something missing was not written by us."""
    fields: dict[str, Any] = json.loads(json.dumps(PLAIN))
    at: Any = fields
    for key in place[:-1]:
        at = at[key]
    if place != ("more",):
        del at[place[-1]]

    assert by_guest(fields) == (place == ("more",))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[",
        b"[]",
        b"{}",
        b'{"version": 2, "models": [], "missing": {}}',
        b"[" * 100_000,
        b"\xff\xfe",
        b"null",
    ],
)
def test_a_damaged_catalogue_is_a_sentence(tmp_path: Path, data: bytes) -> None:
    """Whoever asks for a model is told; nothing else happens."""
    (tmp_path / "models.json").write_bytes(data)

    with pytest.raises(ModelFaultError):
        Models(tmp_path).find("deploy_ssd")
    Models(tmp_path).lay_out()


def test_one_damaged_model_is_not_in_the_others_way(tmp_path: Path) -> None:
    """It is named when it is asked for."""
    (tmp_path / "models.json").write_text(
        json.dumps({"version": 1, "models": [{"name": "broken"}, PLAIN], "missing": {}})
    )

    assert Models(tmp_path).find("plain").file == "plain.onnx"
    with pytest.raises(ModelFaultError, match=r"broken.*install it again"):
        Models(tmp_path).find("broken")


OWN = ("dog", "", "cat", "car", "bus")


@given(st.lists(st.sampled_from(["dog", "Cat ", "fish", "bird", "x"]), min_size=1, max_size=7, unique=True))
def test_classes_are_dealt_to_labels(labels: list[str]) -> None:
    """A class goes where its name is; what is left goes round the labels that have none."""
    dealt = host.dealt_classes(OWN, tuple(labels))
    names = [each.strip().lower() for each in labels]

    assert len(OWN) == len(dealt)
    assert dealt[1] == -1
    for at, name in enumerate(OWN):
        if name in names:
            assert names.index(name) == dealt[at]
    free = len([each for each in names if each not in OWN])
    left = len([each for each in OWN if each and each not in names])
    assert min(free, left) == len({each for each in dealt if each >= 0 and names[each] not in OWN})
