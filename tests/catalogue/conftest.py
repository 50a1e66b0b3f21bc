"""What the tests of the catalogue share: the binary under test, the runner, tiny models."""

import collections
import os
import pathlib

import pytest
from harness import SAMPLE, SEED, Catalogue

TREE = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def binary():
    given = os.environ.get("BRISK_BINARY")
    found = [given] if given else sorted(TREE.glob("build/*/brisk"), key=lambda p: p.stat().st_mtime)
    if not found or not os.access(found[-1], os.X_OK):
        pytest.skip("no binary: set BRISK_BINARY or build one")
    return pathlib.Path(found[-1]).resolve()


@pytest.fixture(scope="session")
def catalogue(binary, tmp_path_factory, pytestconfig):
    catalogue = Catalogue(binary, tmp_path_factory.mktemp("catalogue"))
    pytestconfig.stash[RUNNER] = catalogue
    yield catalogue
    catalogue.close()


RUNNER = pytest.StashKey()


# Messages that say where, what was expected and what came always have to; what to try, nearly always.
MOST_WITHOUT_HINT = 0.05


def pytest_terminal_summary(terminalreporter, config):
    runner = config.stash.get(RUNNER, None)
    if runner is None:
        return
    terminalreporter.write_line(
        f"catalogue: {runner.instances} instances, {runner.counted} runs, seed {SEED}, sample {SAMPLE:g},"
        f" {'sanitized' if runner.sanitized else 'release'} binary;"
        f" {len(runner.without_hint)} of {runner.messages} messages without a hint"
    )
    for expected, count in collections.Counter(runner.without_hint).most_common(20):
        terminalreporter.write_line(f"  without a hint {count} times: expected {expected[:100]}")


def pytest_sessionfinish(session, exitstatus):
    """A run that skipped everything has shown nothing and fails, as does one whose messages seldom help."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    runner = session.config.stash.get(RUNNER, None)
    skipped_all = reporter and reporter.stats.get("skipped") and not reporter.stats.get("passed")
    unhelpful = runner is not None and len(runner.without_hint) > max(20, MOST_WITHOUT_HINT * runner.messages)
    if exitstatus == 0 and (skipped_all or unhelpful):
        session.exitstatus = 1
