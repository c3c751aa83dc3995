"""Which alert is which incident: by key, by link, by service, title and time; what nothing tells apart stays ambiguous."""

from datetime import UTC, datetime, timedelta

from pdmigrate.harness.alert_records import Alert
from pdmigrate.pagerduty.history import Incident
from pdmigrate.parity.matching import match_alerts

NIGHT = datetime(2026, 6, 1, 22, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def incident(id, at=0, title="Disk full", key="", service="PS1"):
    said = {"id": id, "title": title, "incident_key": key, "service": {"id": service}}
    return Incident.model_validate({**said, "created_at": NIGHT + at * SECOND})


def alert(id, at=0, title="Disk full", key="", link="", services=("disk",)):
    said = {
        "prettyId": id,
        "title": title,
        "deduplicationId": key,
        "monitoringLink": link,
        "impactedServices": services,
    }
    return Alert.model_validate({**said, "createdAtTimestamp": int((NIGHT + at * SECOND).timestamp() * 1000)})


def match(incidents, alerts):
    return match_alerts(incidents, alerts, {"PS1": "disk", "PS2": "network"}.get)


def pairs(matched):
    return [(one.incident.id, one.alert.id, one.way) for one in matched.matches]


def test_the_key_goes_before_all_else():
    matched = match([incident("Q1", key="k")], [alert("A1", 3, title="renamed", key="k", services=())])
    assert pairs(matched) == [("Q1", "A1", "key")]
    assert pairs(match([incident("Q1", key="k")], [alert("A1", key="Q1")])) == [("Q1", "A1", "key")]


def test_without_a_key_the_link_leads_back():
    link = "https://acme.pagerduty.com/incidents/Q1/"
    assert pairs(match([incident("Q1")], [alert("A1", 3, title="renamed", link=link)])) == [("Q1", "A1", "link")]


def test_a_key_that_comes_again_is_that_of_the_nearest_in_time():
    incidents = [incident("Q1", 0, key="k"), incident("Q2", 7200, key="k")]
    matched = match(incidents, [alert("A2", 7203, key="k"), alert("A1", 3, key="k"), alert("A3", 7300, key="k")])
    assert pairs(matched) == [("Q1", "A1", "key"), ("Q2", "A2", "key")]
    assert [one.id for one in matched.matches[1].doubled] == ["A3"]


def test_with_neither_it_takes_the_service_the_title_and_the_time():
    matched = match([incident("Q1", title="Disk  full")], [alert("A1", 30, title="disk FULL")])
    assert pairs(matched) == [("Q1", "A1", "service, title and time")]
    for other in (alert("A1", 16 * 60), alert("A1", title="Disk slow"), alert("A1", services=("network",))):
        matched = match([incident("Q1")], [other])
        assert (matched.matches, len(matched.only_source), len(matched.only_target)) == ((), 1, 1)


def test_two_that_nothing_tells_apart_are_said_and_not_guessed():
    matched = match([incident("Q1", 0), incident("Q2", 20)], [alert("A1", 12), alert("A2", 30)])
    assert matched.matches == matched.only_source == matched.only_target == ()
    assert {id: {one.id for one in some} for id, some in matched.ambiguous.items()} == {
        "Q1": {"A1", "A2"},
        "Q2": {"A1", "A2"},
    }


def test_two_of_one_title_are_told_apart_by_minutes():
    matched = match([incident("Q1", 0), incident("Q2", 300)], [alert("A1", 5), alert("A2", 303)])
    assert [pair[:2] for pair in pairs(matched)] == [("Q1", "A1"), ("Q2", "A2")]


def test_an_incident_without_a_title_matches_nothing_by_it():
    assert match([incident("Q1", title="")], [alert("A1", title="")]).matches == ()


def test_the_offset_is_the_median_and_takes_three():
    incidents = [incident(f"Q{n}", 600 * n, key=f"k{n}") for n in range(4)]
    alerts = [alert(f"A{n}", 600 * n + 90 + 600 * (n == 3), key=f"k{n}") for n in range(4)]
    assert match(incidents, alerts).offset == 90 * SECOND
    assert match(incidents[:2], alerts[:2]).offset == 0 * SECOND, "two alerts cannot tell a clock from a delay"
    late = [alert(f"A{n}", 600 * n + 900, key=f"k{n}") for n in range(4)]
    assert match(incidents, late).offset == 0 * SECOND, "a quarter of an hour is a delay, and no clock"


def test_everything_stands_in_one_place():
    incidents = [incident(f"Q{n}", 40 * n, key="k" * (n % 2)) for n in range(6)]
    alerts = [alert(f"A{n}", 40 * n + 2, key="k" * (n % 3 == 1)) for n in range(7)]
    matched = match(incidents, alerts)
    ids = [one.incident.id for one in matched.matches] + [one.id for one in matched.only_source] + [*matched.ambiguous]
    assert sorted(ids) == sorted(one.id for one in incidents)
    doubtful = {one.id for some in matched.ambiguous.values() for one in some}
    taken = [a.id for one in matched.matches for a in (one.alert, *one.doubled)]
    assert sorted([*taken, *doubtful, *(one.id for one in matched.only_target)]) == sorted(one.id for one in alerts)
