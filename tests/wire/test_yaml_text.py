"""YAML within limits: what is wrong with it has a line, and no key is lost without a word."""

import re

import pytest
import yaml

from pdmigrate.wire.yaml_text import COUNT, describe_yaml_error, read_yaml

LAUGHS = "\n".join(["a0: &a0 [1, 2, 3]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9))])


@pytest.mark.parametrize(
    "text, words",
    [
        ("a: 1\nb: 2026-02-30\n", "x.yaml line 2: there is no such timestamp"),
        ("a: !!timestamp soon", "line 1: there is no such timestamp"),
        ("a: !!int soon", "line 1: there is no such int"),
        ("a: !!float soon", "line 1: there is no such float"),
        ("a: " + "9" * 5_000, "line 1: there is no such int"),
        ("a: 0x" + "f" * 400, "line 1: this number is too large"),
        ("a: 1\nb: 2\na: 3\n", "line 3: the key 'a' stands twice"),
        ("a: " + "[" * 10_000, "line 1: it is nested deeper than 64"),
        ("a: &b [*b]", r"line 1: \*b stands inside of itself"),
        (LAUGHS, f"line 7: the file holds more than {COUNT} values"),
        ("a: [1,", "x.yaml is no YAML near line 2"),
        ("\x00", "x.yaml is no YAML near line"),
        ("a: \ud83d", "half of a sign"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(text, words):
    with pytest.raises(yaml.YAMLError) as raised:
        read_yaml(text)
    assert re.search(words, describe_yaml_error("x.yaml", raised.value))


def test_what_people_write_is_read_as_before():
    text = "\ufeffa: &x {b: 1}\nc: {<<: *x, b: 2}\nd: 2026-12-01\ne: [*x, *x]\n"
    assert read_yaml(text) == yaml.safe_load(text.removeprefix("\ufeff"))
