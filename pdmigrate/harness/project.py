"""One Harness project as a target: read by the client, written to by the writers and the invitations."""

from collections.abc import Mapping, Sequence

from pdmigrate.harness import invitations, writers
from pdmigrate.harness.address import read_base_url, read_key
from pdmigrate.harness.client import Harness
from pdmigrate.harness.pacing import PacedTransport, Quota
from pdmigrate.harness.records import Person, State
from pdmigrate.harness.target import Change
from pdmigrate.wire.network import Network


class HarnessProject(Harness):
    """The whole Target: Harness as it is, or the embedded one."""

    def write_change(self, change: Change, people: Mapping[str, Person]) -> str:
        return writers.write_change(self, change, people)

    def invite_people(self, emails: Sequence[str], groups: Sequence[str], roles: Sequence[str]) -> dict[str, str]:
        return invitations.invite_people(self, emails, groups, roles)

    def remove_created(self, kind: str, identifier: str, state: State) -> None:
        writers.remove_created(self, kind, identifier, state)


def open_project(
    base_url: str,
    api_key: str,
    account: str,
    org: str,
    project: str,
    pace: Quota | None = None,
    network: Network | None = None,
) -> HarnessProject:
    """A Harness project behind its base URL. pace: what keeps Harness's limits; without it a fresh one. network: the way."""
    headers = {"x-api-key": api_key, "Harness-Account": account}
    transport = PacedTransport("Harness", read_base_url(base_url), headers, pace or Quota(), network=network)
    return HarnessProject(transport, account, org, project, read_key(api_key))
