"""Services: a CD service of the project, its owner group, its policy, and whether alerts page at all."""

from pdmigrate.harness.identifiers import make_identifier, make_service_name
from pdmigrate.mapping.collisions import Place, find_place, find_twins
from pdmigrate.mapping.left import stop_unknown, tell_heading, tell_teams
from pdmigrate.mapping.service_questions import (
    ask_acknowledgement,
    ask_dangling,
    ask_paging,
    ask_unrouted,
    ask_unusable,
    ask_way,
    find_quieter,
)
from pdmigrate.mapping.unusable import find_unusable, tell_unusable
from pdmigrate.mapping.work import FieldFate, Route, Stop, Work, describe, exact, read_stop
from pdmigrate.pagerduty.records import EscalationPolicy, Service
from pdmigrate.plan.actions import Desired, Fields


def map_services(work: Work) -> None:
    """Want every service in scope whose policy is carried over."""
    services = list(work.in_scope("services", work.account.services))
    twins = find_twins(services, lambda service: make_service_name(service.name, service.id))
    for service in services:
        if work.stop("services", service, [stop_unknown(work, "services", service)]):
            continue
        paging = _settle(work, service)
        if paging is None:
            continue
        place = _find_place(work, service, service.id in twins)
        if place is not None:
            _want_service(work, service, paging, place)


def _settle(work: Work, service: Service) -> bool | None:
    """Whether its alert rule pages; None where it is held. All its questions are asked at once, and held once."""
    obstacle = _find_obstacle(work, service)
    if obstacle and not obstacle.waits:
        work.stop("services", service, [obstacle])
        return None
    paging, urgency = _choose_paging(work, service)
    stops = [obstacle, urgency, _accept_silence(work, service, paging), _find_way(work, service, paging)]
    return None if work.stop("services", service, stops) else paging


def _find_place(work: Work, service: Service, twins: bool) -> Place | None:
    """A CD service of the same name that nobody has set up for on-call is the service itself: taken over unasked."""
    name, identifier = make_service_name(service.name, service.id), make_identifier(service.name, service.id)
    bare = [s for s in work.state.services.values() if not (s.owner_group or s.escalation_policy or s.paging)]
    same = [s for s in bare if s.name.casefold() in (name.casefold(), service.name.casefold())]
    if work.known("services", service.id) is None and len(same) == 1 and same[0].identifier != identifier and not twins:
        return Place(same[0].identifier, same[0].name, adopt=True)
    return find_place(work, "services", "duplicate_service", service, identifier, name, work.state.services, twins)


def _want_service(work: Work, service: Service, paging: bool, place: Place) -> None:
    policy = work.account.policies.get(service.escalation_policy.id) if service.escalation_policy else None
    fields: Fields = {"name": place.name, "description": describe(service.name, place.name, service.description)}
    owner = work.group_of(service.teams) or (work.group_of(policy.teams) if policy else None)
    target = work.policies.get(policy.id) if policy else None
    work.routes.append(
        Route(service.id, place.identifier, place.name, owner, target, policy.id if policy else "", paging)
    )
    if work.state.oncall:
        fields |= {"owner_group": owner, "escalation_policy": target, "paging": paging, "rule_policy": target}
    needs = _find_needs(work, service, policy) if work.state.oncall else ()
    desired = Desired("services", service.id, place.identifier, place.name, fields, (service.id,), needs, place.adopt)
    work.want(desired, _field_fates(work, service, paging, place))


def _find_needs(work: Work, service: Service, policy: EscalationPolicy | None) -> tuple[tuple[str, str], ...]:
    return ((("escalation_policies", policy.id),) if policy else ()) + tuple(
        ("teams", team.id) for team in service.teams if team.id in work.groups
    )


def _find_obstacle(work: Work, service: Service) -> Stop | None:
    """Without its policy a service pages nobody, and nobody would notice."""
    reference = service.escalation_policy
    if reference is None:
        return read_stop(work.questions.ask(ask_unrouted(service)), "it has no escalation policy: it pages nobody")
    if reference.id in work.policies:
        return None
    name = reference.summary or reference.id
    if reference.id in work.account.policies:
        return work.stop_behind("escalation_policies", reference.id, f"its policy {name} is not carried over")
    broken = find_unusable(work, "escalation_policies", reference.id)
    if broken:
        answer = work.questions.ask(ask_unusable(service, broken))
        return read_stop(answer, f"its policy {broken.name} cannot be used: {tell_unusable(broken)}")
    answer = work.questions.ask(ask_dangling(service, name, reference.id))
    return read_stop(answer, f"it names the policy {name} ({reference.id}), which no list shows")


def _choose_paging(work: Work, service: Service) -> tuple[bool | None, Stop | None]:
    """Whether its alert rule pages. What would page more than today is a question, never done silently."""
    why = _find_quieter(work, service)
    if not why:
        return True, None
    answer = work.questions.ask(ask_paging(service, why))
    stop = None if answer and answer.choice != "leave_out" else read_stop(answer, why)
    return (answer.choice == "page" if answer and not stop else None), stop


def _find_quieter(work: Work, service: Service) -> str:
    """A maintenance window that begins when the service's rule pages already will end by itself: it asks nothing."""
    why, entry = find_quieter(service), work.known("services", service.id)
    live = entry is not None and entry.synced.get("paging") is True
    return "" if live and "maintenance" in why else why


def _accept_silence(work: Work, service: Service, paging: bool | None) -> Stop | None:
    """One that pages nobody relies on no second page either."""
    if not service.acknowledgement_timeout or not paging:
        return None
    minutes = service.acknowledgement_timeout // 60
    answer = work.questions.ask(ask_acknowledgement(service, minutes))
    accepted = answer is not None and answer.choice == "accept"
    return None if accepted else read_stop(answer, f"it pages again {minutes} min after an acknowledgement")


def _find_way(work: Work, service: Service, paging: bool | None) -> Stop | None:
    """Its alert rule is written with it, or its webhook is on the list of the senders."""
    if work.state.oncall or service.integrations or not paging:
        return None
    answer = work.questions.ask(ask_way(service))
    by_hand = answer is not None and answer.choice == "rule_by_hand"
    return None if by_hand else read_stop(answer, "it would have neither alert rule nor webhook")


def _field_fates(work: Work, service: Service, paging: bool, place: Place) -> list[FieldFate]:
    fates = [*tell_heading(service, place.name, pages=paging), tell_teams(work, service.teams)]
    if work.state.oncall:
        fates += exact("escalation_policy")
    else:
        fates.append(FieldFate("escalation_policy", "handed_over", "owner and policy are set by a person"))
    why, as_now = _find_quieter(work, service), service.status == "disabled" and not paging
    if why and not as_now:
        said = "pages always" if paging else "pages nobody"
        fates.append(FieldFate("incident_urgency_rule", "changed", f"{why}; {said} in Harness, by decision"))
    else:
        fates += exact("incident_urgency_rule")
    if service.acknowledgement_timeout and paging:
        fates.append(FieldFate("acknowledgement_timeout", "lost", _tell_silence(service)))
    if service.auto_resolve_timeout:
        fates.append(FieldFate("auto_resolve_timeout", "lost", "Harness does not resolve by itself"))
    if service.integrations:
        fates.append(
            FieldFate(
                "integrations", "handed_over", f"{len(service.integrations)} integrations must be pointed at Harness"
            )
        )
    return fates


def _tell_silence(service: Service) -> str:
    minutes = (service.acknowledgement_timeout or 0) // 60
    return f"PagerDuty pages again {minutes} min after an acknowledgement, Harness does not: accepted by decision"
