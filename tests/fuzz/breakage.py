"""Breaks a form: one seeded slip in what a file or an answer says, or in its bytes. Knows nothing of pdmigrate."""

import copy
import json
import re

MANY = 16_000
MEGABYTE = 1 << 20
FEW_MEGABYTES = 4 * MEGABYTE
DEPTHS = (60, 400, 5_000, 100_000)
WRONG = (None, True, 0, -1, 1.5, "", "x", "ü", [], {}, ["x"], [None], [[]], [{}], {"x": 1}, {"": None}, {"id": ["x"]})
TIMES = (
    "2026-02-30T09:00:00Z",
    "2026-11-02T25:61:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    "10000-01-01T00:00:00Z",
    "2026-11-02",
    "now",
)
NUMBERS = ("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e308", "-0.0")
MARK = "@@broken@@"
"""Stands where a text is put in that no writer would write."""


def _walk_down(random, data):
    """A random place, as (what holds it, its key): every depth has its share, however many rows lie below."""
    holder, key, here = None, None, data
    while isinstance(here, dict | list) and here and (holder is None or random.random() > 0.2):
        holder, key = here, random.choice(list(here) if isinstance(here, dict) else range(len(here)))
        here = holder[key]
    return holder, key


def _replaced(random, data, value):
    made = copy.deepcopy(data)
    holder, key = _walk_down(random, made)
    if holder is None:
        return value
    holder[key] = value
    return made


def _marked(random, data, spelling, write):
    """Written with `spelling` in the place of a random value."""
    return write(_replaced(random, data, MARK)).replace(f'"{MARK}"', spelling, 1).replace(MARK, spelling, 1)


def nest_deep(random, data, write):
    depth, (first, last) = random.choice(DEPTHS), random.choice((("[", "]"), ('{"a": ', "}")))
    return _marked(random, data, first * depth + "1" + last * depth, write)


def put_huge_number(random, data, write):
    return _marked(random, data, random.choice(("", "-")) + "9" * random.choice((19, 40, 400, 4_000, 50_000)), write)


def put_surrogate(random, data, write):
    return _marked(random, data, json.dumps("a\ud83d" + random.choice(("", "\udfff\udc00", "b"))), write)


def put_nul(random, data, write):
    return _marked(random, data, json.dumps("a" + random.choice("\x00\x1b\x85\u2028\ufffe\u202e") + "b"), write)


def put_wrong_type(random, data, write):
    return write(_replaced(random, data, copy.deepcopy(random.choice(WRONG))))


def put_texts_for_records(random, data, write):
    """A list of texts, or of nothing, where records are expected, or the other way round."""
    made = copy.deepcopy(data)
    lists = [(h, k) for h, k in _find_holders(made) if isinstance(h[k], list)]
    if not lists:
        return write(_replaced(random, data, ["a", "b"]))
    holder, key = random.choice(lists)
    said = holder[key]
    holder[key] = random.choice(
        ([str(number) for number in range(len(said) or 2)], [None] * 2, {"a": said}, "a", [said])
    )
    return write(made)


def drop_key(random, data, write):
    made = copy.deepcopy(data)
    records = [h for h, _ in _find_holders(made) if isinstance(h, dict)]
    if records:
        record = random.choice(records)
        del record[random.choice(list(record))]
    return write(made)


def put_time(random, data, write):
    return write(_replaced(random, data, random.choice(TIMES)))


def put_number(random, data, write):
    return _marked(random, data, random.choice(NUMBERS), write)


def repeat_key(random, data, write):
    text = write(data)
    keys = list(re.finditer(r'"?(\w+)"?: ?', text)) or list(re.finditer(r"\w+", text))
    if not keys:
        return text + text
    found = random.choice(keys)
    flow = found[0].startswith('"')
    again = f"{found[0]}{json.dumps(random.choice(WRONG))}, " if flow else f"{found[0]}1\n"
    return text[: found.start()] + again + text[found.start() :]


def put_many(random, data, write):
    """Very many keys, or a row very many times, up to a few MB: a whole large account is nothing broken."""
    made = copy.deepcopy(data)
    holders = [h for h, _ in _find_holders(made)] or [made]
    holder = random.choice(holders)
    if isinstance(holder, list) and holder:
        rows = [json.dumps(row) for row in holder]
        times = min(MANY, len(rows) * FEW_MEGABYTES // sum(map(len, rows)))
        holder += [json.loads(random.choice(rows)) for _ in range(times)]
    elif isinstance(holder, dict):
        holder |= {f"key{number}": random.choice(WRONG) for number in range(MANY)}
    return write(made)


def put_megabyte(random, data, write):
    return write(_replaced(random, data, random.choice(("x", "é", "'\"", "= ", "a,b\n")) * MEGABYTE))


def cut_short(random, data, write):
    whole = write(data).encode("utf-8", "surrogatepass")
    return whole[: random.randrange(len(whole))] if whole else b""


def change_encoding(random, data, write):
    text = write(data) + "\n"
    name = random.choice(("utf-16", "utf-32", "utf-8-sig", "latin-1", "cp037"))
    return (text + "é" if name == "latin-1" else text).encode(name, "replace")


def change_bytes(random, data, write):
    whole = bytearray(write(data).encode("utf-8", "surrogatepass")) or bytearray(b"x")
    for _ in range(random.choice((1, 3, 50))):
        whole[random.randrange(len(whole))] = random.randrange(256)
    return bytes(whole)


def replace_whole(random, data, write):
    return random.choice(
        (b"", b"null", b"[]", b"{}", b'"x"', b"0", b"<html></html>", b"\x00" * 64, b"- a\n- b\n", b"\n\n")
    )


BREAKAGES = {
    "nested deep": nest_deep,
    "huge integers": put_huge_number,
    "surrogates": put_surrogate,
    "NUL and controls": put_nul,
    "wrong types": put_wrong_type,
    "texts for records": put_texts_for_records,
    "missing keys": drop_key,
    "cut short": cut_short,
    "another encoding": change_encoding,
    "bytes": change_bytes,
    "another whole": replace_whole,
    "times that are none": put_time,
    "floats that are none": put_number,
    "a key twice": repeat_key,
    "thousands of keys": put_many,
    "a megabyte in a cell": put_megabyte,
}
"""Kind to function of (random, data, write): the broken text or bytes. write: data to text, as the form is written."""


def break_form(random, kind, data, write):
    """The bytes of the form, broken in one way."""
    broken = BREAKAGES[kind](random, data, write)
    return broken if isinstance(broken, bytes) else broken.encode("utf-8", "surrogatepass")


def _find_holders(data):
    """Every (holder, key) below."""
    found, left = [], [data]
    while left:
        here = left.pop()
        keys = list(here) if isinstance(here, dict) else range(len(here)) if isinstance(here, list) else ()
        found += [(here, key) for key in keys]
        left += [here[key] for key in keys]
    return found
