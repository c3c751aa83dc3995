"""What JupyterLab's stop button does to a load: a real kernel, which gets the signal that the button sends."""

import json
import threading

import kernels_over_files  # noqa: F401
import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from jupyter_client.session import Session
from kill_loads import Rehearsal

from pdmigrate.cli.status import describe_status
from pdmigrate.runs.headless import notebook_of
from pdmigrate.workspace.folder import Workspace


class Person:
    """Somebody who runs cells of notebook 5, and presses the stop button at the fifth step."""

    def __init__(self, workspace, digest):
        self.pressed = threading.Event()
        self.workspace = workspace
        self.manager, self.client = start_new_kernel(startup_timeout=600)
        cells = nbformat.read(notebook_of("load"), as_version=4).cells
        self.cells = [cell.source for cell in cells if cell.cell_type == "code"]
        self.run(f"workspace, reports, approve = {str(workspace)!r}, '', {digest!r}")
        self.run(self.cells[1])

    def run(self, code, stop_at=None, first=lambda: None):
        """The cell's errors: (name, words). `stop_at`: when these words are on the screen, do `first`, then press the stop button."""
        request, errors, heard = self.client.execute(code, allow_stdin=True), [], True
        while True:
            message = self.client.get_iopub_msg(timeout=600)
            content = message["content"]
            if stop_at and stop_at in json.dumps(content.get("data", {})):
                first()
                self.manager.interrupt_kernel()
                stop_at, heard = None, False
            elif not heard and '"disabled": true' in json.dumps(
                content.get("data", {})
            ):  # the kernel notes it a little later
                self.pressed.set()
                heard = True
            if message["parent_header"].get("msg_id") != request:
                continue
            if message["msg_type"] == "error":
                errors.append((content["ename"], content["evalue"]))
            if content.get("execution_state") == "idle":
                return errors

    def open_anew(self):
        """What a page that is opened now is told: what the kernel is, and its widgets."""
        page, told = self.manager.client(session=Session(key=self.manager.session.key)), []
        page.start_channels()
        for ask in (page.kernel_info, page.comm_info):
            request = ask()
            while (message := page.get_shell_msg(timeout=600))["parent_header"]["msg_id"] != request:
                pass
            told.append(message["content"])
        page.stop_channels()
        return told

    def leave(self):
        self.pressed.set()
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory):
    made = Rehearsal(tmp_path_factory.mktemp("kernel"), [f"PSERV{number:02}" for number in range(1, 13)])
    yield made
    made.close()


@pytest.fixture
def person(rehearsal):
    somebody = Person(rehearsal.begin(), "")
    yield somebody
    somebody.leave()


def wait_for_the_button(gate, person):
    """Harness answers nothing more until it is pressed, so that nobody has to be quick with it."""
    gate.late = threading.Thread(target=person.pressed.wait)
    gate.late.start()


def test_the_stop_button_stops_a_load_between_two_steps_and_the_cell_goes_on(rehearsal, person):
    load = person.cells[2]
    rehearsal.gate.arm(20, "before the answer", lambda: wait_for_the_button(rehearsal.gate, person))
    [(name, words)] = person.run(load, stop_at=">5 of ")
    assert name == "InterruptedLoadError"
    number, total = (int(word) for word in words.split() if word.isdigit())
    assert 5 <= number < total / 2
    assert words.endswith("run load again, it goes on from there.")
    assert "was interrupted" in describe_status(Workspace(person.workspace))
    assert person.run(load) == []
    assert person.run(f"assert sum(d.note.startswith('done before') for d in loaded.done) == {number}") == []


def test_pressed_before_the_first_step_nothing_is_written(rehearsal, person):
    rehearsal.gate.arm(0, None, None)
    wait_for_the_button(rehearsal.gate, person)
    [(name, words)] = person.run(person.cells[2], stop_at="Checking that nothing has moved")
    assert name == "InterruptedLoadError"
    assert words.startswith("Cancelled after 0 of ")
    assert rehearsal.gate.writes == 0


def test_a_page_that_is_opened_anew_during_a_load_is_told_what_the_kernel_is_and_which_widgets_it_has(
    rehearsal, person
):
    """JupyterLab shows no live widget before it knows; the load is held until it does."""
    told = []
    rehearsal.gate.arm(0, None, None)
    wait_for_the_button(rehearsal.gate, person)
    words = "Checking that nothing has moved"
    [(name, _)] = person.run(person.cells[2], stop_at=words, first=lambda: told.extend(person.open_anew()))
    kernel, widgets = told
    assert (kernel["status"], kernel["implementation"]) == ("ok", "ipython")
    assert {comm["target_name"] for comm in widgets["comms"].values()} >= {"jupyter.widget"}
    assert name == "InterruptedLoadError"
    assert person.run("assert job") == []
