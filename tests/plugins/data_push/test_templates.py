"""Templates: what they make, what is refused by its line, and that none of them runs away."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neomind_plugins.data_push.errors import BadTemplate, Failed
from neomind_plugins.data_push.templates import OUTPUT_MAX, Template

from .conftest import API, Push, code

SOURCE = "device:boiler:temperature"


def rendered(source: str, value: Any = 21.5, timestamp: float = 1_700_000_000) -> str:
    return Template(source).render(SOURCE, value, timestamp)


@pytest.mark.parametrize(
    ("source", "value", "expected"),
    [
        ("{{ source_id }}={{ value }}@{{ timestamp }}", 21.5, "device:boiler:temperature=21.5@1700000000"),
        ('{"v":{{json value}},"t":"{{timestamp_format timestamp}}"}', "a\"'<&>", None),
        ("{{json value}}", {"a": [1, None]}, '{"a":[1,null]}'),
        ("{{{value}}} {{{json value}}}", "<b>", '<b> "<b>"'),
        ("{{ value|json }} {{ json(value) }}", "x", '"x" "x"'),
        ("{{ timestamp_format(timestamp) }}", 1, "2023-11-14T22:13:20+00:00"),
        ("{{ timestamp|timestamp_format }}", 1, "2023-11-14T22:13:20+00:00"),
        ("{{ value }}", "<b>&\"'", "<b>&\"'"),
        ("{{ value }} {{ none }}", True, "true null"),
        ("{{ value }}", [1, "a"], '[1,"a"]'),
        ("{{ value.t }} {{ value['u'].x }}", {"t": 1, "u": {"x": 2}}, "1 2"),
        ("{% for k, v in value|items %}{{ k }}={{ v }}{{ ';' if not loop.last }}{% endfor %}", {"a": 1}, "a=1"),
        ("{% if value > 20 %}hot{% else %}cold{% endif %}", 21.5, "hot"),
        ("{% set f = value * 9 / 5 + 32 %}{{ f|round(1) }}", 21.5, "70.7"),
        ("{{ source_id ~ '/' ~ value }}", 1, "device:boiler:temperature/1"),
        ("{{ {'id': source_id, 'v': [value]}|json }}", 1, '{"id":"device:boiler:temperature","v":[1]}'),
        ("{{ value|default('none') }}{# unseen #}\n", 1, "1\n"),
        ("{{ value|upper|replace('A', '4') }}", "abba", "4BB4"),
        ("plain text", 1, "plain text"),
    ],
)  # fmt: skip
def test_what_they_make(source: str, value: Any, expected: str | None) -> None:
    expected = expected or '{"v":"a\\"\'<&>","t":"2023-11-14T22:13:20+00:00"}'
    assert rendered(source, value) == expected


def test_times_below_a_second() -> None:
    assert rendered("{{timestamp_format timestamp}}", timestamp=1_700_000_000.5) == "2023-11-14T22:13:20.500+00:00"


@pytest.mark.parametrize(
    ("source", "line", "said"),
    [
        ("{{ nope }}", 1, "there is no 'nope'"),
        ("a\nb\n{{ value", 3, "end of template"),
        ("\n{% if value %}", 2, "endif"),
        ("{{ value|nofilter }}", 1, "nofilter"),
        ("x\n{{ 1 / 0 }}", 2, "division"),
        ("{{ timestamp_format('x') }}", 1, "number of seconds"),
        ("{% include 'x' %}", 1, "include"),
        ("{% import 'x' as x %}", 1, "import"),
        ("{% extends 'x' %}", 1, "extends"),
        ("{% macro f() %}{{ f() }}{% endmacro %}", 1, "macro"),
        ("{% block a %}{% endblock %}", 1, "block"),
        ("{% set x %}{{ value }}{% endset %}", 1, "assignblock"),
        ("{% set x = [value, value] %}", 1, "list"),
        ("{% filter upper %}a{% endfilter %}", 1, "filterblock"),
        ("{% for x in value recursive %}{{ loop(x) }}{% endfor %}", 1, "recursive"),
        ("{{ value.__class__ }}", 1, "__class__"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", 1, "called"),
        ("{{ value['__class__']['__mro__'] }}{{ ''['__class__'] }}", 1, "__class__"),
        ("{{ source_id.upper() }}", 1, "called"),
        ("{{ '{:>999999999}'.format(1) }}", 1, "called"),
        ("{{ '%999999999d' % 1 }}", 1, "numbers"),
        ("{{ 'x' * 1000000000 }}", 1, "numbers"),
        ("{{ 9**9**9 }}", 1, "pow"),
        ("{{ value|attr('__class__') }}", 1, "attr"),
        ("{{ lipsum() }}{{ cycler }}", 1, "called"),
        ("{{ self }}", 1, "self"),
        ("{{ _budget }}", 1, "_budget"),
        ("{{ value|_counted }}", 1, "_counted"),
        ("{{ [1, 2]|map('string') }}", 1, "map"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", 1, "deep"),
        ("{{ " + "-" * 3000 + "1 }}", 1, "deep"),
        ("{{ " + "9" * 6000 + " }}", 1, "too long"),
        ("x" * 20_000, 1, "at most"),
    ],
)
def test_what_is_refused(source: str, line: int, said: str) -> None:
    with pytest.raises(BadTemplate) as caught:
        Template(source)
    assert caught.value.message.startswith(f"template, line {line}: ")
    assert said in caught.value.message


GROW = "".join("{% set a = a ~ a ~ a ~ a ~ a ~ a ~ a ~ a %}" for _ in range(40))


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}",
        "{% for i in range(100000) %}x{% endfor %}",
        "{% for i in range(9999) %}" + "x" * 1000 + "{% endfor %}",
        "{% set a = 'xxxxxxxx' %}" + GROW + "{{ a }}",
        "{% set a = 'xxxxxxxx' %}" + GROW.replace("~", "+"),
        "{% set a = 'xxxxxxxx' %}" + "{% set a = [a, a, a, a]|join %}" * 100,
        "{% set a = 'x' %}" + "{% set a = a|replace('x', 'xxxxxxxxxx') %}" * 100,
        "{% set a = 9999999999 %}" + "{% set a = a * a %}" * 100,
        "{{ value|round(1000000000) }}",
        "{{ range(1000000000)|sum }}",
        "{% for i in range(9999) %}{% if range(9999)|sum == 1 %}{% endif %}{% endfor %}{{ nope.x }}",
    ],
)
def test_what_would_run_away_is_refused_soon(source: str) -> None:
    begun = time.monotonic()
    with pytest.raises(BadTemplate):
        Template(source)
    assert time.monotonic() - begun < 15


def test_a_template_ends_soon_whatever_the_values_are() -> None:
    template = Template("{% for x in value %}{% for y in value %}{{ y|json }}{% endfor %}{% endfor %}")
    with pytest.raises(Failed, match=r"^template, line 1: (loops|writes)"):
        template.render(SOURCE, ["x" * 1000] * 10_000, 1)


def test_a_value_that_does_not_fit_names_the_line() -> None:
    template = Template("a\n{{ value.temperature }}")
    assert template.render(SOURCE, {"temperature": 3}, 1) == "a\n3"
    with pytest.raises(Failed, match=r"^template, line 2: .*temperature"):
        template.render(SOURCE, 3, 1)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(source=st.text(alphabet="{}%#|()[]'\"~*-+.,= valuejsonrgi0159\nfordin", max_size=60))
def test_any_text_is_a_template_or_refused(source: str) -> None:
    with contextlib.suppress(BadTemplate, Failed):
        assert len(Template(source).render(SOURCE, 1, 1)) <= OUTPUT_MAX


# ---- at work ----


async def test_what_a_template_makes_is_sent_as_it_is(push: Push) -> None:
    await push.create(template="<{{ source_id }}>: {{ value }} & more")
    await push.store("a<b")
    assert push.sink is not None
    while not push.sink.requests:
        await push.clock.advance(0.1)
        await push.host.settle()
    assert push.sink.requests[0].body == b"<device:boiler:temperature>: a<b & more"
    assert push.sink.requests[0].headers["content-type"] == "application/json"


async def test_a_value_that_does_not_fit_is_a_failure_in_the_log(push: Push) -> None:
    ident = await push.create(template="{{ value.t }}")
    await push.store(1, {"t": 2})
    rows = await push.ended(ident, 2)
    assert [(row["status"], row["payload_sent"]) for row in rows] == [("success", "2"), ("failed", "")]
    assert rows[1]["error"].startswith("template, line 1: ")
    assert rows[1]["attempts"] == 1


async def test_a_template_is_checked_when_it_is_saved(push: Push) -> None:
    answer = await push.api.post(API, json=push.body(template="{{ value }}\n{{ nope }}"))
    assert code(answer) == (400, "BAD_REQUEST")
    assert "template, line 2" in answer.json()["error"]["message"]
