"""The drawing says when, to the instant: across clock changes, in any zone, and without its colours."""

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from pdmigrate.harness.records import Rotation, Schedule
from pdmigrate.pages.axis import find_clock_changes
from pdmigrate.pages.timeline import COLOURS, Bar, Lane, draw_timeline, give_looks
from pdmigrate.parity.schedules import target_lanes

LONDON = ZoneInfo("Europe/London")


def at(day, hour=0, month=10, zone=LONDON):
    return datetime(2026, month, day, hour, tzinfo=zone)


def draw(bars, start, end, zone="Europe/London", **more):
    return ElementTree.fromstring(draw_timeline([Lane("A", tuple(bars))], start, end, zone, "T", **more))  # noqa: S314


def list_bars(drawing):
    return [one for one in drawing.iter("svg") if one.get("class") == "tl-bar"]


def share(text):
    """A part of the whole width, from 0 to 1."""
    return float(text.removesuffix("%")) / 100


def bar_edges(drawing):
    """(from, to) of each bar, in parts of the whole width."""
    return [(share(bar.get("x")), share(bar.get("x")) + share(bar.get("width"))) for bar in list_bars(drawing)]


def bar_words(drawing, zoom):
    """What each bar says at a zoom."""
    told = [
        [t for t in bar.findall("text") if f"at-{zoom}" in t.get("class", f"at-{zoom}")] for bar in list_bars(drawing)
    ]
    return ["".join(t.text for t in texts) for texts in told]


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
    heights = [bar.get("y") for bar in list_bars(svg)]
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
    x = share(re.search(r'tl-change"><line x1="([\d.]+%)"', svg)[1])
    assert x == pytest.approx(2 / 25, abs=1e-4)
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
    looks = [tuple(box.get("fill") for box in bar.findall("rect")) for bar in list_bars(svg)]
    assert looks[:10] == looks[10:]
    assert len(set(looks)) == 10


def test_neighbours_are_told_apart_without_their_colours():
    """Printed in grey, or seen by somebody who sees no colours: another pattern each, four in a row."""
    svg = draw([Bar(at(1 + n), at(2 + n), f"Person {n}") for n in range(4)], at(1), at(5))
    bars = [bar.findall("rect")[1:] for bar in list_bars(svg)]
    assert len({grain[0].get("fill") if grain else "" for grain in bars}) == 4


def test_long_labels_that_differ_at_their_end_are_told_apart():
    name = "Payments platform follow the sun, the second line, from the office in"
    lanes = [Lane(f"{name} {city}", (), False) for city in ("Sydney", "London")] + [Lane("Short", ())]
    svg = ElementTree.fromstring(draw_timeline(lanes, at(1), at(2), "UTC", "T"))  # noqa: S314
    labels = next(one for one in svg.iter("svg") if one.get("class") == "tl-labels")
    shown = [tuple(t.text for t in g.findall("text")) for g in labels.iter("g")]
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
    body = next(one for one in svg.iter("svg") if one.get("class") == "tl-body")
    assert body.get("role") == "img"
    assert [child.tag for child in body][:2] == ["title", "desc"]
    assert body.get("aria-labelledby").split() == [body[0].get("id"), body[1].get("id")]
    assert "Ana Brown" in body[1].text
    tip = list_bars(svg)[0].find("title").text
    assert "Thu 1 Oct 2026 00:00 +01:00 to Fri 2 Oct 2026 00:00 +01:00 (1 d)" in tip


def test_a_name_that_does_not_fit_at_one_zoom_is_there_at_the_next():
    """As much of it as fits: the first name over a month, the whole one over a week, and a bar of an hour over a day."""
    month = draw([Bar(at(1), at(2), "Ana Brown"), Bar(at(3), at(3, 2), "Ben Cole")], at(1), at(29))
    assert [bar_words(month, zoom) for zoom in ("month", "week", "day")] == [
        ["Ana", ""],
        ["Ana Brown", ""],
        ["Ana Brown", "Ben Cole"],
    ]


def find_zoom(drawing):
    [checked] = [one.get("id").rpartition("-")[2] for one in drawing.iter("input") if one.get("checked")]
    shown = {t.get("display") for bar in list_bars(drawing) for t in bar.findall("text")}
    assert shown <= {None, "none"}
    return checked


def test_a_drawing_opens_at_the_zoom_at_which_every_bar_has_a_name():
    weeks = [Bar(at(1 + 7 * n), at(8 + 7 * n), f"Person {n}") for n in range(3)]
    assert find_zoom(draw(weeks, at(1), at(22))) == "month"
    days = [Bar(at(1 + n), at(2 + n), f"Person {n}") for n in range(21)]
    assert find_zoom(draw(days, at(1), at(22))) == "week"
    assert all(bar_words(draw(days, at(1), at(22)), "week"))


def test_a_person_has_the_look_that_was_given_whoever_else_is_drawn():
    looks = give_looks([f"P{n}" for n in range(50)])
    assert len(set(looks.values())) == 50
    assert give_looks([f"P{n}" for n in range(50)][::-1]) == looks
    mates = give_looks([f"P{n}" for n in range(50)], [[f"P{n}" for n in range(6)]])
    assert len({mates[f"P{n}"] % len(COLOURS) for n in range(6)}) == 6, "who stands side by side has another colour"

    def list_looks(*people):
        bars = [Bar(at(1 + n), at(2 + n), person, person, looks[person]) for n, person in enumerate(people)]
        rects = (bar.findall("rect") for bar in list_bars(draw(bars, at(1), at(9))))
        return [[re.sub(r"url\(#\w+", "", box.get("fill")) for box in boxes] for boxes in rects]

    assert list_looks("P7") == list_looks("P1", "P2", "P7")[2:]
    assert list_looks("P1") != list_looks("P7")


def test_there_is_a_line_for_now_and_who_is_on_call_then():
    bars = [Bar(at(1), at(3), "Ana Brown"), Bar(at(3), at(5), "Ben Cole")]
    lanes = [Lane("Layer", (Bar(at(1), at(9), "Cy"),)), Lane("PagerDuty", tuple(bars), True)]
    drawn = draw_timeline(lanes, at(1), at(5), "Europe/London", "T", now=at(4))
    assert share(re.search(r'tl-now"[^>]*><line x1="([\d.]+%)"', drawn)[1]) == pytest.approx(0.75)
    assert re.findall(r'tl-on-call"[^>]*>([^<]*)<', drawn) == ["now: Ben Cole"]
    assert "The line is now: Sun 4 Oct 2026 00:00 +01:00." in drawn
    empty = draw_timeline([Lane("A", tuple(bars[:1]))], at(1), at(5), "Europe/London", "T", now=at(4))
    assert re.findall(r'tl-on-call"[^>]*>([^<]*)<', empty) == ["now: nobody"]
    assert "tl-now" not in draw_timeline(lanes, at(1), at(5), "Europe/London", "T", now=at(6))


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
