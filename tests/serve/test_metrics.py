"""Prometheus' text: names, labels, buckets that add up."""

import re

from hornbook.serve.metrics import Metrics, memory

LINE = re.compile(r'[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? \d+(\.\d+)?')


def test_counts_and_times_are_told() -> None:
    metrics = Metrics()
    metrics.count("hornbook_requests_total", route="/v1/models", status="200")
    metrics.count("hornbook_requests_total", route="/v1/models", status="200")
    metrics.time("hornbook_request_seconds", 0.3, route="/")
    metrics.time("hornbook_request_seconds", 1000, route="/")
    text = metrics.text({"demo": {"active": 2}})
    assert 'hornbook_requests_total{route="/v1/models",status="200"} 2' in text
    assert 'hornbook_request_seconds_bucket{route="/",le="0.25"} 0' in text
    assert 'hornbook_request_seconds_bucket{route="/",le="0.5"} 1' in text
    assert 'hornbook_request_seconds_bucket{route="/",le="+Inf"} 2' in text
    assert 'hornbook_request_seconds_sum{route="/"} 1000.300000' in text
    assert 'hornbook_engine_active{model="demo"} 2' in text
    assert all(LINE.fullmatch(line) for line in text.splitlines() if not line.startswith("#"))


def test_an_edge_belongs_to_its_bucket() -> None:
    metrics = Metrics()
    metrics.time("hornbook_request_seconds", 0.5)
    assert 'hornbook_request_seconds_bucket{le="0.5"} 1' in metrics.text({})


def test_memory_is_more_than_python() -> None:
    assert memory() > 5_000_000
