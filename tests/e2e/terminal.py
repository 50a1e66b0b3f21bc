"""A program on a pseudo-terminal: type, wait for what it says."""

import os
import pty
import re
import select
import signal
import time

CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[()=>][A-Z0-9]?|[\r\x07\x08]")


class Terminal:
    def __init__(self, words, environment):
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.execve(words[0], words, environment)
        self.seen = ""
        self.code = None

    def type(self, text):
        os.write(self.descriptor, text.encode())

    def wait_for(self, text, timeout=90):
        """What came up to and with `text`; it is taken out of what the next call sees."""
        end = time.monotonic() + timeout
        while text not in self.seen:
            if time.monotonic() > end or not self._read(end - time.monotonic()):
                raise AssertionError(f"no {text!r} in {self.seen!r}")
        before, _, self.seen = self.seen.partition(text)
        return before + text

    def say(self, line, timeout=90):
        """Types a line; gives what came until the next prompt, without control sequences and the echo."""
        self.type(line + "\n")
        self.wait_for("\n", timeout)
        return CONTROL.sub("", self.wait_for(">>> ", timeout)).removesuffix(">>> ").strip()

    def leave(self, line="/bye", timeout=20):
        self.type(line + "\n" if line != "\x04" else line)
        return self.wait_exit(timeout)

    def wait_exit(self, timeout=20):
        end = time.monotonic() + timeout
        while self._read(0.2):
            if time.monotonic() > end:
                raise AssertionError(f"still running after {self.seen!r}")
        if self.code is None:
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.code

    def close(self):
        if self.code is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
        os.close(self.descriptor)

    def _read(self, timeout):
        """False when the program is gone."""
        ready, _, _ = select.select([self.descriptor], [], [], max(0, min(timeout, 0.2)))
        if not ready:
            return True
        try:
            data = os.read(self.descriptor, 65536)
        except OSError:
            return False
        self.seen += data.decode(errors="replace")
        return bool(data)
