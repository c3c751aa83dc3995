"""A person before the widgets, without a browser: finds things by their labels, and presses them."""

import ipywidgets


def sit_down(monkeypatch):
    """As in JupyterLab: the kernel's request allows input."""
    from pdmigrate.runs import person

    kernel = type("Kernel", (), {"get_parent": lambda self, channel: {"content": {"allow_stdin": True}}})()
    monkeypatch.setattr(person, "find_shell", lambda: type("Shell", (), {"kernel": kernel})())
    monkeypatch.setenv("PDMIGRATE_USER", "carla")


def find(widget, label):
    """The widgets of this label, as a person finds them."""
    below = [found for child in getattr(widget, "children", ()) for found in find(child, label)]
    return below + ([widget] if getattr(widget, "description", "") == label else [])


def press(widget, label):
    [button] = find(widget, label)
    assert not button.disabled
    button.click()


def press_option(widget, words):
    """The answer of this name, for one question or for all that are ticked."""
    [button] = [w for w in list_widgets(widget) if getattr(w, "description", "").split(", all ")[0] == words]
    button.click()


def open_class(widget, words):
    """The first line of this class in the list."""
    next(w for w in list_widgets(widget) if getattr(w, "description", "").startswith(f"{words} · ")).click()


def read(widget):
    """Everything that is on the screen."""
    options = [one if isinstance(one, str) else one[0] for one in getattr(widget, "options", ())]
    words = [getattr(widget, "description", ""), str(getattr(widget, "value", "")), *options]
    return " ".join([*words, *(read(child) for child in getattr(widget, "children", ()))])


def tick(widget, words):
    [box] = [w for w in list_widgets(widget) if isinstance(w, ipywidgets.Checkbox) and words in w.description]
    box.value = True


def list_widgets(widget):
    return [widget, *(found for child in getattr(widget, "children", ()) for found in list_widgets(child))]
