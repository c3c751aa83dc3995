"""Services: a CD service of the project, its owner group, its policy, and whether alerts page at all."""

from pdmigrate.harness import records as harness
from pdmigrate.harness.identifiers import make_identifier, make_service_name
from pdmigrate.mapping.collisions import NamePlace, find_place, find_twins
from pdmigrate.mapping.left_behind import describe_heading, describe_teams, stop_unknown
from pdmigrate.mapping.mapped import FieldOutcome, Mapped, Route, Stop, describe, exact, read_stop
from pdmigrate.mapping.service_questions import (
    ask_acknowledgement,
    ask_dangling,
    ask_paging,
    ask_unrouted,
    ask_unusable,
    ask_way,
    find_quieter,
)
from pdmigrate.mapping.unusable import describe_unusable, find_unusable
from pdmigrate.pagerduty.records import EscalationPolicy, Service
from pdmigrate.plan.actions import Desired


def map_services(mapped: Mapped) -> None:
    """Want every service in scope whose policy is carried over."""
    services = list(mapped.in_scope("services", mapped.account.services))
    twins = find_twins(services, lambda service: make_service_name(service.name, service.id))
    for service in services:
        if mapped.stop("services", service, [stop_unknown(mapped, "services", service)]):
            continue
        paging = _settle(mapped, service)
        if paging is None:
            continue
        place = _find_place(mapped, service, service.id in twins)
        if place is not None:
            _want_service(mapped, service, paging, place)


def _settle(mapped: Mapped, service: Service) -> bool | None:
    """Whether its alert rule pages; None where it is held. All its questions are asked at once, and held once."""
    obstacle = _find_obstacle(mapped, service)
    if obstacle and not obstacle.waits:
        mapped.stop("services", service, [obstacle])
        return None
    paging, urgency = _choose_paging(mapped, service)
    stops = [obstacle, urgency, _accept_silence(mapped, service, paging), _find_way(mapped, service, paging)]
    return None if mapped.stop("services", service, stops) else paging


def _find_place(mapped: Mapped, service: Service, twins: bool) -> NamePlace | None:
    """A CD service of the same name that nobody has set up for on-call is the service itself: taken over unasked."""
    name, identifier = make_service_name(service.name, service.id), make_identifier(service.name, service.id)
    bare = [s for s in mapped.state.services.values() if not (s.owner_group or s.escalation_policy or s.paging)]
    same = [s for s in bare if s.name.casefold() in (name.casefold(), service.name.casefold())]
    if (
        mapped.known("services", service.id) is None
        and len(same) == 1
        and same[0].identifier != identifier
        and not twins
    ):
        return NamePlace(same[0].identifier, same[0].name, adopt=True)
    return find_place(mapped, "services", "duplicate_service", service, identifier, name, mapped.state.services, twins)


def _want_service(mapped: Mapped, service: Service, paging: bool, place: NamePlace) -> None:
    policy = mapped.account.policies.get(service.escalation_policy.id) if service.escalation_policy else None
    owner = mapped.group_of(service.teams) or (mapped.group_of(policy.teams) if policy else None)
    target = mapped.policies.get(policy.id) if policy else None
    mapped.routes.append(
        Route(service.id, place.identifier, place.name, owner, target, policy.id if policy else "", paging)
    )
    id, name, said = place.identifier, place.name, describe(service.name, place.name, service.description)
    wanted = harness.Service(identifier=id, name=name, description=said)
    if mapped.state.oncall:
        wanted = harness.Service(
            identifier=id,
            name=name,
            description=said,
            owner_group=owner,
            escalation_policy=target,
            paging=paging,
            rule_policy=target,
        )
    needs = _find_needs(mapped, service, policy) if mapped.state.oncall else ()
    desired = Desired("services", service.id, place.identifier, place.name, wanted, (service.id,), needs, place.adopt)
    mapped.want(desired, _field_outcomes(mapped, service, paging, place))


def _find_needs(mapped: Mapped, service: Service, policy: EscalationPolicy | None) -> tuple[tuple[str, str], ...]:
    return ((("escalation_policies", policy.id),) if policy else ()) + tuple(
        ("teams", team.id) for team in service.teams if team.id in mapped.groups
    )


def _find_obstacle(mapped: Mapped, service: Service) -> Stop | None:
    """Without its policy a service pages nobody, and nobody would notice."""
    reference = service.escalation_policy
    if reference is None:
        return read_stop(mapped.questions.ask(ask_unrouted(service)), "it has no escalation policy: it pages nobody")
    if reference.id in mapped.policies:
        return None
    name = reference.summary or reference.id
    if reference.id in mapped.account.policies:
        return mapped.stop_behind("escalation_policies", reference.id, f"its policy {name} is not carried over")
    broken = find_unusable(mapped, "escalation_policies", reference.id)
    if broken:
        answer = mapped.questions.ask(ask_unusable(service, broken))
        return read_stop(answer, f"its policy {broken.name} cannot be used: {describe_unusable(broken)}")
    answer = mapped.questions.ask(ask_dangling(service, name, reference.id))
    return read_stop(answer, f"it names the policy {name} ({reference.id}), which no list shows")


def _choose_paging(mapped: Mapped, service: Service) -> tuple[bool | None, Stop | None]:
    """Whether its alert rule pages. What would page more than today is a question, never done silently."""
    why = _find_quieter(mapped, service)
    if not why:
        return True, None
    answer = mapped.questions.ask(ask_paging(service, why))
    stop = None if answer and answer.choice != "leave_out" else read_stop(answer, why)
    return (answer.choice == "page" if answer and not stop else None), stop


def _find_quieter(mapped: Mapped, service: Service) -> str:
    """A maintenance window that begins when the service's rule pages already will end by itself: it asks nothing."""
    why, entry = find_quieter(service), mapped.known("services", service.id)
    live = entry is not None and entry.synced.get("paging") is True
    return "" if live and "maintenance" in why else why


def _accept_silence(mapped: Mapped, service: Service, paging: bool | None) -> Stop | None:
    """Stops a service that pages again after an acknowledgement, until a person accepts that Harness does not."""
    if not service.acknowledgement_timeout or not paging:
        return None
    minutes = service.acknowledgement_timeout // 60
    answer = mapped.questions.ask(ask_acknowledgement(service, minutes))
    accepted = answer is not None and answer.choice == "accept"
    return None if accepted else read_stop(answer, f"it pages again {minutes} min after an acknowledgement")


def _find_way(mapped: Mapped, service: Service, paging: bool | None) -> Stop | None:
    """Stops a paging service that would get no alerts: Harness takes no alert rule by API, and PagerDuty has no sender to re-point."""
    if mapped.state.oncall or service.integrations or not paging:
        return None
    answer = mapped.questions.ask(ask_way(service))
    by_hand = answer is not None and answer.choice == "rule_by_hand"
    return None if by_hand else read_stop(answer, "it would have neither alert rule nor webhook")


def _field_outcomes(mapped: Mapped, service: Service, paging: bool, place: NamePlace) -> list[FieldOutcome]:
    outcomes = [*describe_heading(service, place.name, pages=paging), describe_teams(mapped, service.teams)]
    if mapped.state.oncall:
        outcomes += exact("escalation_policy")
    else:
        outcomes.append(FieldOutcome("escalation_policy", "handed_over", "owner and policy are set by a person"))
    why, as_now = _find_quieter(mapped, service), service.status == "disabled" and not paging
    if why and not as_now:
        said = "pages always" if paging else "pages nobody"
        outcomes.append(FieldOutcome("incident_urgency_rule", "changed", f"{why}; {said} in Harness, by decision"))
    else:
        outcomes += exact("incident_urgency_rule")
    if service.acknowledgement_timeout and paging:
        outcomes.append(FieldOutcome("acknowledgement_timeout", "lost", _describe_silence(service)))
    if service.auto_resolve_timeout:
        outcomes.append(FieldOutcome("auto_resolve_timeout", "lost", "Harness does not resolve by itself"))
    if service.integrations:
        outcomes.append(
            FieldOutcome(
                "integrations", "handed_over", f"{len(service.integrations)} integrations must be pointed at Harness"
            )
        )
    return outcomes


def _describe_silence(service: Service) -> str:
    minutes = (service.acknowledgement_timeout or 0) // 60
    return f"PagerDuty pages again {minutes} min after an acknowledgement, Harness does not: accepted by decision"
