"""Every night one `pdmigrate run` per workspace, then one page over all of them. For Airflow 3.3 or newer.

WORKSPACES/ACCOUNT/NAME/migration.yaml: a folder per PagerDuty account, since all its keys share what it allows a minute. Each
has a pool, made once: `airflow pools set pagerduty_ACCOUNT 2 "runs at once"`. Without it, its runs wait for ever.
"""

import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, RetryDecision, RetryPolicy, task

WORKSPACES = Path(os.environ.get("PDMIGRATE_WORKSPACES", "/srv/workspaces"))
"""A folder that every worker sees under this name; runs, pages and alerts lie in it, too."""
SCHEDULE = os.environ.get("PDMIGRATE_SCHEDULE", "15 2 * * *")
PAUSE = timedelta(seconds=int(os.environ.get("PDMIGRATE_PAUSE_SECONDS", "900")))
"""Before a second try."""

PERSON = 3
MEANINGS = {
    1: "a bug: stop, and tell a person",
    2: "the settings or a secret's reference cannot be used: stop, and tell a person",
    PERSON: "a person is needed: questions are open, or a plan waits for approval",
    4: "refused by its own rules, or another run holds the workspace: stop, and tell a person",
    5: "loaded in part, or a difference that nobody decided: tell a person",
    6: "a side does not answer, or refuses the key: tried again once",
    7: "stopped between two steps: the same command goes on",
}
AGAIN = (6, 7)
RUN = 'pdmigrate run "$WORKSPACE" --reports "$WORKSPACE/reports/{{ dag_run.run_after.strftime("%Y%m%dT%H%M%SZ") }}-{{ ti.try_number }}"'
OVERVIEW = 'pdmigrate overview "$WORKSPACES" --to "$WORKSPACES/overview"'


def read_code(error: object) -> int | None:
    """The exit code in the operator's words; None where the command or its worker was killed."""
    said = re.search(r"exit code (\d+)", str(error))
    return int(said[1]) if said and int(said[1]) in MEANINGS else None


class TryAgain(RetryPolicy):
    """Only what may pass by itself, and what was killed, is tried again."""

    def evaluate(self, exception, try_number, max_tries, context=None):
        code = read_code(exception)
        return RetryDecision.default() if code in (None, *AGAIN) else RetryDecision.fail(MEANINGS[code])


def tell(context, code: int | None = None) -> None:
    """A line in alerts.jsonl; put your chat or pager here. A person who is needed is a message, all else an alert."""
    ti, code = context["ti"], code or read_code(context.get("exception"))
    line = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "kind": "message" if code == PERSON else "alert",
        "task": f"{ti.task_id} {ti.rendered_map_index or ''}".strip(),
        "exit_code": code,
        "means": MEANINGS.get(code, "killed, or its worker was: see the task's log"),
        "try": ti.try_number,
    }
    with (WORKSPACES / "alerts.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


@task
def list_workspaces(account: str) -> list[dict[str, str]]:
    return [{"WORKSPACE": str(file.parent)} for file in sorted((WORKSPACES / account).glob("*/migration.yaml"))]


with DAG(
    "nightly_migrations",
    schedule=SCHEDULE,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,  # a night that takes too long is not overtaken by the next
    default_args={"retries": 1, "retry_delay": PAUSE, "on_failure_callback": tell},
):
    overview = BashOperator(
        task_id="overview",
        bash_command=OVERVIEW,
        env={"WORKSPACES": str(WORKSPACES)},
        append_env=True,
    ).as_teardown()  # always written; and a night in which a run failed has failed, though this page came about
    for account in sorted({file.parent.parent.name for file in WORKSPACES.glob("*/*/migration.yaml")}):
        runs = BashOperator.partial(
            task_id=f"run_{account}",
            bash_command=RUN,
            append_env=True,
            skip_on_exit_code=PERSON,
            pool=f"pagerduty_{account}",
            map_index_template="{{ task.env['WORKSPACE'].rpartition('/')[2] }}",
            retry_policy=TryAgain(),
            on_skipped_callback=lambda context: tell(context, PERSON),  # a skip has no exception to read
        ).expand(env=list_workspaces.override(task_id=f"list_{account}")(account))
        runs >> overview
