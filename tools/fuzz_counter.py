"""Adds the runs of one fuzz target to docs/evidence/fuzz.json.

    python tools/fuzz_counter.py TARGET use|parse RUNS SECONDS
"""

import datetime
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECORD = ROOT / "docs" / "evidence" / "fuzz.json"


def main():
    target, mode, runs, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    entry = record.setdefault(target, {}).setdefault(mode, {"runs": 0, "seconds": 0, "findings": 0})
    entry["runs"] += runs
    entry["seconds"] += seconds
    entry["runs_per_second"] = round(entry["runs"] / max(1, entry["seconds"]))
    entry["last"] = datetime.date.today().isoformat()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    entry["commit"] = commit.stdout.strip()
    RECORD.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")
    print(f"fuzz_{target} ({mode}): {runs} runs in {seconds} s, {entry['runs']} in all")


if __name__ == "__main__":
    main()
