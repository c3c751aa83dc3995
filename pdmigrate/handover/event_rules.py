"""Drafts of the alert rules that a person makes in Harness from PagerDuty's event rules: one YAML a service."""

from collections.abc import Iterable, Iterator
from typing import Any

from pdmigrate.handover.items import Item, make_item, name_document
from pdmigrate.handover.links import Links
from pdmigrate.handover.objects import dump_document
from pdmigrate.mapping.draft import Draft
from pdmigrate.pagerduty.event_rules import EventRule, pick_rules

NO_SERVICE = "event_rules/no_single_service.yaml"
TRY = (
    "Harness publishes no API for conditions of alert rules. Make each by hand where Route Alerts offers conditions, else at "
    "the sender; conditions are in PagerDuty's own words. Try each with one alert that fits and one that does not."
)
PARTS = {
    "global": "for all its events",
    "router": "chooses the service",
    "unrouted": "for events that no rule has routed",
    "service": "of the service itself",
    "rules": "ruleset",
}


def list_drafts(found: Draft) -> Iterator[tuple[str, str, str, tuple[EventRule, ...]]]:
    """(PagerDuty id, name, file, rules) of each service that is carried over and has rules; then what is about no single one."""
    rules = found.account.event_rules
    told: set[EventRule] = set()
    for service in found.account.services.values():
        told |= set(mine := pick_rules(rules, service.id))
        route = next((one for one in found.mapped.routes if one.key == service.id), None)
        if mine and route:
            yield service.id, service.name, name_document("event_rules", route.identifier), mine
    if rest := tuple(rule for rule in rules if rule not in told):
        yield "any", "Rules that are about no single service", NO_SERVICE, rest


def list_drafted(found: Draft, links: Links) -> Iterator[Item]:
    """What decided in PagerDuty whether an alert pages at all: nothing public takes it. What was not read is an item too."""
    account = links.to_pagerduty("", "")
    for id, name, file, rules in list_drafts(found):
        content, back = [rule.in_words for rule in rules], "" if file != NO_SERVICE else account
        said = describe_drafts(rules)
        yield make_item(links, "event_rules", id, name, expected=said, file=file, content=content, back=back)
    if unread := found.account.rules_unread:
        kinds = ", ".join(kind.replace("_", " ") for kind in unread)
        said = (
            f"Somebody has looked in PagerDuty at its {kinds}, of which nothing is known here, and has made what keeps alerts "
            "quiet, late or elsewhere. The page preview says why they were not read; once they are, each stands on this list."
        )
        yield make_item(links, "event_rules", "unread", "Event rules that were not read", expected=said, back=account)


def write_drafts(found: Draft, links: Links) -> dict[str, str]:
    """Text by path."""
    owners = {route.key: (route.identifier, route.owner) for route in found.mapped.routes}
    files: dict[str, str] = {}
    for id, name, path, rules in list_drafts(found):
        identifier, owner = owners.get(id, ("", None))
        back = {"id": id, "link": links.to_pagerduty("services", id) if id in owners else ""}
        files[path] = dump_document(
            "event_rules", name, identifier, TRY, owner, back, {"rules": [_write_rule(rule) for rule in rules]}
        )
    return files


def _write_rule(rule: EventRule) -> dict[str, Any]:
    return {
        "in_words": rule.in_words,
        "of": f"{rule.name}, {PARTS[rule.part]}",
        "label": rule.label,
        "conditions": list(rule.conditions),
        "does": list(rule.does),
        "pages_nobody": rule.silences,
    }


def describe_drafts(rules: Iterable[EventRule]) -> str:
    """What Harness shows when it is done: the sentence of the checklist."""
    rules = tuple(rules)
    quiet = [rule for rule in rules if rule.silences]
    said = f"{len(rules)} event rule{'s' * (len(rules) != 1)} of PagerDuty {'have' if len(rules) != 1 else 'has'} a counterpart, or somebody has said that none is needed"
    shown = " ".join(rule.in_words for rule in quiet[:3])
    return f"{said}. {len(quiet)} keep quiet what would page: {shown}" if quiet else f"{said}."
