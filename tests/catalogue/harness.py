"""Drives the real binary through the catalogue of bad inputs and judges every run.

An instance (Case) is a folder of files, a command line and what must come of it. Whatever is expected, no
run may end by a signal, be reported by a sanitizer, take too long or too much memory, end with exit code 1, or
leave anything beside its input. A refusal says where, expected, got and hint, on one line or as JSON.

    BRISK_CATALOGUE_SEED    another seed for what is generated
    BRISK_CATALOGUE_SAMPLE  share of the instances that are run (sanitized builds are slow), 0 to 1
"""

import concurrent.futures
import dataclasses
import json
import mmap
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import threading
import unicodedata
from typing import Callable

import models
import pytest

SEED = int(os.environ.get("BRISK_CATALOGUE_SEED", "20260005"))
SAMPLE = float(os.environ.get("BRISK_CATALOGUE_SAMPLE", "1"))

MIB = 1 << 20
USAGE, BAD_INPUT, ENVIRONMENT = 2, 3, 4
REFUSED = (BAD_INPUT,)
EITHER = (0, BAD_INPUT)  # where a change may have made another legal file

LANES = 2
LONGEST_MESSAGE = 2100  # 2 KiB of text, "error: " and the line's end
MESSAGE_PARTS = re.compile(
    r"error: (?P<where>.+?): expected (?P<expected>.+?), got (?P<got>.+?)(; try (?P<hint>.+))?"
)
LINE_AND_COLUMN = re.compile(r":\d+:\d+\b")  # a place that says all there is to say: no hint is due
SANITIZER = re.compile(rb"(AddressSanitizer|UndefinedBehaviorSanitizer|LeakSanitizer)|: runtime error: ")


def rng(*names):
    """Numbers of one place in the catalogue: the same whatever else runs."""
    return random.Random(f"{SEED}/{'/'.join(map(str, names))}")


@dataclasses.dataclass
class Case:
    """One instance. `words` may hold {dir}, the folder that `files` lie in, as {dir}/NAME."""

    name: str
    words: list
    files: dict = dataclasses.field(default_factory=dict)  # name: bytes, or an existing path to link to
    codes: tuple = REFUSED
    says: tuple = ()  # what the message of a refusal must hold, whatever its letters' size
    stdin: bytes = b""
    variables: dict = dataclasses.field(default_factory=dict)
    limits: dict = dataclasses.field(default_factory=dict)
    closed: tuple = ()  # of "stdin", "stdout", "stderr"
    seconds: float = 10  # of CPU time
    prepare: Callable = None  # makes what is no plain file in the folder
    check: Callable = None  # check(result) -> what is wrong, or nothing
    room: int = 64 * MIB  # memory beside that of a run that does nothing
    per_byte: int = 4  # and for each byte of input
    writes: bool = False  # whether files may appear in the folder
    kept: tuple = ()  # names of `files` that must be as they were also then
    output_stays: bool = False  # what was printed before the error may stay (answers that stream)


@dataclasses.dataclass
class Result:
    code: int  # of a signal: its number, negative
    out: bytes
    err: bytes
    late: bool
    peak: int  # bytes
    cpu: float  # seconds
    wall: float


class Lane:
    """One launcher and the files that carry what its programs read and write."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        launcher = pathlib.Path(__file__).with_name("launcher.py")
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", launcher], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, words, folder, environment, stdin=b"", limits={}, closed=(), seconds=60):
        paths = {name: self.folder / name for name in ("stdin", "stdout", "stderr")}
        paths["stdin"].write_bytes(stdin)
        for name in ("stdout", "stderr"):
            paths[name].unlink(missing_ok=True)
        job = {name: None if name in closed else str(path) for name, path in paths.items()}
        job |= {
            "words": words,
            "folder": str(folder),
            "environment": environment,
            "limits": limits,
            "seconds": seconds,
        }
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        out, err = (b"" if name in closed else paths[name].read_bytes() for name in ("stdout", "stderr"))
        return Result(out=out, err=err, **answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def is_sanitized(binary):
    with open(binary, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(b"__asan_") >= 0


def tree_of(folder):
    """Every path below with its size and time; what a run must leave as it was."""
    found = {}
    for base, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(base, name)
            status = os.lstat(path)
            found[path] = (
                status.st_mode,
                0 if name in folders else status.st_size,
                0 if name in folders else status.st_mtime_ns,
            )
    return found


class Catalogue:
    """Runs cases on two lanes and says what is wrong with them."""

    def __init__(self, binary, scratch):
        self.binary = str(binary)
        self.scratch = scratch
        self.sanitized = is_sanitized(binary)
        self.home = scratch / "home"
        self.home.mkdir()
        self.tiny = scratch / "tiny.gguf"
        self.tiny.write_bytes(models.tiny_gguf().data())
        self.lanes = [Lane(scratch / f"lane{i}") for i in range(LANES)]
        self.free = list(self.lanes)
        self.lock = threading.Lock()
        self.counted = 0
        self.instances = 0
        self.base_peak = {}
        self.messages = 0
        self.without_hint = []

    def close(self):
        for lane in self.lanes:
            lane.close()

    # --- Running ---

    def environment(self, variables):
        own = {"PATH": os.environ.get("PATH", ""), "HOME": str(self.home), "TERM": "dumb", "LANG": "C.UTF-8"}
        own |= {
            name: value for name, value in os.environ.items() if name in ("ASAN_OPTIONS", "UBSAN_OPTIONS")
        }
        return {name: str(value) for name, value in (own | variables).items() if value is not None}

    def run(self, words, folder=None, variables={}, **more):
        """One run of the binary; `words` as the user types them."""
        with self.lock:
            lane = self.free.pop()
            self.counted += 1
        try:
            limits = dict(more.pop("limits", {}))
            if self.sanitized:
                # Sanitizers reserve terabytes of addresses, and their frames are larger.
                limits.pop("RLIMIT_AS", None)
                if "RLIMIT_STACK" in limits:
                    limits["RLIMIT_STACK"] *= 8
            words = [self.binary, *map(str, words)]
            return lane.run(words, folder or self.scratch, self.environment(variables), limits=limits, **more)
        finally:
            with self.lock:
                self.free.append(lane)

    def run_case(self, case, folder):
        """What is wrong with one case, as a list of texts."""
        lay_out(case, folder)
        before = tree_of(folder)
        words = [str(word).replace("{dir}", str(folder)) for word in case.words]
        variables = {
            k: str(v).replace("{dir}", str(folder)) if v is not None else None
            for k, v in case.variables.items()
        }
        slower = 10 if self.sanitized else 1
        result = self.run(
            words, folder, variables,
            stdin=case.stdin, limits=case.limits, closed=case.closed, seconds=60 + 10 * slower * case.seconds,
        )  # fmt: skip
        wrong = self.judge(case, result, slower)
        if not case.writes and tree_of(folder) != before:
            wrong.append(f"the folder changed: {set(tree_of(folder).items()) ^ set(before.items())}")
        wrong += [f"{name} changed" for name in case.kept if (folder / name).read_bytes() != case.files[name]]
        if os.listdir(self.home):
            wrong.append(f"something was left at home: {os.listdir(self.home)}")
        return wrong

    def check(self, *cases):
        """Runs all cases, or the sample of them, and fails with everything that is wrong."""
        cases = [case for case in cases if rng("sample", case.name).random() < SAMPLE] or list(cases[:1])
        assert len({case.name for case in cases}) == len(cases), "names of cases must differ"
        area = self.scratch / "cases"
        area.mkdir(exist_ok=True)

        def one(numbered):
            number, case = numbered
            folder = area / str(number)
            folder.mkdir()
            try:
                return case, self.run_case(case, folder)
            finally:
                remove(folder)

        with concurrent.futures.ThreadPoolExecutor(LANES) as pool:
            judged = list(pool.map(one, enumerate(cases)))
        self.instances += len(cases)
        failed = [f"{case.name}: {'; '.join(wrong)}" for case, wrong in judged if wrong]
        if failed:
            pytest.fail(
                f"{len(failed)} of {len(cases)} cases, seed {SEED}:\n" + "\n".join(failed[:20]), pytrace=False
            )

    # --- Judging ---

    def judge(self, case, result, slower):
        wrong = general_faults(result)
        if not self.sanitized:
            size = sum(len(content) for content in case.files.values() if isinstance(content, bytes)) + len(
                case.stdin
            )
            bound = self.base(case.words[0]) + case.room + case.per_byte * size
            if result.peak > bound:
                wrong.append(f"{result.peak / MIB:.0f} MiB of memory, bound {bound / MIB:.0f}")
        if result.cpu > case.seconds * slower:
            wrong.append(f"{result.cpu:.1f} s of CPU, bound {case.seconds * slower:.1f}")
        if result.code not in case.codes:
            wrong.append(f"exit {result.code}, expected {case.codes}; stderr {result.err[-600:]!r}")
        elif result.code != 0 and "stderr" not in case.closed:
            if result.out and not case.output_stays:
                wrong.append(f"a refusal printed {result.out[:80]!r}")
            wrong += self.message_faults(result, "--json" in case.words, case.says)
        if not wrong and case.check is not None:
            complaint = case.check(result)
            wrong += [complaint] if complaint else []
        return wrong

    def message_faults(self, result, as_json, says):
        """What is wrong with the message of a refusal. Few may lack a hint: see conftest.py."""
        try:
            text = result.err.decode()
        except UnicodeDecodeError as error:
            return [f"the message is not UTF-8: {error}"]
        parts = json_parts(text) if as_json else line_parts(text)
        if isinstance(parts, str):
            return [parts]
        wrong = [
            f"the message lacks {name}: {text[:500]!r}"
            for name in ("where", "expected", "got")
            if not parts.get(name)
        ]
        if as_json and parts.get("code") != result.code:
            wrong.append(f"the message says exit code {parts.get('code')}, it was {result.code}")
        said = " ".join(map(str, parts.values())).lower()
        wrong += [
            f"the message does not say {word!r}: {text[:500]!r}" for word in says if word.lower() not in said
        ]
        with self.lock:
            self.messages += 1
            if not parts.get("hint") and not LINE_AND_COLUMN.search(str(parts.get("where"))):
                self.without_hint.append(str(parts.get("expected")))
        return wrong

    def base(self, verb):
        """The peak of memory of a verb at its least: with the tiny model where it runs one."""
        runs_a_model = verb in ("run", "chat", "score", "eval", "profile", "bench")
        key = "run" if runs_a_model else "version"
        if key not in self.base_peak:
            words = ["run", self.tiny, "-n", "1", "-p", "x"] if runs_a_model else ["version"]
            result = self.run(words)
            assert result.code == 0, f"the tiny model does not run: {result.err!r}"
            self.base_peak[key] = result.peak
        return self.base_peak[key]


def lay_out(case, folder):
    for name, content in case.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            os.link(content, path)
    if case.prepare is not None:
        case.prepare(folder)


def remove(folder):
    """Also what a case made unreadable."""
    for base, folders, _ in os.walk(folder):
        for name in folders:
            path = os.path.join(base, name)
            if not os.path.islink(path):
                os.chmod(path, 0o700)
    shutil.rmtree(folder)


def general_faults(result):
    wrong = []
    if result.late:
        wrong.append(f"still running after {result.wall:.0f} s")
    elif result.code < 0 or result.code >= 128:
        wrong.append(f"ended by signal {-result.code}")
    if SANITIZER.search(result.err):
        wrong.append(f"a sanitizer's report: {result.err[:1500].decode(errors='replace')}")
    return wrong


def line_parts(text):
    """The parts of the last line; notes and warnings may stand before it."""
    notes = re.match(r"((note|warning): .*\n)*", text)[0]
    line = text[len(notes) :].removesuffix("\n")
    if not text.endswith("\n") or any(unicodedata.category(c) == "Cc" for c in line):
        return f"the message is not one clean line: {text[:500]!r}"
    if len(text.encode()) > LONGEST_MESSAGE:
        return f"the message has {len(text.encode())} bytes"
    if line.endswith("...") and len(line.encode()) > LONGEST_MESSAGE - 100:
        return {"where": line, "expected": "(cut off)", "got": "(cut off)", "hint": "(cut off)"}
    found = MESSAGE_PARTS.fullmatch(line)
    return found.groupdict() if found else f"the message lacks one of its parts: {text[:500]!r}"


def json_parts(text):
    try:
        return json.loads(text)["error"]
    except (ValueError, KeyError, TypeError):
        return f"the message is not the JSON of an error: {text[:500]!r}"
