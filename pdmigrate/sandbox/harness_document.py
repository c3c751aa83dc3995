"""What an embedded Harness remembers, as one JSON document: empty, with a life, and what acceptance does to it."""

import base64
import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass

TEAM = ("platform", "Platform")
SECURITY = ("security_sso", "Security SSO")
SERVICES = (("checkout", "checkout"), ("catalog_search", "catalog-search"))
SCHEDULE = ("payments_primary", "Payments primary")
POLICY = ("platform_escalation", "Platform escalation")


@dataclass(frozen=True)
class Scope:
    """The account (neither given), an organization, or a project."""

    org: str | None = None
    project: str | None = None

    @property
    def key(self) -> str:
        return "/".join(part for part in (self.org, self.project) if part)

    @property
    def chain(self) -> list[str]:
        """The keys from the account down to this scope."""
        return list(dict.fromkeys(("", self.org or "", self.key)))

    def fields(self, account: str) -> dict:
        return {"accountIdentifier": account, "orgIdentifier": self.org, "projectIdentifier": self.project}

    def holds(self, row: dict) -> bool:
        return (row.get("orgIdentifier"), row.get("projectIdentifier")) == (self.org, self.project)


def new_document(
    account: str = "embedded", org: str = "default", project: str = "sre", people: Iterable[dict] = ()
) -> dict:
    """An empty target: an account, an organization, two projects, and active users given as uuid, name and email."""
    projects = [project, f"{project}_staging"]
    document = {
        "account": account,
        "organizations": [{"identifier": org, "name": org.title()}],
        "projects": [{"orgIdentifier": org, "identifier": name, "name": name} for name in projects],
    }
    document |= {name: [] for name in ("users", "invites", "user_groups", "services", "role_assignments", "writes")}
    kinds = ("schedules", "escalation_policies", "services", "alert_rules", "contact_details", "notification_rules")
    document |= {"mails": {}, "config": {}, "oncall": {kind: {} for kind in kinds}}
    document["users"] = [new_user(**person) | {"scopes": Scope(org, project).chain} for person in people]
    document["user_groups"] = _built_in_groups(account, org, projects)
    return document


def _built_in_groups(account: str, org: str, projects: list[str]) -> list[dict]:
    scopes = [(Scope(), "account"), (Scope(org), "organization")]
    scopes += [(Scope(org, project), "project") for project in projects]
    named = [(f"_{level}_all_users", f"All {level.title()} Users", scope) for scope, level in scopes]
    return [new_group(account, *group) | {"harnessManaged": True} for group in named]


def new_user(email: str, name: str | None = None, uuid: str | None = None, **more: object) -> dict:
    """An active user. The uuid comes from the email unless one is given, so that every run has the same."""
    flags = {"locked": False, "disabled": False, "externallyManaged": False, "twoFactorAuthenticationEnabled": False}
    person = {"name": name or _spoken_name(email), "email": email, "uuid": uuid or _issue_uuid(email)}
    return person | flags | more


def _spoken_name(email: str) -> str:
    return email.split("@")[0].replace(".", " ").replace("_", " ").title()


def _issue_uuid(email: str) -> str:
    digest = hashlib.sha256(email.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()[:22]


def new_group(account: str, identifier: str, name: str, scope: Scope, users: Iterable[str] = ()) -> dict:
    fields = scope.fields(account) | {"identifier": identifier, "name": name, "users": list(users)}
    flags = {"notificationConfigs": [], "externallyManaged": False, "ssoLinked": False, "harnessManaged": False}
    return fields | flags | {"description": "", "tags": {}, "lastModifiedAt": int(time.time() * 1000)}


def build_target(people: Iterable[dict]) -> dict:
    """A target that was in use before: groups, services, a schedule and a policy that somebody made by hand."""
    document = new_document(people=people)
    scope = Scope("default", "sre")
    pair = document["users"][:2]
    uuids = [user["uuid"] for user in pair]
    security = new_group("embedded", *SECURITY, scope, uuids[:1]) | {"externallyManaged": True, "ssoLinked": True}
    security |= {"linkedSsoId": "okta", "linkedSsoDisplayName": "Okta", "linkedSsoType": "SAML"}
    document["user_groups"] += [new_group("embedded", *TEAM, scope, uuids), security]
    document["services"] = [_handmade_service(*service, scope) for service in SERVICES]
    document["oncall"]["schedules"][f"{scope.key}/{SCHEDULE[0]}"] = _handmade_schedule([user["email"] for user in pair])
    document["oncall"]["escalation_policies"][f"{scope.key}/{POLICY[0]}"] = _handmade_policy()
    return document


def _handmade_service(identifier: str, name: str, scope: Scope) -> dict:
    fields = {"accountId": "embedded", "orgIdentifier": scope.org, "projectIdentifier": scope.project}
    fields |= {"identifier": identifier, "name": name, "description": "", "deleted": False, "tags": {}}
    return fields | {"yaml": f"service:\n  name: {name}\n  identifier: {identifier}\n", "createdAt": 1700000000000}


def _handmade_schedule(emails: list[str]) -> dict:
    rotation = {"name": "Weekly", "participants": emails or [None], "anchor": "2024-01-01T09:00:00"}
    rotation |= {"turn_seconds": 604800, "windows": [], "since": None, "until": None}
    named = {
        "identifier": SCHEDULE[0],
        "name": SCHEDULE[1],
        "description": "Made by hand",
        "time_zone": "Europe/London",
    }
    return named | {"owner_group": TEAM[0], "tags": {}, "rotations": [rotation], "overrides": []}


def _handmade_policy() -> dict:
    targets = [[{"type": "schedule", "id": SCHEDULE[0]}], [{"type": "user_group", "id": TEAM[0]}]]
    levels = [{"timeout_minutes": 10, "retries": 0, "targets": target} for target in targets]
    named = {"identifier": POLICY[0], "name": POLICY[1], "description": "Made by hand", "owner_group": TEAM[0]}
    return named | {"tags": {}, "levels": levels}


def is_member(user: dict, scope: Scope) -> bool:
    """A user without a list of scopes belongs to all of them."""
    return "scopes" not in user or scope.key in user["scopes"]


def find_user(document: dict, email: str) -> dict | None:
    return next((user for user in document["users"] if user["email"] == email), None)


def find_group(document: dict, scope: Scope, identifier: str) -> dict | None:
    groups = (group for group in document["user_groups"] if scope.holds(group))
    return next((group for group in groups if group["identifier"] == identifier), None)


def join_scope(user: dict, scope: Scope) -> None:
    """Whoever joins a project is in its organization and in the account too."""
    if "scopes" in user:
        user["scopes"] = list(dict.fromkeys(user["scopes"] + scope.chain))


def join_groups(document: dict, user: dict, identifiers: list[str], scope: Scope) -> None:
    """Unknown groups are passed over in silence, as Harness does."""
    for identifier in identifiers:
        group = find_group(document, scope, identifier)
        if group and user["uuid"] not in group["users"]:
            group["users"] = [*group["users"], user["uuid"]]


def accept_invites(document: dict, emails: list[str] | None = None) -> None:
    """What happens when people follow their invitation: they become users, and the groups of the invite apply."""
    wanted = None if emails is None else {email.lower() for email in emails}
    accepted = [invite for invite in document["invites"] if wanted is None or invite["email"] in wanted]
    for invite in accepted:
        _accept_invite(document, invite)
    document["invites"] = [invite for invite in document["invites"] if invite not in accepted]


def _accept_invite(document: dict, invite: dict) -> None:
    scope = Scope(invite["orgIdentifier"], invite["projectIdentifier"])
    user = find_user(document, invite["email"])
    if user is None:
        user = new_user(invite["email"]) | {"scopes": []}
        document["users"].append(user)
    join_scope(user, scope)
    join_groups(document, user, invite["userGroups"], scope)
    bind_roles(document, user["uuid"], invite["roleBindings"], scope)


def bind_roles(document: dict, uuid: str, bindings: list[dict], scope: Scope) -> None:
    for number, binding in enumerate(bindings):
        principal = {"identifier": uuid, "type": "USER", "scopeLevel": None}
        row = scope.fields(document["account"]) | {
            "identifier": f"role_assignment_{uuid}_{binding['roleIdentifier']}_{number}"
        }
        row |= {
            "roleIdentifier": binding["roleIdentifier"],
            "principal": principal,
            "disabled": False,
            "managed": False,
        }
        group = binding.get("resourceGroupIdentifier") or default_resource_group(scope)
        if not any(
            known["identifier"] == row["identifier"] and scope.holds(known) for known in document["role_assignments"]
        ):
            document["role_assignments"].append(row | {"resourceGroupIdentifier": group})


def default_resource_group(scope: Scope) -> str:
    level = "project" if scope.project else "organization" if scope.org else "account"
    return f"_all_{level}_level_resources"
