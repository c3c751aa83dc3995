"""Where a person finds an object: in PagerDuty by its id, in Harness as near as its addresses are documented."""

from dataclasses import dataclass
from urllib.parse import quote

from pdmigrate.plan.kinds import KINDS

PAGERDUTY = {
    **{name: kind.link for name, kind in KINDS.items()},
    "reach": "users/{}",
    "renewals": "schedules/{}",
    "alert_rules": "service-directory/{}",
    "event_rules": "service-directory/{}",
    "integrations": "service-directory/{}",
    "event_orchestrations": "event-orchestrations/{}",
    "rulesets": "rules/rulesets/{}",
}

DOMAINS = {"us": "pagerduty.com", "eu": "eu.pagerduty.com"}


@dataclass(frozen=True)
class Links:
    """Both sides' addresses. harness: the base URL as set, whose host the browser takes too.

    host: PagerDuty's, as the account's own links have it; without it, by name and region; with neither, no link at all.
    region: us, eu, or "" where nobody has said it: a default is no statement.
    """

    harness: str
    account: str
    org: str
    project: str
    subdomain: str
    region: str = ""
    host: str = ""

    def to_harness(self) -> str:
        """The project. No address of a page inside AI SRE is documented, so each item says where to click from here."""
        base = self.harness.split("/gateway")[0]
        parts = (self.account, "home", "orgs", self.org, "projects", self.project, "details")
        return f"{base}/ng/account/{'/'.join(quote(part, safe='') for part in parts)}"

    def to_pagerduty(self, kind: str, id: str) -> str:
        """The object's page, or the account's; "" where nobody knows where the account is."""
        domain = DOMAINS.get(self.region)
        host = self.host or (f"{self.subdomain}.{domain}" if self.subdomain and domain else "")
        page = PAGERDUTY[kind].format(quote(id, safe="")) if kind in PAGERDUTY else ""
        return f"https://{host}/{page}" if host else ""
