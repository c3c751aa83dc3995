"""What to do with each kind of sender, since Harness's paging webhook pages for whatever arrives.

Facts: the webhook comes with an always-true rule, and neither deduplication nor resolve events are described
(Harness's documentation, service paging webhook). PagerDuty did all of that by itself.
"""

WEBHOOK = "https://app.harness.io/api/v1/webhook/<id>?key=<key>"
EVENTS = (
    "It sends trigger, acknowledge and resolve events with a dedup_key, and PagerDuty made one incident of equal keys. "
    "Send trigger events only, and only the first for a dedup_key; keep acknowledge and resolve away from the webhook."
)
ADVICE = {
    "events_api_v2": EVENTS,
    "generic_events_api": EVENTS.replace("dedup_key", "incident_key"),
    "aws_cloudwatch": (
        "CloudWatch sends a message for ALARM and one for OK, and PagerDuty resolved on OK. Point only the ALARM action "
        "at the webhook, by a subscription filter or a small function that drops OK and INSUFFICIENT_DATA."
    ),
    "generic_email": (
        "Every mail made or joined an incident by its subject or a rule. Send mails to the address of the webhook "
        "({id}_{key}@alerts.harness.io), and first mend the sender's own rule so that repeats and all-clears stay away."
    ),
}
OTHERWISE = (
    "See how this sender marks a problem that is over and one that is repeated: PagerDuty resolved and joined them, the "
    "webhook pages for each. Send only new problems."
)
QUIET = (
    "This service pages nobody, by decision, and its paging webhook would page for every alert: leave the webhook off, and "
    "let the alerts come in by an alert source of the project, where the rule with paging off takes them."
)
STAYS = "The service is not carried over: leave the sender where it is. Once it is carried over:"
ROUTED = (
    "Its rules choose the service of each alert; in Harness every service has a webhook of its own. Find out who sends to "
    "it, and give each sender the webhook of the service that its alerts are about."
)
SUPPRESSION = (
    "PagerDuty's rules of suppression, grouping and pausing (event orchestrations, rulesets, alert grouping) do not come "
    "along: what they kept quiet must be kept quiet at the sender, or by an alert rule with paging off."
)


def advise(integration_type: str) -> str:
    """How this sender must be set so that it does not page for what PagerDuty took in silence."""
    return next((text for start, text in ADVICE.items() if integration_type.startswith(start)), OTHERWISE)
