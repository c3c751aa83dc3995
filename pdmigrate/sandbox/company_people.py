"""The people of the embedded company: an online retailer with offices on four continents."""

import base64
import hashlib
from dataclasses import dataclass

from pdmigrate.sandbox.company_shapes import DOMAIN, make_part, make_record, refer, write_local

NEW_YORK, LOS_ANGELES, LONDON, BERLIN = "America/New_York", "America/Los_Angeles", "Europe/London", "Europe/Berlin"
AMSTERDAM, JERUSALEM, KOLKATA, SYDNEY, TOKYO = (
    "Europe/Amsterdam",
    "Asia/Jerusalem",
    "Asia/Kolkata",
    "Australia/Sydney",
    "Asia/Tokyo",
)
# Valid in form; nobody is meant to be called. Harness does not serve +49, +61 and +81.
PHONES = {
    NEW_YORK: (1, "21255501{:02}"),
    LOS_ANGELES: (1, "31055501{:02}"),
    LONDON: (44, "74001234{:02}"),
    BERLIN: (49, "151234567{:02}"),
    AMSTERDAM: (31, "6123456{:02}"),
    JERUSALEM: (972, "5023456{:02}"),
    KOLKATA: (91, "98765432{:02}"),
    SYDNEY: (61, "4915701{:02}"),
    TOKYO: (81, "90123456{:02}"),
}
SPELLED = str.maketrans({"ü": "ue", "ß": "ss", "'": None})
COLORS = ("teal", "purple", "green", "red", "blue", "orange", "brown", "dark-goldenrod")


@dataclass(frozen=True)
class Person:
    """One line of the staff list. `reach` says how they are reached, `rules` how soon."""

    handle: str
    name: str
    zone: str
    title: str | None
    role: str = "limited_user"
    reach: str = "email phone sms push"
    rules: str = "email+0 push+0 phone+5 low:email+0"
    email: str = ""


STAFF = (
    Person(
        "maya", "Maya Okafor", NEW_YORK, "Head of Reliability", "owner", rules="push+0 phone+0 phone+10 low:email+0"
    ),
    Person("tom", "Tom Becker", NEW_YORK, "Staff SRE", "admin"),
    Person("lin", "Lin Zhao", NEW_YORK, "SRE", rules="push+0 sms+2 phone+5 phone+15 low:push+0 low:email+30"),
    Person("carlos", "Carlos Mendes", NEW_YORK, "SRE", reach="email phone sms"),
    Person("aisha", "Aisha Bello", NEW_YORK, "SRE", "user"),
    Person("dan", "Dan O'Hara", NEW_YORK, "Support Lead", "admin"),
    Person("grace", "Grace Kim", NEW_YORK, "Support Engineer", rules="email+0 sms+0 phone+3 low:email+0"),
    Person("victor", 'Victor "Vic" Ramos', NEW_YORK, "Support Engineer", reach="email phone", rules="email+0 phone+5"),
    Person("nina", "Nina Petrova", NEW_YORK, "Support Engineer"),
    Person("owen", "Owen Clarke", LOS_ANGELES, "Engineering Manager, Checkout", "admin"),
    Person("hana", "Hana Sato", LOS_ANGELES, "Software Engineer"),
    Person("luis", "Luis Ortega", LOS_ANGELES, "Software Engineer", reach="email phone sms-blacklisted push"),
    Person("emily", "Emily Stone", LOS_ANGELES, "Senior Software Engineer"),
    Person("kofi", "Kofi Mensah", LOS_ANGELES, "Software Engineer", rules="push+0 push+5 push+10 phone+15"),
    Person("rachel", "Rachel Levi", JERUSALEM, "Software Engineer, Checkout", reach="email phone sms whatsapp push"),
    Person("noam", "Noam Adler", JERUSALEM, "Software Engineer, Checkout"),
    Person("james", "James Whitfield", LONDON, "Engineering Manager, Payments", "admin"),
    Person("sophie", "Sophie Turner-Hale", LONDON, "Senior Payments Engineer", "user"),
    Person("raj", "Raj Malhotra", LONDON, "Payments Engineer", reach="email phone sms whatsapp"),
    Person("fiona", "Fiona Gallagher", LONDON, "Payments Engineer", rules="phone+0 phone+3 phone+6 low:email+0"),
    Person("ben", "Ben Achebe", LONDON, "Payments Engineer"),
    Person("olivia", "Olivia Marsh", LONDON, "Fraud Analyst", "user"),
    Person("liam", "Liam Byrne", LONDON, "Fraud Analyst", reach="email sms", rules="sms+0 email+0 sms+5 low:email+0"),
    Person("anja", "Anja Krüger", BERLIN, "Engineering Manager, Search", "admin"),
    Person("lukas", "Lukas Vogel", BERLIN, "Search Engineer"),
    Person("mila", "Mila Nowak", BERLIN, "Search Engineer", reach="email push", rules="push+0 email+1 low:email+0"),
    Person("jonas", "Jonas Weiß", BERLIN, "Catalog Engineer"),
    Person("sanne", "Sanne de Vries", AMSTERDAM, "Catalog Engineer"),
    Person("pieter", "Pieter Bakker", AMSTERDAM, "Platform Engineer", reach="email phone-disabled sms push"),
    Person("femke", "Femke Jansen 🌷", AMSTERDAM, "Platform Engineer"),
    Person(
        "priya", "Priya Raman", KOLKATA, "Engineering Manager, Logistics", "admin", email="Priya.Raman@Acme.example"
    ),
    Person("arjun", "Arjun Nair", KOLKATA, "Logistics Engineer"),
    Person("divya", "Divya Iyer", KOLKATA, "Logistics Engineer", reach="email phone sms whatsapp push"),
    Person("vikram", "Vikram Singh", KOLKATA, "Platform Engineer", rules="push+0 phone+1 phone+2 phone+3 low:email+0"),
    Person("meera", "Meera Joshi", KOLKATA, "Logistics Engineer"),
    Person("chloe", "Chloe Nguyen", SYDNEY, "Data Engineer", "user"),
    Person("jack", "Jack Wilson", SYDNEY, "Data Engineer"),
    Person("yuki", "Yuki Tanaka", TOKYO, "Platform Engineer"),
    Person(
        "zoe", "Zoe Papadakis <b>Data</b>", LOS_ANGELES, "Data Engineer", "observer", email=f"zoe.papadakis@{DOMAIN}"
    ),
    Person(
        "storeops",
        "Store Operations (shared mailbox)",
        NEW_YORK,
        None,
        "limited_user",
        "email",
        "email+0",
        f"store-ops@{DOMAIN}",
    ),
)
# They left, and PagerDuty still knows their names.
LEFT = {
    "gus": ("PUSER91", "Gus Lindqvist", "2025-02-21T08:42:06-05:00"),
    "petra": ("PUSER92", "Petra Horvat", "2025-06-30T17:00:00+02:00"),
}
IN_HARNESS = {
    "maya": "Maya Okafor",
    "tom": "Thomas Becker",
    "lin": "Lin Zhao",
    "dan": "Dan O'Hara",
    "owen": "Owen Clarke",
    "james": "James Whitfield",
    "sophie": "Sophie Turner-Hale",
    "anja": "Anja Krüger",
    "lukas": "Lukas Vogel",
    "priya": "Priya Raman",
    "arjun": "Arjun Nair",
    "chloe": "Chloe Nguyen",
}
ONLY_IN_HARNESS = {"Platform Admin": f"harness-admin@{DOMAIN}", "Quinn Harper": f"quinn.harper@{DOMAIN}"}


def build_users() -> dict[str, dict]:
    """The users by handle; teams are added by those who make teams."""
    return {person.handle: _make_user(number, person) for number, person in enumerate(STAFF, start=1)}


def refer_to_left(handle: str) -> dict:
    """The reference that stays in a rota when a user is deleted."""
    user_id, name, deleted_at = LEFT[handle]
    reference = refer(make_record("user", user_id, name))
    return {**reference, "self": None, "deleted_at": deleted_at}


def build_harness_people() -> list[dict]:
    """Who has a Harness account already: `uuid`, `name` and `email` of each."""
    emails = {person.handle: _email(person).lower() for person in STAFF}
    people = {emails[handle]: name for handle, name in IN_HARNESS.items()}
    people |= {email: name for name, email in ONLY_IN_HARNESS.items()}
    return [{"uuid": _make_uuid(email), "name": name, "email": email} for email, name in people.items()]


def _make_user(number: int, person: Person) -> dict:
    user = make_record("user", f"PUSER{number:02}", person.name, email=_email(person), time_zone=person.zone)
    methods = _make_methods(number, person, user)
    return user | {
        "color": COLORS[number % len(COLORS)],
        "avatar_url": f"https://secure.gravatar.com/avatar/{hashlib.md5(_email(person).encode()).hexdigest()}.png?d=mm&r=PG",  # noqa: S324 - as Gravatar has it
        "billed": person.role != "observer",
        "role": person.role,
        "description": None,
        "invitation_sent": person.handle in ("meera", "zoe"),
        "job_title": person.title,
        "teams": [],
        "contact_methods": methods,
        "notification_rules": _make_rules(number, person, user, methods),
        "oncall_handoff_notification_rules": _make_handoff_rules(number, methods),
        "coordinated_incidents": [],
    }


def _email(person: Person) -> str:
    spelled = person.name.lower().replace('"vic" ', "").translate(SPELLED)
    plain = spelled.encode("ascii", "ignore").decode()
    return person.email or ".".join(plain.split()) + f"@{DOMAIN}"


def _make_methods(number: int, person: Person, user: dict) -> list[dict]:
    methods = []
    for place, word in enumerate(person.reach.split(), start=1):
        kind, _, state = word.partition("-")
        method_id = f"PCM{number:02}{place:02}"
        fields = _contact_fields(kind, number, person)
        if kind != "email":
            fields |= {"blacklisted": state == "blacklisted", "enabled": state != "disabled"}
        full_kind = "push_notification" if kind == "push" else kind
        methods.append(
            make_part(f"{full_kind}_contact_method", method_id, user, "contact_methods", fields["label"], **fields)
        )
    return methods


def _contact_fields(kind: str, number: int, person: Person) -> dict:
    if kind == "email":
        return {"label": "Default", "address": _email(person), "send_short_email": False, "send_html_email": False}
    if kind == "push":
        made = {
            "created_at": write_local("2024-06-03T10:15:00", person.zone),
            "device_type": ("ios", "android")[number % 2],
        }
        return {
            "label": f"{person.handle.capitalize()}'s phone",
            "address": make_token(person.handle),
            "sounds": [],
            **made,
        }
    country, pattern = PHONES[person.zone]
    return {
        "label": "Work" if kind == "phone" else "Mobile",
        "address": pattern.format(number),
        "country_code": country,
    }


def make_token(name: str) -> str:
    """The address of a device that takes push notifications."""
    return hashlib.sha256(f"device of {name}".encode()).hexdigest()


def _make_rules(number: int, person: Person, user: dict, methods: list[dict]) -> list[dict]:
    by_kind = {method["type"].split("_")[0]: method for method in methods}
    wanted = [_parse_rule(word) for word in person.rules.split()]
    rules = [rule for rule in wanted if rule[1] in by_kind]
    return [
        _make_rule(f"PNR{number:02}{place:02}", user, urgency, by_kind[kind], delay)
        for place, (urgency, kind, delay) in enumerate(rules, start=1)
    ]


def _parse_rule(word: str) -> tuple[str, str, int]:
    urgency, _, rest = word.rpartition(":")
    kind, _, delay = rest.partition("+")
    return urgency or "high", kind, int(delay)


def _make_rule(rule_id: str, user: dict, urgency: str, method: dict, delay: int) -> dict:
    fields = {"start_delay_in_minutes": delay, "created_at": "2024-06-03T14:15:00Z"}
    fields |= {"contact_method": refer(method), "urgency": urgency}
    summary = f"{delay} minutes: channel {method['id']}"
    return make_part("assignment_notification_rule", rule_id, user, "notification_rules", summary, **fields)


def _make_handoff_rules(number: int, methods: list[dict]) -> list[dict]:
    method = refer(methods[0])
    return [
        {"id": f"PHR{number:02}", "notify_advance_in_minutes": 180, "handoff_type": "both", "contact_method": method}
    ]


def _make_uuid(email: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(email.encode()).digest()[:16]).decode().rstrip("=")
