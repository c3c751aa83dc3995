"""Identifiers and names that Harness takes, whatever somebody called a thing in PagerDuty."""

import random
import re

from pdmigrate.harness.identifiers import make_identifier, make_name, make_service_name
from pdmigrate.sandbox.harness_names import RESERVED, check_identifier, check_name

BASES = [
    "🔥🚒 Payments 🔥", "🎁", "مناوبة المدفوعات", "\u202eתורנות", "x" * 300, "支払い" * 60, "Zürich Straße", "",
    " ", "\t\n", "1st line", "$$$", "__", "a\u0000b", "../../etc", "<b>x</b>", "${jndi:ldap}", "'; drop table",
    *sorted(RESERVED), *(word.upper() for word in sorted(RESERVED)),
    "Payments", "payments", "PAYMENTS", "pay-ments", "pay.ments", "pay ments", "pay/ments", "Payments!", "_project_all_users",
]  # fmt: skip
MARKS = ["", " ", ".", "-", "_", "!", "é", "🌷", "\u200f", "A", "a", "0"]
SERVICE_NAME = re.compile(r"[a-zA-Z_][0-9a-zA-Z-_ ]{0,127}")


def make_hostile(number=10_000, seed=5):
    """(name, PagerDuty id), the ids as PagerDuty issues them, some of them alike but for case."""
    dice = random.Random(seed)  # noqa: S311 - the same names every time
    letters = "ABCabc012"
    ids = set()
    while len(ids) < number:
        ids.add("P" + "".join(dice.choice(letters) for _ in range(6)))
    return [(dice.choice(BASES) + dice.choice(MARKS) + dice.choice([*BASES[-9:], ""]), id) for id in sorted(ids)]


HOSTILE = make_hostile()


def test_10000_hostile_names_become_valid_and_distinct_identifiers():
    made = [make_identifier(name, id) for name, id in HOSTILE]
    assert [i for i in made if check_identifier(i)] == []
    assert len(set(made)) == len(HOSTILE) == 10_000


def test_the_same_identifier_on_the_next_run_and_in_any_order():
    first = {id: make_identifier(name, id) for name, id in HOSTILE}
    shuffled = HOSTILE[:]
    random.Random(6).shuffle(shuffled)  # noqa: S311 - the same order every time
    assert {id: make_identifier(name, id) for name, id in shuffled} == first


def test_names_are_valid_too():
    assert [n for n, id in HOSTILE if check_name(make_name(n, id))] == []
    assert [n for n, id in HOSTILE if not SERVICE_NAME.fullmatch(make_service_name(n, id))] == []


def test_ids_of_other_forms_stay_distinct():
    ids = ["a-b", "a_b", "a.b", "ab", "a b", "", "é", "x" * 80, "x" * 81]
    made = [make_identifier("Payments", id) for id in ids]
    assert len(set(made)) == len(ids)
    assert not [i for i in made if check_identifier(i)]
