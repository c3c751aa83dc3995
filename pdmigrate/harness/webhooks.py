"""Webhooks of Harness: an alert goes in by one, once. Its address is the key."""

import re
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pdmigrate.errors import AnswerError, SettingsError, SideError, UnreachableError, shorten
from pdmigrate.wire.addresses import check_address
from pdmigrate.wire.network import Network
from pdmigrate.wire.redaction import mask_secrets
from pdmigrate.wire.transport import Patience, Transport

Taken = Literal["sent", "refused", "unknown"]


@dataclass(frozen=True, repr=False)
class Webhook:
    """An address that takes alerts. It is a secret as a whole: whoever has it can page. kind: `paging` or `general`."""

    kind: str
    url: str
    network: Network | None = None

    def send(self, body: dict[str, Any]) -> tuple[Taken, str]:
        """Send it once: whether it was taken, and the side's own words. What may have arrived is never sent again."""
        parts = urlsplit(self.url)
        base = f"{parts.scheme}://{parts.netloc}"
        way = Transport(
            "Harness's webhook", base, {}, frozenset({"POST"}), Patience(tries=1), network=self.network, timeout=20.0
        )
        try:
            way.send("POST", parts.path, dict(parse_qsl(parts.query)), body, door=True)
        except SideError as error:
            words = mask_secrets(str(error), [self.url, parts.path, parts.query, *self._list_keys()])
            if isinstance(error, AnswerError) and error.status < 300:
                return "sent", ""
            unknown = isinstance(error, UnreachableError) and error.status != 429
            return ("unknown" if unknown else "refused"), words
        return "sent", ""

    def _list_keys(self) -> list[str]:
        parts = urlsplit(self.url)
        return [
            *(value for _, value in parse_qsl(parts.query)),
            *re.findall(r"(?<=webhook/)[^/]+|[^/]{16,}", parts.path),
        ]


def read_webhook(url: str, account: str, name: str, network: Network | None = None) -> Webhook:
    """A webhook's address as Harness shows it. Raises SettingsError, which never repeats it. name: the reference to it."""
    paging = "https://app.harness.io/api/v1/webhook/ID?key=KEY"
    general = "https://app.harness.io/gateway/ir/tp/account/ACCOUNT/api/v1/mc/webhook/ID/TOKEN"
    wrong = f"{name} is no webhook of Harness: copy the whole address, {paging} or {general}."
    try:
        parts = urlsplit(check_address(url))
    except ValueError:
        raise SettingsError(wrong) from None
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise SettingsError(f"{name}: a webhook's key goes by https alone: mend its address.")
    if re.fullmatch(r"(?:/[\w-]+)*/api/v1/webhook/[^/]+", parts.path):
        return Webhook("paging", url, network)
    found = re.fullmatch(r"(?:/[\w-]+)*/ir/tp/account/([^/]+)/api/v1/mc/webhook/[^/]+(?:/[^/]+)?", parts.path)
    if not found:
        raise SettingsError(wrong)
    if found[1] != account:
        raise SettingsError(f"{name} is a webhook of the account {shorten(found[1])}, target.account says {account}.")
    return Webhook("general", url, network)


def write_body(webhook: Webhook, title: str, words: str, token: str, service: str) -> dict[str, Any]:
    """An alert as the webhook takes it: a paging webhook the documented fields, a general one what its mapping reads."""
    urgent = {"priority": "p1_critical", "status": "triggered"}
    if webhook.kind == "paging":
        return {"message": title, "email_text": words, **urgent}
    about = {"service": service, "deduplicationId": f"pdmigrate-{token}"}
    return {"title": title, "message": title, "description": words, **about, **urgent}
