"""The drawing says when, to the instant: across clock changes, in any zone, and without its colours."""

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from pdmigrate.harness.records import Rotation, Schedule
from pdmigrate.pages.timeline import Bar, Lane, draw_timeline, find_clock_changes
from pdmigrate.parity.schedules import target_lanes

LONDON = ZoneInfo("Europe/London")
LEFT, WIDTH = 180, 960


def at(day, hour=0, month=10, zone=LONDON):
    return datetime(2026, month, day, hour, tzinfo=zone)


def draw(bars, start, end, zone="Europe/London", **more):
    return ElementTree.fromstring(draw_timeline([Lane("A", tuple(bars))], start, end, zone, "T", **more))  # noqa: S314


def bar_edges(svg):
    """(from, to) of each bar, in parts of the whole width."""
    boxes = [group.find("rect") for group in svg.iter("g") if group.get("class") == "tl-bar"]
    spans = [(float(box.get("x")) - LEFT, float(box.get("width"))) for box in boxes]
    return [(x / WIDTH, (x + width) / WIDTH) for x, width in spans]


def test_a_bar_stands_at_its_true_instants_on_a_day_of_25_hours():
    svg = draw([Bar(at(25, 9), at(26), "Ana")], at(25), at(26))
    [(left, right)] = bar_edges(svg)
    assert left == pytest.approx(10 / 25, abs=1e-4)
    assert right == pytest.approx(1, abs=1e-4)


def test_a_bar_stands_at_its_true_instants_on_a_day_of_23_hours():
    start, end = at(29, month=3), at(30, month=3)
    [(left, _)] = bar_edges(draw([Bar(at(29, 9, month=3), end, "Ana")], start, end))
    assert left == pytest.approx(8 / 23, abs=1e-4)


def test_the_hour_that_comes_twice_is_drawn_twice():
    first, second = datetime(2026, 10, 25, 1, tzinfo=LONDON), datetime(2026, 10, 25, 1, tzinfo=LONDON, fold=1)
    [(left, right)] = bar_edges(draw([Bar(first, second, "Ana")], at(25), at(26)))
    assert right - left == pytest.approx(1 / 25, abs=1e-4)


def test_bars_are_cut_at_the_edges_and_left_out_beyond_them():
    bars = [Bar(at(1), at(12), "Ana"), Bar(at(20), at(21), "Ben"), Bar(at(19), at(30), "Cy")]
    assert bar_edges(draw(bars, at(10), at(20))) == [
        (0, pytest.approx(0.2, abs=1e-4)),
        (pytest.approx(0.9, abs=1e-4), pytest.approx(1, abs=1e-4)),
    ]


def test_bars_at_one_time_stand_below_each_other():
    bars = [Bar(at(1), at(3), "Ana"), Bar(at(2), at(4), "Ben"), Bar(at(3), at(4), "Cy")]
    svg = draw(bars, at(1), at(4))
    heights = [group.find("rect").get("y") for group in svg.iter("g") if group.get("class") == "tl-bar"]
    assert heights[0] == heights[2] != heights[1]


@pytest.mark.parametrize(
    "zone,start,expected",
    [
        ("Europe/London", at(24), [(datetime(2026, 10, 25, 1, tzinfo=UTC), timedelta(hours=-1))]),
        ("Australia/Lord_Howe", at(1), [(datetime(2026, 10, 3, 15, 30, tzinfo=UTC), timedelta(minutes=30))]),
        ("Asia/Kolkata", at(24), []),
    ],
)
def test_clock_changes_are_found_to_the_second(zone, start, expected):
    assert find_clock_changes(start, start + timedelta(days=5), zone) == expected


def test_clock_changes_are_marked_where_they_are():
    svg = draw_timeline([], at(25), at(26), "Europe/London", "T")
    x = float(re.search(r'tl-change"><line x1="([\d.]+)"', svg)[1])
    assert (x - LEFT) / WIDTH == pytest.approx(2 / 25, abs=1e-4)
    assert "clocks back 1 h" in svg


def test_a_day_starts_when_the_clocks_are_set_where_midnight_does_not_exist():
    cairo = ZoneInfo("Africa/Cairo")
    start = datetime(2026, 4, 23, 12, tzinfo=cairo)
    svg = draw([], start, start + timedelta(days=2), "Africa/Cairo")
    change = next(group.find("line") for group in svg.iter("g") if group.get("class") == "tl-change")
    days = [line.get("x1") for line in svg.iter("line") if line.get("class") == "tl-day"]
    assert change.get("x1") in days


def test_same_people_same_colour_and_ten_people_ten_looks():
    bars = [Bar(at(1 + n), at(2 + n), f"Person {n % 10}", f"P{n % 10}") for n in range(20)]
    svg = draw(bars, at(1), at(21))
    looks = [tuple(box.get("fill") for box in g.findall("rect")) for g in svg.iter("g") if g.get("class") == "tl-bar"]
    assert looks[:10] == looks[10:]
    assert len(set(looks)) == 10


def test_neighbours_are_told_apart_without_their_colours():
    """Printed in grey, or seen by somebody who sees no colours: another pattern each, four in a row."""
    svg = draw([Bar(at(1 + n), at(2 + n), f"Person {n}") for n in range(4)], at(1), at(5))
    bars = [g.findall("rect")[1:] for g in svg.iter("g") if g.get("class") == "tl-bar"]
    assert len({grain[0].get("fill") if grain else "" for grain in bars}) == 4


def test_long_labels_that_differ_at_their_end_are_told_apart():
    name = "Payments platform follow the sun, the second line, from the office in"
    lanes = [Lane(f"{name} {city}", (), False) for city in ("Sydney", "London")] + [Lane("Short", ())]
    svg = ElementTree.fromstring(draw_timeline(lanes, at(1), at(2), "UTC", "T"))  # noqa: S314
    shown = [tuple(t.text for t in g.findall("text")) for g in svg.iter("g") if g.get("class") == "tl-lane"]
    assert [lines[-1][-6:] for lines in shown] == ["Sydney", "London", "Short"]
    assert [len(lines) for lines in shown] == [2, 2, 1]


def test_lanes_beyond_the_eighth_share_the_last_and_are_all_there():
    anchor = datetime(2026, 10, 1)
    rotations = [
        Rotation(name=f"Rotation {n}", participants=(f"p{n}@example.com",), anchor=anchor, turn_seconds=3600)
        for n in range(10)
    ]
    made = Schedule(identifier="s", name="S", time_zone="UTC", rotations=rotations)
    lanes = target_lanes(made, int(at(1).timestamp()), int(at(2).timestamp()))
    assert len(lanes) == 8
    assert lanes[-1][0] == "3 more: Rotation 7, Rotation 8, Rotation 9"
    people = {person for _, alone in lanes for one in alone for _, _, who in one.entries for person in who}
    assert len(people) == 10


def test_differences_are_outlined_in_the_results_and_have_a_row():
    lanes = [Lane("layer", ()), Lane("before", (), True), Lane("after", (), True)]
    svg = draw_timeline(lanes, at(1), at(11), "UTC", "T", [(at(3), at(4)), (at(20), at(21))])
    assert svg.count("tl-outline") == 2
    assert svg.count("tl-mark") == 1
    assert "Differences marked: 1." in svg
    assert "Differs: Fri 2 Oct 2026 23:00 +00:00" in svg


def test_it_can_be_read_without_seeing_it():
    svg = draw([Bar(at(1), at(2), "Ana Brown")], at(1), at(3))
    assert svg.get("role") == "img"
    assert [child.tag for child in svg][:2] == ["title", "desc"]
    assert svg.get("aria-labelledby").split() == [svg[0].get("id"), svg[1].get("id")]
    assert "Ana Brown" in svg[1].text
    tip = next(group.find("title").text for group in svg.iter("g") if group.get("class") == "tl-bar")
    assert "Thu 1 Oct 2026 00:00 +01:00 to Fri 2 Oct 2026 00:00 +01:00 (1 d)" in tip


def test_initials_where_the_name_does_not_fit():
    svg = draw_timeline([Lane("A", (Bar(at(1), at(2), "Ana Brown"),))], at(1), at(29), "Europe/London", "T")
    assert ">AB</text>" in svg


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", "\"'&", "\u202eevil", "🚨 李", "a\x00\ud800b"])
def test_names_of_strangers_stay_text(name):
    lanes = [Lane(name, (Bar(at(1), at(2), name), Bar(at(3), at(9), name, "k")), True)]
    svg = draw_timeline(lanes, at(1), at(9), "UTC", name, [(at(1), at(2))])
    ElementTree.fromstring(svg.encode())  # noqa: S314
    assert "<img" not in svg
    assert not re.search(r"\son\w+=[^&]*(?=[^<]*>)", re.sub(r">[^<]*<", "><", svg))
    assert "style=" not in svg
    assert "http" not in svg


def test_same_input_same_bytes_and_other_input_other_ids():
    def one(title):
        return draw_timeline([Lane("A", (Bar(at(1), at(2), "Ana"),))], at(1), at(3), "UTC", title)

    assert one("T") == one("T")
    assert re.search(r'id="(\w+)-title', one("T"))[1] != re.search(r'id="(\w+)-title', one("U"))[1]


def test_times_without_an_offset_and_empty_spans_are_refused():
    with pytest.raises(ValueError, match="offset"):
        draw([Bar(datetime(2026, 10, 1), at(2), "Ana")], at(1), at(3))
    with pytest.raises(ValueError, match="after it starts"):
        draw([], at(3), at(3))
