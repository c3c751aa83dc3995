"""The checklist: what people must do, in the order in which it should be done."""

from collections.abc import Iterable

from pdmigrate.handover.folder import Handover, by_stage
from pdmigrate.handover.items import STAGES, Item
from pdmigrate.handover.services import ADVICE, OTHERWISE, SUPPRESSION
from pdmigrate.oncall.words import format_number
from pdmigrate.pages.show import Columns, Figure, Link, Page, Section, Tag, make_table
from pdmigrate.pages.words import warn_if

HOW = {
    "teams": "Set HARNESS_ACCOUNT_ID and HARNESS_PLATFORM_API_KEY, then run terraform init, plan and apply in terraform/. Whatever needs the groups waits for them.",
    "users": "Send each person the text in the file. The most urgent are on the page invite, by their next turn on call.",
    "reach": "Nobody hears a page until this is done: an administrator enables accounts, the rest only the person can enter. The text to send is in people/.",
    "countries": "Ask first: adding one takes Harness weeks. Until then these people are reached by email and the app only.",
    "contact_methods": "Each line belongs to one person, and only that person can enter it. The text to send is in people/.",
    "notification_rules": "After the contact methods: a step can only name what is there.",
    "schedules": "Make each as its file says, rotation by rotation; in_words reads as the form asks. Then compare the preview with on_call_next.",
    "overrides": "They stand in the file of their schedule. Leave out what has ended by the time you get there.",
    "escalation_policies": "After the schedules: a level names them. Retries are 0 everywhere; a retry would delay the next level.",
    "services": "In the Service Directory. Set the override even where the group's default policy is the same; leave defaults alone.",
    "alert_rules": "An alert whose service has no rule is logged and pages nobody. Paging off means exactly that, by decision.",
    "event_rules": "Harness publishes no API for conditions. Each file says in words what PagerDuty's rules do to the alerts of a service: suppress, wait, change priority, route. Until it is done, what they kept quiet pages.",
    "integrations": "Enable the service's paging webhook, point the sender at it, send one test alert and one all-clear, write down both. A service that pages nobody by decision gets no webhook: it would page for every alert.",
    "renewals": "What Harness can only hold with dates ends on the day that is named: from then on it pages somebody else, or nobody. Where schedules are made by hand, the next run hands over the files with later dates.",
    "removed": "pdmigrate never deletes a whole object.",
}

HOW_TO = (
    "Harness publishes no API for these things, so people make them. The boxes on this page show what is done; a click "
    "does nothing. When Harness shows what the column says, tick the item off with its key, the last column:\n\n"
    "- pdmigrate handover DIR --done KEY --by NAME, with --evidence for a file or words that show it\n"
    "- or with the widget in the notebook 6 · Verify\n\n"
    "Links into Harness open the project, since it documents no addresses of pages inside AI SRE; each line says where "
    "to look from there. Before anybody goes over, both systems can run side by side for some weeks: pdmigrate parallel DIR "
    "--set-up writes how. The same list is handover.csv. When all of it is ticked, send each person a test page: the "
    "notebook 6 lists them."
)
EARLIER = "Handed over by an earlier run and unchanged since. pdmigrate handover DIR --all --to FOLDER writes everything anew."


def make_page(handover: Handover, name: str) -> Page:
    done = sum(item.tick is not None for item in handover.fresh)
    left = format_number(len(handover.open), "thing is", "things are")
    lead = f"{left} left to do, in this order; {done} of the {len(handover.fresh)} on this list {'is' if done == 1 else 'are'} done."
    figures = (
        Figure("New or changed", str(len(handover.fresh))),
        Figure("Done", str(done), "good" if done == len(handover.fresh) else "warn"),
        Figure("Open from before", str(len(handover.earlier)), warn_if(handover.earlier)),
    )
    stages = enumerate(by_stage(handover.fresh).items(), 1)
    sections = [_section(number, kind, items) for number, (kind, items) in stages]
    earlier = make_table(
        handover.earlier,
        {
            "What": lambda item: item.name,
            "Stage": lambda item: STAGES[item.kind],
            "Key": lambda item: item.key,
            "Handed over in": lambda item: handover.given[item.key]["folder"],
        },
        "Nothing.",
    )
    before = Section("Still open from earlier handovers", EARLIER, earlier)
    how = Section("How to work with this list", HOW_TO)
    status = "waiting" if handover.open else "done"
    return Page("checklist", f"Handover of {name}", lead, status, figures, (how, *sections, before))


def _section(number: int, kind: str, items: tuple[Item, ...]) -> Section:
    def draw_box(item: Item) -> Tag:
        tick = item.tick
        words = " · ".join(filter(None, ("☑", tick.by, tick.at[:10], tick.evidence))) if tick else "☐"
        return Tag(words, "good" if tick else "plain")

    columns: Columns[Item] = {
        "Done": draw_box,
        "What": lambda item: item.name,
        "Harness": lambda item: Link("open", item.link),
        "File": lambda item: Link(item.file.rpartition(".")[2].upper(), item.file) if item.file else "",
        # a phone shows what stands above without scrolling
        "Harness shows": lambda item: item.expected,
        "PagerDuty": lambda item: Link("open", item.back) if item.back else "its answers have no links",
        "Key": lambda item: item.key,
    }
    table = make_table(items, columns)
    text = HOW[kind]
    if kind == "integrations":  # how each kind of sender is kept from flooding; integrations.csv says it for each one
        senders = [
            f"- {start.replace('_', ' ')}: {words}" for start, words in (*ADVICE.items(), ("any other", OTHERWISE))
        ]
        text = "\n\n".join((text, "\n".join(senders), SUPPRESSION))
    return Section(f"{number}. {STAGES[kind]}", text, table)


def section_handover(items: Iterable[Item], title: str = "For people to do", open_up_to: int = 60) -> Section:
    """What people must still do, as a section of several pages: open items first."""
    ordered = sorted(items, key=lambda item: item.tick is not None)
    columns: Columns[Item] = {
        "What": lambda item: item.what,
        "To do": lambda item: item.text,
        "State": lambda item: Tag("done", "good") if item.tick else Tag("open", "warn"),
        "Ticked by": lambda item: item.tick.by if item.tick else "",
        "At": lambda item: item.tick.at if item.tick else "",
    }
    table = make_table(ordered, columns, "Nothing is left for a person to do.")
    left = sum(item.tick is None for item in ordered)
    return Section(
        title,
        f"{left} of {len(ordered)} {'is' if left == 1 else 'are'} open." if ordered else "",
        table,
        open_up_to=open_up_to,
    )
