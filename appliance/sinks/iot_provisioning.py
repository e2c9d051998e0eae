"""A box made known to AWS IoT Core: its thing, its certificate and what it may.

It looks first, and changes when told. What is there already is kept, so that it may be run again after
whatever went wrong. The key is made by whoever calls and never sent: the service gets a request for a
certificate of it.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from appliance.errors import SinkError
from appliance.private_files import replace
from appliance.sinks.iot_policy import same

State = Literal["there", "make", "change"]
_MOST_VERSIONS: Final = 5
"""Versions that the service keeps of a policy."""
_CODE: Final = re.compile(r"[A-Za-z]{1,64}")
_DENIED: Final = frozenset({"AccessDeniedException", "AccessDenied", "UnauthorizedException", "Forbidden"})
_NO_LONGER: Final = frozenset(
    {"ExpiredTokenException", "ExpiredToken", "InvalidClientTokenId", "UnrecognizedClientException"}
)


@dataclass(frozen=True, slots=True)
class Step:
    """Something that is needed.

    Attributes:
        what: `thing`, `certificate`, `policy`, `policy attached` or `certificate attached`.
        name: Of it.
        state: Whether it is there, is to be made, or is to be changed.
    """

    what: str
    name: str
    state: State


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a box is to be at the service.

    Attributes:
        thing: Its name.
        certificate: Where its certificate lies, or will.
        policy: Given `arn:aws:iot:REGION:ACCOUNT`: what it may.
        request: Makes a request for a certificate, PEM; called only when one is made.
    """

    thing: str
    certificate: Path
    policy: Callable[[str], Mapping[str, Any]]
    request: Callable[[], bytes]

    @property
    def policy_name(self) -> str:
        """The policy's name."""
        return f"{self.thing}-policy"


class Provisioning:
    """One box at one account's service.

    Args:
        wanted: What it is to be.
        region: Of AWS; None: what the credentials' own configuration says.
        profile: Which profile of the credentials.
    """

    def __init__(self, wanted: Wanted, *, region: str | None = None, profile: str | None = None) -> None:
        self._wanted = wanted
        self._record = wanted.certificate.with_suffix(".json")
        self._account: str | None = None
        with _explained():
            self._session = botocore.session.Session(profile=profile)
            self._iot: Any = self._session.create_client("iot", region_name=region)

    def endpoint(self) -> str:
        """The name of the broker of this account and region.

        Raises:
            SinkError: The service does not say.
        """
        with _explained():
            return str(self._iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"])

    def account(self) -> str:
        """What the ARNs of the account's things begin with.

        Raises:
            SinkError: The service does not say.
        """
        if self._account is None:
            region = self._iot.meta.region_name
            with _explained():
                caller = self._session.create_client("sts", region_name=region).get_caller_identity()
            partition = caller["Arn"].split(":")[1]
            self._account = f"arn:{partition}:iot:{region}:{caller['Account']}"
        return self._account

    def plan(self) -> list[Step]:
        """What is needed, and what of it is there; nothing is changed.

        Raises:
            SinkError: The service cannot be asked, or the certificate here is none that it accepts.
        """
        wanted = self._wanted
        with _explained():
            thing = self._there(self._iot.describe_thing, thingName=wanted.thing)
            policy = self._there(self._iot.get_policy, policyName=wanted.policy_name)
            arn = self._certificate()
            attached = allowed = False
            if arn is not None:
                principals = self._iot.list_thing_principals(thingName=wanted.thing) if thing else {}
                attached = arn in principals.get("principals", ())
                found = self._iot.list_attached_policies(target=arn)["policies"]
                allowed = wanted.policy_name in {each["policyName"] for each in found}
        told: State = "make"
        if policy is not None:
            told = "there" if same(policy["policyDocument"], wanted.policy(self.account())) else "change"
        return [
            Step("thing", wanted.thing, _state(there=thing is not None)),
            Step("policy", wanted.policy_name, told),
            Step(
                "certificate",
                str(wanted.certificate),
                _state(there=arn is not None and wanted.certificate.exists()),
            ),
            Step("policy attached", wanted.policy_name, _state(there=allowed)),
            Step("certificate attached", wanted.thing, _state(there=attached)),
        ]

    def apply(self) -> list[Step]:
        """Make what is missing, and change what is not as it is to be; the steps that were done.

        Raises:
            SinkError: The service refused something: what was made stays, and another run goes on there.
        """
        wanted, steps = self._wanted, [each for each in self.plan() if each.state != "there"]
        by_name = {each.what: each for each in steps}
        with _explained():
            if "thing" in by_name:
                self._iot.create_thing(thingName=wanted.thing)
            if "policy" in by_name:
                self._put_policy(new=by_name["policy"].state == "make")
            arn = self._certificate(fetch=True) or self._make_certificate()
            if "policy attached" in by_name:
                self._iot.attach_policy(policyName=wanted.policy_name, target=arn)
            if "certificate attached" in by_name:
                self._iot.attach_thing_principal(thingName=wanted.thing, principal=arn)
        return steps

    def _certificate(self, *, fetch: bool = False) -> str | None:
        """The ARN of the certificate that was made before, which the service has to accept; None: none was.

        Args:
            fetch: Write the certificate itself, if it is missing here.

        Raises:
            SinkError: The service does not know it, or does not accept it any more, or it is not of here.
        """
        path, hint = self._wanted.certificate, "move it away, and another one is made; or name another folder"
        if not self._record.exists():
            if path.exists():
                raise SinkError(f"{path} was not made by this command", hint=hint)
            return None
        try:
            number = str(json.loads(self._record.read_text(encoding="utf-8"))["certificate_id"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SinkError(f"{self._record} cannot be read", hint=hint) from error
        found = self._there(self._iot.describe_certificate, certificateId=number)
        if found is None:
            raise SinkError(f"AWS IoT does not know the certificate of {self._record}", hint=hint)
        described = found["certificateDescription"]
        if described["status"] != "ACTIVE":
            raise SinkError(f"AWS IoT does not accept the certificate of {self._record} any more", hint=hint)
        if fetch and not path.exists():
            _write(path, described["certificatePem"])
        return str(described["certificateArn"])

    def _make_certificate(self) -> str:
        """A certificate of the key here. Its id is kept first: a crash behind that loses nothing.

        Raises:
            SinkError: It cannot be kept; then it is not accepted any more, rather than forgotten.
        """
        made = self._iot.create_certificate_from_csr(
            certificateSigningRequest=self._wanted.request().decode(), setAsActive=True
        )
        try:
            _write(self._record, json.dumps({"certificate_id": made["certificateId"]}) + "\n")
        except SinkError:
            self._iot.update_certificate(certificateId=made["certificateId"], newStatus="INACTIVE")
            raise
        _write(self._wanted.certificate, made["certificatePem"])
        return str(made["certificateArn"])

    def _put_policy(self, *, new: bool) -> None:
        name = self._wanted.policy_name
        document = json.dumps(self._wanted.policy(self.account()))
        if new:
            self._iot.create_policy(policyName=name, policyDocument=document)
            return
        versions = self._iot.list_policy_versions(policyName=name)["policyVersions"]
        if len(versions) >= _MOST_VERSIONS:
            old = min((each for each in versions if not each["isDefaultVersion"]), key=_created)
            self._iot.delete_policy_version(policyName=name, policyVersionId=old["versionId"])
        self._iot.create_policy_version(policyName=name, policyDocument=document, setAsDefault=True)

    def _there(self, ask: Callable[..., Any], **named: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = ask(**named)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise
        return found


def _write(path: Path, text: str) -> None:
    """Put a private file in its place.

    Raises:
        SinkError: It cannot be written.
    """
    try:
        replace(path, text.encode())
    except OSError as error:
        raise SinkError(
            f"{path} cannot be written: {error.strerror}", hint="look at the folder and its owner"
        ) from error


def _created(version: Mapping[str, Any]) -> int:
    return int(version["versionId"])


def _state(*, there: bool) -> State:
    return "there" if there else "make"


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Turn what the library raises within the block into ours; nothing the service says is repeated.

    Raises:
        SinkError: Something went wrong.
    """
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        code = code if _CODE.fullmatch(code) else "unknown"
        if code in _DENIED:
            raise SinkError(
                f"these credentials may not ask AWS IoT for {error.operation_name}",
                reason="denied",
                hint=f"allow iot:{error.operation_name} to whoever provisions boxes",
            ) from error
        if code in _NO_LONGER:
            raise SinkError(
                "AWS does not accept these credentials (any more)",
                reason="credentials",
                hint="sign in anew, or name another --profile",
            ) from error
        raise SinkError(f"AWS IoT refused {error.operation_name} ({code})") from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise SinkError(
            "there are no credentials of AWS",
            reason="no_credentials",
            hint="sign in with AWS's own tools, or name a --profile",
        ) from error
    except BotoCoreError as error:
        raise SinkError(
            f"AWS IoT cannot be asked ({type(error).__name__})",
            reason="unreachable",
            hint="look at the network, at --region and at --profile",
        ) from error
