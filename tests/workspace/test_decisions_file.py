"""A click changes in decisions.yaml what it is about, and leaves everything else as people wrote it, byte by byte."""

import os
import random
import stat

import pytest
import yaml

from pdmigrate.errors import SettingsError
from pdmigrate.plan.answers import Approval, Choice, Decision, SignOff
from pdmigrate.workspace.decisions import drop_answer, read_decisions, save_answers

BY_HAND = """\
# Decisions of the migration of acme. Ask carla before you change any.
---
decisions:   # people first

  # Ann joins in December, see the mail of HR.
  - conflict: user_not_found   # asked Bob on the phone
    object:   PU1
    choice:   "invite"
    # not before the 1st
    why: >
      joins in December,
      # this is no comment
      so she needs an account

  # The other Ann.
  - { conflict: user_not_found, object: PU2, choice: map, value: 'ann@example.com' }  # her new address
  - object: "123"
    conflict: phone_country
    choice: leave_out
    by: 'carla'

# --- plans ---
approvals:
- plan: 3f9a
  by: ann

choices: []   # none yet
# the end
"""


def answer(object, choice="leave_out", about="user_not_found", **more):
    return Decision(conflict=about, object=object, choice=choice, **more)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "decisions.yaml"


def list_changes(before, after):
    """The lines that went, and those that came."""
    import difflib

    rows = [row for row in difflib.ndiff(before.splitlines(True), after.splitlines(True)) if row[0] in "+-"]
    return [row[2:] for row in rows if row[0] == "-"], [row[2:] for row in rows if row[0] == "+"]


CLICKS = {
    "a new answer": (
        lambda path: save_answers(path, answer("PU3", by="bob", why="yes")),
        [],
        [
            "  - conflict: user_not_found\n",
            "    object: PU3\n",
            "    choice: leave_out\n",
            "    by: bob\n",
            "    why: 'yes'\n",
        ],
    ),
    "another answer": (
        lambda path: save_answers(
            path, answer("PU1", "leave_out", why="joins in December, # this is no comment so she needs an account\n")
        ),
        ['    choice:   "invite"\n'],
        ['    choice:   "leave_out"\n'],
    ),
    "another answer in braces": (
        lambda path: save_answers(path, answer("PU2", "invite", value="ann@example.com", by="bob")),
        ["  - { conflict: user_not_found, object: PU2, choice: map, value: 'ann@example.com' }  # her new address\n"],
        [
            "  - { conflict: user_not_found, object: PU2, choice: invite, value: 'ann@example.com', by: bob }  # her new address\n"
        ],
    ),
    "the same answer": (lambda path: save_answers(path, answer("123", about="phone_country", by="carla")), [], []),
    "a question that is open again": (
        lambda path: drop_answer(path, Decision, "phone_country", "123"),
        ['  - object: "123"\n', "    conflict: phone_country\n", "    choice: leave_out\n", "    by: 'carla'\n"],
        [],
    ),
    "what was not answered is open again": (lambda path: drop_answer(path, Decision, "phone_country", "PU1"), [], []),
    "an approval": (
        lambda path: save_answers(path, Approval(plan="77", by="bob")),
        [],
        ["- plan: '77'\n", "  by: bob\n"],
    ),
    "the last approval goes": (
        lambda path: drop_answer(path, Approval, "3f9a"),
        ["approvals:\n", "- plan: 3f9a\n", "  by: ann\n"],
        ["approvals: []\n"],
    ),
    "the first choice": (
        lambda path: save_answers(path, Choice(setting="rules.strategy", value="overwrite")),
        ["choices: []   # none yet\n"],
        ["choices:   # none yet\n", "- setting: rules.strategy\n", "  value: overwrite\n"],
    ),
    "the first of a list that is not there": (
        lambda path: save_answers(path, SignOff(team="PT1", choice="go")),
        [],
        ["sign_offs:\n", "- team: PT1\n", "  choice: go\n"],
    ),
}


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["", "BOM"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("click", CLICKS)
def test_a_click_changes_these_lines_and_no_other(path, click, end, mark):
    act, gone, come = CLICKS[click]
    before = mark + BY_HAND.replace("\n", end)
    path.write_bytes(before.encode())
    act(path)
    after = path.read_bytes().decode()
    assert list_changes(before, after) == (
        [row.replace("\n", end) for row in gone],
        [row.replace("\n", end) for row in come],
    )
    read_decisions(path)


def test_comments_of_an_answer_that_goes_stay(path):
    path.write_text(BY_HAND, encoding="utf-8")
    drop_answer(path, Decision, "user_not_found", "PU1")
    drop_answer(path, Decision, "user_not_found", "PU2")
    left = path.read_text(encoding="utf-8")
    for comment in ("# asked Bob on the phone", "# not before the 1st", "# her new address", "# The other Ann."):
        assert left.count(comment) == 1
    assert "this is no comment" not in left
    assert [decision.object for decision in read_decisions(path).decisions] == ["123"]


def test_a_reason_that_goes_leaves_its_comment(path):
    path.write_text("decisions:\n- conflict: user_not_found\n  object: PU1\n  choice: invite\n  why: x  # call her\n")
    save_answers(path, answer("PU1", "invite"))
    assert path.read_text() == "decisions:\n# call her\n- conflict: user_not_found\n  object: PU1\n  choice: invite\n"


ANCHORED = """\
decisions:
# the ones who leave
- &gone
  conflict: user_not_found
  object: PU1
  choice: leave_out
  by: &who ann   # the lead
- <<: *gone
  object: PU2
- {conflict: user_not_found, object: PU3, choice: invite, by: *who}
"""


@pytest.mark.parametrize(
    "click,objects",
    [
        (lambda path: save_answers(path, answer("PU1", "invite", by="bob")), ("PU1", "PU2", "PU3")),
        (lambda path: save_answers(path, answer("PU2", "invite")), ("PU1", "PU2", "PU3")),
        (lambda path: save_answers(path, answer("PU3", "leave_out", by="bob")), ("PU1", "PU2", "PU3")),
        (lambda path: save_answers(path, answer("PU4")), ("PU1", "PU2", "PU3", "PU4")),
        (lambda path: drop_answer(path, Decision, "user_not_found", "PU1"), ("PU2", "PU3")),
        (lambda path: drop_answer(path, Decision, "user_not_found", "PU2"), ("PU1", "PU3")),
    ],
)
def test_what_others_take_from_an_answer_stays_theirs(path, click, objects):
    path.write_text(ANCHORED, encoding="utf-8")
    before = {decision.object: decision for decision in read_decisions(path).decisions}
    click(path)
    after = {decision.object: decision for decision in read_decisions(path).decisions}
    assert tuple(after) == objects
    assert sum(after[object] != before[object] for object in after.keys() & before) <= 1
    text = path.read_text(encoding="utf-8")
    assert "# the ones who leave" in text
    assert "# the lead" in text


@pytest.mark.parametrize(
    "text",
    [
        "decisions: [{conflict: user_not_found, object: PU1, choice: invite},  # Ann\n  {conflict: user_not_found, object: PU2, choice: invite}]\n",
        '{"decisions": [{"conflict": "user_not_found", "object": "PU1", "choice": "invite"}]}',
        "decisions: &all\n- {conflict: user_not_found, object: PU1, choice: invite}\n# Ann\n",
        "decisions:\n-\n  conflict: user_not_found\n  object: PU1\n  choice: invite\n...\n",
        "decisions:\n- conflict: user_not_found\n  object: PU1\n  choice: invite",
        "# Ann\n",
        "",
    ],
)
def test_every_form_of_a_list_takes_an_answer_and_gives_it_back(path, text):
    path.write_text(text, encoding="utf-8")
    before = read_decisions(path).decisions
    save_answers(path, answer("PU9", why="a: b # c"))
    save_answers(path, answer("PU1", "leave_out"))
    given = {decision.object: decision.choice for decision in read_decisions(path).decisions}
    assert (given["PU9"], given["PU1"], len(given)) == (
        "leave_out",
        "leave_out",
        len(before) + (2 if not before else 1),
    )
    for object in given:
        drop_answer(path, Decision, "user_not_found", object)
    assert read_decisions(path).decisions == ()
    assert ("# Ann" in path.read_text(encoding="utf-8")) == ("# Ann" in text)


def test_words_that_another_reader_takes_for_something_else_are_read_back(path):
    path.write_text("decisions:\n- {conflict: user_not_found, object: PU1, choice: invite}\n", encoding="utf-8")
    for why in (
        "yes",
        "no",
        "12:30",
        "~",
        "1_000",
        "2026-12-01",
        "- a",
        "a\nb\n",
        " x ",
        "#1",
        "'",
        '"',
        "Zoë 😀",
        "=",
        "<<",
    ):
        save_answers(path, answer("PU1", "invite", why=why))
        save_answers(path, answer("PU2", "invite", why=why))
        assert {decision.why for decision in read_decisions(path).decisions} == {why}


def test_an_answer_that_stands_twice_stands_once_where_the_last_stood(path):
    rows = [f"- {{conflict: user_not_found, object: {id}, choice: invite}}\n" for id in ("PU1", "PU2", "PU1", "PU3")]
    path.write_text("decisions:\n" + "".join(rows), encoding="utf-8")
    save_answers(path, answer("PU1"))
    assert [(d.object, d.choice) for d in read_decisions(path).decisions] == [
        ("PU2", "invite"),
        ("PU1", "leave_out"),
        ("PU3", "invite"),
    ]


def test_many_answers_are_one_write(path):
    save_answers(path, *[answer(f"PU{n}") for n in range(2000)])
    inode = path.stat().st_ino
    save_answers(path, *[answer(f"PU{n}") for n in range(2000)])
    assert path.stat().st_ino == inode, "nothing changed, nothing is written"
    save_answers(path, *[answer(f"PU{n}", "invite") for n in range(0, 3000, 2)])
    assert len(read_decisions(path).decisions) == 2500


@pytest.mark.parametrize("mode", [0o664, 0o640, 0o600])
def test_the_file_keeps_its_mode_and_owner(path, mode):
    path.write_text(BY_HAND, encoding="utf-8")
    path.chmod(mode)
    owner = (12345, 54321) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    os.chown(path, *owner)
    save_answers(path, answer("PU9"))
    known = path.stat()
    assert (stat.S_IMODE(known.st_mode), known.st_uid, known.st_gid) == (mode, *owner)


def test_a_file_behind_a_link_stays_there(path, tmp_path):
    (tmp_path / "git").mkdir()
    (tmp_path / "git" / "ours.yaml").write_text(BY_HAND, encoding="utf-8")
    path.symlink_to(tmp_path / "git" / "ours.yaml")
    save_answers(path, answer("PU9"))
    assert path.is_symlink()
    assert "PU9" in (tmp_path / "git" / "ours.yaml").read_text(encoding="utf-8")


def test_a_list_that_cannot_be_changed_without_a_person_is_left_and_said(path):
    """One anchor of which another list takes a copy."""
    text = "decisions: &d\n- &a {conflict: user_not_found, object: PU1, choice: invite}\nchoices: [*a]\n"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError):
        save_answers(path, answer("PU1"))
    assert path.read_text(encoding="utf-8") == text


# --- files as anybody might write them ---


def draw_file(dice):
    """Answers as people write them: indented or not, in braces, quoted, with comments anywhere."""
    column = dice.choice(("", "  ", "    "))
    rows, known = [dice.choice(("", "# mine\n", "---\n", "\n")), f"decisions:{dice.choice(('', '  # people'))}\n"], []
    for number in range(dice.randrange(1, 6)):
        known.append(
            answer(
                f"PU{number}",
                dice.choice(("invite", "leave_out")),
                by=dice.choice(("", "ann", "no one")),
                why=dice.choice(("", "x: y", "it's # hers")),
            )
        )
        rows += dice.choice(((), ("\n",), (f"{column}# about {number}\n",), ("# far left\n", "\n")))
        pairs = [(k, v) for k, v in known[-1].model_dump().items() if v]
        dice.shuffle(pairs)
        quoted = [
            (k, dice.choice((yaml.safe_dump(v)[:-1].removesuffix("\n..."), "'" + v.replace("'", "''") + "'")))
            for k, v in pairs
        ]
        if dice.random() < 0.3:
            rows.append(f"{column}-{dice.choice((' ', '   '))}{{{', '.join(f'{k}: {v}' for k, v in quoted)}}}\n")
        else:
            gap = dice.choice(" \t") if False else dice.choice((" ", "   "))
            tails = [dice.choice(("", f"  # {number} {k}")) for k, _ in quoted]
            lines = [f"{k}:{dice.choice((' ', '  '))}{v}{tail}\n" for (k, v), tail in zip(quoted, tails, strict=True)]
            rows += [
                f"{column}{'-' + gap if place == 0 else ' ' * (1 + len(gap))}{line}" for place, line in enumerate(lines)
            ]
    rows += dice.choice(((), ("\n", "# the end\n"), ("approvals:\n", "- {plan: aa}   # fine\n")))
    text = "".join(rows)
    return dice.choice(("", "\ufeff")) + (text.replace("\n", "\r\n") if dice.random() < 0.3 else text), known


def list_comments(text):
    return sorted(line[line.index("# ") :].strip() for line in text.splitlines() if "# " in line and "hers" not in line)


def test_a_file_that_is_as_it_was_is_not_parsed_again(path):
    """A step asks several times; sixteen thousand answers take seconds each time."""
    save_answers(path, answer("PU1", "invite"))
    first = read_decisions(path)
    assert read_decisions(path) is first
    save_answers(path, answer("PU2", "invite"))
    assert len(read_decisions(path).decisions) == 2


@pytest.mark.parametrize("seed", range(150))
def test_any_click_on_any_file_says_what_it_should_and_keeps_the_rest(path, seed):
    dice = random.Random(seed)  # noqa: S311 - the same files every time
    text, known = draw_file(dice)
    path.write_bytes(text.encode())
    assert list(read_decisions(path).decisions) == known
    for _ in range(4):
        before, text = read_decisions(path).decisions, path.read_bytes().decode()
        one = answer(f"PU{dice.randrange(7)}", dice.choice(("invite", "leave_out")), by=dice.choice(("", "bob", "off")))
        wanted = {d.object: d for d in before}
        if dice.random() < 0.4:
            drop_answer(path, Decision, "user_not_found", one.object)
            wanted.pop(one.object, None)
        else:
            save_answers(path, one)
            wanted[one.object] = one
        after = path.read_bytes().decode()
        assert read_decisions(path).decisions == tuple(wanted.values())
        assert list_comments(after) == list_comments(text)
        assert after.startswith("\ufeff") == text.startswith("\ufeff")
        assert ("\r\n" in after) == ("\r\n" in text)
        gone, _ = list_changes(text, after)
        assert all(one.object in row or not any(d.object in row for d in before) for row in gone), (text, after)
