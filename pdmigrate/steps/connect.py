"""Step 1, connect: do both accounts answer, is it the right account, what may the keys do, what can the target take."""

from dataclasses import dataclass, field

from pdmigrate.pagerduty.access import KeyAccess, Readable
from pdmigrate.plan.kinds import CONTRACT_KINDS, KINDS, TERRAFORM_KINDS
from pdmigrate.steps.job import Job, records_step
from pdmigrate.steps.result import Result

WAYS = {True: "by API", False: "by handover: to do by hand"}
TERRAFORM = "by handover: Terraform files"
NOWHERE = "not at all"
BEYOND = {
    "Alert rules": None,
    "Service ownership and policy override": None,
    "Roles of invited people": "by API, those that rules.invite_roles names",
    "Senders, paging webhooks": WAYS[False],
    "Mobile app (push)": WAYS[False],
    "Default policy of a group": "not touched",
    "Roles inside a team": NOWHERE,
    "Low urgency": NOWHERE,
    "WhatsApp": NOWHERE,
    "Round robin": f"{NOWHERE}: a decision",
    "Acknowledgement time-out, auto-resolve": NOWHERE,
}
"""How what is no kind of its own goes. None: as the on-call objects do."""


@dataclass(frozen=True, repr=False)
class Access(Result):
    """What both sides answered. `capabilities` says for each kind how the target takes it.

    door: what the target answered instead of our contract, where it does not speak it. ways: by side, how requests leave.
    """

    step = "connect"
    subdomain: str
    abilities: tuple[str, ...]
    target: str
    oncall: bool
    requests: int
    source_requests: int = 0
    source_retries: int = 0
    readable: tuple[Readable, ...] = ()
    final_on_lists: bool | None = None
    terraform: bool = False
    door: str = ""
    abilities_unread: str = ""
    ways: dict[str, str] = field(default_factory=dict)

    @property
    def capabilities(self) -> dict[str, str]:
        left = TERRAFORM_KINDS if self.terraform else frozenset()
        return {kind: TERRAFORM if kind in left else WAYS[self.oncall or kind not in CONTRACT_KINDS] for kind in KINDS}

    @property
    def beyond(self) -> dict[str, str]:
        """The same for what is no kind of its own."""
        return {name: way or WAYS[self.oncall] for name, way in BEYOND.items()}


@records_step("connect")
def connect(job: Job) -> Access:
    """Ask both sides. Leaves `access` in the workspace. Raises a SideError that says what to check; writes nothing."""
    before = job.counts()
    if job.source:
        key = job.source.check_account(job.read_subdomain(), job.clock())
    else:
        key = KeyAccess(job.read_source_snapshot().subdomain, (), (), None)
    target, after = job.target.check_scope(), job.counts()
    source = {name: after["source"][name] - before["source"][name] for name in ("requests", "retries")}
    access = Access(
        subdomain=key.subdomain,
        abilities=key.abilities,
        target=target.target,
        oncall=target.oncall,
        requests=source["requests"] + after["target"]["requests"] - before["target"]["requests"],
        source_requests=source["requests"],
        source_retries=source["retries"],
        readable=key.readable,
        final_on_lists=key.final_on_lists,
        terraform=job.settings.rules.terraform,
        door=target.door,
        abilities_unread=key.abilities_unread,
        ways=_describe_ways(job),
    )
    found = ("subdomain", "target", "oncall", "final_on_lists", "door")
    job.workspace.save_state("access", {name: getattr(access, name) for name in found})
    return access


def _describe_ways(job: Job) -> dict[str, str]:
    """By side: through which proxy, and whose certificates are believed. A file is no side."""
    sides = {"PagerDuty": job.source.transport.base_url} if job.source else {}
    if not job.settings.target.survey:
        sides["Harness"] = job.target.address.base_url
    return {side: job.network.describe(url) for side, url in sides.items() if url}
