"""How PagerDuty's incidents come to Harness as well, for shadow weeks: words and files for the person who sets it up.

pdmigrate writes nothing to PagerDuty, so a person makes the subscription, by hand or with a key of his own. The address that
it sends to holds Harness's token: in the files it is a reference, never the thing itself.
"""

import json

from pdmigrate.handover.links import Links
from pdmigrate.handover.sheets import write_csv
from pdmigrate.mapping.draft import Draft

FOLDER = "parallel_run"
FEED_URL = "HARNESS_FEED_URL"
WRITE_KEY = "PAGERDUTY_WRITE_KEY"
EVENTS = ("incident.triggered", "incident.acknowledged", "incident.resolved")
API = {"us": "https://api.pagerduty.com", "eu": "https://api.eu.pagerduty.com"}

WORDS = """\
# Shadow weeks: PagerDuty's incidents come to Harness as well

PagerDuty goes on paging. Each of its incidents also becomes an alert of {place},
by a webhook of PagerDuty (V3) into Harness's own template for it. The webhook is in **quiet mode: Harness takes the alert and pages nobody**. Each morning
`pdmigrate parallel DIR` puts the night of both systems side by side. No sender is touched, and it is taken away in five minutes.

It takes: somebody who may make webhooks in the Harness project, and somebody who may make webhooks in PagerDuty (admin, or a
key that may write). pdmigrate itself never writes to PagerDuty: do not give it that key.

## 1. In Harness: the webhook that takes them

1. Open {project}
   and there AI SRE, its webhooks (*Integrations*), *New webhook*, and the template **PagerDuty**.
2. Switch **quiet mode on**. Look twice: without it people are paged by both systems.
3. See what the template does with three fields, and mend it where it does something else:
   - the deduplication id is the incident's key (`event.data.incident_key`), else its id: by it both sides are matched;
   - the monitoring link is the incident's address (`event.data.html_url`): the second way to match them;
   - the service is found by its name (`event.data.service.summary`).
4. `service_names.csv` has every service that moves, by its name in PagerDuty and its identifier in Harness.{renamed}
5. Copy the webhook's address. **It holds a token: keep it where you keep secrets**, never in this folder, a ticket or a chat. Below
   it is called `{url}`.

## 2. In PagerDuty: the subscription that sends them

By hand: *Integrations* → *Generic Webhooks (v3)* → *New Webhook*. Webhook URL: the address of step 1. Scope: *Account*. Event
subscriptions: only {events}.
Or by API, with the body in `subscription.json`, in which the address stands by reference:

    read -rs {url} && export {url}            # in bash; paste the address, it is not shown
    read -rs {key} && export {key}
    python3 -c 'import os,sys; sys.stdout.write(os.path.expandvars(sys.stdin.read()))' < subscription.json |
      curl -sS {api}/webhook_subscriptions -H @<(printf 'Authorization: Token token=%s' "${key}") \\
        -H "Content-Type: application/json" -H "Accept: application/json" --data-binary @-

Write down the `id` of the answer: it is needed to take the subscription away. The answer also shows, this once, a secret that
signs what is sent; keep it with the secrets, or not at all.

The scope is the whole account, so that nothing is forgotten. Alerts of services that do not move come too; the page says *the
service does not move* and counts them as neither good nor bad.

## 3. See that it works, before the first night

- [ ] PagerDuty's *Send Test Event* (API: `POST /webhook_subscriptions/ID/ping`) is answered with 2xx.
- [ ] A test incident on a service of your own: within a minute Harness has an alert with its title, **its service**, and *quiet mode*.
- [ ] Its timeline shows no page, and nobody's telephone rang for Harness.
- [ ] Acknowledge and resolve it in PagerDuty: the alert follows. If it comes a second time instead, the deduplication id is wrong.
- [ ] `pdmigrate parallel DIR --since TIME` of that hour shows one incident in both systems, matched *by the deduplication key*.

## 4. Each morning

`pdmigrate parallel DIR` (last night, 20:00 to 8:00), or at night's end by the scheduler: it ends with 5 where something came to
PagerDuty only, came twice, or would page otherwise without a decision.

- *Nothing came from the feed*: look at the subscription in PagerDuty. It is `temporarily_disabled` after the address was refused
  for a while: mend the cause, then `POST /webhook_subscriptions/ID/enable`.
- *No service* or another service: the name is not in the webhook's mapping (`service_names.csv`).
- Whom Harness would have paged is **computed** in quiet mode, from what Harness holds. To see it for once, take one service whose
  team agrees, switch quiet mode off for it, and tell them that both systems will page.

## 5. Take it away again

Before the first sender is pointed at Harness, since its alerts would come twice:

1. PagerDuty: delete the webhook (API: `DELETE /webhook_subscriptions/ID`); then see that the list of webhooks has it no more.
2. Harness: disable the webhook, then delete it; its address and token are void with it. Resolve what it left open.
3. Delete `{url}` and the signing secret from where they were kept.
"""
RENAMED = """
   **{number} of them {has} another name there** (the column *differs*): the webhook has to be told, else their alerts name no
   service, and an alert without a service is paged by no rule."""


def make_feed(found: Draft, links: Links) -> dict[str, str]:
    """Path to text of the set-up: the words, the body of the subscription, and the services by both names."""
    rows: list[dict[str, str | int | None]] = []
    for id, service in sorted(found.account.services.items(), key=lambda one: one[1].name.casefold()):
        identifier = found.identifier_of("services", id)
        wish, there = found.wanted.get(("services", id)), found.state.services.get(identifier)
        if identifier and id in found.reasons["services"]:
            names = {identifier, there.name if there else wish.name if wish else ""}
            differs = "" if service.name in names else "yes"
            rows.append(
                {
                    "pagerduty_name": service.name,
                    "harness_identifier": identifier,
                    "differs": differs,
                    "pagerduty_id": id,
                }
            )
    renamed = sum(bool(row["differs"]) for row in rows)
    words = WORDS.format(
        place=f"the Harness project {links.org}/{links.project}",
        project=links.to_harness(),
        renamed=RENAMED.format(number=renamed, has="has" if renamed == 1 else "have") if renamed else "",
        url=FEED_URL,
        key=WRITE_KEY,
        events=", ".join(f"`{event}`" for event in EVENTS),
        api=API.get(links.region, API["us"]),
    )
    texts = {"set_up.md": words, "subscription.json": json.dumps(make_subscription(), indent=2) + "\n"}
    texts["service_names.csv"] = write_csv(rows, ("pagerduty_name", "harness_identifier", "differs", "pagerduty_id"))
    return {f"{FOLDER}/{name}": text for name, text in texts.items()}


def make_subscription() -> dict[str, object]:
    """The body that PagerDuty's API takes (POST /webhook_subscriptions), with the address by reference."""
    return {
        "webhook_subscription": {
            "type": "webhook_subscription",
            "description": "Shadow weeks: incidents to Harness AI SRE, in quiet mode",
            "delivery_method": {"type": "http_delivery_method", "url": f"${{{FEED_URL}}}"},
            "events": list(EVENTS),
            "filter": {"type": "account_reference"},
        }
    }
