"""Services and whoever sends to them: the line for a person and the row of a sheet, from the same facts.

Harness's paging webhook pages for whatever arrives: it comes with an always-true rule, and neither deduplication nor
resolve events are described (Harness's documentation, service paging webhook). PagerDuty did all of that by itself.
"""

from collections.abc import Iterator, Mapping

from pdmigrate.handover.items import Item, make_item
from pdmigrate.handover.links import Links
from pdmigrate.mapping.draft import Draft

Row = Mapping[str, str | int | None]
Line = tuple[tuple[Item, ...], Row]
"""The items that name a sheet, and their row in it."""

WEBHOOK = "https://app.harness.io/api/v1/webhook/<id>?key=<key>"
EVENTS = (
    "It sends trigger, acknowledge and resolve events with a dedup_key, and PagerDuty made one incident of equal keys. "
    "Send trigger events only, and only the first for a dedup_key; keep acknowledge and resolve away from the webhook."
)
ADVICE = {
    "events_api_v2": EVENTS,
    "generic_events_api": EVENTS.replace("dedup_key", "incident_key"),
    "aws_cloudwatch": (
        "CloudWatch sends a message for ALARM and one for OK, and PagerDuty resolved on OK. Point only the ALARM action "
        "at the webhook, by a subscription filter or a small function that drops OK and INSUFFICIENT_DATA."
    ),
    "generic_email": (
        "Every mail made or joined an incident by its subject or a rule. Send mails to the address of the webhook "
        "({id}_{key}@alerts.harness.io), and first mend the sender's own rule so that repeats and all-clears stay away."
    ),
}
OTHERWISE = (
    "See how this sender marks a problem that is over and one that is repeated: PagerDuty resolved and joined them, the "
    "webhook pages for each. Send only new problems."
)
QUIET = (
    "This service pages nobody, by decision, and its paging webhook would page for every alert: leave the webhook off, and "
    "let the alerts come in by an alert source of the project, where the rule with paging off takes them."
)
STAYS = "The service is not carried over: leave the sender where it is. Once it is carried over:"
ROUTED = (
    "Its rules choose the service of each alert; in Harness every service has a webhook of its own. Find out who sends to "
    "it, and give each sender the webhook of the service that its alerts are about."
)
SUPPRESSION = (
    "PagerDuty's rules of suppression, grouping and pausing (event orchestrations, rulesets, alert grouping) do not come "
    "along: what they kept quiet must be kept quiet at the sender, or by an alert rule with paging off."
)


TO_FILL = {"test_result": "", "tested_by": "", "tested_at": ""}
"""What the one who does it writes down."""


def advise(integration_type: str) -> str:
    """How this sender must be set so that it does not page for what PagerDuty took in silence."""
    return next((text for start, text in ADVICE.items() if integration_type.startswith(start)), OTHERWISE)


def name_group(found: Draft, identifier: str | None) -> str:
    """As Harness lists it: the name, and the identifier that tells two of one name apart."""
    if identifier is None:
        return "a group that you choose"
    made = {a.identifier: a.name for a in found.plan.actions if a.kind == "teams"}
    there = {id: group.name for id, group in found.state.groups.items()}
    return f"{made.get(identifier) or there.get(identifier, identifier)} ({identifier})"


def name_policy(found: Draft, policy_id: str) -> str:
    """By its name in Harness; one that is not carried over is said to be missing."""
    wish = next((w for w in found.mapped.desired if (w.kind, w.key) == ("escalation_policies", policy_id)), None)
    if wish:
        return repr(wish.name)
    policy = found.account.policies.get(policy_id)
    return f"none yet, since {policy.name!r} is not carried over" if policy else "none"


def list_lines(found: Draft, links: Links) -> Iterator[Line]:
    """Countries, the services where the target takes none of it by API, and every sender."""
    yield from _list_countries(found, links)
    if not found.state.oncall:
        yield from _list_services(found, links)
    yield from _list_senders(found, links)
    yield from _list_routers(found, links)


def _list_countries(found: Draft, links: Links) -> Iterator[Line]:
    """One request a country: adding one takes Harness weeks."""
    for country, names in sorted(found.mapped.unserved.items()):
        people = sorted(set(names))
        expected = f"Harness confirms calls and SMS to {country}, for {', '.join(people)}; then run again."
        item = make_item(links, "countries", country, country, expected=expected, file="countries.csv")
        yield (item,), {"country_code": country, "people": "; ".join(people)}


def _list_services(found: Draft, links: Links) -> Iterator[Line]:
    """Owner, policy and alert rule."""
    for route in found.mapped.routes:
        policy, owner = name_policy(found, route.policy_key), name_group(found, route.owner)
        paging = "on" if route.paging else "off"
        told = {
            "services": f"Service Directory, {route.name!r}: owning user group {owner}, escalation policy override {policy}.",
            "alert_rules": f"Alert Rules has a rule for {route.name!r}: paging {paging}, escalation policy {policy}.",
        }
        items = (
            make_item(links, kind, route.key, route.name, expected=e, file="services.csv") for kind, e in told.items()
        )
        row = {
            "service": route.name,
            "identifier": route.identifier,
            "owner_group": route.owner or "",
            "escalation_policy": policy.strip("'"),
            "escalation_policy_identifier": route.policy or "",
            "paging": paging,
            "pagerduty": links.to_pagerduty("services", route.key),
        }
        yield tuple(items), row


def _list_senders(found: Draft, links: Links) -> Iterator[Line]:
    """Every integration: the webhook of a service pages for whatever arrives, whatever was decided about its urgency.

    A sender whose service is to page nobody gets no webhook at all: that is how it is kept from flooding.
    """
    routes = {route.key: route for route in found.mapped.routes}
    for service in found.mapped.in_scope("services"):
        route, first, webhook = routes.get(service.id), "", "none"
        if route is None:
            first = f"{STAYS} "
            expected = "The service is not carried over: this sender stays with PagerDuty until it is."
        elif route.paging:
            webhook = WEBHOOK
            expected = "A test alert from this sender pages once, its repeat and its all-clear page nobody."
        else:
            first = f"{QUIET} "
            expected = "A test alert from this sender is in the list of alerts and pages nobody: it does not come by the paging webhook."
        for sender in service.integrations:
            item = make_item(
                links,
                "integrations",
                service.id,
                f"{service.name}: {sender.summary or sender.type or sender.id}",
                expected=expected,
                file="integrations.csv",
                ids=(sender.id,),
                part=sender.id,
            )
            row = {
                "service": service.name,
                "sender": sender.summary or sender.id,
                "type": sender.type,
                "owner_group": (route and route.owner) or "",
                "pagerduty_id": sender.id,
                "pagerduty": links.to_pagerduty("services", service.id),
                "what_to_send": first + advise(sender.type),
                "what_was_suppressed": SUPPRESSION,
                "new_paging_webhook": webhook,
            }
            yield (item,), row | TO_FILL


def _list_routers(found: Draft, links: Links) -> Iterator[Line]:
    """What sends to several services by rules of its own: nothing of it is carried over, and its senders are senders too."""
    expected = "Whatever sent to it sends to the webhook of its own service; what its rules kept quiet stays quiet."
    for one in found.account.not_carried:
        if one.kind not in ("event_orchestrations", "rulesets") or not one.matters:
            continue
        name, back = f"{one.name}: {one.matters}", links.to_pagerduty(one.kind, one.id)
        item = make_item(links, "integrations", one.id, name, expected=expected, file="integrations.csv", back=back)
        row = {
            "service": "several",
            "sender": one.name,
            "type": one.kind.removesuffix("s"),
            "owner_group": "",
            "pagerduty_id": one.id,
            "pagerduty": back,
            "what_to_send": ROUTED,
            "what_was_suppressed": f"{one.matters}. {SUPPRESSION}",
            "new_paging_webhook": WEBHOOK,
        }
        yield (item,), row | TO_FILL
