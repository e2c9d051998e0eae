"""What is handed in to be hosted: any bytes become a package or an error that says what to do."""

import io
import os
import stat
import tempfile
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.deeplens import package as packages
from appliance.deeplens.package import Package, write_package
from appliance.deeplens.package_handler import check_handler, guess_handler
from appliance.deeplens.package_reading import read_bytes, read_folder, read_path
from appliance.errors import FunctionError, PackageError

SOURCE = b"import awscam\ndef function_handler(event, context):\n    return\n"


def _zip(
    entries: Iterable[tuple[str | zipfile.ZipInfo, bytes]], packing: int = zipfile.ZIP_DEFLATED
) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", packing) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return made.getvalue()


def _entry(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def _taken(content: bytes, name: str) -> Package | PackageError:
    """What becomes of bytes; any other error is a fault."""
    try:
        return read_bytes(content, name)
    except PackageError as error:
        return error


def _written(package: Package, folder: Path) -> Mapping[str, bytes]:
    write_package(package, folder)
    return {
        str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if not each.is_dir()
    }


NAMES = (
    st.lists(
        st.sampled_from(
            ["a", "b.py", "..", ".", "", "c\\d", "/", "\x01", "x\n", "é", "lambda_function.py", "C:"]
        ),
        min_size=1,
        max_size=4,
    )
    .map("/".join)
    .filter(bool)
)


@given(st.binary(max_size=400), st.sampled_from(["noise.zip", "noise.py", "noise", "../noise.zip", ""]))
def test_any_bytes_are_a_package_or_our_error(content: bytes, name: str) -> None:
    """Noise is refused with a hint, whatever it is called; nothing else is ever raised."""
    package = _taken(content, name)

    assert package.hint if isinstance(package, PackageError) else [content] == list(package.files.values())


@given(
    st.lists(st.tuples(NAMES, st.binary(max_size=20)), max_size=5),
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=6),
)
@settings(max_examples=300)
def test_any_damage_to_a_zip_is_a_package_or_our_error(
    entries: list[tuple[str, bytes]], damage: list[tuple[int, int]]
) -> None:
    """Names of every kind and bytes turned at random: a package that stays in its folder, or our error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library only warns of a name that comes twice
        content = bytearray(_zip(entries, zipfile.ZIP_STORED))
    for place, value in damage:
        content[place % len(content)] = value
    with tempfile.TemporaryDirectory() as place_name:
        place = Path(place_name)
        package = _taken(bytes(content), "any.zip")
        if isinstance(package, PackageError):
            assert package.hint
            return
        (place / "beside").write_bytes(b"untouched")

        assert dict(package.files) == _written(package, place / "inner")
        assert {"beside", "inner"} == {each.name for each in place.iterdir()}


@given(st.dictionaries(st.text("ab./\\\n", min_size=1, max_size=6), st.binary(max_size=4), max_size=4))
def test_a_package_is_written_as_it_is(files: dict[str, bytes]) -> None:
    """Whatever names a package takes, the same files lie in the folder afterwards, and no others anywhere."""
    try:
        package = Package(files)
    except PackageError:
        return
    with tempfile.TemporaryDirectory() as place:
        assert files == _written(package, Path(place, "inner"))
        assert ["inner"] == [each.name for each in Path(place).iterdir()]


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("../up.py", "leads out"),
        ("a/../../up.py", "leads out"),
        ("/etc/passwd", "absolute"),
        ("a\\b.py", "backslashes"),
        ("a//b.py", "no plain path"),
        ("./b.py", "no plain path"),
        ("a\nb.py", "control characters"),
        ("x" * 300, "too long"),
        ("/".join("d" * 40), "too deep"),
    ],
)
def test_names_that_lead_elsewhere_are_refused(name: str, word: str) -> None:
    """Zip slip in all its forms: the error names the file and says what is wrong with it."""
    with pytest.raises(PackageError, match=word):
        read_bytes(_zip([("lambda_function.py", SOURCE), (name, b"x")]), "slip.zip")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_and_devices_in_a_zip_are_refused(kind: int) -> None:
    """A zip may say that an entry is a link or a device; such a zip is refused."""
    with pytest.raises(PackageError, match="'passwd' is"):
        read_bytes(_zip([("f.py", SOURCE), (_entry("passwd", kind | 0o777), b"/etc/passwd")]), "links.zip")


def test_a_bomb_is_found_while_inflating() -> None:
    """A hundred megabytes of nothing in a hundred kilobytes are refused long before they are inflated."""
    with pytest.raises(PackageError, match="packed too tightly"):
        read_bytes(_zip([("f.py", SOURCE), ("bomb", bytes(16 << 20))]), "bomb.zip")


def test_a_size_in_a_header_is_not_believed() -> None:
    """An entry that inflates to more than it says is refused, not believed."""
    content = _zip([("f.py", bytes(range(256)) * 40)])
    lying = content.replace((256 * 40).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    with pytest.raises(PackageError, match="damaged"):
        read_bytes(lying, "lying.zip")


def test_too_many_files_and_too_much_are_refused() -> None:
    """Counts and sizes have an end, whatever the zip says of itself."""
    with pytest.raises(PackageError, match="more than 10,000 files"):
        read_bytes(_zip(((f"{n}.py", b"") for n in range(packages.MOST_FILES + 1)), 0), "many.zip")
    with pytest.raises(PackageError, match="more than 10,000 files"):
        read_bytes(b"PK\x03\x04" + b"PK\x01\x02" * 30_000, "many.zip")
    with pytest.raises(PackageError, match="larger than 128 MB"):
        Package({"f.py": bytes(packages.MOST_FILE_BYTES + 1)})


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_name_twice_is_refused_and_case_tells_names_apart() -> None:
    """Which of two files is meant would be anybody's guess; `A` and `a` are two files on Linux."""
    with pytest.raises(PackageError, match="twice"):
        read_bytes(_zip([("f.py", SOURCE), ("f.py", b"other")]), "twice.zip")
    with pytest.raises(PackageError, match="both a file and a folder"):
        read_bytes(_zip([("f", SOURCE), ("f/g.py", b"other")]), "both.zip")

    assert 2 == len(read_bytes(_zip([("Utils.py", SOURCE), ("utils.py", b"")]), "case.zip").files)


def test_an_encrypted_or_oddly_packed_zip_is_refused() -> None:
    """A password, or a way of packing that Lambda never took: the error says how to make it again."""
    content = bytearray(_zip([("f.py", SOURCE)]))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    with pytest.raises(PackageError, match="encrypted"):
        read_bytes(bytes(content), "secret.zip")
    with pytest.raises(PackageError, match="packed in a way"):
        read_bytes(_zip([("f.py", SOURCE)], zipfile.ZIP_LZMA), "odd.zip")


def test_a_zip_of_one_folder_is_that_folder() -> None:
    """As code hosts make them; what archivers and editors leave is left out, a vendored library is kept."""
    entries = {
        "deeplens-dog/lambda_function.py": SOURCE,
        "deeplens-dog/greengrasssdk/__init__.py": b"",
        "deeplens-dog/__pycache__/old.pyc": b"x",
        "__MACOSX/deeplens-dog/._x": b"x",
    }
    package = read_bytes(_zip(entries.items()), "dog.zip")

    assert ["greengrasssdk/__init__.py", "lambda_function.py"] == list(package.files)
    assert ("lambda_function",) == package.modules


@pytest.mark.parametrize("wrapping", ["", "project/"])
def test_a_handler_in_a_folder_keeps_its_folder(tmp_path: Path, wrapping: str) -> None:
    """One that is named by way of it is there; what lies around that folder goes all the same."""
    entries = {f"{wrapping}src/handler.py": SOURCE, f"{wrapping}src/labels.txt": b"dog"}
    for name, content in entries.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)

    for package in (
        read_bytes(_zip(entries.items()), "dog.zip", "src.handler.main"),
        read_path(tmp_path, "src.handler.main"),
    ):
        assert ["src/handler.py", "src/labels.txt"] == list(package.files)
        assert "src.handler.main" == check_handler(package, "src.handler.main")


def test_a_module_that_is_called_like_its_folder_is_taken_out_of_it() -> None:
    """The handler's module lies in both: that in the folder is the function's, the folder only wraps it."""
    entries = {
        "greengrassHelloWorld/__init__.py": b"",
        "greengrassHelloWorld/greengrassHelloWorld.py": SOURCE,
    }
    package = read_bytes(_zip(entries.items()), "dog.zip", "greengrassHelloWorld.function_handler")

    assert ["__init__.py", "greengrassHelloWorld.py"] == list(package.files)


def test_a_folder_is_read_without_its_history(tmp_path: Path) -> None:
    """The same files from a folder and from a zip are the same package, by its hash too."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("x")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lambda_function.py").write_bytes(SOURCE)
    (tmp_path / "lib" / "labels.txt").write_bytes(b"dog")

    package = read_path(tmp_path)

    assert {"lambda_function.py": SOURCE, "lib/labels.txt": b"dog"} == package.files
    assert read_bytes(_zip(package.files.items()), "same.zip").sha256 == package.sha256


@pytest.mark.parametrize(
    "make", [lambda path: path.symlink_to("/etc/passwd"), os.mkfifo], ids=["link", "pipe"]
)
def test_links_and_pipes_in_a_folder_are_refused(make: object, tmp_path: Path) -> None:
    """Nothing is followed, and nothing waits for somebody to write."""
    (tmp_path / "f.py").write_bytes(SOURCE)
    make(tmp_path / "odd")  # type: ignore[operator]
    with pytest.raises(PackageError, match="'odd' is"):
        read_folder(tmp_path)


def test_a_path_that_is_nothing_is_our_error(tmp_path: Path) -> None:
    """No such file, a device, a name with a NUL: errors that say so."""
    for path in (tmp_path / "none.zip", Path("/dev/zero"), tmp_path / "a\0b"):
        with pytest.raises(PackageError) as caught:
            read_path(path)
        assert caught.value.hint


def test_files_are_readable_by_another_account(tmp_path: Path) -> None:
    """Under any mask of ours: who runs a function is not who deployed it."""
    before = os.umask(0o077)
    try:
        write_package(Package({"a/b.py": b"x"}), tmp_path / "new")
    finally:
        os.umask(before)
    modes = [stat.S_IMODE((tmp_path / "new" / each).stat().st_mode) for each in ("", "a", "a/b.py")]

    assert [0o755, 0o755, 0o644] == modes
    with pytest.raises(FunctionError, match="cannot be written"):
        write_package(Package({"a/b.py": b"y"}), tmp_path / "new")


@pytest.mark.parametrize(
    ("files", "handler"),
    [
        ({"lambda_function.py": b"", "other.py": SOURCE}, "lambda_function.lambda_handler"),
        ({"greengrassHelloWorld.py": SOURCE}, "greengrassHelloWorld.function_handler"),
        ({"dogs.py": SOURCE, "utils.py": b"def x(): pass"}, "dogs.function_handler"),
        ({"dogs.py": b"from awscam import Model", "local_display.py": b"import cv2"}, "dogs.lambda_handler"),
        ({"cats.py": SOURCE, "helper.py": b"import greengrasssdk"}, "cats.function_handler"),
        ({"deeplens-dog.py": b"x = 1"}, "deeplens-dog.lambda_handler"),
    ],
)
def test_the_handler_is_guessed(files: dict[str, bytes], handler: str) -> None:
    """By the templates' names, by what a module imports, or because there is but one."""
    assert handler == guess_handler(Package(files))
    assert handler == check_handler(Package(files), handler)


@pytest.mark.parametrize(
    ("files", "word"),
    [
        ({"a.py": SOURCE, "b.py": SOURCE}, "several modules could be the function: 'a.py', 'b.py'"),
        ({"labels.txt": b"dog"}, "no Python module at its root"),
        ({"my function.py": b""}, "cannot be imported"),
    ],
)
def test_a_handler_that_cannot_be_guessed_is_asked_for(files: dict[str, bytes], word: str) -> None:
    """The error names the candidates and says how to name one."""
    with pytest.raises(PackageError, match=word) as caught:
        guess_handler(Package(files))
    assert caught.value.hint
    with pytest.raises(PackageError, match=r"there is no 'z.py'"):
        check_handler(Package(files), "z.handler")


def test_a_single_file_is_a_package() -> None:
    """Under its own name where that can be imported, and the console's where not."""
    assert ["dog.py"] == list(read_bytes(SOURCE, "dog.py").files)
    assert ["lambda_function.py"] == list(read_bytes(SOURCE, "my dog (1).py").files)
    with pytest.raises(PackageError, match="no source of Python"):
        read_bytes(b"\0\1\2", "dog.py")
