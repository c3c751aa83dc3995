"""JSON from outside, within limits: depth, count, size, numbers, halves of signs."""

import json

import pytest

from pdmigrate.wire.json_text import JsonError, Limits, read_json

SMALL = Limits(size=1_000, depth=5, count=20)


@pytest.mark.parametrize(
    "text, words",
    [
        ("[" * 100_000, "nested 100000 deep"),
        ('{"a": ' * 500 + "1" + "}" * 500, "nested 500 deep"),
        ('["[[[[[[", ' + "[" * 70 + "]" * 70 + "]", "nested 71 deep"),
        ("9" * 5_000, "5000 digits"),
        ("-" + "9" * 20, "20 digits"),
        ('{"a": 1e400}', "beyond what a computer counts"),
        ("[NaN]", "NaN is no number"),
        ("[-Infinity]", "Infinity is no number"),
        ('{"rows": [{"name": "a\\ud83d"}]}', "rows.0.name holds half of a sign"),
        ('{"\\udc00": 1}', "half of a sign"),
        ('{"a": ', "no JSON near line 1"),
        (b"\xff\xfe\xfd", "no UTF-8"),
        ("", "no JSON"),
    ],
)
def test_what_is_beyond_the_limits_is_refused_in_words(text, words):
    with pytest.raises(JsonError, match=words):
        read_json(text)


@pytest.mark.parametrize(
    "text, words",
    [
        ("[" + "1," * 30 + "1]", "more than 20 values"),
        ('"' + "x" * 2_000 + '"', "0 MB are|MB"),
        ("[[[[[[]]]]]]", "6 deep"),
    ],
)
def test_size_depth_and_count_are_limits_of_their_own(text, words):
    with pytest.raises(JsonError, match=words):
        read_json(text, SMALL)


@pytest.mark.parametrize(
    "data",
    [{"a": ["[[[[[[[{{{{", 'a"b\\', "😀", -(2**63), 1.5, None, True]}, [], 0, "x" * 100_000, {"é": "\u2028"}],
)
def test_what_json_can_say_is_read_as_python_reads_it(data):
    for text in (json.dumps(data), json.dumps(data, ensure_ascii=False).encode(), json.dumps(data).encode("utf-16")):
        assert read_json(text) == data


def test_brackets_inside_of_texts_are_not_counted():
    assert read_json(json.dumps(["[" * 1_000, '\\"' * 500 + "{" * 1_000])) == ["[" * 1_000, '\\"' * 500 + "{" * 1_000]
