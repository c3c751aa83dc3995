"""What every class of questions means, for whoever is asked: it stands behind the question in notebooks and pages, and in the docs."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Explained:
    """title: in a few words. means: what has happened and what it does to paging. advice: what to do about it.

    paging: what an option does to paging, where its effect does not say it. usually: what is recommended where that hangs
    on the case. words: what stands in general for a part of the question that is made when it is asked.
    """

    title: str
    means: str
    advice: str
    paging: dict[str, str] = field(default_factory=dict)
    usually: str = ""
    words: dict[str, str] = field(default_factory=dict)


_FIX_FIRST = "Correct it in PagerDuty and run preview again, and the question is gone."
_READ_FIRST = (
    "Use a key that may read it and run preview again: then there is nothing to ask. Ask the team that owns it only if no "
    "key shows it."
)
_SAME_NAME = {
    "rename": "PagerDuty's is made under another name: both page, each by itself",
    "merge": "whoever it pages now is still paged, and PagerDuty's people as well",
    "adopt": "it becomes as PagerDuty says: whoever only it has paged so far is not paged by it any more",
    "leave_out": "PagerDuty's is not carried over: nobody is paged by it, nor by what needs it; the one in Harness goes on",
}
_ITS_OWNER = (
    "Look at the one that Harness has, and ask its owner what it is for. Where it is a first try at the same thing, adopt or "
    "merge; where it is something else, rename."
)
_MADE_THEN = {"there": "‹name›", "zone": ""}
_INVITED = "nobody is paged in those turns before the invitation is accepted"
_PLACES = {"duties": "stands in ‹number› places on call", "said": "", "empty": ""}
_EMPTY = "nobody is paged in those turns, as with a stand-in for nobody today"

QUESTIONS: dict[str, Explained] = {
    "acknowledgement_timeout": Explained(
        "Pages again after an acknowledgement",
        "In PagerDuty this service pages again some minutes after somebody has acknowledged, as long as the incident is open. "
        "Harness has no such setting: whoever acknowledges and falls asleep again is not woken a second time.",
        "Ask the team whether it counts on being paged again. If it does not, accept.",
    ),
    "bad_address": Explained(
        "An address that cannot be invited",
        "Somebody has no account in the Harness project, and the address in PagerDuty is none that Harness takes. It would "
        "spoil the invitations of others, so no invitation is offered. Schedules and policies that need the person wait.",
        "Correct the address in PagerDuty and run preview again, or map the person to the account that is there.",
        words=_PLACES,
    ),
    "cannot_be_said": Explained(
        "A schedule that rotations cannot hold",
        "What this schedule says cannot be written as rotations of Harness, with the reason in the question. Nothing similar is "
        "written instead, since that would page other people; what pages by the schedule waits with it.",
        "Make the schedule simpler in PagerDuty and run preview again, or leave it out and make it by hand in Harness before "
        "you go over.",
    ),
    "changed_in_both": Explained(
        "Changed on both sides, not who is paged",
        "Since the last run somebody has changed the same field in PagerDuty and in Harness. It does not decide who is paged; "
        "one of the two changes is lost all the same.",
        "Ask whoever changed it in Harness. The rule `rules.strategy` says which side is recommended.",
        {"keep_harness": "who is paged stays the same", "take_source": "who is paged stays the same"},
        usually="keep harness; with `strategy: overwrite`, take source",
    ),
    "changed_in_harness": Explained(
        "Changed in Harness: who is paged, or when",
        "Since the last run somebody has changed in Harness who is paged, or when. Until there is an answer nothing is written "
        "to the object. An answer is for this state of it only: a later change is asked about again.",
        "Ask whoever changed it. If Harness is right, keep it, and change PagerDuty too where that still pages.",
        usually="keep harness; with `strategy: overwrite`, take source",
    ),
    "dangling_reference": Explained(
        "A person, schedule or policy that no list shows",
        "A person, a schedule or a policy is named somewhere, and PagerDuty's lists do not show it. PagerDuty does not say that "
        "it was deleted, so it may well page today. Most often the key may not read it.",
        _READ_FIRST,
        words={"rest": "it is not paged any more; a level that has nobody else is asked about next"},
    ),
    "deleted_participant": Explained(
        "A deleted person stands in a schedule",
        "The person was deleted in PagerDuty, and the place in the rotation is still there. In those turns nobody of this "
        "layer is on call, already today. A rotation is never made shorter, since that would move everybody's turns.",
        "Take the empty place over as it is, and tell the team: it may not know of the hole. Or put somebody in the place in "
        "PagerDuty and run preview again.",
        {"empty_place": "nobody is paged in those turns, as today"},
        words={"since": ""},
    ),
    "deleted_target": Explained(
        "A policy pages what was deleted",
        "A level of the policy names a person or a schedule that was deleted in PagerDuty. PagerDuty pages nobody for it today.",
        "Go on without it, and tell the team. If somebody should be paged there, correct the policy in PagerDuty and run "
        "preview again.",
        words={"alone": "; a level that has nobody left is left out, as PagerDuty passes it over"},
    ),
    "duplicate_policy": Explained(
        "Harness has a policy of that name",
        "Somebody else has made an escalation policy of the same name in Harness. Nobody can say from here whom it pages, or "
        "which services use it.",
        _ITS_OWNER,
        _SAME_NAME,
        words=_MADE_THEN,
    ),
    "duplicate_schedule": Explained(
        "Harness has a schedule of that name",
        "Somebody else has made a schedule of the same name in Harness. Two schedules of one name are easily mistaken for each "
        "other in a policy, and then the wrong person is paged.",
        _ITS_OWNER,
        _SAME_NAME,
        words={"there": "‹name›", "zone": "; where the zones differ its own rotations then turn by PagerDuty's clock"},
    ),
    "duplicate_service": Explained(
        "Harness has a service of that name",
        "Somebody else has made a service of the same name in Harness and set it up for on-call. A service that nobody has set "
        "up is taken over without a question.",
        _ITS_OWNER,
        _SAME_NAME,
        words=_MADE_THEN,
    ),
    "empty_level": Explained(
        "A level without anybody",
        "The policy has a level with no target. PagerDuty passes it over at once; Harness has no level without anybody.",
        "Leave the level out: nothing changes. Or tell the team that its policy has a hole, correct it and run preview again.",
    ),
    "escalation_loops": Explained(
        "More rounds than one policy takes",
        "PagerDuty repeats the levels of a policy; in Harness the rounds are written out one after the other, and together "
        "they are more levels than `rules.most_levels` allows. After the last level nobody is paged any more.",
        "Ask the team after how many rounds somebody has always answered. If Harness takes more levels in your account, raise "
        "`rules.most_levels`.",
        {"none": "after the first round nobody is paged any more"},
    ),
    "externally_managed": Explained(
        "A group that somebody else's directory fills",
        "Harness has a user group of the same name which is filled by single sign-on or SCIM. The next synchronisation would "
        "undo whatever is written to it, so it is neither merged nor adopted.",
        "Rename, and ask who keeps the directory whether the team should be a group there. Groups page nobody by themselves.",
        {
            "rename": "who is paged stays the same: a group of its own is made",
            "leave_out": "groups page nobody by themselves; then nobody owns the team's policies, and you are asked who does",
        },
        words=_MADE_THEN,
    ),
    "group_name_collision": Explained(
        "Harness has a user group of that name",
        "Somebody else has made a user group of the same name in Harness. A group gives its members whatever roles it has; a "
        "group that a level names is paged as a whole.",
        "Ask who owns the group. Adopt it where it is the same team, merge where it has others besides, rename where it is "
        "something else.",
        {
            "rename": "who is paged stays the same: a group of its own is made",
            "merge": "a level that pages the group pages the team's people as well",
            "adopt": "a level that pages the group pages the team's people and nobody else",
            "leave_out": "groups page nobody by themselves; then nobody owns the team's policies, and you are asked who does",
        },
        words=_MADE_THEN,
    ),
    "kept_in_harness": Explained(
        "Changed in Harness alone, and kept",
        "Somebody has changed something in Harness that does not decide who is paged, such as a name or a description. It stays "
        "as it is until a person says otherwise; the question is there so that it can be restored.",
        "Keep it, unless the change was a mistake.",
        {"keep_harness": "who is paged stays the same", "restore": "who is paged stays the same"},
        usually="keep harness",
    ),
    "lost_contact": Explained(
        "A way to reach somebody is lost",
        "Not everything that pages this person today can be carried over, with the reason in the question. A page may come "
        "later than today, by another way, or not at all.",
        "Tell the person, who enters in Harness what can be entered there. Then answer.",
    ),
    "no_way_to_page": Explained(
        "Alerts would not page anybody for this service",
        "The service has no integration in PagerDuty that could be pointed at Harness, and Harness takes no alert rule by API. "
        "An alert would be logged and page nobody.",
        "Make the rule by hand before you go over: the handover lists it.",
    ),
    "nobody_user": Explained(
        "A stand-in for nobody",
        "The user's name or address says that it is nobody: it fills a place in which no one is to be paged. Its turns and its "
        "overrides keep others from being paged, so it is never just taken out.",
        "Ask the team. If nobody is to be paged in those turns, leave the place empty; if a person has that name, invite.",
        {"invite": _INVITED, "empty_place": _EMPTY},
        usually="empty place where it stands on call; else leave out",
        words=_PLACES,
    ),
    "override_stand_in": Explained(
        "Nobody knows who stands in",
        "An override names a person whom no list of PagerDuty shows. In its hours that person is paged today, as far as anybody "
        "knows; without the override whoever has the turn is paged.",
        _READ_FIRST,
        {"map": "paged in those hours"},
    ),
    "phone_country": Explained(
        "A number in a country that Harness does not call",
        "Harness neither calls nor sends SMS to this country. The person is on call, and this phone stays silent.",
        "See that the person has the mobile app on the phone and turned on. Ask Harness for the country where many are "
        "concerned: it takes weeks.",
        {"ask_harness": "the number does not ring until Harness adds the country and somebody enters it"},
    ),
    "policy_without_target": Explained(
        "A policy that would page nobody",
        "No level of the policy has a target that can be paged. In Harness it would page nobody, and neither would the services "
        "that page by it.",
        "Look at the policy with its team. " + _FIX_FIRST,
    ),
    "policy_without_team": Explained(
        "A policy that nobody owns",
        "In Harness a user group owns a policy; this one belongs to no team that is carried over. Who owns it decides who may "
        "change it, not whom it pages.",
        "Name the group whose policy it is. Without one it is made where the target takes that.",
        {"no_owner": "whom it pages stays the same", "owner": "whom it pages stays the same"},
    ),
    "recreated_in_source": Explained(
        "Deleted and made anew in PagerDuty",
        "What was carried over is gone in PagerDuty, and another object has its name now. The old one is still in Harness.",
        "Take over, if it is the same thing made anew: what uses it in Harness goes on.",
        {
            "take_over": "whatever uses it in Harness goes on paging, as PagerDuty says now",
            "rename": "both are in Harness: the old one goes on paging for whatever uses it, and is not kept up to date any more",
            "leave_out": "the new one pages nobody in Harness; the old one goes on as it was",
        },
    ),
    "removed_in_target": Explained(
        "Removed in Harness",
        "It was carried over, and is not in Harness any more: somebody has removed it, or an invitation has lapsed. PagerDuty "
        "still has it.",
        "Ask whoever removes things in Harness. If it was a mistake, it is made again.",
        {
            "create_again": "it pages again, as PagerDuty says",
            "leave_removed": "nobody is paged by it in Harness, nor by what would need it",
        },
        usually="create again",
    ),
    "rendering_differs": Explained(
        "PagerDuty shows other people than its layers say",
        "PagerDuty's own rendering of the schedule shows other people than pdmigrate works out from its layers. Part of the "
        "schedule is not understood, and what would be written might page somebody else.",
        "Look at the days that the page preview marks, and ask the team who is really on call then. Load it anyway only where "
        "what pdmigrate works out is right; the answer is for these differences and no later ones.",
        {"load_anyway": "at those times the people are paged whom pdmigrate works out, not those whom PagerDuty shows"},
    ),
    "round_robin": Explained(
        "Targets that take turns",
        "In PagerDuty one target of the level is paged at a time, each incident the next one (round robin). Harness does not "
        "describe that: with all at once everybody is woken each time, with one it is always the same.",
        "Ask the team. A schedule that hands over daily spreads the load in another way: make it in PagerDuty, and run preview "
        "again.",
    ),
    "same_name_in_source": Explained(
        "Several of one name in PagerDuty",
        "More than one object in PagerDuty would have the same name in Harness. They are easily mistaken for each other in a "
        "policy or on a page.",
        "Rename, with a word that tells them apart. Better still, rename in PagerDuty and run preview again.",
        {
            "rename": "whom it pages stays the same",
            "keep_both": "whom it pages stays the same; whoever picks one by its name may pick the wrong one",
            "leave_out": "nobody is paged by it, nor by what needs it",
        },
    ),
    "service_urgency": Explained(
        "A service that does not always page",
        "By its urgency, its support hours or its state the service does not wake somebody for every alert in PagerDuty. "
        "Harness knows no urgency: it pages always, or never.",
        "Ask the team what must wake somebody. Where only some alerts do, give those a service of their own in PagerDuty and run "
        "preview again.",
        {"page": "whoever is on call is paged for what wakes nobody today"},
        usually="no page; page, where the service is only in a maintenance window",
    ),
    "service_without_policy": Explained(
        "A service without an escalation policy",
        "Every service of PagerDuty has a policy, and this one came without: perhaps the key may not read it. By what PagerDuty "
        "said it pages nobody.",
        _READ_FIRST,
    ),
    "shared_mailbox": Explained(
        "A mailbox that several people read",
        "The address looks like a shared one. Nobody can accept an invitation for all who read it, and a page to it reaches "
        "whoever looks first, or nobody.",
        "Ask who is really paged, and map to that person; put a schedule with the people in its place in PagerDuty where it is "
        "a whole team.",
        {"invite": _INVITED},
        usually="map, where it stands on call; else leave out",
        words=_PLACES,
    ),
    "silent_level": Explained(
        "A level that has nobody left",
        "By your answers nobody of a level is carried over. PagerDuty waits at that level before it goes on; Harness has no "
        "level without anybody.",
        "To keep the wait, map the user to an account that stays silent. Else go on without the level, and know that the next "
        "one comes earlier.",
        words={"rest": "the level is left out: whoever comes after it is paged earlier, by the minutes of the level"},
    ),
    "time_zone_mismatch": Explained(
        "A time zone under another name",
        "The schedule's zone is written in a way that is not the IANA database's, as Windows or Rails write it. A wrong zone "
        "moves every window and every handoff.",
        "Confirm, where the zone named in the question is the team's. Nothing else about the schedule changes.",
        {"other": "every turn and window is at that zone's hours: whoever is on call then is paged"},
    ),
    "too_many_dated": Explained(
        "A schedule that can only be a long list of dates",
        "The schedule follows a rule that no rotation says, and can only be written out, shift by shift. The list ends at the "
        "horizon, and after it nobody is on call unless pdmigrate has run again before.",
        "Write the dates only where pdmigrate runs by itself, at night. Else make the schedule simpler in PagerDuty.",
    ),
    "unknown_field": Explained(
        "A field that this version does not know",
        "PagerDuty sends a field which no table of this version has, in a part that decides who is paged. It may mean "
        "that nobody is paged: a shadow rotation, for one, would page if it were carried over without that field.",
        "Look the field up in PagerDuty's documentation, or ask for a version that knows it. Ignore it only where it has "
        "nothing to do with paging.",
    ),
    "unknown_number": Explained(
        "A number that no numbering plan has",
        "There is no number like this one, as far as the list in use knows: a slip, or newer than the list. A number that does "
        "not ring reaches nobody, here as in PagerDuty.",
        "Call it, or ask the person.",
        {"it_is_right": "it is called as it stands: if it is a slip, it reaches nobody"},
        usually="it is right, where such a number could be; else leave out",
    ),
    "unknown_target": Explained(
        "A kind of target that this version does not know",
        "A level pages something which is neither a person nor a schedule. Nobody can say whom PagerDuty pages by it.",
        "Look at the level in PagerDuty and put the people there themselves, then run preview again.",
        words={"rest": "it is not paged any more; a level that has nobody else is asked about next"},
    ),
    "unknown_time_zone": Explained(
        "A time zone that nobody knows",
        "The schedule's zone is in no list, so no window and no handoff of it can be placed in time.",
        "Name the zone by its IANA name, as Europe/London. " + _FIX_FIRST,
        {"other": "every turn and window is at that zone's hours: whoever is on call then is paged"},
    ),
    "unlisted_member": Explained(
        "Members whom no list shows",
        "A team has members whom no list of PagerDuty shows: perhaps the key may not read them. Groups page nobody by "
        "themselves; whatever the group may do, these people may not.",
        _READ_FIRST,
        {"without": "who is paged stays the same"},
    ),
    "unread_overrides": Explained(
        "Overrides that were not read",
        "PagerDuty's answer has no overrides of this schedule, which is not the same as none. Whoever stands in by one of them "
        "is paged today, and nobody here knows who or when.",
        "Run preview again. Where the source is a file, save the schedule anew with `since` and `until`. Then there is nothing to "
        "ask.",
    ),
    "unusable_policy": Explained(
        "The service's policy cannot be used",
        "The policy is there, in a form that this version cannot use. PagerDuty pages somebody for the service, and nobody can "
        "say whom, or when.",
        "Look at the policy in PagerDuty, correct what the question names, and run preview again.",
    ),
    "unusable_record": Explained(
        "An object in a form that cannot be used",
        "It is in PagerDuty, and something in it is not as PagerDuty documents it; the question says what. What needs it "
        "waits for the answer.",
        "Look at it in PagerDuty, correct what the question names, and run preview again.",
    ),
    "user_found_twice": Explained(
        "Two users would be one person",
        "Two users of PagerDuty would have one address in Harness. One phone rings for both, and where both stand in one "
        "rotation the same person has both turns.",
        "Ask whether it is one person with two accounts. If not, one address is wrong: correct it in PagerDuty.",
        {"leave_out": "nobody is paged for this one; what needs it waits"},
    ),
    "user_not_found": Explained(
        "Nobody in Harness has this address",
        "Somebody in PagerDuty has no account in the Harness project. A participant is never left out of a rotation, since that "
        "would move everybody's turns: until there is an answer, the schedules and policies that need the person wait.",
        "Invite, as a rule: the mail goes out with load, after the plan is approved, and its link lives seven days. Map where "
        "the person has an account under another address; for many, write `rules.people_file`.",
        {"invite": _INVITED},
        usually="invite, for whoever is on call or does more than look on; else leave out",
        words=_PLACES,
    ),
    "written_in_another_zone": Explained(
        "Read in another zone than its own",
        "The saved answer with this schedule was asked for in another time zone. Its windows are clock times without a zone: "
        "read as they stand they would page other people at other hours.",
        "Save GET /schedules/ID, which writes in the schedule's own zone, and run preview again.",
        {"as_written": "the people of each window are paged at those hours of the schedule's zone, right or wrong"},
    ),
}
"""By class."""
