"""The list with tick boxes: what a person clicked is what is ticked, whatever the list has become meanwhile."""

from pdmigrate.notebook.roll import Roll, Row

ROWS = [Row(name, name.title()) for name in ("alder", "birch", "cedar", "fir", "maple", "oak", "pine", "rowan")]
MANY = [*ROWS, *(Row(f"shrub {n}", f"Shrub {n}") for n in range(20))]


def list_boxes(roll):
    return {box.description: box for box in roll.box.children[1].children}


def type_into_search(roll, words):
    roll.box.children[0].children[0].value = words


def test_a_click_that_meets_a_search_on_its_way_ticks_the_row_that_was_clicked():
    roll = Roll(MANY)
    seen = list_boxes(roll)["Birch"]  # the browser still shows the whole list
    type_into_search(roll, "ir")
    assert list(list_boxes(roll)) == ["Birch", "Fir"]  # Birch stood second
    seen.value = True
    assert roll.ticked == {"birch"}


def test_a_click_on_a_row_that_a_search_has_hidden_meanwhile_is_kept_and_said():
    roll = Roll(MANY)
    seen = list_boxes(roll)["Birch"]
    type_into_search(roll, "oak")
    seen.value = True
    assert roll.ticked == {"birch"}
    assert "1 of them not in this list" in roll.box.children[2].children[-1].value
    type_into_search(roll, "")
    assert list_boxes(roll)["Birch"].value


def test_other_words_for_the_same_rows_keep_their_boxes():
    roll = Roll(ROWS, ticked=["fir"])
    roll.replace([Row(row.key, row.label.upper()) for row in ROWS], ["oak"])
    assert [name for name, box in list_boxes(roll).items() if box.value] == ["OAK"]
