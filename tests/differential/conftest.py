"""The judges: programs judge_NAME that say what our readers make of many files (judge.hpp).

BRISK_JUDGES names the folder that holds them (else the newest build/*/tests of the tree). BRISK_DIFFERENTIAL sets
the number of files (default 100,000), BRISK_DIFFERENTIAL_SEED the seed.
"""

import json
import os
import struct
import subprocess
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[2]


class Judge:
    def __init__(self, program):
        self.program = program

    def __call__(self, files):
        """What our reader makes of each of the files: what the judge's line says."""
        stream = b"".join(struct.pack("<Q", len(file)) + file for file in files)
        done = subprocess.run([self.program], input=stream, capture_output=True, timeout=300)
        lines = done.stdout.splitlines()
        if done.returncode != 0 or len(lines) != len(files):
            blamed = files[len(lines)] if len(lines) < len(files) else b""
            raise AssertionError(
                f"the judge ended with {done.returncode} after {len(lines)} of {len(files)} files, at {blamed!r}: "
                + done.stderr.decode(errors="replace")[-4000:]
            )
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="session")
def judge():
    """judge(NAME) gives the judge of that name."""

    def find(name):
        named = os.environ.get("BRISK_JUDGES")
        folders = [Path(named)] if named else list(TREE.glob("build/*/tests"))
        built = sorted((f / f"judge_{name}" for f in folders if (f / f"judge_{name}").exists()), key=lambda p: p.stat().st_mtime)
        if not built:
            pytest.skip(f"no program judge_{name}: set BRISK_JUDGES or run scripts/build.sh dev")
        return Judge(built[-1])

    return find


@pytest.fixture(scope="session")
def file_count():
    return int(os.environ.get("BRISK_DIFFERENTIAL", "100000"))


@pytest.fixture(scope="session")
def seed():
    return int(os.environ.get("BRISK_DIFFERENTIAL_SEED", "5007"))
