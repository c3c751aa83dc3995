"""Time-zone names: whatever PagerDuty gives, to a zone of the IANA database, or to nobody's guess."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from pdmigrate.oncall.zones import read_rails, read_zone, suggest_zones


@pytest.mark.parametrize("name", ["Europe/London", "America/New_York", "Asia/Kolkata", "UTC"])
def test_a_canonical_name_stays_as_it_is(name):
    assert (read_zone(name).iana, read_zone(name).converted) == (name, "")


@pytest.mark.parametrize(
    "name,iana",
    [
        ("Pacific Time (US & Canada)", "America/Los_Angeles"),
        ("Eastern Time (US & Canada)", "America/New_York"),
        ("London", "Europe/London"),
        ("Kyiv", "Europe/Kiev"),
        ("Osaka", "Asia/Tokyo"),
    ],
)
def test_a_rails_name_is_converted_and_that_is_said(name, iana):
    zone = read_zone(name)
    for month in (1, 7):
        there = datetime(2026, month, 15)
        assert ZoneInfo(zone.iana).utcoffset(there) == ZoneInfo(iana).utcoffset(there)
    assert zone.converted == "a Rails name"


@pytest.mark.parametrize(
    "name,iana", [("US/Eastern", "America/New_York"), ("Asia/Calcutta", "Asia/Kolkata"), ("Zulu", "UTC")]
)
def test_another_name_of_a_zone_is_converted_and_that_is_said(name, iana):
    zone = read_zone(name)
    assert zone.iana == iana
    assert zone.converted


def test_every_rails_name_leads_to_a_zone_that_exists():
    for name in read_rails():
        assert ZoneInfo(read_zone(name).iana)


@pytest.mark.parametrize("name", ["Middle/Earth", "", "GMT+25", "../etc/passwd", "europe/london"])
def test_a_name_that_nobody_knows_is_never_guessed(name):
    assert read_zone(name).iana is None


@pytest.mark.parametrize("typo,meant", [("Europe/Lodnon", "Europe/London"), ("America/NewYork", "America/New_York")])
def test_a_typo_has_suggestions(typo, meant):
    assert meant in suggest_zones(typo)


def test_what_is_like_nothing_has_none():
    assert suggest_zones("§§§§§§") == []
