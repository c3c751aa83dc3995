"""Names and identifiers that Harness accepts: valid, distinct and stable for any name that PagerDuty may hold."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdmigrate.harness.identifiers import make_identifier, make_name, make_service_name

IDENTIFIER = re.compile(r"[a-zA-Z_][0-9a-zA-Z_$]{0,127}")
NAME = re.compile(r"[A-Za-z0-9\-_. /]{1,128}")
SERVICE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9\-_ ]{0,127}")

NAMES = st.text(max_size=300)
IDS = st.from_regex(r"[PQ][A-Z0-9]{6,13}", fullmatch=True)


@given(NAMES, IDS)
def test_an_identifier_is_valid_whatever_the_name(name, source_id):
    assert IDENTIFIER.fullmatch(make_identifier(name, source_id))


@given(NAMES, NAMES, st.lists(IDS, min_size=2, max_size=2, unique=True))
def test_two_ids_never_share_an_identifier(name, other, ids):
    """Whatever the names are, even in a target that ignores case."""
    assert make_identifier(name, ids[0]).lower() != make_identifier(other, ids[1]).lower()


@given(NAMES, IDS)
def test_an_identifier_ends_in_the_id_that_it_was_made_of(name, source_id):
    assert make_identifier(name, source_id).endswith(f"_{source_id}")


@given(NAMES, IDS)
def test_a_name_is_valid_and_made_only_once(name, source_id):
    made = make_name(name, source_id)
    assert NAME.fullmatch(made)
    assert made == made.strip()
    assert make_name(made, source_id) == made, "a name that Harness holds stays as it is"


@given(NAMES, IDS)
def test_a_services_name_is_valid_and_made_only_once(name, source_id):
    made = make_service_name(name, source_id)
    assert SERVICE_NAME.fullmatch(made)
    assert make_service_name(made, source_id) == made


@pytest.mark.parametrize(
    "name,identifier",
    [
        ("Platform primary", "platform_primary_P1"),
        ("Search & Catalog 🔎", "search_catalog_P1"),
        ("Zürich  Süd", "zurich_sud_P1"),
        ("24/7 hotline", "pd_24_7_hotline_P1"),
        ("🛒🛒", "pd_P1"),
        ("", "pd_P1"),
    ],
)
def test_identifiers_that_people_will_meet(name, identifier):
    assert make_identifier(name, "P1") == identifier


@pytest.mark.parametrize(
    "name,made",
    [
        ("Payments", "Payments"),
        ("payments!", "payments"),
        ("Customer Support <b>Tier 2</b>", "Customer Support b Tier 2 /b"),
        ("Zürich", "Zurich"),
        ("🛒", "PagerDuty P1"),
    ],
)
def test_names_that_people_will_meet(name, made):
    assert make_name(name, "P1") == made


@pytest.mark.parametrize(
    "name,made",
    [
        ("Edge & CDN", "Edge CDN"),
        ("v2.1/api", "v2 1 api"),
        ("1st line", "s 1st line"),
        ("Wi-Fi (old)", "Wi-Fi old"),
        ("/", "PagerDuty P1"),
    ],
)
def test_services_names_are_stricter(name, made):
    assert make_service_name(name, "P1") == made
