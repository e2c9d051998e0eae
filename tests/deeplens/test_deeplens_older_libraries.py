"""What boto3, botocore and face_recognition took in 2018, called by a real function."""

import json
from pathlib import Path
from typing import Any

import pytest
from function_host import FunctionHost
from ported_runs import of, port, ported, write

FUNCTION = """
import json
import boto3, cv2, greengrasssdk
import numpy as np
from botocore.client import Config
from botocore.vendored import requests as old_requests
from scipy.spatial import distance
import face_recognition, requests

said = {"far": distance.euclidean((0, 0), (3, 4))}
said["requests"] = [old_requests.get is requests.get, old_requests.post is requests.post]
try:
    old_requests.get("http://127.0.0.1:9/")
except old_requests.exceptions.RequestException:
    said["requests"].append(True)
store = boto3.client("s3", config=Config(signature_version="s3v4", s3={"use_accelerate_endpoint": True}))
store.put_object(Bucket="faces", Key="a.txt", Body=b"kept")
said["kept"] = store.get_object(Bucket="faces", Key="a.txt")["Body"].read().decode()
picture = cv2.imread("face.png")[:, :, ::-1]
places = face_recognition.face_locations(img=picture)
said["faces"] = [len(places), len(face_recognition.face_encodings(picture, places))]
said["landmarks"] = len(face_recognition.face_landmarks(picture))
greengrasssdk.client("iot-data").publish(topic="t", payload=json.dumps(said))
"""
FACES = Path(__file__).parents[2] / "data" / "portraits" / "enrol"


def test_libraries_take_what_they_took(tmp_path: Path) -> None:
    """Channels turned round, Amazon's faster way to one's own store, requests beside botocore; scipy."""
    face = FACES / "obama.jpg"
    with FunctionHost(tmp_path, environment={"DEEPLENS_OBJECT_STORE": "1"}) as host:
        (host.folder / "face.png").write_bytes(face.read_bytes())
        host.start(FUNCTION)
        ((_, payload),) = host.wait_published()
    said: dict[str, Any] = json.loads(payload)

    assert ([True, True, True], "kept", 5.0) == (said["requests"], said["kept"], said["far"])
    assert [1, 1] == said["faces"]
    assert 1 == said["landmarks"]


@pytest.mark.parametrize("runtime", ["python2", "python3"])
def test_what_is_imported_for_nothing_may_be_missing(tmp_path: Path, runtime: str) -> None:
    """The function goes on without, and its log says so."""
    source = "import nobody_has_this\nfrom nobody_has.that import a, b\n"
    source += "import greengrasssdk\ngreengrasssdk.client('iot-data').publish(topic='t', payload='on')\n"
    with FunctionHost(tmp_path, runtime=runtime) as host:
        host.write(source)
        host.port()
        host.start()
        ((_, payload),) = host.wait_published()
        printed = host.log

    assert b"on" == payload
    assert "no module nobody_has_this: the function goes on" in printed


IMPORTS = {
    "import boto_of_old": 'unused_import("import boto_of_old", globals())',
    "import boto_of_old.s3 as s3": 'unused_import("import boto_of_old.s3 as s3", globals())',
    "from boto_of_old import s3 as x": 'unused_import("from boto_of_old import s3 as x", globals())',
    "import boto_of_old; boto_of_old.connect()": None,
    "import boto_of_old as b; b.connect()": None,
    "from boto_of_old import *": None,
    "from boto_of_old import (a,\n b)": None,
    "try:\n    import boto_of_old\nexcept ImportError:\n    pass": None,
    "import mine": None,
    "import folder.inner": None,
    "from inner import name": None,
    "import os": None,
    "import urllib2, Queue": None,
    "import cPickle": None,
    "import awscam": None,
    "from local_display import LocalDisplay": None,
    "from __future__ import unicode_literals": None,
}


@pytest.mark.parametrize("runtime", ["python2", "python3"])
def test_only_an_import_that_nobody_needs_is_rewritten(tmp_path: Path, runtime: Any) -> None:
    """Of a module that is not here, at the top of the file, on one line, not used."""
    files = {f"a{at}.py": f"{line}\n" for at, line in enumerate(IMPORTS)}
    source = write(tmp_path / "source", {**files, "mine.py": "", "folder/inner.py": ""})

    port(source, tmp_path / "target", runtime)

    assert [f"{expected or line}\n" for line, expected in IMPORTS.items()] == [
        (tmp_path / "target" / name).read_text() for name in files
    ]


def test_the_report_names_the_import(tmp_path: Path) -> None:
    """By its line."""
    _, report = ported(tmp_path, {"a.py": "import json\nimport boto_of_old\nprint(json)\n"}, "python3")

    assert [("unused imports", (2,))] == [(each.measure, each.lines) for each in of(report, "a.py").changes]
