"""Help, version and completion: all made from the verbs' tables."""

import shutil
import subprocess

import pytest

VERBS = [
    "bench",
    "chat",
    "completion",
    "detokenize",
    "doctor",
    "help",
    "list",
    "pull",
    "rm",
    "run",
    "show",
    "template",
    "tokenize",
    "version",
]


def test_overview_lists_every_verb(brisk):
    text = brisk.ok().out
    for verb in VERBS:
        assert f"  {verb} " in text
    assert brisk.ok("--help").out == text == brisk.ok("help").out == brisk.ok("-h").out


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_help_with_an_example(brisk, verb):
    text = brisk.ok(verb, "--help").out
    assert text.startswith(f"brisk {verb}:")
    assert "Example" in text
    assert max(map(len, text.splitlines())) <= 110
    assert brisk.ok("help", verb).out == text
    assert brisk.ok(verb, "-h", "--no-such-option").out == text


@pytest.mark.parametrize("alias, verb", [("info", "show"), ("ls", "list"), ("download", "pull"), ("remove", "rm")])
def test_aliases(brisk, alias, verb):
    assert brisk.ok(alias, "--help").out == brisk.ok(verb, "--help").out


def test_version(brisk):
    assert brisk.ok("--version").out.split()[0] == "brisk"
    assert brisk.ok("version", "--json").json()["version"] == brisk.ok("--version").out.split()[1]


def test_no_control_sequences_in_a_pipe(brisk):
    assert "\x1b" not in brisk.ok("help").out + brisk("rnu").err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_accepted_by_the_shell(brisk, shell, tmp_path):
    script = tmp_path / "script"
    script.write_text(brisk.ok("completion", shell).out)
    for verb in VERBS:
        assert verb in script.read_text()
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here to check the syntax")
    subprocess.run([shell, "-n", script], check=True, timeout=30)


@pytest.mark.parametrize(
    "line, word, expected",
    [
        ("brisk ", "to", ["tokenize"]),
        ("brisk run ", "--temp", ["--temp", "--temperature"]),
        ("brisk run ", "-sy", ["-sys"]),
        ("brisk bench -o ", "", ["md", "csv", "json", "jsonl"]),
        ("brisk completion ", "f", ["fish"]),
    ],
)
def test_bash_completes(brisk, line, word, expected, tmp_path):
    script = tmp_path / "script"
    script.write_text(brisk.ok("completion", "bash").out)
    words = line.split() + [word]
    quoted = " ".join(f"'{w}'" for w in words)
    program = f"source {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _brisk; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert set(done.stdout.split()) == set(expected)
