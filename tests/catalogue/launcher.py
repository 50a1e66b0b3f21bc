"""Starts programs for the harness: reads one job per line of JSON, answers with one line of JSON.

A process of its own, because it is small: a child inherits the peak of memory of whoever forks it, and the
test process holds large files. It imports only what it needs and runs under `python -I -S`.
"""

import json
import os
import resource
import signal
import sys
import time


def become(job):
    """In the child: limits, descriptors and the folder of the job, then the program."""
    os.setpgid(0, 0)
    for name in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores, and its children with it
        signal.signal(name, signal.SIG_DFL)
    os.chdir(job["folder"])
    files = [
        (job["stdin"], os.O_RDONLY),
        *((job[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC) for name in ("stdout", "stderr")),
    ]
    for number, (path, flags) in enumerate(files):
        if path is None:
            os.close(number)
        else:
            descriptor = os.open(path, flags, 0o600)
            os.dup2(descriptor, number)
            if descriptor != number:
                os.close(descriptor)
    for name, value in job["limits"].items():
        resource.setrlimit(getattr(resource, name), (value, value))
    os.execve(job["words"][0], job["words"], job["environment"])


def run(job):
    child = os.fork()
    if child == 0:
        try:
            become(job)
        finally:
            os._exit(125)
    late = False

    def kill(*_):
        nonlocal late
        late = True
        os.kill(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, kill)
    start = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, job["seconds"])
    _, status, usage = os.wait4(child, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return {
        "code": os.waitstatus_to_exitcode(status),
        "late": late,
        "peak": usage.ru_maxrss * 1024,
        "cpu": usage.ru_utime + usage.ru_stime,
        "wall": time.monotonic() - start,
    }


for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), flush=True)
