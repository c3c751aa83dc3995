"""PagerDuty's records and people's decisions to Harness's records, conflicts and losses. Pure: reaches no network.

One file a kind. Only here are both vocabularies known. The order matters: whatever a thing needs is mapped before it.
"""

from pdmigrate.mapping.contacts import map_contacts
from pdmigrate.mapping.left_behind import stop_unknown
from pdmigrate.mapping.mapped import GRADES, FieldOutcome, Grade, Mapped, Outcome
from pdmigrate.mapping.overrides import map_overrides
from pdmigrate.mapping.people import map_people, want_people
from pdmigrate.mapping.policies import map_policies
from pdmigrate.mapping.proof import NOT_CARRIED
from pdmigrate.mapping.schedules_v2 import map_layer_schedule
from pdmigrate.mapping.schedules_v3 import map_shift_schedule
from pdmigrate.mapping.scope import choose_scope
from pdmigrate.mapping.services import map_services
from pdmigrate.mapping.teams import map_teams
from pdmigrate.mapping.unread import stop_unread
from pdmigrate.mapping.unusable import lose_unusable
from pdmigrate.pagerduty.v3_records import ScheduleV3

__all__ = ["GRADES", "FieldOutcome", "Grade", "Mapped", "Outcome", "choose_scope", "map_all"]


def map_all(mapped: Mapped) -> Mapped:
    """Fill `mapped` with what is wanted, what becomes of each source object, and what is held."""
    lose_unusable(mapped)
    map_people(mapped)
    map_teams(mapped)
    want_people(mapped)
    if mapped.rules.contact_details:
        map_contacts(mapped)
    _map_schedules(mapped)
    map_overrides(mapped)
    map_policies(mapped)
    map_services(mapped)
    return mapped


def _map_schedules(mapped: Mapped) -> None:
    """Want a schedule for every one in scope that can be held exactly. Fills `mapped.schedules`, `zones`, `fidelity`."""
    for schedule in mapped.in_scope("schedules"):
        mapped.fidelity[schedule.id] = NOT_CARRIED
        if mapped.stop(
            "schedules", schedule, [stop_unknown(mapped, "schedules", schedule), stop_unread(mapped, schedule)]
        ):
            continue
        map_one = map_shift_schedule if isinstance(schedule, ScheduleV3) else map_layer_schedule
        map_one(mapped, schedule)
