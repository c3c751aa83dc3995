"""A key that comes back in somebody's words: found in whatever form, and masked."""

import base64
import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote

import markupsafe

MASK = "…"
SHORTEST_PIECE = 8
"""So many characters of a key's beginning are masked at the end of a text that was cut short."""


def spell_secret(secret: str) -> frozenset[str]:
    """How a text may repeat a secret, in lower case: as it is, or as JSON, a page, an address or base 64 would have it.

    In base 64 the characters depend on where in a longer text the secret stands: what is the same of it in each of the
    three places is enough to know it.
    """
    data = secret.encode("utf-8", "replace")
    forms = {secret, json.dumps(secret)[1:-1], html.escape(secret), str(markupsafe.escape(secret))}
    forms |= {quote(data, safe=""), "".join(f"%{byte:02x}" for byte in data)}
    for before in range(3 if len(secret) >= SHORTEST_PIECE else 0):
        whole = base64.b64encode(b"\0" * before + data).decode().rstrip("=")
        # the first characters hold bits of what stands before it, the last one of what comes behind
        core = whole[(0, 2, 3)[before] : len(whole) - ((before + len(data)) % 3 > 0)]
        forms |= {core, core.replace("+", "-").replace("/", "_"), quote(core, safe="")}
    return frozenset(form.lower() for form in forms if form)


def mask_secrets(text: str, secrets: Iterable[str]) -> str:
    """The text without any of the secrets, in any form and case; nor the beginning of one where the text ends in it."""
    forms = {form for secret in secrets if secret for form in spell_secret(secret)}
    if not forms:
        return text
    text = re.sub("|".join(map(re.escape, sorted(forms, key=len, reverse=True))), MASK, text, flags=re.IGNORECASE)
    lower = text.lower()
    cut = max(
        (size for form in forms for size in range(SHORTEST_PIECE, len(form)) if lower.endswith(form[:size])), default=0
    )
    return text[:-cut] + MASK if cut else text
