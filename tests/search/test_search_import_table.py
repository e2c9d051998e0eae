"""Tables of items: what is read of CSV and JSON, and how each thing that cannot be is told, with its row."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.app.catalogue_import_table import read_table
from appliance.errors import InputError
from appliance.store import ItemEntry

HEAD = "id,title,link,price,notes,pictures"
CUP = ItemEntry("cup", "A cup", "https://example.com/cup", "12.50 €", "white")
ROW = 'cup,A cup,https://example.com/cup,12.50 €,white,"a.jpg;b/c.png"'

_texts = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=40)
_paths = st.text(st.characters(categories=("L", "N"), include_characters="/._- "), min_size=1).filter(
    lambda each: bool(each.strip())
)


def faults(content: str | bytes, **options: bool) -> list[str]:
    """What is said of a table's rows."""
    data = content.encode() if isinstance(content, str) else content
    return [each.told() for row in read_table(data, **options) for each in row.faults]


def refused(content: str | bytes) -> InputError:
    """The error of a table that cannot be read at all."""
    with pytest.raises(InputError) as caught:
        read_table(content.encode() if isinstance(content, str) else content)
    return caught.value


@pytest.mark.parametrize(
    "content",
    [
        f"{HEAD}\n{ROW}\n".encode(),
        f"{HEAD}\r\n{ROW}\r\n\r\n".encode("utf-8-sig"),
        f"{HEAD}\n{ROW}".replace(",", ";").encode(),
        f"\n\n{HEAD}\n{ROW}".replace(",", "\t").encode(),
        (
            b"Title,ID ,PICTURES,notes,price,link\nA cup,cup,a.jpg; b/c.png;a.jpg,white,12.50 \xe2\x82\xac,"
            b"https://example.com/cup"
        ),
        json.dumps(
            [{**{k: getattr(CUP, k) for k in HEAD.split(",")[:-1]}, "pictures": ["a.jpg", "b/c.png"]}]
        ).encode(),
        (
            b'{"items": [{"id": "cup", "title": " A cup", "link": "https://example.com/cup", "price": '
            b'"12.50 \xe2\x82\xac", "notes": "white", "pictures": "a.jpg;b/c.png"}]}'
        ),
    ],
    ids=["csv", "bom", "semicolons", "tabs", "other-order", "json", "json-object"],
)
def test_a_table_is_read_in_all_its_forms(content: bytes) -> None:
    """The same item each time."""
    rows = read_table(content)

    assert [(CUP, ("a.jpg", "b/c.png"), ())] == [(each.entry, each.pictures, each.faults) for each in rows]


@given(st.lists(st.tuples(_texts, _texts, st.lists(_paths, max_size=3)), min_size=1, max_size=5))
def test_what_a_spreadsheet_writes_is_what_is_read(things: list[tuple[str, str, list[str]]]) -> None:
    """By CSV and by JSON, whatever stands in the cells; only ids that come twice are refused."""
    written = io.StringIO(newline="")
    table = csv.writer(written)
    table.writerow(["id", "title", "pictures"])
    for item, title, pictures in things:
        table.writerow([item, title, ";".join(pictures)])
    of_csv = read_table(written.getvalue().encode())
    of_json = read_table(
        json.dumps([{"id": i, "title": t, "pictures": ";".join(p)} for i, t, p in things]).encode()
    )

    assert [(each.entry, each.pictures) for each in of_csv] == [
        (each.entry, each.pictures) for each in of_json
    ]
    assert len(things) == len(of_csv)
    assert len({each.entry.id for each in of_csv}) == sum(not each.faults for each in of_csv)


@pytest.mark.parametrize(
    ("content", "words", "hint"),
    [
        (b"", "is empty", "the columns are"),
        (b"\xef\xbb\xbf \n\n", "is empty", "the columns are"),
        (HEAD, "no items", "a row is an item"),
        ("[]", "is empty", "the columns are"),
        ("id,titel,picture\n1,a,b", "row 1: 'titel' is no column (did you mean title?); 'picture' is", "id"),
        ("id,title,Image\n1,a,b", "'image' is no column (did you mean pictures?)", "the columns are"),
        ("id,name\n1,a", "'name' is no column (did you mean title?); there is no column title", "columns"),
        ("id,title,ID\n1,a,2", "there are two columns id", "the columns are"),
        ("cup,A cup,a.jpg", "'cup' is no column", "id and title are needed"),
        ("id,title\n1,caf\xe9".encode("latin-1"), "not UTF-8: line 2", "CSV UTF-8"),
        (f"{HEAD}\n{ROW}".encode("utf-16"), "written in UTF-16", "CSV UTF-8"),
        (f"{HEAD}\n{ROW}".encode("utf-32"), "written in UTF-32", "CSV UTF-8"),
        ('[{"id": "a",\n "title": }]', "no JSON: line 2, column 11", "wanted is"),
        ('{"id": "a"}', "no list of items", "wanted is"),
        ("[" * 100_000, "nested too deeply", ""),
        ('"id', "row 1: a quote", "the columns are"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(content: str | bytes, words: str, hint: str) -> None:
    """And what to do, or what was wanted."""
    error = refused(content)

    assert words in error.message
    assert hint in error.hint


def test_too_large_a_table_is_not_read() -> None:
    """Its bytes are counted before anything else."""
    assert "MB" in refused(b" " * (129 << 20)).message


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("id,title\n,A cup\ncup,", ["row 2: id: it is missing; ", "row 3 (cup): title: it is missing; "]),
        ("id,title\na,x\n\nb,y\na,z", ["row 5 (a): id: row 2 has this id already; an item is one row"]),
        (f"id,title\ncup,{'x' * 201}", ["row 2 (cup): title: it has 201 characters, which is too long"]),
        (f"id,title,notes\ncup,x,{'x' * 2001}", ["row 2 (cup): notes: it has 2,001 characters"]),
        ("id,title\ncup,a\x1b[31mred", ["row 2 (cup): title: it has characters that cannot be seen"]),
        ("id,title,link\ncup,x,javascript:alert(1)", ["row 2 (cup): link: 'javascript:alert(1)' is no link"]),
        ("id,title,link\ncup,x,ftp://a/b", ["row 2 (cup): link: 'ftp://a/b' is no link; wanted: an address"]),
        (
            "id;title;pictures\ncup;x;a.jpg;b.jpg",
            ["row 2 (cup): it has 4 cells, and there are 3 columns; put"],
        ),
        ('id,title\na,x\nb,"never\nc,d', ['row 3: a quote (") is opened here and never closed']),
        ('id,title\na,"x"y"\nc,d', ["row 2: it is no CSV"]),
        (
            "id,title,pictures\ncup,x," + ";".join(f"{n}.jpg" for n in range(65)),
            ["row 2 (cup): pictures: an item has 64 pictures at most, not 65"],
        ),
        ('[5, {"id": "a", "title": "b"}]', ["row 1: it is no item; an item is {"]),
        ('[{"id": "a", "titel": "b"}]', ["row 1 (a): 'titel' is no column (did you mean title?)", "row 1"]),
        ('[{"id": "a", "title": "b", "pictures": [1, {}]}]', ["row 1 (a): pictures: these are no paths"]),
        ('[{"id": "a", "title": "b", "notes": {"x": 1}}]', ["row 1 (a): notes: this is no text"]),
        ('[{"id": "a", "title": true}]', ["row 1 (a): title: this is no text"]),
        ('[{"id": "a", "title": "\\ud800"}]', ["row 1 (a): title: it has characters that cannot be seen"]),
    ],
)
def test_a_row_that_cannot_be_says_why_beside_the_others(content: str, told: list[str]) -> None:
    """With its number, its id, the column, and what is wanted."""
    found = faults(content)

    assert len(told) == len(found)
    assert all(each.startswith(lead) for each, lead in zip(found, told, strict=True)), found


def test_what_a_row_says_wrong_is_shown_without_harm() -> None:
    """No line breaks, no colours of a terminal, not endless."""
    (fault,) = faults('id,title\n"a\x1b[2J\nb' + "c" * 500 + '",x')

    assert fault.isprintable()
    assert len(fault) < 300


def test_other_columns_are_passed_over_if_wanted() -> None:
    """By CSV and by JSON; and numbers are texts as they are written."""
    assert [] == faults("id,title,stock\ncup,x,7", pass_over=True)
    rows = read_table(b'[{"id": 7, "title": "x", "price": 12.50, "stock": [1]}]', pass_over=True)

    assert [(ItemEntry("7", "x", price="12.50"), ())] == [(each.entry, each.faults) for each in rows]


@given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode)))
def test_any_bytes_are_rows_or_an_error_of_ours(content: bytes) -> None:
    """Nothing else comes of noise."""
    for prefix in (b"", b"id,title,pictures\n", b'[{"id": "a", "title": '):
        try:
            rows = read_table(prefix + content)
        except InputError:
            continue
        assert rows


@pytest.mark.parametrize(
    ("path", "words"),
    [("x" * 4097, "no path has 4,097 characters"), ("a\\ud800.jpg", "this is no path of a file")],
)
def test_a_path_that_can_be_none_is_told_at_its_row(path: str, words: str) -> None:
    """Wherever the pictures are to come from; other rows stand."""
    good, bad = (
        f'{{"id": "{at}", "title": "x", "pictures": ["{each}"]}}'
        for at, each in (("a", "b.jpg"), ("c", path))
    )
    rows = read_table(f"[{good}, {bad}]".encode())

    assert [[], ["pictures"]] == [[each.column for each in row.faults] for row in rows]
    assert words in rows[1].faults[0].told()
    assert rows[1].faults[0].told().isprintable()
