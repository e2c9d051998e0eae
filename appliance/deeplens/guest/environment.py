"""The environment variables a function found on a DeepLens, where the hosting side has not set them.

Credentials are dummies unless real ones were handed over: some functions read them and stop without. Pure.
"""

from collections.abc import Mapping
from typing import Final

REGION: Final = "us-east-1"
"""Where DeepLens was; functions make clients without naming one."""
THING: Final = "deeplens_appliance"

_DUMMY: Final = "local"


def completed(given: Mapping[str, str], *, folder: str, handler: str, memory_mb: int) -> dict[str, str]:
    """What is to be added to the environment of a function.

    Args:
        given: The environment as it is; nothing in it is changed.
        folder: The function's.
        handler: As `lambda_function.lambda_handler`.
        memory_mb: What it may use.
    """
    region = given.get("AWS_REGION") or given.get("AWS_DEFAULT_REGION") or REGION
    name = given.get("AWS_LAMBDA_FUNCTION_NAME") or folder.rstrip("/").rsplit("/", 1)[-1] or "deeplens"
    wanted = {
        "AWS_IOT_THING_NAME": THING,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
        "LAMBDA_TASK_ROOT": folder,
        "LAMBDA_RUNTIME_DIR": folder,
        "_HANDLER": handler,
        "MY_FUNCTION_ARN": f"arn:aws:lambda:{region}:000000000000:function:{name}:1",
        "GGC_VERSION": "1.11.6",
        "AWS_EC2_METADATA_DISABLED": "true",  # or boto3 looks for a server that is not there, for seconds
    }
    if "AWS_ACCESS_KEY_ID" not in given:
        wanted |= {
            "AWS_ACCESS_KEY_ID": _DUMMY,
            "AWS_SECRET_ACCESS_KEY": _DUMMY,
            "AWS_SESSION_TOKEN": _DUMMY,
        }
    return {name: value for name, value in wanted.items() if not given.get(name)}
