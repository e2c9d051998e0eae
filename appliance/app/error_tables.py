"""The measured error rates that come with the program, read.

Apart from what opens networks: whoever judges scores that are there already needs none.
"""

import json
from pathlib import Path

from appliance.decision import ErrorTables
from appliance.errors import ModelError

TABLES_FILE = Path(__file__).parents[2] / "data" / "score-tails.json"


def read_tables() -> ErrorTables:
    """The measured error rates that come with the program.

    Raises:
        ModelError: They are missing or damaged.
    """
    try:
        return ErrorTables.from_json(json.loads(TABLES_FILE.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{TABLES_FILE} cannot be read: {error}", hint="restore it from the release you installed"
        ) from error
