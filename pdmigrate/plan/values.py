"""What an answer may name: a person, a group or a time zone that there is. One that cannot work is refused when it is given."""

from collections.abc import Collection, Mapping

from pdmigrate.errors import ALIKE, find_nearest
from pdmigrate.oncall.zones import read_zone, suggest_zones

TAKES = {"map": "people", "owner": "groups", "other": "zones"}
"""What the value of a choice names; of any other choice it may be anything."""
WORDS = {
    "people": "is nobody in the Harness project: invite that person first, and answer then",
    "groups": "is no user group of the project",
    "zones": "is no time zone that anybody knows",
}


def describe_unusable(choice: str, value: str | None, known: Mapping[str, Collection[str]]) -> str:
    """Why an answer with this value cannot be carried out, with the nearest that can; "" where it can.

    known: the addresses of the people and the identifiers of the groups that Harness has or will have; of what is not
    there nothing is said. taken: the names that others of the kind have or will have, in lower case.
    """
    kind, wanted = TAKES.get(choice, ""), (value or "").strip()
    if not wanted:
        return ""
    if choice == "rename":
        return f"{wanted} is the name of another one already" if wanted.casefold() in known.get("taken", ()) else ""
    if kind == "zones":
        near = [] if read_zone(wanted).iana else suggest_zones(wanted)
        return "" if read_zone(wanted).iana else f"{wanted} {WORDS[kind]}{find_nearest(wanted, near)}"
    if kind not in known or wanted in known[kind] or (kind == "people" and wanted.lower() in known[kind]):
        return ""
    return f"{wanted} {WORDS[kind]}{find_nearest(wanted.lower(), known[kind], ALIKE)}"
