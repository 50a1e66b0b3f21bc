"""What all Python tests share: where the built-in model and the fetched data lie.

Nothing here reaches the network: scripts/fetch_model.sh and scripts/fetch_test_data.sh fetch beforehand,
and a test whose data is absent is skipped with that reason.
"""

import os
import signal
from pathlib import Path

import pytest

# A shell that runs the tests in the background leaves SIGINT ignored, and nohup SIGHUP, for Python and for the
# programs that it starts; the tests of signals need both as they are at a terminal.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "brisk"


def existing(path, script):
    if not path.exists():
        pytest.skip(f"{path} is not there; {script} fetches it")
    return path


@pytest.fixture(scope="session")
def model_path():
    """The built-in model; BRISK_MODEL names another file."""
    named = os.environ.get("BRISK_MODEL")
    return existing(Path(named or CACHE / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"), "scripts/fetch_model.sh")


@pytest.fixture(scope="session")
def wikipedia_file():
    return existing(CACHE / "data" / "enwiki.xml.bz2", "scripts/fetch_test_data.sh")
