"""PagerDuty's records and people's decisions to Harness's records, conflicts and losses. Pure: reaches no network.

One file a kind. Only here are both vocabularies known. The order matters: whatever a thing needs is mapped before it.
"""

from pdmigrate.mapping.contacts import map_contacts
from pdmigrate.mapping.overrides import map_overrides
from pdmigrate.mapping.people import map_people, want_people
from pdmigrate.mapping.policies import map_policies
from pdmigrate.mapping.schedules import map_schedules
from pdmigrate.mapping.scope import choose_scope
from pdmigrate.mapping.services import map_services
from pdmigrate.mapping.teams import map_teams
from pdmigrate.mapping.unusable import lose_unusable
from pdmigrate.mapping.work import GRADES, Fate, FieldFate, Grade, Work

__all__ = ["GRADES", "Fate", "FieldFate", "Grade", "Work", "choose_scope", "map_all"]


def map_all(work: Work) -> Work:
    """Fill the work with what is wanted, what becomes of each source object, and what is held."""
    lose_unusable(work)
    map_people(work)
    map_teams(work)
    want_people(work)
    if work.rules.contact_details:
        map_contacts(work)
    map_schedules(work)
    map_overrides(work)
    map_policies(work)
    map_services(work)
    return work
