"""A second look takes no more memory than the first: of the former only what its caller holds is left when it begins."""

import gc
import weakref

import pytest

from pdmigrate import preview, verify
from pdmigrate.pagerduty.account import Account, Snapshot
from pdmigrate.pagerduty.evidence import OnCall
from pdmigrate.pagerduty.records import Reference


def find_alive(*kinds):
    gc.collect()
    return [one for one in gc.get_objects() if type(one) in kinds]


def watch(monkeypatch, side, name, former):
    """What of the former look is there whenever this is read."""
    left, read = [], getattr(side, name)

    def watched(*given):
        gc.collect()
        left.append([one() for one in former if one() is not None])
        return read(*given)

    monkeypatch.setattr(side, name, watched)
    return left


def test_a_second_fetch_begins_without_the_former_account(small, monkeypatch):
    found = preview(small)
    former = [weakref.ref(one) for one in (found, found.snapshot, found.draft, found.draft.account, found.draft.state)]
    left = watch(monkeypatch, small.source, "fetch", former)
    del found
    preview(small)
    assert left == [[]]


def test_a_second_verify_begins_without_the_former(loaded, monkeypatch):
    found = verify(loaded)
    former = [
        weakref.ref(one) for one in (found, found.draft, found.draft.account, found.draft.state, found.draft.plan)
    ]
    former += [weakref.ref(one) for one in (*found.schedules, *found.service_parity, *found.policies)]
    left = watch(monkeypatch, loaded.target, "read_state", former)
    del found
    verify(loaded)
    assert left == [[]]


@pytest.mark.parametrize("step", [preview, verify])
def test_a_job_keeps_the_account_and_none_of_its_raw_rows(loaded, step):
    before = {id(one) for one in find_alive(Account, Snapshot)}
    step(loaded)
    assert not [one for one in find_alive(Snapshot) if id(one) not in before]
    first = len(find_alive(Account))
    step(loaded)
    assert len(find_alive(Account)) == first


def test_of_what_pagerduty_says_of_levels_nothing_stays_but_who_is_on_call_when(loaded):
    verified = verify(loaded)
    assert verified.draft.account.oncalls.policies
    assert not find_alive(OnCall)


def test_records_share_the_set_of_fields_that_their_rows_had():
    """Else it is half of what an account takes; texts that are equal are one as well."""
    one, other = (Reference.model_validate({"id": "P1", "type": "user_reference"}) for _ in range(2))
    assert one.__pydantic_fields_set__ is other.__pydantic_fields_set__
    assert one.type is other.type
    changed = one.model_copy(update={"summary": "Ann"})
    assert (changed.summary, other.model_fields_set) == ("Ann", set())
