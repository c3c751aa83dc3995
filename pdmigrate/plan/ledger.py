"""The ledger: what was last carried over of each object."""

from dataclasses import dataclass

from pdmigrate.plan.actions import Fields


@dataclass(frozen=True)
class LedgerEntry:
    """A line of the ledger: what the PagerDuty object is called in Harness, and the fields on which both sides agreed.

    synced: per field what PagerDuty said when it was last carried over; that, and not what Harness holds, is what
    later changes are told from.
    """

    kind: str
    key: str
    identifier: str
    name: str
    synced: Fields
