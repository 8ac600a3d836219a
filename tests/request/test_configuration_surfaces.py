"""What hints, lenses and reports show of configurations."""

import json
from datetime import date

from cachewise.analysis import Document, Options
from cachewise.analysis.hints import hints
from cachewise.analysis.lenses import lenses
from cachewise.analysis.overview import file_report
from cachewise.analysis.summary import summary
from cachewise.catalog import builtin
from cachewise.settings import Settings

from .test_litellm_proxy import CONFIG

OPTIONS = Options(builtin(), Settings(), date(2026, 11, 21))


def test_hints_say_where_the_markers_land():
    document = Document(CONFIG, "yaml", OPTIONS)
    shown = [(hint.at, hint.label) for hint in hints(document, 0, len(CONFIG))]
    assert shown == [
        (CONFIG.index("role: system") + 12, "marker on the last part of every system message"),
        (CONFIG.index("ttl: 1h}") + 8, "marker on the last part of the last message · 1h"),
    ]


def test_the_lens_counts_them():
    (lens,) = lenses(Document(CONFIG, "yaml", OPTIONS))
    assert lens.title.startswith("LiteLLM sets up to 4 markers in each request: ")
    single = CONFIG.replace("role: system", "index: 0")
    (lens,) = lenses(Document(single, "yaml", OPTIONS))
    assert lens.title.startswith("LiteLLM sets 2 markers in each request: ")


def test_a_configuration_is_no_request_of_the_report_and_has_no_cost():
    for source, format in (
        (CONFIG, "yaml"),
        ('{"security": {"auth": {"selectedType": "openai"}}}', "json"),
    ):
        document = Document(source, format, OPTIONS)
        assert len(document.requests) == 1
        assert file_report(document).requests == ()
        assert summary(document, source.index("a")) is None
        assert document.findings() == []


def test_a_request_with_points_of_its_own():
    body = {
        "model": "claude-sonnet-4-6",
        "messages": [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}],
        "cache_control_injection_points": [{"location": "message", "role": "system"}],
    }
    source = json.dumps(body)
    labels = [hint.label for hint in hints(Document(source, "json", OPTIONS), 0, len(source))]
    assert "marker on the last part of every system message" in labels
