"""All that the mapping asks people, by kind and class; what a person is to know of the single case stands in braces."""

from dataclasses import dataclass, field, replace
from typing import Any

from pdmigrate.plan.answers import CLASSES, Conflict, Option


@dataclass(frozen=True)
class Wording:
    """A class of questions. options: what each does, of those that the class has. values: what the value of an option is.

    The rest is as in Conflict: mostly a person alone may say that it moves all the same.
    """

    question: str
    meaning: str
    options: dict[str, str]
    recommended: str = "leave_out"
    changes_paging: bool = True
    values: dict[str, str] = field(default_factory=dict)


def word_question(
    about: str, kind: str, id: str, name: str, *, detail: str = "", note: str = "", **words: Any
) -> Conflict:
    """The question of that class about an object.

    words: what stands in braces, beside {id} and {name}; recommended and changes_paging where they hang on the case.
    """
    wording = WORDINGS.get(kind, {}).get(about) or WORDINGS[""][about]
    words = {
        "recommended": wording.recommended,
        "changes_paging": wording.changes_paging,
        **words,
        "id": id,
        "name": name,
    }
    effects = {option: effect.format(**words) for option, effect in wording.options.items() if option in CLASSES[about]}
    return Conflict(
        about=about,
        kind=kind,
        id=id,
        name=name,
        question=wording.question.format(**words),
        meaning=wording.meaning.format(**words),
        options=tuple(Option(name=o, effect=said, value=wording.values.get(o)) for o, said in effects.items()),
        recommended=words["recommended"],
        changes_paging=words["changes_paging"],
        detail=detail,
        note=note,
    )


_STRANGER = Wording(
    "{name} ({email}) has no account in the Harness project.{said}",
    "{name} {duties}. Until the invitation is accepted nobody can be reached in those turns.",
    {
        "invite": "Harness sends an invitation to {email}; the person stands in every rotation from the start",
        "empty_place": "its turns stay as long as they are, with nobody in them; its overrides, which keep others quiet, "
        "do not move{empty}",
        "map": "another account is paged instead",
        "leave_out": "not moved; no schedule or policy that needs this person is moved until this is settled: nobody is "
        "paged by them",
    },
    "leave_out",
    False,
    values={"map": "the email of a person in Harness"},
)
_SAME_NAME = Wording(
    "Harness already has {there!r} ({identifier}), made by somebody else.",
    "{meaning}",
    {
        "rename": "a new one is made, named as you say or with ' - PagerDuty' behind; the other stays",
        "merge": "the one in Harness keeps what it has and gets what PagerDuty has{zone}",
        "adopt": "the one in Harness becomes ours and is made as PagerDuty's is",
        "leave_out": "not moved",
    },
    "rename",
    False,
)
_LEFT = "the schedule is not moved, nor what needs it: nobody is paged by them in Harness"
_BY_HAND = "not moved: nobody is paged through it in Harness until it is made there by hand"
_ZONE = Wording(
    "{zone!r} is {converted}, {iana} in the IANA database.",
    "A wrong zone moves every window and every handoff of this schedule.",
    {
        "confirm": "written as {iana}; who is paged stays the same",
        "other": "another zone is written",
        "leave_out": _LEFT,
    },
    "confirm",
    False,
    values={"other": "an IANA name, as Europe/London"},
)
_UNMOVED = "the policy is not moved, nor the services that page by it: nobody is paged for them in Harness"
_NOT_MOVED = "not moved: nobody is paged by it in Harness"
_LOOK_INTO = {
    "leave_out": "not moved: nobody is paged for it in Harness; look into it before PagerDuty is switched off"
}

WORDINGS: dict[str, dict[str, Wording]] = {
    "": {
        "duplicate_policy": _SAME_NAME,
        "duplicate_schedule": _SAME_NAME,
        "duplicate_service": _SAME_NAME,
        "group_name_collision": _SAME_NAME,
        "externally_managed": _SAME_NAME,
        "same_name_in_source": Wording(
            "More than one object in PagerDuty would be named {new!r} in Harness; {id} is one of them.",
            "{meaning}",
            {
                "rename": "named as you say, or {new} {id}",
                "keep_both": "the same name twice",
                "leave_out": "not moved",
            },
            "rename",
            False,
        ),
        "recreated_in_source": Wording(
            "PagerDuty had {name!r} as {before}, which is gone; {id} has the same name now.",
            "Two in Harness, and people may go on using the one that nobody keeps up.",
            {
                "take_over": "{identifier} in Harness is kept up from the new one",
                "rename": "a new one is made; the old one is left to a person",
                "leave_out": "not moved",
            },
            "take_over",
            False,
            values={"rename": "its name"},
        ),
        "unusable_record": Wording(
            "{name} ({id}) is in PagerDuty, in a form that this version cannot use: {message}.",
            "{meaning}",
            {
                "leave_out": "not moved, nor is what needs it until this is settled: nobody is paged by them; look into it "
                "before PagerDuty is switched off"
            },
        ),
        "unknown_field": Wording(
            "This version does not know {what}. {number} {kinds} have it: {shown}.",
            "It may say who is paged, or that nobody is: PagerDuty's shadow rotations are never paged, and carried over "
            "without that word they would page.",
            {
                "ignore": "carried over as if it were not there: what has it pages like everything else of its kind",
                "leave_out": "these {kinds} are not moved: nobody is paged by them in Harness",
            },
        ),
    },
    "users": {
        "user_not_found": _STRANGER,
        "shared_mailbox": _STRANGER,
        "nobody_user": _STRANGER,
        "bad_address": _STRANGER,
        "user_found_twice": Wording(
            "More than one PagerDuty user would be {email} in Harness; {name} ({id}) is one of them.",
            "Two people in PagerDuty would be one in Harness: one phone rings for both.",
            {
                "same_person": "both become the one Harness person, who is paged for both",
                "leave_out": "this one is not moved",
            },
            "same_person",
        ),
    },
    "teams": {
        "unlisted_member": Wording(
            "{name} has members whom no list of PagerDuty shows, and who are not said to be deleted: {members}. Perhaps "
            "the key may not read them.",
            "Groups page nobody by themselves; whatever is given to the group, these people do not get.",
            {"without": "the group is made without them"},
            "without",
            False,
        ),
    },
    "contact_methods": {
        "phone_country": Wording(
            "{name} has a number in {country}, where Harness neither calls nor sends SMS.",
            "The person is on call and this phone stays silent; adding a country takes Harness weeks.",
            {
                "leave_out": "the number is not moved and does not ring; email and the mobile app remain",
                "ask_harness": "not moved now; a request to Harness is on the list of what is open",
            },
        ),
        "unknown_number": Wording(
            "No number like {dialled} which {name} has in PagerDuty, is known: a slip, or newer than our list.",
            "A number that does not ring reaches nobody, here as in PagerDuty. Ask the person, or call it.",
            {
                "it_is_right": "{written} is carried over as it stands",
                "leave_out": "the number is not moved and does not ring; whoever has another enters it in Harness",
            },
        ),
        "lost_contact": Wording(
            "Not all that pages {name} today can be carried over: {said}.",
            "A page may reach the person later than today, by another way, or not at all.",
            {
                "leave_out": "not moved: no page comes by it, until whoever wants to be reached by it enters it in Harness"
            },
        ),
    },
    "schedules": {
        "time_zone_mismatch": _ZONE,
        "unknown_time_zone": replace(
            _ZONE,
            question="Nobody knows the time zone {zone!r} (similar: {near}).",
            recommended="leave_out",
            changes_paging=True,
        ),
        "written_in_another_zone": Wording(
            "The answer with {name} was written in another zone than {zone}: a time in its layers is {moment}, and that "
            "is not the zone's offset on that day.",
            "Its windows are clock times without a zone, most likely of that other zone: read as they stand they would "
            "page other people at other hours.",
            {
                "leave_out": "not moved: nobody is paged by it; save GET /schedules/ID, which writes in the schedule's own zone",
                "as_written": "the windows are taken for clock times of {zone}, as they stand",
            },
        ),
        "deleted_participant": Wording(
            "{name} names {user}, who was deleted in PagerDuty{since}.",
            "Nobody of this layer is on call in those turns, today as well.",
            {"empty_place": "the turns stay, and stay empty: as it is now", "leave_out": _LEFT},
            "empty_place",
            False,
        ),
        "dangling_reference": Wording(
            "{name} names {user}, whom no list of PagerDuty shows, and who is not said to be deleted: perhaps the key may "
            "not read that user.",
            "As far as anybody knows PagerDuty pages {who} in those turns. Use a key that may read that user, and run "
            "preview again: then there is nothing to ask.",
            {
                "empty_place": "the turns stay, and stay empty: a hole, in which nobody is paged in place of {who}",
                "leave_out": _LEFT,
            },
        ),
        "rendering_differs": Wording(
            "PagerDuty's own rendering differs from our reading of the layers.",
            "By {seconds} in all, first at {first}. We do not understand this schedule fully; what we would write might "
            "page somebody else. An answer is for these differences only.",
            {
                "leave_out": "not moved: nobody is paged by it until it is made by hand",
                "load_anyway": "written by our reading of the layers, these differences and all",
            },
        ),
        "cannot_be_said": Wording(
            "{name} cannot be written as rotations of Harness: {reason}.",
            "Whoever it pages today is paged by nobody's schedule in Harness. Change it in PagerDuty, or make it by hand.",
            {"leave_out": _BY_HAND},
        ),
        "too_many_dated": Wording(
            "{name} can only be written with more than {most} rotations with dates.",
            "Nothing that goes on says it: {error}, and they run out unless pdmigrate is run again before.",
            {
                "leave_out": _BY_HAND,
                "write_dates": "all of them are written: the same people are paged, as long as they reach",
            },
        ),
        "unread_overrides": Wording(
            "The {parts} of {name} were not read: PagerDuty's answer does not have them.",
            "Whoever stands in by one of them is paged today, and nobody here knows who or when. Ask PagerDuty again, or "
            "save its answer with since and until, and run preview again: then there is nothing to ask.",
            {
                "without": "loaded without them: in those hours whoever has the turn is paged in Harness, and verify calls "
                "the schedule unverified",
                "leave_out": _LEFT,
            },
            "without",
        ),
    },
    "overrides": {
        "override_stand_in": Wording(
            "From {start} to {end} {who} stands in, whom no list of PagerDuty shows, and who is not said to be deleted: "
            "perhaps the key may not read that user.",
            "As far as anybody knows PagerDuty pages the stand-in in those hours. Use a key that may read that user, and "
            "run preview again: then there is nothing to ask.",
            {
                "map": "this account stands in in Harness",
                "leave_out": "not written: whoever has the turn by the layers is paged in those hours",
            },
            values={"map": "the email of a person in Harness"},
        ),
    },
    "escalation_policies": {
        "deleted_target": Wording(
            "{place}; deleted in PagerDuty on {day}.",
            "PagerDuty pages nobody for it today.",
            {"without": "nobody is paged for {target}: as it is now{alone}", "leave_out": _UNMOVED},
            "without",
            False,
        ),
        "dangling_reference": Wording(
            "{place}. No list of PagerDuty shows this {noun}, and it is not said to be deleted: perhaps the key may not "
            "read it.",
            "As far as anybody knows PagerDuty pages {target} there. Use a key that may read it, and run preview again: "
            "then there is nothing to ask.",
            {"without": "{rest}", "leave_out": _UNMOVED},
        ),
        "unknown_target": Wording(
            "{place}. It is of the type {type!r}, which this version does not know.",
            "Whomever PagerDuty pages by it, nobody can say who that is.",
            {"without": "{rest}", "leave_out": _UNMOVED},
        ),
        "empty_level": Wording(
            "In {name} {levels}.",
            "PagerDuty passes a level without anybody over at once.",
            {"without": "left out: the same people are paged at the same minutes", "leave_out": _UNMOVED},
            "without",
            False,
        ),
        "silent_level": Wording(
            "In {name} {levels}: by decision nobody of it is carried over.",
            "Whoever it is, the next level waits for this one; Harness has no level without anybody. To keep the wait, map "
            "the user to an account that stays silent.",
            {"without": "{rest}", "leave_out": _UNMOVED},
        ),
        "policy_without_target": Wording(
            "No level of {name} has a target that can be paged: {levels}.",
            "In Harness it would page nobody, and so would the services that page by it.",
            {"leave_out": _UNMOVED},
        ),
        "escalation_loops": Wording(
            "{levels} levels, run {rounds} times, are more than the {most} levels of one policy.",
            "After the last level nobody is paged any more: fewer rounds mean an earlier silence.",
            {"fewer": "run {fit} times, then nobody is paged", "none": "run once", "leave_out": _NOT_MOVED},
            "fewer",
        ),
        "policy_without_team": Wording(
            "{name} belongs to no team that is carried over; in Harness a user group owns a policy.",
            "Who owns it decides who may change it; whom it pages stays the same.",
            {
                "no_owner": "made without an owner, where the target takes that",
                "owner": "that group owns it",
                "leave_out": _NOT_MOVED,
            },
            "no_owner",
            False,
            values={"owner": "the identifier of a user group"},
        ),
        "round_robin": Wording(
            "The targets of {name} take turns (round robin), which Harness does not describe.",
            "With all at once everybody is woken each time; with one, always the same.",
            {
                "everyone": "all targets of the level are paged at once",
                "first_only": "only the first target of the level is paged",
                "leave_out": _NOT_MOVED,
            },
            "everyone",
        ),
    },
    "services": {
        "service_urgency": Wording(
            "{name} does not always page: {why}. Harness knows no urgency.",
            "Paging always, it would wake people who sleep today; paging never, nobody hears of it.",
            {
                "page": "every alert pages, at any hour",
                "no_page": "alerts are logged and page nobody",
                "leave_out": _NOT_MOVED,
            },
            "no_page",
        ),
        "acknowledgement_timeout": Wording(
            "{name} pages again {minutes} min after an acknowledgement. Harness has no such setting: by its documentation "
            "an acknowledged page times out after 24 hours.",
            "Who acknowledges a page and falls asleep again is not woken again, and nobody else is.",
            {"accept": "an acknowledged page stays quiet: nobody is paged again", "leave_out": _NOT_MOVED},
            "accept",
        ),
        "no_way_to_page": Wording(
            "{name} has no integration that a paging webhook would replace, and Harness takes no alert rule by API: it "
            "would have neither.",
            "An alert whose service has neither alert rule nor webhook is logged and pages nobody.",
            {
                "rule_by_hand": "nobody is paged for it until its alert rule is made by hand: it is on the list of the handover",
                "leave_out": _NOT_MOVED,
            },
            "rule_by_hand",
        ),
        "dangling_reference": Wording(
            "{name} names the policy {policy} ({policy_id}), which PagerDuty's list does not show.",
            "Nobody can say who is paged for it; perhaps the key may not read that policy.",
            _LOOK_INTO,
        ),
        "unusable_policy": Wording(
            "{name} pages by the policy {policy} ({policy_id}), which is there, in a form that this version cannot use: "
            "{message}.",
            "PagerDuty pages somebody for it; nobody can say whom, or when.",
            _LOOK_INTO,
        ),
        "service_without_policy": Wording(
            "{name} came without an escalation policy, which every service of PagerDuty has.",
            "By what PagerDuty said it pages nobody today; perhaps the key may not read its policy.",
            _LOOK_INTO,
        ),
    },
}
"""By kind and class; under "" those about objects of any kind."""
