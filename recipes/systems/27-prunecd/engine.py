"""Runs the brisk binary: tokenize, profile layers, eval. The recipe computes no score itself."""

import json
import subprocess
import tempfile
from pathlib import Path

from cache import file_hash, read_jsonl
from errors import RecipeError


def engine_error(words, done):
    """The four parts that --json makes of an error, under the command that met it; what else was said, otherwise."""
    command = " ".join(["brisk", *map(str, words)])
    said = done.stderr.strip().rpartition("\n")[2]
    try:
        parts = json.loads(said)["error"]
        return RecipeError(
            f"{command}: {parts['where']}", parts["expected"], parts["got"], parts["hint"], parts["code"]
        )
    except (ValueError, KeyError, TypeError):
        return RecipeError(command, "exit code 0", f"{done.returncode}: {said}", "that command alone", 1)


class Engine:
    def __init__(self, binary):
        self.binary = str(binary)
        self.hash = file_hash(binary)  # results are kept for this very binary only
        self.version = self.run("version").strip()

    def run(self, *words):
        """Standard output of `brisk words...`; its error becomes ours."""
        done = subprocess.run([self.binary, *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise engine_error(words, done)
        return done.stdout

    def json(self, *words):
        return json.loads(self.run(*words, "--json"))

    def tokenize(self, model, path):
        return self.json("tokenize", model, "--no-special", "-f", path)["ids"]

    def profile(self, model, items, neutral, output, options):
        """Searches the layers to prune and measures flatness; returns the profile that it writes."""
        words = ["--method", "prunecd", "--calibrate", items, "--text", neutral, "-o", output, "--report"]
        self.json("profile", "layers", model, *words, *options)
        return json.loads(Path(output).read_text())

    def evaluate(self, model, items, options):
        """The figures of `brisk eval`, and under "per_item" those of each item."""
        with tempfile.TemporaryDirectory() as folder:
            per_item = Path(folder) / "items.jsonl"
            figures = self.json("eval", model, "--task", items, "-o", per_item, *options)
            return figures | {"per_item": read_jsonl(per_item)}
