"""The CloudFormation template: it passes cfn-lint without a warning, and allows no more than it has to."""

from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint_file
from cfnlint.decode import cfn_yaml

TEMPLATE = Path(__file__).parents[2] / "appliance" / "deploy" / "aws" / "moments.yaml"


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    """What it makes."""
    found: dict[str, Any] = cfn_yaml.load(str(TEMPLATE))["Resources"]
    return found


def statements(resources: dict[str, Any]) -> list[dict[str, Any]]:
    """Everything that its roles may."""
    found = [each for each in resources.values() if each["Type"] == "AWS::IAM::RolePolicy"]
    documents = [each["Properties"]["PolicyDocument"] for each in found]
    inline = [policy for each in resources.values() for policy in each["Properties"].get("Policies", ())]
    documents += [policy["PolicyDocument"] for policy in inline]
    return [statement for document in documents for statement in document["Statement"]]


def test_it_passes_cfn_lint() -> None:
    """Neither an error nor a warning."""
    assert [] == [str(each) for each in lint_file(TEMPLATE)]


def test_roles_may_no_more_than_they_have_to(resources: dict[str, Any]) -> None:
    """No action with a wildcard, nothing about every resource, and only a service of AWS takes a role."""
    allowed = statements(resources)
    actions = [action for each in allowed for action in _list(each["Action"])]

    assert len(allowed) == 8
    assert [] == [action for action in actions if "*" in action]
    assert [] == [each for each in allowed if each["Resource"] == "*"]
    for each in resources.values():
        if each["Type"] == "AWS::IAM::Role":
            (trust,) = each["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            assert "Service" in trust["Principal"]
            assert trust["Condition"]


def test_the_bucket_and_the_domain_are_shut(resources: dict[str, Any]) -> None:
    """Nobody of the public, nothing in the clear, and what was kept outlives the stack."""
    bucket, domain = resources["Copies"], resources["Search"]
    principals = [each["Principal"] for each in domain["Properties"]["AccessPolicies"]["Statement"]]

    assert {True} == set(bucket["Properties"]["PublicAccessBlockConfiguration"].values())
    assert domain["Properties"]["DomainEndpointOptions"]["EnforceHTTPS"] is True
    assert domain["Properties"]["EncryptionAtRestOptions"]["Enabled"] is True
    assert all("*" not in str(each) for each in principals)
    assert ["Retain", "Retain"] == [each["DeletionPolicy"] for each in (bucket, domain)]


def test_the_topic_has_no_dollar() -> None:
    """Topics that begin with it are AWS IoT's own: the parameter takes none."""
    import re  # noqa: PLC0415

    pattern = cfn_yaml.load(str(TEMPLATE))["Parameters"]["Topic"]["AllowedPattern"]

    assert re.fullmatch(pattern, "appliance/+/infer")
    assert not re.fullmatch(pattern, "$aws/things/box/infer")
    assert not re.fullmatch(pattern, "appliance/#")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
