"""The S3 that a tried function finds: asked by AWS's own library, as functions ask."""

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from commands import call
from hosted_functions import package_at
from hypothesis import given
from hypothesis import strategies as st

from appliance.deeplens.guest.object_store import Objects, serve

UPLOADS = """
import awscam, cv2, boto3, time
from botocore.session import Session
awscam.getLastFrame()
while True:
    ret, frame = awscam.getLastFrame()
    s3 = Session().create_client('s3')
    ret, jpeg = cv2.imencode('.jpg', cv2.resize(frame, (64, 36)))
    key = 'images/frame-' + time.strftime('%Y%m%d-%H%M%S') + '.jpg'
    s3.put_object(ACL='public-read', Body=jpeg.tostring(), Bucket='deeplens-coffee', Key=key)
    assert boto3.resource('s3').Object('deeplens-coffee', key).get()['Body'].read() == jpeg.tobytes()
"""


@pytest.fixture(scope="module")
def s3() -> Any:
    """A client of a store of this test's own."""
    return boto3.client(
        "s3",
        endpoint_url=serve(Objects()),
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - opens nothing
    )


@pytest.mark.parametrize("key", ["plain.jpg", "persons/11_2/9_5/1_0.jpg", "with space é&<x>.jpg"])
def test_what_is_uploaded_is_given_back_listed_and_deleted(s3: Any, key: str) -> None:
    """Bytes come back as they went, under every name that functions give."""
    bucket = f"bucket-{len(key)}"
    s3.create_bucket(Bucket=bucket)
    put = s3.put_object(ACL="public-read", Body=b"\xff\xd8 a picture", Bucket=bucket, Key=key)
    back = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    listed = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": key})
    copied = s3.head_object(Bucket=bucket, Key="copy")["ContentLength"]
    s3.delete_object(Bucket=bucket, Key=key)
    left = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]]

    assert 200 == put["ResponseMetadata"]["HTTPStatusCode"]
    assert b"\xff\xd8 a picture" == back
    assert [key] == listed
    assert len(back) == copied
    assert ["copy"] == left


def test_a_whole_bucket_is_emptied(s3: Any) -> None:
    """Several objects go at once, whatever their names; those of other buckets stay."""
    for bucket in ("emptied", "kept"):
        for key in ("a & b.jpg", "<c>/d.jpg"):
            s3.put_object(Body=b"x", Bucket=bucket, Key=key)
    keys = [{"Key": each["Key"]} for each in s3.list_objects_v2(Bucket="emptied")["Contents"]]
    gone = s3.delete_objects(Bucket="emptied", Delete={"Objects": keys})["Deleted"]

    assert keys == gone
    assert "Contents" not in s3.list_objects_v2(Bucket="emptied")
    assert 2 == len(s3.list_objects_v2(Bucket="kept")["Contents"])


def test_what_is_not_there_is_told_as_s3_tells_it(s3: Any, tmp_path: Path) -> None:
    """A function's `except ClientError` finds S3's codes; what the store cannot do is an error."""
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket="bucket", Key="nothing")
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket="bucket", Key="nothing")
    with pytest.raises(ClientError, match="NotImplemented"):
        s3.create_multipart_upload(Bucket="bucket", Key="large")
    (tmp_path / "a.jpg").write_bytes(b"from a file")
    s3.upload_file(str(tmp_path / "a.jpg"), "files", "a.jpg")
    s3.download_file("files", "a.jpg", str(tmp_path / "b.jpg"))

    assert b"from a file" == (tmp_path / "b.jpg").read_bytes()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.binary(max_size=12)), max_size=30))
def test_no_more_is_kept_than_there_is_room_for(uploads: list[tuple[str, bytes]]) -> None:
    """The newest of each key are kept, as many as fit, the oldest given up first."""
    objects = Objects(most_bytes=20)
    expected: dict[str, bytes] = {}
    for key, content in uploads:
        objects.put(("bucket", key), content)
        expected.pop(key, None)
        expected[key] = content
        while sum(map(len, expected.values())) > 20:
            expected.pop(next(iter(expected)))
    kept = {key: objects.get(("bucket", key)) for key, _ in objects.named("bucket", "")}

    assert expected == kept


@pytest.mark.debian(reason="bubblewrap")
def test_a_trial_without_network_takes_uploads_and_counts_them(tmp_path: Path) -> None:
    """A function that uploads each frame runs, and how often it did is told, since nobody else has them."""
    folder = package_at(tmp_path / "uploads", {"lambda_function.py": UPLOADS})
    done = call("deeplens", "try", folder, "--frames", 4, "--json")

    assert 0 == done.code, done.out
    assert '"verdict": "runs"' in done.out
    assert '"uploads": 0' not in done.out
