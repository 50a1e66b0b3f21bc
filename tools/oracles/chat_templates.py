#!/usr/bin/env python3
"""Writes tests/data/chat_templates/*.json: what Python's jinja2, configured as transformers does, makes of
chat templates and of small snippets.

    python tools/oracles/chat_templates.py [folder with *.jinja]

cases.json     the public templates of the shared data (named, not copied) x chat_template_conversations.py;
               with further arguments ("variants") texts are given by their FNV-1a hashes of 64 bits alone
snippets.json  our own expressions, one behaviour each (chat_template_snippets.py)
random.json    random templates and broken ones, from a seed (chat_template_random.py)

An expected text of null means: rendering (or parsing) ends in an error. Random templates whose text is not defined by their source are left out:
see UNDEFINED_TEXT and Walk.
"""

import datetime
import functools
import json
import pathlib
import re
import signal
import sys
import warnings

from transformers.utils.chat_template_utils import _cached_compile_jinja_template as compile_template

from chat_template_conversations import ARGUMENT_SETS, CONVERSATIONS, LONG
from chat_template_random import mutants
from chat_template_random import snippets as random_snippets
from chat_template_snippets import SNIPPETS, VARIABLES

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOW = datetime.datetime(2024, 7, 26, 14, 5, 9)

SEED = 20250727
RANDOM_SNIPPETS = 3500
MUTANTS = 1500
SECONDS_PER_SNIPPET = 5

# Addresses of objects, and integers beyond 64 bits and complex numbers, which are errors on our side.
UNDEFINED_TEXT = re.compile(r"0x[0-9a-f]{8,}|<(built-in|bound|function|class)|\d{19,}|\dj\)", re.IGNORECASE)


class Undecided(Exception):
    """The template asks for the text of something whose text is an address."""


class Walk:
    """What map, select and the like give, without a text of its own."""

    def __init__(self, items):
        self.items = iter(items)

    def __iter__(self):
        return self.items

    def __next__(self):
        return next(self.items)

    def __str__(self):
        raise Undecided

    __repr__ = __str__


def walking(function):
    """The filter with its generator wrapped."""

    def wrapped(*args, **kwargs):
        result = function(*args, **kwargs)
        return result if isinstance(result, (str, list, tuple, dict)) else Walk(result)

    wrapped.__dict__.update(function.__dict__)
    return wrapped


# Filters that give generators.
GENERATORS = ["batch", "items", "map", "reject", "rejectattr", "reverse", "select", "selectattr", "slice", "unique"]


def fail_late(*_):
    raise Undecided


@functools.lru_cache(maxsize=2)
def template_of(source):
    environment = compile_template("").environment
    environment.filters.update({name: walking(environment.filters[name]) for name in GENERATORS})
    template = environment.from_string(source)
    template.globals["strftime_now"] = NOW.strftime
    return template


def render(source, variables):
    """The rendered text, or None for any error; Undecided where the source does not define it."""
    try:
        text = template_of(source).render(**json.loads(json.dumps(variables)))
        text.encode()  # a lone surrogate is no text
        return text
    except Undecided:
        raise
    except Exception:  # whatever jinja2 or Python raises is "an error"
        return None


def decide(source, variables):
    """As render(), for random sources, which may also run long or show addresses."""
    signal.signal(signal.SIGALRM, fail_late)
    signal.setitimer(signal.ITIMER_REAL, SECONDS_PER_SNIPPET)
    try:
        text = render(source, variables)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if text is not None and UNDEFINED_TEXT.search(text):
        raise Undecided
    return text


def write(name, content):
    path = ROOT / "tests/data/chat_templates" / name
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{path}: {path.stat().st_size} bytes")


def fnv1a(text):
    digest = 0xCBF29CE484222325
    for byte in text.encode():
        digest = (digest ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{digest:016x}"


def variants(source):
    """Hashes of all conversations with all further arguments, in their order, split by blanks."""
    pairs = [(conversation, arguments) for conversation in CONVERSATIONS for arguments in ARGUMENT_SETS]
    texts = [render(source, CONVERSATIONS[conversation] | ARGUMENT_SETS[arguments]) for conversation, arguments in pairs]
    return " ".join("error" if text is None else fnv1a(text) for text in texts)


def public_templates(folder):
    shown = {name: variables for name, variables in CONVERSATIONS.items() if name not in LONG}
    cases = {"now": NOW.isoformat(), "conversations": CONVERSATIONS, "arguments": ARGUMENT_SETS, "expected": {}, "variants": {}}
    for path in sorted(folder.glob("*.jinja")):
        source = path.read_bytes().decode("utf-8")
        cases["expected"][path.name] = {name: render(source, variables) for name, variables in shown.items()}
        cases["variants"][path.name] = variants(source)
    texts = [text for of_template in cases["expected"].values() for text in of_template.values()]
    hashes = " ".join(cases["variants"].values()).split()
    print(f"{len(texts)} texts, {texts.count(None)} of them errors; {len(hashes)} hashes, {hashes.count('error')} of them errors")
    return cases


def random_templates():
    """The random templates that are decided."""
    sources = random_snippets(SEED, RANDOM_SNIPPETS)
    snippets = []
    for source in sources + mutants(SEED, MUTANTS, sources + SNIPPETS):
        try:
            snippets.append([source, decide(source, VARIABLES)])
        except Undecided:
            pass
    return snippets


def main():
    warnings.simplefilter("ignore")
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared/data/chat-templates"
    write("cases.json", public_templates(folder))
    for name, snippets in (("snippets.json", [[source, render(source, VARIABLES)] for source in SNIPPETS]), ("random.json", random_templates())):
        print(f"{len(snippets)} snippets, {sum(text is None for _, text in snippets)} of them errors")
        write(name, {"now": NOW.isoformat(), "variables": VARIABLES, "snippets": snippets})


if __name__ == "__main__":
    main()
