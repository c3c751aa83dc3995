"""Services: a CD service of the project, its owner group, its policy, and whether alerts page at all."""

from pdmigrate.harness import records as harness
from pdmigrate.harness.identifiers import make_identifier
from pdmigrate.mapping.collisions import NamePlace, find_place, has_twin, list_there, name_record
from pdmigrate.mapping.left_behind import (
    describe_heading,
    describe_teams,
    describe_unusable,
    find_unusable,
    stop_unknown,
)
from pdmigrate.mapping.mapped import (
    FieldOutcome,
    Mapped,
    Route,
    Stop,
    describe,
    exact,
    judge_field,
    read_stop,
    stop_unless,
)
from pdmigrate.oncall.words import format_number
from pdmigrate.pagerduty.records import Service
from pdmigrate.plan.actions import Desired


def map_services(mapped: Mapped) -> None:
    """Want every service in scope whose policy is carried over."""
    for service in mapped.in_scope("services"):
        if mapped.stop("services", service, [stop_unknown(mapped, "services", service)]):
            continue
        obstacle = _find_obstacle(mapped, service)
        if obstacle and not obstacle.waits:
            mapped.stop("services", service, [obstacle])
            continue
        paging, urgency = _choose_paging(mapped, service)  # all its questions are asked at once, and it is held once
        stops = [obstacle, urgency, _accept_silence(mapped, service, paging), _find_way(mapped, service, paging)]
        place = None if mapped.stop("services", service, stops) else _find_place(mapped, service)
        if paging is not None and place is not None:
            _want_service(mapped, service, paging, place)


def _find_place(mapped: Mapped, service: Service) -> NamePlace | None:
    """A CD service of the same name that nobody has set up for on-call is the service itself: taken over unasked."""
    name = name_record("services", service)
    named = [one for said in {name.casefold(), service.name.casefold()} for one in list_there(mapped, "services", said)]
    same = [s for s in named if not (s.owner_group or s.escalation_policy or s.paging)]
    other = len(same) == 1 and same[0].identifier != make_identifier(service.name, service.id)
    if other and mapped.known("services", service.id) is None and not has_twin(mapped, "services", name):
        return NamePlace(same[0].identifier, same[0].name, adopt=True)
    return find_place(mapped, "services", service)


def _want_service(mapped: Mapped, service: Service, paging: bool, place: NamePlace) -> None:
    policy = mapped.account.policies.get(service.escalation_policy.id) if service.escalation_policy else None
    owner = mapped.group_of(service.teams) or (mapped.group_of(policy.teams) if policy else None)
    target = mapped.policies.get(policy.id) if policy else None
    mapped.routes.append(
        Route(service.id, place.identifier, place.name, owner, target, policy.id if policy else "", paging)
    )
    id, name, said = place.identifier, place.name, describe(service.name, place.name, service.description)
    wanted = harness.Service(identifier=id, name=name, description=said)
    needs: tuple[tuple[str, str], ...] = ()
    if mapped.state.oncall:
        own = {"owner_group": owner, "escalation_policy": target, "paging": paging, "rule_policy": target}
        wanted = wanted.model_copy(update=own)
        needs = (("escalation_policies", policy.id),) if policy else ()
        needs += tuple(("teams", team.id) for team in service.teams if team.id in mapped.groups)
    desired = Desired("services", service.id, place.identifier, place.name, wanted, (service.id,), needs, place.adopt)
    mapped.want(desired, _field_outcomes(mapped, service, paging, place))


def _find_obstacle(mapped: Mapped, service: Service) -> Stop | None:
    """Without its policy a service pages nobody, and nobody would notice."""
    reference = service.escalation_policy
    if reference is None:
        answer = mapped.ask("service_without_policy", "services", service.id, service.name)
        return read_stop(answer, "it has no escalation policy: it pages nobody")
    if reference.id in mapped.policies:
        return None
    name = reference.summary or reference.id
    if reference.id in mapped.account.policies:
        return mapped.stop_behind("escalation_policies", reference.id, f"its policy {name} is not carried over")
    broken = find_unusable(mapped, "escalation_policies", reference.id)
    if broken:
        words = {"policy": broken.name, "policy_id": broken.id, "message": broken.message}
        answer = mapped.ask("unusable_policy", "services", service.id, service.name, **words)
        return read_stop(answer, f"its policy {broken.name} cannot be used: {describe_unusable(broken)}")
    words = {"policy": name, "policy_id": reference.id}
    answer = mapped.ask("dangling_reference", "services", service.id, service.name, **words)
    return read_stop(answer, f"it names the policy {name} ({reference.id}), which no list shows")


def _choose_paging(mapped: Mapped, service: Service) -> tuple[bool | None, Stop | None]:
    """Whether its alert rule pages. What would page more than today is a question, never done silently."""
    why = _find_quieter(mapped, service)
    if not why:
        return True, None
    words = {
        "why": why,
        "recommended": "page" if "maintenance" in why else "no_page",  # maintenance passes; low urgency stays
        "changes_paging": service.status != "disabled",
    }
    answer = mapped.ask("service_urgency", "services", service.id, service.name, **words)
    stop = None if answer and answer.choice != "leave_out" else read_stop(answer, why)
    return (answer.choice == "page" if answer and not stop else None), stop


def _find_quieter(mapped: Mapped, service: Service) -> str:
    """Why not every alert of it wakes somebody today, in words; "" where each does.

    A maintenance window that begins when the service's rule pages already will end by itself: it asks nothing.
    """
    rule, entry = service.incident_urgency_rule, mapped.known("services", service.id)
    parts = (rule.during_support_hours, rule.outside_support_hours) if rule else ()
    if service.status == "disabled":
        return "it is disabled in PagerDuty"
    if rule and rule.type == "use_support_hours" and not all(part and part.urgency == "high" for part in parts):
        return "its urgency follows support hours"
    if rule and rule.urgency in ("low", "severity_based"):
        return f"its urgency is {rule.urgency.replace('_', ' ')}"
    live = entry is not None and entry.synced.get("paging") is True
    return "it is in a maintenance window of PagerDuty now" if service.status == "maintenance" and not live else ""


def _accept_silence(mapped: Mapped, service: Service, paging: bool | None) -> Stop | None:
    """Stops a service that pages again after an acknowledgement, until a person accepts that Harness does not."""
    if not service.acknowledgement_timeout or not paging:
        return None
    minutes = service.acknowledgement_timeout // 60
    answer = mapped.ask("acknowledgement_timeout", "services", service.id, service.name, minutes=minutes)
    return stop_unless("accept", answer, f"it pages again {minutes} min after an acknowledgement")


def _find_way(mapped: Mapped, service: Service, paging: bool | None) -> Stop | None:
    """Stops a paging service that would get no alerts: Harness takes no alert rule by API, and PagerDuty has no sender to re-point."""
    if mapped.state.oncall or service.integrations or not paging:
        return None
    answer = mapped.ask("no_way_to_page", "services", service.id, service.name)
    return stop_unless("rule_by_hand", answer, "it would have neither alert rule nor webhook")


def _field_outcomes(mapped: Mapped, service: Service, paging: bool, place: NamePlace) -> list[FieldOutcome]:
    outcomes = [*describe_heading(service, place.name, pages=paging), describe_teams(mapped, service.teams)]
    if mapped.state.oncall:
        outcomes += exact("escalation_policy")
    else:
        outcomes.append(FieldOutcome("escalation_policy", "handed_over", "owner and policy are set by a person"))
    why, as_now = _find_quieter(mapped, service), service.status == "disabled" and not paging
    said = f"{why}; {'pages always' if paging else 'pages nobody'} in Harness, by decision"
    outcomes.append(judge_field("incident_urgency_rule", said if why and not as_now else ""))
    if service.acknowledgement_timeout and paging:
        minutes = service.acknowledgement_timeout // 60
        said = f"PagerDuty pages again {minutes} min after an acknowledgement, Harness does not: accepted by decision"
        outcomes.append(FieldOutcome("acknowledgement_timeout", "lost", said))
    if service.auto_resolve_timeout:
        outcomes.append(FieldOutcome("auto_resolve_timeout", "lost", "Harness does not resolve by itself"))
    if service.integrations:
        said = f"{format_number(len(service.integrations), 'integration')} must be pointed at Harness"
        outcomes.append(FieldOutcome("integrations", "handed_over", said))
    return outcomes
