"""Services: a CD service of the project, its owner group, its policy, and whether alerts page at all."""

from pdmigrate.actions import Desired
from pdmigrate.decisions import Conflict, Option
from pdmigrate.identifiers import make_identifier, make_service_name
from pdmigrate.mapping.collisions import Place, find_place, find_twins
from pdmigrate.mapping.work import FieldFate, Route, Work, describe, exact, name_fate
from pdmigrate.pagerduty.records import Service


def map_services(work: Work) -> None:
    """Want every service in scope whose policy is carried over."""
    services = list(work.in_scope("services", work.account.services))
    twins = find_twins(services, lambda service: make_service_name(service.name, service.id))
    for service in services:
        if not _policy_known(work, service):
            continue
        paging = _choose_paging(work, service)
        if paging is None:
            continue
        place = _find_place(work, service, service.id in twins)
        if place is not None:
            _want_service(work, service, paging, place)


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
    fields = {"name": place.name, "description": describe(service.name, place.name, service.description)}
    owner = work.group_of(service.teams) or (work.group_of(policy.teams) if policy else None)
    target = work.policies.get(policy.id) if policy else None
    work.routes.append(
        Route(service.id, place.identifier, place.name, owner, target, policy.name if policy else "", paging)
    )
    if work.state.oncall:
        fields |= {"owner_group": owner, "escalation_policy": target, "paging": paging, "rule_policy": target}
    needs = _find_needs(work, service, policy) if work.state.oncall else ()
    desired = Desired("services", service.id, place.identifier, place.name, fields, (service.id,), needs, place.adopt)
    work.want(desired, _field_fates(work, service, paging, place))


def _find_needs(work: Work, service: Service, policy) -> tuple[tuple[str, str], ...]:
    return ((("escalation_policies", policy.id),) if policy else ()) + tuple(
        ("teams", team.id) for team in service.teams if team.id in work.groups
    )


def _policy_known(work: Work, service: Service) -> bool:
    """Without its policy a service pages nobody, and nobody would notice."""
    reference = service.escalation_policy
    if reference is None:
        work.lose(
            "services", service.id, service.name, "it has no escalation policy: it pages nobody, before and after"
        )
        return False
    if reference.id in work.policies or (not work.state.oncall and reference.id in work.account.policies):
        return True
    name = reference.summary or reference.id
    if reference.id in work.account.policies:
        waiting = any(held.key == reference.id and held.open_question for held in work.held)
        work.lose("services", service.id, service.name, f"its policy {name} is not carried over", waiting)
        return False
    answer = work.questions.ask(_ask_dangling(service, name, reference.id))
    why = "left out by decision" if answer else "open question"
    work.lose(
        "services",
        service.id,
        service.name,
        f"{why}: it names the policy {name} ({reference.id}), which no list shows",
        answer is None,
    )
    return False


def _ask_dangling(service: Service, name: str, policy_id: str) -> Conflict:
    return Conflict(
        about="dangling_reference",
        kind="services",
        id=service.id,
        name=service.name,
        question=f"{service.name} names the policy {name} ({policy_id}), which PagerDuty's list does not show.",
        meaning="Nobody can say who is paged for it; perhaps the key may not read that policy.",
        options=(Option(name="leave_out", effect="not moved; look into it before PagerDuty is switched off"),),
        recommended="leave_out",
        changes_paging=True,
    )


def _choose_paging(work: Work, service: Service) -> bool | None:
    """Whether its alert rule pages. What would page more than today is a question, never done silently."""
    why = _quieter(service)
    if not why:
        return True
    answer = work.questions.ask(_ask_paging(service, why))
    if answer is None or answer.choice == "leave_out":
        reason = f"left out by decision: {why}" if answer else f"open question: {why}"
        work.lose("services", service.id, service.name, reason, answer is None)
        return None
    return answer.choice == "page"


def _quieter(service: Service) -> str:
    rule = service.incident_urgency_rule
    if service.status == "disabled":
        return "it is disabled in PagerDuty"
    if rule and rule.type == "use_support_hours":
        return "its urgency follows support hours"
    if rule and rule.urgency in ("low", "severity_based"):
        return f"its urgency is {rule.urgency.replace('_', ' ')}"
    return ""


def _ask_paging(service: Service, why: str) -> Conflict:
    disabled = service.status == "disabled"
    return Conflict(
        about="service_urgency",
        kind="services",
        id=service.id,
        name=service.name,
        question=f"{service.name} does not always page: {why}. Harness knows no urgency.",
        meaning="Paging always, it would wake people who sleep today; paging never, nobody hears of it.",
        options=(
            Option(name="page", effect="every alert pages, at any hour"),
            Option(name="no_page", effect="alerts are logged and page nobody"),
            Option(name="leave_out", effect="not moved"),
        ),
        recommended="no_page",
        changes_paging=not disabled,
    )


def _field_fates(work: Work, service: Service, paging: bool, place: Place) -> list[FieldFate]:
    fates = [*exact("description", "teams"), name_fate(service.name, place.name)]
    if work.state.oncall:
        fates += exact("escalation_policy")
    else:
        fates.append(FieldFate("escalation_policy", "handed_over", "owner and policy are set by a person"))
    why = _quieter(service)
    if why and service.status != "disabled":
        said = "pages always" if paging else "pages nobody"
        fates.append(FieldFate("incident_urgency_rule", "changed", f"{why}; {said} in Harness, by decision"))
    else:
        fates += exact("incident_urgency_rule")
    if service.acknowledgement_timeout:
        minutes = service.acknowledgement_timeout // 60
        fates.append(
            FieldFate(
                "acknowledgement_timeout",
                "lost",
                f"PagerDuty pages again {minutes} min after an acknowledgement, Harness does not",
            )
        )
    if service.auto_resolve_timeout:
        fates.append(FieldFate("auto_resolve_timeout", "lost", "Harness does not resolve by itself"))
    if service.integrations:
        fates.append(
            FieldFate(
                "integrations", "handed_over", f"{len(service.integrations)} integrations must be pointed at Harness"
            )
        )
    return fates
