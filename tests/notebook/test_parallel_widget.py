"""The parallel run in notebook 6: headless what the last one found, and a night at a click; and the same by the command."""

import json
from datetime import timedelta

from hands import find, press, read, sit_down
from small_company import edit

from pdmigrate import conflicts, load
from pdmigrate.cli import main
from pdmigrate.notebook import browse_parallel
from pdmigrate.sandbox.harness import accept_invites


def test_a_night_is_rehearsed_set_up_and_compared(small, monkeypatch, capsys):
    conflicts(small)
    load(small, "all")
    with edit(small, "harness") as held:
        accept_invites(held)
    assert "No night was compared yet" in repr(browse_parallel(small))
    folder, since = str(small.workspace.folder), (small.clock() - timedelta(hours=8)).isoformat()

    assert main(["parallel", folder, "--set-up"]) == 0
    assert "parallel_run/set_up.md" in capsys.readouterr().out
    assert main(["parallel", folder, "--since", since]) in (0, 5)
    capsys.readouterr()
    assert main(["parallel", folder, "--since", since, "--rehearse"]) == 0
    said = capsys.readouterr().out
    assert "of PagerDuty." in said
    assert "not comparable by what was seen" in said
    page = small.workspace.reports / "parallel" / "parallel.html"
    assert "Service by service" in page.read_text(encoding="utf-8")
    told = json.loads((page.parent / "summary.json").read_text(encoding="utf-8"))["parallel"]
    assert (told["exit_code"], told["feed"]["expected"]) == (0, told["feed"]["came"])

    sit_down(monkeypatch)
    box = browse_parallel(small)
    find(box, "From")[0].value = since
    press(box, "Compare the night")
    assert "The page is parallel.html." in read(box)
    assert "Side by side" not in read(box), "all of it is on the page"
    assert "computed: the same people at the same minute" in read(browse_parallel(small))
