"""Finished stages of a recipe, kept in the user's cache so that a second call goes on where the first one stopped.

A stage's folder is named after the hash of everything it depends on. It is filled beside and renamed when complete:
a folder that is there is whole, whatever happened to the run that made it.
"""

import hashlib
import json
import os
import shutil
from pathlib import Path


def user_cache():
    """As the binary does it: a relative XDG_CACHE_HOME counts as none."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (named if named.is_absolute() else Path.home() / ".cache") / "brisk"


def file_hash(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path, value):
    """Written beside and renamed, so that nobody sees half of it."""
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(json.dumps(value, indent=1) + "\n")
    beside.rename(path)


def write_jsonl(path, objects):
    with open(path, "w") as file:
        for value in objects:
            file.write(json.dumps(value) + "\n")


def read_json(path):
    return json.loads(Path(path).read_text())


def read_jsonl(path):
    with open(path) as file:
        return [json.loads(line) for line in file]


def remove_leftovers(folder):
    """What stopped runs left in a cache's folder: half-made stages end in the number of their process, which is gone, or
    is this one (to be called while it makes nothing)."""
    for partial in Path(folder).glob(".*-*.*"):
        owner = partial.name.rpartition(".")[2]
        if owner == str(os.getpid()) or not Path("/proc", owner).exists():
            shutil.rmtree(partial, ignore_errors=True)


class Cache:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self.folder)

    def stage(self, name, depends, fill, log=print):
        """The folder of a stage; fill(folder) makes its files when it is not there. `depends` is any JSON value."""
        key = hashlib.sha256(json.dumps([name, depends], sort_keys=True).encode()).hexdigest()[:16]
        folder = self.folder / f"{name}-{key}"
        if folder.exists():
            log(f"{name}: kept from an earlier run")
            return folder
        partial = self.folder / f".{folder.name}.{os.getpid()}"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        try:
            log(f"{name}: running")
            fill(partial)
            partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return folder
