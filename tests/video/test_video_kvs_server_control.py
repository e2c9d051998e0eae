"""The control plane, asked by boto3 as it is."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from kvs_local import CREDENTIAL, LocalKvs, local_kvs

from appliance.video.kvs_server.faults import Refuse

LENT = replace(CREDENTIAL, access_key="AKIDLENT", session_token="of an hour ago")  # noqa: S106 - of nobody
EXPIRED = replace(LENT, expires_at=datetime.now(UTC) - timedelta(minutes=1))
LIMITED = replace(CREDENTIAL, access_key="AKIDLIMITED", denied=frozenset({"kinesisvideo:CreateStream"}))


@pytest.fixture(scope="module")
def kvs() -> Iterator[LocalKvs]:
    """One server for all of them; each takes streams of its own."""
    with local_kvs(credentials=(CREDENTIAL, EXPIRED, LIMITED)) as found:
        yield found


def refused(call: Any, **given: Any) -> tuple[str, int]:
    """Type and status of what a call is refused with."""
    with pytest.raises(ClientError) as caught:
        call(**given)
    told: dict[str, Any] = caught.value.response
    return told["Error"]["Code"], told["ResponseMetadata"]["HTTPStatusCode"]


def test_a_stream_is_made_described_and_deleted(kvs: LocalKvs) -> None:
    """What was said at the beginning is told again; retention is 0 unless somebody says otherwise."""
    client = kvs.client()
    arn = client.create_stream(
        StreamName="a", MediaType="video/h264", DataRetentionInHours=24, DeviceName="porch", Tags={"k": "v"}
    )["StreamARN"]
    client.create_stream(StreamName="a-bare")
    told = client.describe_stream(StreamName="a")["StreamInfo"]

    assert ("a", arn, "video/h264", "porch", "ACTIVE", 24) == tuple(
        told[each]
        for each in ("StreamName", "StreamARN", "MediaType", "DeviceName", "Status", "DataRetentionInHours")
    )
    assert 0 == client.describe_stream(StreamName="a-bare")["StreamInfo"]["DataRetentionInHours"]
    assert told == client.describe_stream(StreamARN=arn)["StreamInfo"]
    assert abs(datetime.now(UTC) - told["CreationTime"]) < timedelta(minutes=1)
    assert {"k": "v"} == client.list_tags_for_stream(StreamName="a")["Tags"]
    client.delete_stream(StreamARN=arn, CurrentVersion=told["Version"])
    assert ("ResourceNotFoundException", 404) == refused(client.describe_stream, StreamName="a")


def test_names_are_taken_once_and_asked_for_one_way(kvs: LocalKvs) -> None:
    """A second stream of a name, neither name nor ARN, both, and what is malformed."""
    client = kvs.client()
    arn = kvs.stream("b")

    assert ("ResourceInUseException", 400) == refused(client.create_stream, StreamName="b")
    assert ("InvalidArgumentException", 400) == refused(client.describe_stream)
    assert ("InvalidArgumentException", 400) == refused(client.describe_stream, StreamName="b", StreamARN=arn)
    assert ("InvalidArgumentException", 400) == refused(client.create_stream, StreamName="b c")
    assert ("InvalidArgumentException", 400) == refused(
        client.create_stream, StreamName="b2", DataRetentionInHours=87_601
    )


def test_retention_changes_by_hours_with_the_version_that_is_current(kvs: LocalKvs) -> None:
    """Whoever changes names the version, which then is another; below 0 it does not go."""
    client = kvs.client()
    kvs.stream("c", hours=2)

    def change(operation: str, hours: int, version: str | None = None) -> dict[str, Any]:
        current = client.describe_stream(StreamName="c")["StreamInfo"]["Version"]
        return {
            "StreamName": "c",
            "CurrentVersion": version or current,
            "Operation": f"{operation}_DATA_RETENTION",
            "DataRetentionChangeInHours": hours,
        }

    old = change("INCREASE", 22)
    client.update_data_retention(**old)

    assert 24 == client.describe_stream(StreamName="c")["StreamInfo"]["DataRetentionInHours"]
    assert ("VersionMismatchException", 400) == refused(client.update_data_retention, **old)
    assert ("InvalidArgumentException", 400) == refused(
        client.update_data_retention, **change("DECREASE", 25)
    )
    client.update_data_retention(**change("DECREASE", 24))
    assert 0 == client.describe_stream(StreamName="c")["StreamInfo"]["DataRetentionInHours"]


def test_media_type_and_device_change(kvs: LocalKvs) -> None:
    """What is not named stays."""
    client = kvs.client()
    kvs.stream("d")
    version = client.describe_stream(StreamName="d")["StreamInfo"]["Version"]
    client.update_stream(StreamName="d", CurrentVersion=version, MediaType="video/h264")
    told = client.describe_stream(StreamName="d")["StreamInfo"]

    assert ("video/h264", 24) == (told["MediaType"], told["DataRetentionInHours"])
    assert version != told["Version"]


def test_streams_are_listed_by_name_page_by_page(kvs: LocalKvs) -> None:
    """A condition picks those whose names begin so; each is listed once."""
    for number in range(5):
        kvs.stream(f"listed-{number}")
    pages = (
        kvs.client()
        .get_paginator("list_streams")
        .paginate(
            StreamNameCondition={"ComparisonOperator": "BEGINS_WITH", "ComparisonValue": "listed-"},
            PaginationConfig={"PageSize": 2},
        )
    )

    assert [
        ["listed-0", "listed-1"],
        ["listed-2", "listed-3"],
        ["listed-4"],
    ] == [[each["StreamName"] for each in page["StreamInfoList"]] for page in pages]


def test_tags_are_put_replaced_and_taken_off_by_both_families_of_calls(kvs: LocalKvs) -> None:
    """The calls for streams and those for resources mean the same tags; more than 50 are refused."""
    client = kvs.client()
    arn = kvs.stream("e")
    client.tag_stream(StreamName="e", Tags={"one": "1", "two": "2"})
    client.tag_resource(
        ResourceARN=arn, Tags=[{"Key": "two", "Value": "zwei"}, {"Key": "three", "Value": ""}]
    )
    client.untag_stream(StreamName="e", TagKeyList=["one"])

    assert {"two": "zwei", "three": ""} == client.list_tags_for_resource(ResourceARN=arn)["Tags"]
    client.untag_resource(ResourceARN=arn, TagKeyList=["two", "never"])
    assert {"three": ""} == client.list_tags_for_stream(StreamARN=arn)["Tags"]
    assert (
        "TagsPerResourceExceededLimitException"
        == refused(client.tag_stream, StreamName="e", Tags={str(number): "" for number in range(50)})[0]
    )


def test_every_reader_and_the_producer_are_named_an_endpoint_of_their_own_stream(kvs: LocalKvs) -> None:
    """The endpoint is where the server listens, without a path."""
    client = kvs.client()
    kvs.stream("f")
    names = ["PUT_MEDIA", "GET_MEDIA", "LIST_FRAGMENTS", "GET_MEDIA_FOR_FRAGMENT_LIST", "GET_CLIP"]

    assert {kvs.address} == {
        client.get_data_endpoint(StreamName="f", APIName=name)["DataEndpoint"] for name in names
    }
    assert (
        "InvalidArgumentException" == refused(client.get_data_endpoint, StreamName="f", APIName="GET_LOST")[0]
    )
    assert (
        "ResourceNotFoundException"
        == refused(client.get_data_endpoint, StreamName="gone", APIName="PUT_MEDIA")[0]
    )


def test_who_asks_is_found_out_before_anything_is_answered(kvs: LocalKvs) -> None:
    """An unknown key, a wrong secret, an expired token, a policy that does not allow it."""
    wrong = replace(CREDENTIAL, secret_key="another secret")  # noqa: S106 - of nobody
    unknown = replace(CREDENTIAL, access_key="AKIDNOBODY")

    assert ("UnrecognizedClientException", 403) == refused(kvs.client(credential=unknown).list_streams)
    assert ("InvalidSignatureException", 403) == refused(kvs.client(credential=wrong).list_streams)
    assert ("ExpiredTokenException", 403) == refused(kvs.client(credential=EXPIRED).list_streams)
    assert ("AccessDeniedException", 403) == refused(
        kvs.client(credential=LIMITED).create_stream, StreamName="denied"
    )
    assert "StreamInfoList" in kvs.client(credential=LIMITED).list_streams()


def test_operations_that_are_not_built_say_so(kvs: LocalKvs) -> None:
    """A signalling channel is no stream."""
    assert ("UnknownOperationException", 404) == refused(
        kvs.client().create_signaling_channel, ChannelName="porch"
    )


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ClientLimitExceededException", 400),
        ("NotAuthorizedException", 401),
        ("AccessDeniedException", 403),
        ("ResourceNotFoundException", 404),
        ("InternalFailureException", 500),
    ],
)
def test_every_answer_of_the_service_can_be_switched_on_once(kvs: LocalKvs, code: str, status: int) -> None:
    """The operation that is named is refused, the next call is not."""
    kvs.fail(Refuse(code, "ListStreams"))

    assert (code, status) == refused(kvs.client().list_streams)
    assert "StreamInfoList" in kvs.client().list_streams()
