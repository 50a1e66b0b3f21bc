"""The stage runner of scripts/test.sh and its counting must notice failures, and runs that prove nothing."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

STAGES = """
record() { echo "$1 $2 $3" >>"$COUNTS"; }
stage_good() { echo work done; record 3 0 1; }
stage_skipped() { record 0 0 5; }
stage_silent() { echo nothing was counted; }
stage_failed() { record 2 1 0; }
stage_broken() { record 2 0 0; false; echo never reached; }
"""


@pytest.fixture
def run_stages(tmp_path):
    (tmp_path / "scripts").mkdir()
    for name in ("test.sh", "lib.sh"):
        shutil.copy(ROOT / "scripts" / name, tmp_path / "scripts" / name)
    (tmp_path / "scripts" / "stages.sh").write_text(STAGES, encoding="utf-8")

    def run(*stages):
        command = ["bash", str(tmp_path / "scripts" / "test.sh"), *stages]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


def test_good_stages_pass_and_are_added_up(run_stages):
    result = run_stages("good", "good")
    assert result.returncode == 0, result.stderr
    assert "all stages passed" in result.stdout
    total = [line.split() for line in result.stdout.splitlines() if line.startswith("total")]
    assert total[0][2:] == ["6", "0", "2"]


@pytest.mark.parametrize("stage", ["skipped", "silent", "failed", "broken"])
def test_a_bad_stage_fails_the_run_and_stops_it(run_stages, stage):
    result = run_stages("good", stage, "good")
    assert result.returncode == 1
    assert f"stage {stage} failed" in result.stderr
    assert "never reached" not in result.stdout
    assert result.stdout.count("work done") == 1


def test_an_unknown_stage_is_refused(run_stages):
    result = run_stages("good", "nonsense")
    assert result.returncode == 1
    assert "stage nonsense" in result.stderr
    assert "work done" not in result.stdout


JUNIT_OF_CTEST = """<testsuite name="x" tests="4" failures="1" disabled="1" skipped="1">
<testcase name="a" status="run"/><testcase name="b" status="fail"><failure message="x"/></testcase>
<testcase name="c" status="notrun"><skipped message="y"/></testcase><testcase name="d" status="disabled"/></testsuite>"""
JUNIT_OF_PYTEST = """<testsuites><testsuite name="pytest" tests="4"><testcase name="a"/>
<testcase name="b"><failure>x</failure></testcase><testcase name="c"><error>x</error></testcase>
<testcase name="d"><skipped type="pytest.skip"/></testcase></testsuite></testsuites>"""


@pytest.mark.parametrize(("junit", "counts"), [(JUNIT_OF_CTEST, "1 1 2"), (JUNIT_OF_PYTEST, "1 2 1")])
def test_counts(tmp_path, junit, counts):
    path = tmp_path / "junit.xml"
    path.write_text(junit, encoding="utf-8")
    command = [sys.executable, str(ROOT / "tools" / "count_tests.py"), str(path)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == counts
