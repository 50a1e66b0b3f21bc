"""What the end-to-end tests share: the real binary, a real model, and an environment of their own.

BRISK_BINARY names the binary (else the newest build/*/brisk of the tree); BRISK_MODEL the model (else the built-in
one in the cache folder). Tests that need what is absent are skipped and say so.
"""

import dataclasses
import json
import os
import pathlib
import subprocess

import pytest

TREE = pathlib.Path(__file__).resolve().parents[2]
BUILT_IN = "SmolLM2-135M-Instruct.Q4_1.gguf"


@dataclasses.dataclass
class Result:
    code: int
    out: str
    err: str

    def json(self):
        return json.loads(self.out)

    def error(self):
        """The object that --json makes of an error."""
        assert self.out == ""
        return json.loads(self.err)["error"]


class Brisk:
    """Runs the binary with a cache and state folder of the test and no BRISK_ variables but those it gives."""

    def __init__(self, binary, home):
        self.binary = binary
        self.home = home

    def environment(self, **variables):
        # Nor do the stores of other tools on this machine, or its proxies, belong to a test.
        foreign = ("BRISK_", "HF_", "OLLAMA_")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(foreign) and "proxy" not in k.lower()}
        own = {
            "HOME": str(self.home),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "XDG_STATE_HOME": str(self.home / "state"),
            "TERM": "xterm",
        }
        return kept | own | {k: str(v) for k, v in variables.items()}

    def start(self, *words, **variables):
        return subprocess.Popen(
            [self.binary, *map(str, words)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment(**variables),
        )

    def __call__(self, *words, stdin="", timeout=120, **variables):
        done = subprocess.run(
            [self.binary, *map(str, words)],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            timeout=timeout,
            env=self.environment(**variables),
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    def ok(self, *words, **more):
        result = self(*words, **more)
        assert result.code == 0, f"{words}: exit {result.code}\n{result.err}"
        return result


@pytest.fixture(scope="session")
def binary():
    given = os.environ.get("BRISK_BINARY")
    found = [given] if given else sorted(TREE.glob("build/*/brisk"), key=lambda p: p.stat().st_mtime)
    if not found or not os.access(found[-1], os.X_OK):
        pytest.skip("no binary: set BRISK_BINARY or build one")
    return str(pathlib.Path(found[-1]).resolve())


@pytest.fixture
def brisk(binary, tmp_path):
    return Brisk(binary, tmp_path)


@pytest.fixture(scope="session")
def model():
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    path = pathlib.Path(os.environ.get("BRISK_MODEL") or cache / "brisk/models" / BUILT_IN)
    if not path.is_file():
        pytest.skip("no model: set BRISK_MODEL or run scripts/fetch_model.sh")
    return str(path.resolve())


@pytest.fixture
def is_built_in(model):
    """For tests that know what this very model says."""
    if pathlib.Path(model).name != BUILT_IN:
        pytest.skip("needs the built-in model")


@pytest.fixture(scope="session")
def searched_profile(binary, model, tmp_path_factory):
    """A profile of the model with no pruned layer, from the shortest search there is."""
    home = tmp_path_factory.mktemp("profile")
    items, text, out = home / "items.jsonl", home / "text", home / "prunecd.json"
    items.write_text(json.dumps({"prompt": "Q: What do cows drink?\nA:", "correct": [" Water"], "incorrect": [" Ink"]}))
    text.write_text("The sky is blue.")
    shortest = ["--search", "window", "--kmax", "26", "--tau-all", "0"]
    Brisk(binary, home).ok("profile", "layers", model, "--calibrate", items, "--text", text, "-o", out, *shortest)
    return json.loads(out.read_text())


@pytest.fixture
def profile_of(searched_profile, tmp_path):
    """Makes a profile of the model that prunes the layers given."""

    def make(pruned):
        path = tmp_path / f"pruned-{'-'.join(map(str, pruned))}.json"
        path.write_text(json.dumps({**searched_profile, "pruned": pruned}))
        return path

    return make


def pytest_sessionfinish(session, exitstatus):
    """A run that skipped everything has shown nothing, and fails."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if exitstatus == 0 and reporter and reporter.stats.get("skipped") and not reporter.stats.get("passed"):
        session.exitstatus = 1
