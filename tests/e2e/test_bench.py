"""brisk bench: llama-bench's tests and names, the machine's limits, the trace."""

import csv
import io
import json
import signal
import time

import pytest

FIELDS = [
    "model_filename",
    "model_type",
    "model_size",
    "model_n_params",
    "n_threads",
    "n_prompt",
    "n_gen",
    "n_depth",
    "test_time",
    "avg_ns",
    "stddev_ns",
    "avg_ts",
    "stddev_ts",
    "samples_ns",
    "samples_ts",
    "kernels",
]


def test_json(brisk, model):
    rows = brisk.ok(
        "bench", "-m", model, "-p", "16,32", "-n", "4", "-d", "0,8", "-r", "2", "-t", "1,2", "-o", "json"
    ).json()
    assert len(rows) == 2 * 2 * 3
    for row in rows:
        assert all(field in row for field in FIELDS)
        assert len(row["samples_ns"]) == 2 and len(row["samples_ts"]) == 2
        tokens = row["n_prompt"] + row["n_gen"]
        assert row["samples_ts"][0] == pytest.approx(tokens * 1e9 / row["samples_ns"][0])
        assert row["avg_ts"] == pytest.approx(sum(row["samples_ts"]) / 2)
        assert row["model_n_params"] > 0 and row["kernels"]
    assert {(r["n_prompt"], r["n_gen"], r["n_depth"], r["n_threads"]) for r in rows} == {
        (p, n, d, t) for p, n in ((16, 0), (32, 0), (0, 4)) for d in (0, 8) for t in (1, 2)
    }


def test_the_other_forms(brisk, model):
    words = ["bench", model, "-p", "16", "-n", "4", "-r", "1", "-d", "8"]
    table = brisk.ok(*words).out
    assert "| pp16 @ d8 |" in table.replace("  ", " ") and "tg4 @ d8" in table and "t/s" in table
    lines = brisk.ok(*words, "-o", "jsonl").out.splitlines()
    assert [json.loads(line)["test"] for line in lines] == ["pp16 @ d8", "tg4 @ d8"]
    rows = list(csv.DictReader(io.StringIO(brisk.ok(*words, "-o", "csv").out)))
    assert [row["test"] for row in rows] == ["pp16 @ d8", "tg4 @ d8"] and float(rows[0]["avg_ts"]) > 0
    assert len(brisk.ok(*words, "--json").json()) == 2


def test_limits(brisk):
    limits = brisk.ok("bench", "--limits", "--json").json()
    assert limits["read_gb_per_s"] > 0.1 and limits["f32_gops"] > 0.1 and limits["int8_gops"] > 0.1
    assert limits["bf16_gops"] is None or limits["bf16_gops"] > 0.1
    assert "GB/s" in brisk.ok("bench", "--limits", "-t", "1").out


def test_an_interrupt_of_the_limits(brisk):
    process = brisk.start("bench", "--limits")
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    start = time.monotonic()
    process.communicate(timeout=20)
    assert process.returncode == 130 and time.monotonic() - start < 1


def test_trace(brisk, model, tmp_path):
    path = tmp_path / "trace.json"
    words = ["bench", model, "-p", "16", "-n", "3", "-r", "1", "--trace", path]
    brisk.ok(*words)
    trace = json.loads(path.read_text())
    steps = [event for event in trace["traceEvents"] if event["cat"] == "step"]
    ops = [event for event in trace["traceEvents"] if event["cat"] != "step"]
    assert len(steps) == 1 + 3 and len(ops) % len(steps) == 0
    for event in ops:
        assert event["ph"] == "X" and event["dur"] >= 0 and event["ts"] >= 0
        assert event["args"]["kernel"] and event["args"]["bytes"] >= 0 and event["args"]["operations"] >= 0
    assert sum(event["dur"] for event in ops) <= sum(step["dur"] for step in steps)
    refused = brisk(*words)
    assert refused.code == 4 and "--force" in refused.err
    brisk.ok(*words, "--force")


def test_nothing_to_measure(brisk, model):
    result = brisk("bench", model, "-p", "0", "-n", "0")
    assert result.code == 2 and "test" in result.err
