"""What a box may do at AWS IoT Core, as its policy: say what it sees and what happens, under its own name.

Pure. It may connect under one client id (and that of `appliance mqtt check`), publish to its own topics and
read back its own states; it may not read what others say, and no other box's topics.
"""

import json
from collections.abc import Mapping
from typing import Any

from appliance.sinks.mqtt_topics import Topics


def iot_policy(account: str, topics: Topics, client_id: str) -> dict[str, Any]:
    """The policy of one box.

    Args:
        account: `arn:aws:iot:REGION:ACCOUNT`, what the ARNs of the account's things begin with.
        topics: Of the box.
        client_id: What it calls itself to the broker.
    """
    said = [f"{topics.base}/*", topics.infer, topics.discovery]
    heard = [topics.discovery, topics.discovery_status]
    return {
        "Version": "2012-10-17",
        "Statement": [
            _statement("iot:Connect", account, [f"client/{client_id}", f"client/{client_id}-check"]),
            _statement("iot:Publish", account, [f"topic/{each}" for each in said]),
            _statement(
                "iot:RetainPublish", account, [f"topic/{each}" for each in (said[0], topics.discovery)]
            ),
            _statement("iot:Subscribe", account, [f"topicfilter/{each}" for each in (topics.states, *heard)]),
            _statement(
                "iot:Receive", account, [f"topic/{each}" for each in (f"{topics.base}/state/*", *heard)]
            ),
        ],
    }


def _statement(action: str, account: str, resources: list[str]) -> Mapping[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": [f"{account}:{each}" for each in resources]}


def same(one: str, other: Mapping[str, Any]) -> bool:
    """Whether a policy as the service has it says the same as this one."""
    try:
        return bool(json.loads(one) == other)
    except ValueError:
        return False
