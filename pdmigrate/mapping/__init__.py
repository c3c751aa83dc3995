"""PagerDuty's records and people's decisions to Harness's records, conflicts and losses. Pure: reaches no network.

One file a kind. Only here are both vocabularies known. The order matters: whatever a thing needs is mapped before it.
"""

from pdmigrate.mapping.contacts import map_contacts
from pdmigrate.mapping.left_behind import lose_unusable
from pdmigrate.mapping.mapped import GRADES, FieldOutcome, Grade, Mapped, Outcome
from pdmigrate.mapping.overrides import map_overrides
from pdmigrate.mapping.people import map_people, want_people
from pdmigrate.mapping.policies import map_policies
from pdmigrate.mapping.schedules import map_schedules
from pdmigrate.mapping.scope import choose_scope
from pdmigrate.mapping.services import map_services
from pdmigrate.mapping.teams import map_teams
from pdmigrate.wire.progress import Progress

__all__ = ["GRADES", "FieldOutcome", "Grade", "Mapped", "Outcome", "choose_scope", "map_all"]


def map_all(mapped: Mapped, progress: Progress | None = None) -> Mapped:
    """Fill `mapped` with what is wanted, what becomes of each source object, and what is held. Schedules, which take long, are counted."""
    lose_unusable(mapped)
    map_people(mapped)
    map_teams(mapped)
    want_people(mapped)
    if mapped.rules.contact_details:
        map_contacts(mapped)
    map_schedules(mapped, progress or Progress())
    map_overrides(mapped)
    map_policies(mapped)
    map_services(mapped)
    return mapped
