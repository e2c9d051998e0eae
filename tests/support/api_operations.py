"""`web/api/operations.json`, made from the desk: its operations, who may, what they are told."""

import inspect
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from desk_box import desk_box

from appliance.app.desk.operations import Operation
from appliance.services import Layout, open_services
from appliance.settings import Settings
from web.api.table import EXCEPTIONS


def text() -> str:
    """The file."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_services(Settings(), Layout(Path(folder) / "state"), create=True) as services,
        desk_box(services) as box,
    ):
        found = {name: _told(each) for name, each in sorted(box.desk.operations.items())}
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def _told(operation: Operation[Any]) -> dict[str, Any]:
    """One operation; of those that the API leaves out, the permission alone."""
    if operation.name in EXCEPTIONS:
        return {"permission": str(operation.permission), "words": "", "arguments": {}}
    schema = operation.arguments.model_json_schema()
    arguments = _inlined(schema, schema.pop("$defs", {}))
    return {
        "permission": str(operation.permission),
        "words": (inspect.getdoc(operation.run) or "").partition("\n\n")[0].replace("\n", " "),
        "arguments": {key: arguments[key] for key in ("properties", "required") if key in arguments},
    }


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """The schema with what it refers to in place, without what models are called in our code."""
    if isinstance(schema, list):
        return [_inlined(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        inner = _inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions)
        return {
            **inner,
            **{key: _inlined(each, definitions) for key, each in schema.items() if key != "$ref"},
        }
    return {
        key: {name: _inlined(each, definitions) for name, each in value.items()}
        if key == "properties"
        else _inlined(value, definitions)
        for key, value in schema.items()
        if not (key in {"title", "description"} and isinstance(value, str))
    }
