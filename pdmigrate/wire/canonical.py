"""The one spelling of a value that digests are made over."""

import json
from typing import Any


def canonical_json(data: Any) -> str:
    """The one spelling of `data` that digests are made over."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
