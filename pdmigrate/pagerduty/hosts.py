"""Where an account lives, by the links that its own answers have."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

LINK = re.compile(r"https://(([^./]+)\.(?:[a-z0-9-]+\.)?pagerduty\.com)/", re.IGNORECASE)


def find_host(rows: Iterable[Any]) -> str:
    """The host that most links of the account's own objects have, as acme.eu.pagerduty.com; "" where there is no link."""
    links = (LINK.match(row.get("html_url") or "") for row in rows if isinstance(row, dict))
    found = Counter(link.group(1).lower() for link in links if link).most_common(1)
    return found[0][0] if found else ""
