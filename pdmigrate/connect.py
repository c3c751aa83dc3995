"""Step 1, connect: do both accounts answer, is it the right account, what may the keys do, what can the target take."""

from dataclasses import dataclass

from pdmigrate.actions import KINDS
from pdmigrate.job import Job, records_step
from pdmigrate.mapping.work import CONTRACT_KINDS

WAYS = {True: "by API", False: "by handover: a person makes it"}


@dataclass(frozen=True)
class Access:
    """What both sides answered. `capabilities` says for each kind how the target takes it."""

    subdomain: str
    abilities: tuple[str, ...]
    target: str
    oncall: bool
    requests: int

    @property
    def capabilities(self) -> dict[str, str]:
        return {kind: WAYS[self.oncall or kind not in CONTRACT_KINDS] for kind in KINDS}


@records_step("connect")
def connect(job: Job) -> Access:
    """Ask both sides. Leaves `access` in the workspace. Raises a SideError that says what to check; writes nothing."""
    source = job.source.check_account(job.subdomain) if job.source else {"subdomain": job.subdomain, "abilities": []}
    target = job.target.check_scope()
    requests = (job.source.transport.counts.requests if job.source else 0) + job.target.transport.counts.requests
    access = Access(source["subdomain"], tuple(source["abilities"]), target["target"], target["oncall"], requests)
    job.workspace.save_state(
        "access", {"subdomain": access.subdomain, "target": access.target, "oncall": access.oncall}
    )
    return access
