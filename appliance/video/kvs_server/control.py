"""The control plane: what clients ask of streams before and beside their media.

Each operation takes the members of its input and gives those of its output, by the names of the service
model. Signatures were checked before; what a caller's policies deny is checked here. Signalling channels,
edge agents, images and notifications made by the service are not built: they are answered as operations
that are unknown.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from appliance.clock import Clock
from appliance.video.kvs_server import fields
from appliance.video.kvs_server.fields import Fields
from appliance.video.kvs_server.requests import RefusedError
from appliance.video.kvs_server.signatures import Credential, may
from appliance.video.kvs_server.streams import ACCOUNT, StreamBook, StreamRow

API_NAMES: Final = frozenset(
    {
        "PUT_MEDIA",
        "GET_MEDIA",
        "LIST_FRAGMENTS",
        "GET_MEDIA_FOR_FRAGMENT_LIST",
        "GET_HLS_STREAMING_SESSION_URL",
        "GET_DASH_STREAMING_SESSION_URL",
        "GET_CLIP",
        "GET_IMAGES",
    }
)
_MAX_PAGE: Final = 10_000
_DEFAULT_KEY: Final = "arn:aws:kms:{region}:{account}:alias/aws/kinesisvideo"

Operation = Callable[[Fields, Credential], Mapping[str, Any]]


class ControlPlane:
    """The operations on streams.

    Args:
        streams: All of them.
        clock: The wall clock says when a stream is made.
        region: Stands in ARNs.
        endpoint: Where this server is reached: scheme, host and port.
        deleted: Told the name of a stream that is gone.
    """

    def __init__(
        self,
        streams: StreamBook,
        *,
        clock: Clock,
        region: str,
        endpoint: Callable[[], str],
        deleted: Callable[[str], None],
    ) -> None:
        self._streams = streams
        self._clock = clock
        self._region = region
        self._endpoint = endpoint
        self._deleted = deleted

    @property
    def operations(self) -> Mapping[str, tuple[str, Operation]]:
        """Path → (name, operation). Every one is a POST of JSON."""
        named: Mapping[str, Operation] = {
            "CreateStream": self._create,
            "DescribeStream": self._describe,
            "ListStreams": self._list,
            "UpdateStream": self._update,
            "UpdateDataRetention": self._update_retention,
            "DeleteStream": self._delete,
            "GetDataEndpoint": self._data_endpoint,
            "TagStream": self._tag,
            "UntagStream": self._untag,
            "ListTagsForStream": self._list_tags,
        }
        # These three alone begin with a capital letter in the service model.
        resources: Mapping[str, Operation] = {
            "TagResource": self._tag_resource,
            "UntagResource": self._untag_resource,
            "ListTagsForResource": self._list_resource_tags,
        }
        paths = {f"/{name[0].lower()}{name[1:]}": (name, each) for name, each in named.items()}
        return {**paths, **{f"/{name}": (name, each) for name, each in resources.items()}}

    def _create(self, given: Fields, caller: Credential) -> Mapping[str, Any]:
        name = given.need_text("StreamName", fields.STREAM_NAME)
        may(caller, "CreateStream", name, ACCOUNT)
        row = self._streams.create(
            name,
            self._now(),
            retention_hours=given.number("DataRetentionInHours", least=0) or 0,
            media_type=given.text("MediaType", fields.MEDIA_TYPE),
            device_name=given.text("DeviceName", fields.DEVICE_NAME),
            key_id=given.text("KmsKeyId", fields.KEY_ID),
            tags=given.tags("Tags"),
        )
        return {"StreamARN": row.arn}

    def _describe(self, given: Fields, caller: Credential) -> Mapping[str, Any]:
        return {"StreamInfo": self._info(self.named(given, caller, "DescribeStream"))}

    def _list(self, given: Fields, caller: Credential) -> Mapping[str, Any]:
        may(caller, "ListStreams", f"arn:aws:kinesisvideo:{self._region}:{ACCOUNT}:stream/*", ACCOUNT)
        most = given.number("MaxResults", least=1, most=_MAX_PAGE) or _MAX_PAGE
        after = given.text("NextToken", fields.TOKEN)
        condition = given.within("StreamNameCondition")
        start = ""
        if condition is not None:
            condition.choice("ComparisonOperator", {"BEGINS_WITH"})
            start = condition.text("ComparisonValue", fields.STREAM_NAME) or ""
        rows = [row for row in self._streams.sorted() if row.name.startswith(start)]
        # The name of the last one of a page is its own token, in hexadecimal, which its form allows.
        last = _unhexed(after) if after else ""
        rest = [row for row in rows if row.name > last]
        found: dict[str, Any] = {"StreamInfoList": [self._info(row) for row in rest[:most]]}
        if len(rest) > most:
            found["NextToken"] = rest[most - 1].name.encode().hex()
        return found

    def _update(self, given: Fields, caller: Credential) -> Mapping[str, Any]:
        row = self.named(given, caller, "UpdateStream")
        version = given.need_text("CurrentVersion", fields.VERSION)
        media_type = given.text("MediaType", fields.MEDIA_TYPE)
        device_name = given.text("DeviceName", fields.DEVICE_NAME)
        self._streams.change(
            row,
            version,
            media_type=media_type or row.media_type,
            device_name=device_name or row.device_name,
        )
        return {}

    def _update_retention(self, given: Fields, caller: Credential) -> Mapping[str, Any]:
        row = self.named(given, caller, "UpdateDataRetention")
        version = given.need_text("CurrentVersion", fields.VERSION)
        hours = given.need_number("DataRetentionChangeInHours", least=1)
        which = given.need_choice("Operation", {"INCREASE_DATA_RETENTION", "DECREASE_DATA_RETENTION"})
        change = hours if which == "INCREASE_DATA_RETENTION" else -hours
        self._streams.change(row, version, retention_hours=row.retention_hours + change)
        return {}

    def _delete(self, given: Fields, caller: Credential) -> Mapping[str, Any]:
        row = self.named(given, caller, "DeleteStream")
        self._streams.delete(row, given.text("CurrentVersion", fields.VERSION))
        self._deleted(row.name)
        return {}

    def _data_endpoint(self, given: Fields, caller: Credential) -> Mapping[str, Any]:
        given.need_choice("APIName", API_NAMES)
        self.named(given, caller, "GetDataEndpoint")
        return {"DataEndpoint": self._endpoint()}

    def _tag(self, given: Fields, caller: Credential) -> Mapping[str, Any]:
        row = self.named(given, caller, "TagStream")
        self._streams.tag(row, _given_tags(given))
        return {}

    def _untag(self, given: Fields, caller: Credential) -> Mapping[str, Any]:
        row = self.named(given, caller, "UntagStream")
        self._streams.untag(row, given.tag_keys("TagKeyList"))
        return {}

    def _list_tags(self, given: Fields, caller: Credential) -> Mapping[str, Any]:
        return {"Tags": dict(self.named(given, caller, "ListTagsForStream").tags)}

    def _tag_resource(self, given: Fields, caller: Credential) -> Mapping[str, Any]:
        self._streams.tag(self._resource(given, caller, "TagResource"), _given_tags(given))
        return {}

    def _untag_resource(self, given: Fields, caller: Credential) -> Mapping[str, Any]:
        row = self._resource(given, caller, "UntagResource")
        self._streams.untag(row, given.tag_keys("TagKeyList"))
        return {}

    def _list_resource_tags(self, given: Fields, caller: Credential) -> Mapping[str, Any]:
        return {"Tags": dict(self._resource(given, caller, "ListTagsForResource").tags)}

    def named(self, given: Fields, caller: Credential, operation: str) -> StreamRow:
        """The stream that an input names, if the caller may do that to it.

        Raises:
            RefusedError: Denied, not named by exactly one of name and ARN, or not there.
        """
        name, arn = given.text("StreamName", fields.STREAM_NAME), given.arn("StreamARN")
        may(caller, operation, name or arn or "*", ACCOUNT)
        return self._streams.find(name=name, arn=arn)

    def _resource(self, given: Fields, caller: Credential, operation: str) -> StreamRow:
        arn = given.arn("ResourceARN")
        may(caller, operation, arn or "*", ACCOUNT)
        return self._streams.find(name=None, arn=arn)

    def _info(self, row: StreamRow) -> dict[str, Any]:
        found = {
            "DeviceName": row.device_name,
            "StreamName": row.name,
            "StreamARN": row.arn,
            "MediaType": row.media_type,
            "KmsKeyId": row.key_id or _DEFAULT_KEY.format(region=self._region, account=ACCOUNT),
            "Version": row.version,
            "Status": "ACTIVE",
            "CreationTime": row.created_at.timestamp(),
            "DataRetentionInHours": row.retention_hours,
        }
        return {name: value for name, value in found.items() if value is not None}

    def _now(self) -> datetime:
        return self._clock.wall()


def _given_tags(given: Fields) -> Mapping[str, str]:
    tags = given.tags("Tags")
    if tags is None:
        raise RefusedError("InvalidArgumentException", "Tags must be given.")
    return tags


def _unhexed(token: str) -> str:
    try:
        return bytes.fromhex(token).decode()
    except ValueError:
        raise RefusedError("InvalidArgumentException", "NextToken is not one of this server's.") from None
