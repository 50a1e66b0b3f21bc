"""One message in four parts, the exit code that belongs to it, and the same as JSON."""

import json
import os
import subprocess

import pytest
from terminal import Terminal

# words, what the message must name
USAGE = [
    (["rnu"], "'brisk run'"),
    (["--no-such"], "a verb"),
    (["help", "benhc"], "'brisk bench'"),
    (["run", "--thread", "2"], "--threads"),
    (["run", "--tmep", "1"], "--temp"),
    (["run", "--ctxsize", "1"], "--ctx-size"),
    (["run", "-q"], "-q"),
    (["run", "--threads", "0"], "from 1 to 1024"),
    (["run", "--threads", "-1"], "from 1 to 1024"),
    (["run", "--threads", "1000000000"], "from 1 to 1024"),
    (["run", "--threads", "1e9"], "'1e9'"),
    (["run", "--threads", "abc"], "'abc'"),
    (["run", "--threads=2x"], "'2x'"),
    (["run", "--threads="], "got nothing"),
    (["run", "-t"], "the end of the line"),
    (["run", "-p", "--verbose"], "the option --verbose"),
    (["run", "--ctx-size", str(2**40)], "from 1 to"),
    (["run", "-c", str(2**70)], "from 1 to"),
    (["run", "-c", "0"], "from 1 to"),
    (["run", "-n", "-2"], "from -1 to"),
    (["run", "--temp", "-0.1"], "from 0 to 100"),
    (["run", "--temp", "nan"], "'nan'"),
    (["run", "--temp", "inf"], "'inf'"),
    (["run", "--top-p", "1.5"], "from 0 to 1"),
    (["run", "--min-p", "2"], "from 0 to 1"),
    (["run", "--top-k", "-1"], "from 0 to"),
    (["run", "--top-k", "1.5"], "'1.5'"),
    (["run", "--seed", "-2"], "at least -1"),
    (["run", "--json=perhaps", "-p", "x"], "'perhaps'"),
    (["run", "-p", "x", "-f", "y"], "only one of --prompt and --file"),
    (["run", "--no-chat"], "a prompt"),
    (["run", "a.gguf", "b.gguf", "-p", "x"], "'b.gguf'"),
    (["run", "a.gguf", "-m", "b.gguf", "-p", "x"], "the model once"),
    (["run", "-p", "x", "--stop", ""], "--stop"),
    (["bench", "-p", "12,,3"], "got nothing"),
    (["bench", "-p", "12,x"], "'x'"),
    (["bench", "-p", "-5"], "from 0 to"),
    (["bench", "-r", "0"], "from 1 to 1000"),
    (["bench", "-o", "jsn"], "json"),
    (["bench", "-o", "xml"], "one of md, csv, json, jsonl"),
    (["bench", "--limit"], "--limits"),
    (["tokenize"], "MODEL"),
    (["tokenize", "--pieces"], "MODEL"),
    (["detokenize", "built-in"], "neither"),
    (["detokenize", "built-in", "--ids", "1", "--ids-file", "x"], "both"),
    (["template", "built-in"], "--messages"),
    (["template"], "MODEL"),
    (["completion"], "SHELL"),
    (["completion", "tcsh"], "bash, zsh or fish"),
    (["list", "x"], "options only"),
    (["doctor", "--kernel"], "--kernels"),
]


def four_parts(line):
    assert line.startswith("error: ") and line.endswith("\n") and line.count("\n") == 1, line
    assert "expected" in line and "got" in line and "; try " in line, line
    assert len(line.encode()) <= 2100


@pytest.mark.parametrize("words, named", USAGE, ids=lambda v: " ".join(v) if isinstance(v, list) else None)
def test_usage(brisk, words, named):
    result = brisk(*words)
    assert (result.code, result.out) == (2, "")
    four_parts(result.err)
    assert named in result.err


def test_json_gives_the_same_parts(brisk):
    error = brisk("run", "--json", "--threads", "abc").error()
    assert error == {
        "where": "--threads",
        "expected": "a whole number from 1 to 1024",
        "got": "'abc'",
        "hint": error["hint"],
        "code": 2,
    }
    assert brisk("run", "-m", "no-such.gguf", "-p", "x", "--json").error()["code"] == 4
    assert brisk("nosuch", "--json").error()["where"] == "brisk"


@pytest.mark.parametrize(
    "variables, named",
    [
        ({"BRISK_THREADS": "none"}, "BRISK_THREADS"),
        ({"BRISK_CTX_SIZE": "-3"}, "BRISK_CTX_SIZE"),
        ({"BRISK_JSON": "perhaps"}, "BRISK_JSON"),
        ({"BRISK_TOP_P": "7"}, "BRISK_TOP_P"),
    ],
)
def test_the_environment_is_checked_like_the_line(brisk, variables, named):
    result = brisk("run", "-p", "x", **variables)
    assert result.code == 2
    four_parts(result.err)
    assert named in result.err


@pytest.mark.parametrize("level", ["avx9000", "AVX2x", "neon"])
def test_an_unknown_isa_is_a_usage_error_that_names_the_known(brisk, level):
    result = brisk("doctor", BRISK_ISA=level)
    assert result.code == 2
    four_parts(result.err)
    assert "BRISK_ISA" in result.err and "avx2" in result.err


def test_an_isa_above_the_machine_is_refused(brisk):
    best = brisk.ok("doctor", "--json").json()["isa"]["best"]
    if best == "avx512":
        pytest.skip("this machine has the highest level")
    result = brisk("doctor", BRISK_ISA="avx512")
    assert result.code == 2
    four_parts(result.err)


@pytest.fixture
def odd_paths(tmp_path):
    os.mkfifo(tmp_path / "fifo.gguf")
    (tmp_path / "folder.gguf").mkdir()
    (tmp_path / "loop.gguf").symlink_to(tmp_path / "loop.gguf")
    (tmp_path / "dangling.gguf").symlink_to(tmp_path / "nothing")
    return tmp_path


@pytest.mark.parametrize("name", ["fifo.gguf", "folder.gguf", "loop.gguf", "dangling.gguf", "absent.gguf"])
@pytest.mark.parametrize(
    "verb", [["run", "-p", "x", "-m"], ["show"], ["tokenize", "-p", "x"], ["bench", "-m"]]
)
def test_paths_that_are_no_files(brisk, odd_paths, verb, name):
    result = brisk(*verb, odd_paths / name, timeout=20)
    assert (result.code, result.out) == (4, "")
    four_parts(result.err)
    assert name in result.err


@pytest.mark.parametrize(
    "verb", [["run", "-p", "x", "-m", "-"], ["show", "-"], ["show", "/dev/null"], ["show", ""]]
)
def test_streams_and_devices(brisk, verb):
    result = brisk(*verb)
    assert result.code == 4
    four_parts(result.err)


def test_without_the_built_in_model_the_error_says_how_to_get_it(brisk):
    result = brisk("run", "-p", "x")
    assert result.code == 4
    four_parts(result.err)
    assert "scripts/fetch_model.sh" in result.err


def test_a_model_name_from_the_cache_and_its_misspelling(brisk, model):
    folder = brisk.home / "cache/brisk/models"
    folder.mkdir(parents=True)
    (folder / "smol.gguf").symlink_to(model)
    assert brisk.ok("show", "smol", "--json").json()["format"] == "gguf"
    result = brisk("show", "smoll")
    assert result.code == 4 and "try 'smol'" in result.err
    assert brisk.ok("list", "--json").json()["models"][0]["name"] == "smol"


@pytest.mark.parametrize(
    "content", [b"", b"GGUF", b"not a model", b"GGUF" + b"\xff" * 60, b"GGUF\x03\0\0\0" + b"\xff" * 16]
)
def test_content_that_is_no_model(brisk, tmp_path, content):
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    for verb in (["show"], ["tokenize", "-p", "x"], ["run", "-p", "x", "-m"]):
        result = brisk(*verb, path, timeout=20)
        assert (result.code, result.out) == (3, "")
        four_parts(result.err)
        assert "bad.gguf" in result.err


def test_a_hostile_name_cannot_reach_the_terminal(brisk):
    result = brisk("show", "\x1b[31mred\nline.gguf")
    assert result.code == 4
    four_parts(result.err)
    assert "\x1b" not in result.err


def test_a_very_long_word_gives_a_short_message(brisk):
    result = brisk("run", "--" + "x" * 100_000)
    assert result.code == 2
    assert len(result.err) <= 2100


def in_shell(brisk, line):
    return subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, env=brisk.environment(), timeout=60
    )


def test_a_closed_input_or_error_is_no_matter(brisk, binary):
    for closed in ("<&-", "2>&-", "<&- 2>&-"):
        done = in_shell(brisk, f"'{binary}' doctor {closed}")
        assert (done.returncode, done.stderr) == (0, ""), closed


def test_a_closed_output_is_told_before_anything_is_computed(brisk, binary):
    for closed in (">&-", "<&- >&-", "1</dev/null"):
        done = in_shell(brisk, f"'{binary}' bench -p 100000 {closed}")
        assert done.returncode == 4, closed
        four_parts(done.stderr)
        assert "standard output" in done.stderr
    done = in_shell(brisk, f"'{binary}' doctor <&- >&- 2>&-")
    assert (done.returncode, done.stderr) == (4, "")


@pytest.mark.parametrize(
    "words, variables",
    [
        (["run", "--json=true"], {}),
        (["run", "--json=on"], {}),
        (["run"], {"BRISK_JSON": "yes"}),
        (["bench", "-o", "json"], {}),
        (["bench", "--output=jsonl"], {}),
        (["bench"], {"BRISK_OUTPUT": "json"}),
    ],
)
def test_every_way_to_ask_for_json_gives_errors_as_json(brisk, words, variables):
    assert brisk(*words, "--threads", "abc", **variables).error()["code"] == 2


@pytest.mark.parametrize(
    "words, variables",
    [
        (["run", "--json=false"], {"BRISK_JSON": "1"}),
        (["run", "--json", "--json=no"], {}),
        (["bench", "-o", "csv"], {"BRISK_OUTPUT": "json"}),
    ],
)
def test_the_line_may_refuse_json(brisk, words, variables):
    result = brisk(*words, "--threads", "abc", **variables)
    assert result.code == 2
    four_parts(result.err)


def test_text_that_is_not_utf8(brisk, binary, model, tmp_path):
    (tmp_path / "bad.txt").write_bytes(b"caf\xe9 au lait")
    done = in_shell(brisk, f"'{binary}' run '{model}' -p $'caf\\xe9'")
    assert done.returncode == 2
    four_parts(done.stderr)
    assert "-p: " in done.stderr and "at byte 3" in done.stderr
    done = in_shell(brisk, f"'{binary}' run '{model}' -p x --system $'\\xff'")
    assert done.returncode == 2 and "--system: " in done.stderr and "at byte 0" in done.stderr
    for result in (
        brisk("run", model, "-f", tmp_path / "bad.txt"),
        brisk("run", model, stdin=b"caf\xe9 au lait"),
    ):
        assert (result.code, result.out) == (3, "")
        four_parts(result.err)
        assert "at byte 3" in result.err


def test_hostile_text_of_a_template_cannot_reach_the_terminal(brisk, tmp_path):
    jinja, messages = tmp_path / "t.jinja", tmp_path / "m.json"
    jinja.write_text("{{ messages[0].content }}")
    messages.write_text(json.dumps([{"role": "user", "content": "\x1b[31mred"}]))
    words = ["template", str(jinja), "--messages", str(messages)]
    assert brisk.ok(*words).out == "\x1b[31mred"
    terminal = Terminal([brisk.binary, *words], brisk.environment())
    try:
        assert terminal.wait_exit() == 0
        assert "red" in terminal.seen and "\x1b" not in terminal.seen
    finally:
        terminal.close()


def test_a_full_disk_is_an_environment_error(brisk, binary):
    done = subprocess.run(
        ["bash", "-c", f"'{binary}' help > /dev/full"],
        capture_output=True,
        text=True,
        env=brisk.environment(),
        timeout=60,
    )
    assert done.returncode == 4
    four_parts(done.stderr)
