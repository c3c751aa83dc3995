"""By which webhook a test page of a service goes: its own paging webhook, or the general one; both are named by reference."""

from collections.abc import Iterable

from pdmigrate.errors import SettingsError, find_nearest
from pdmigrate.harness.webhooks import Webhook, read_webhook
from pdmigrate.pagerduty.records import Service
from pdmigrate.steps.job import Job

OWN = "the embedded Harness's own general webhook"


def name_way(job: Job, service: Service) -> str:
    """The reference to its webhook, which is not looked up; "" where it has none."""
    target = job.settings.target
    if target.kind == "embedded":
        return OWN
    return _find_paging(job, service) or target.webhook or ""


def pages_always(job: Job, service: Service) -> bool:
    """Whether its way is its paging webhook, which pages whatever its alert rule says."""
    return job.settings.target.kind != "embedded" and bool(_find_paging(job, service))


def _find_paging(job: Job, service: Service) -> str:
    named = job.settings.target.webhooks
    return named.get(service.id) or named.get(service.name) or ""


def check_names(job: Job, services: Iterable[Service]) -> None:
    """Raise SettingsError where migration.yaml names the webhook of a service that does not move."""
    known = {word for service in services for word in (service.id, service.name)}
    for name in job.settings.target.webhooks:
        if name not in known:
            raise SettingsError(
                f"target.webhooks: no service {name} is in scope{find_nearest(name, known)}: mend its name."
            )


def open_webhook(job: Job, service: Service) -> Webhook:
    """The webhook itself. Raises SettingsError where its reference leads to none, or to that of other services."""
    way = name_way(job, service)
    if way == OWN:
        return _find_own(job)
    paging = pages_always(job, service)
    name = f"target.webhooks, {service.name}" if paging else "target.webhook"
    webhook = read_webhook(job.resolve(way), job.target.address.account, f"{name} ({way})", job.network)
    if webhook.kind != ("paging" if paging else "general"):
        raise SettingsError(
            f"{name} ({way}) is a {webhook.kind} webhook: name the paging webhook of each service under target.webhooks, and "
            "a general one as target.webhook."
        )
    return webhook


def _find_own(job: Job) -> Webhook:
    place, transport = job.target.address, job.target.transport  # type: ignore[attr-defined]
    rows = transport.send("GET", "/sandbox/webhooks")["webhooks"]
    here = (r["path"] for r in rows if (r["kind"], r["orgId"], r["projectId"]) == ("general", place.org, place.project))
    return read_webhook(place.base_url + next(here), place.account, OWN)
