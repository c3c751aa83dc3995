"""Whom a PagerDuty user would be in Harness by the rules alone, and what kind of a user that is."""

import re

from pdmigrate.mapping.work import Work
from pdmigrate.pagerduty.records import User

EMAIL = re.compile(r"[^\s@,;<>()\[\]\"]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
"""What Harness takes for an address; one that it does not take spoils the invitation of a hundred others."""

SHARED_BOXES = {
    *(
        "admin",
        "alert",
        "alerts",
        "all",
        "devops",
        "engineering",
        "group",
        "help",
        "helpdesk",
        "hello",
        "info",
        "infra",
    ),
    *("it", "monitoring", "noc", "oncall", "on-call", "ops", "operations", "platform", "root", "security", "service"),
    *("services", "shared", "soc", "sre", "staff", "support", "sysadmin", "team", "webmaster"),
}
NOBODY_BOXES = {"dummy", "fake", "nobody", "none", "no-one", "noone", "noreply", "no-reply", "pagerduty", "placeholder"}
SHARED_WORDS = re.compile(r"\b(shared|mailbox|distribution list|team account|service account|bot)\b", re.IGNORECASE)
NOBODY_WORDS = re.compile(r"\b(nobody|no[- ]one|placeholder|dummy|unassigned|do not page|black ?hole)\b", re.IGNORECASE)


def read_email(user: User) -> str:
    return user.email.strip().lower()


def guess_email(work: Work, user: User) -> str:
    """The address in Harness: by the file of people, else as it is where Harness knows it, else by the renamed domain."""
    email = read_email(user)
    if email in work.people_map:
        return work.people_map[email]
    name, _, domain = email.rpartition("@")
    renamed = {old.lower(): new.lower() for old, new in work.rules.renamed_domains.items()}
    moved = f"{name}@{renamed[domain]}" if domain in renamed else email
    return email if email in work.state.people and moved not in work.state.people else moved


def is_address(email: str) -> bool:
    return EMAIL.fullmatch(email) is not None


def name_class(user: User) -> str:
    """`shared` for a mailbox that several read, `nobody` for a user that fills an empty place, else `person`."""
    box = read_email(user).partition("@")[0]
    words = set(re.split(r"[._+-]", box))
    if box in NOBODY_BOXES or words & {"nobody", "placeholder", "dummy"} or NOBODY_WORDS.search(user.name):
        return "nobody"
    if box in SHARED_BOXES or words & {"ops", "oncall", "team", "noc", "alerts"} or SHARED_WORDS.search(user.name):
        return "shared"
    return "person"
