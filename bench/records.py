"""What the benchmarks that write evidence share: running a program that prints JSON, and the record's frame."""

import json
import os
import platform
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run_json(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"error: {' '.join(map(str, command))}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


def cpu_model():
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def git(*arguments):
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True).stdout.strip()


def warn_of_load():
    """The load at the start, with a note when the machine is busy."""
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"note: the machine is busy (load {load:.1f}); figures will be low and noisy", file=sys.stderr)
    return load


def write_evidence(name, command, load, figures):
    """Keeps the figures as docs/evidence/NAME.json, with what they were measured on."""
    record = {
        "command": command,
        "commit": git("rev-parse", "HEAD"),
        "tree_clean": not git("status", "--porcelain", "--untracked-files=no"),
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "cpu": cpu_model(),
        "cpus": len(os.sched_getaffinity(0)),
        "load_at_start": round(load, 2),
        **figures,
    }
    target = ROOT / "docs/evidence" / f"{name}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(f"written: {target.relative_to(ROOT)}")
