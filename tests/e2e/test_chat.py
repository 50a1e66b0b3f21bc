"""The chat on a pseudo-terminal."""

import json
import subprocess
import time

import pytest
from terminal import Terminal


@pytest.fixture
def chat(brisk, model):
    terminals = []

    def start(*words, verb="chat"):
        line = [brisk.binary, verb, model, "--temp", "0", "-n", "24", "-t", "2", *map(str, words)]
        terminal = Terminal(line, brisk.environment(NO_COLOR="1"))
        terminals.append(terminal)
        terminal.wait_for(">>> ")
        return terminal

    yield start
    for terminal in terminals:
        terminal.close()


def test_two_turns_then_save_clear_load_and_leave(chat, tmp_path):
    file = tmp_path / "chat.json"
    session = chat()
    assert "Paris" in session.say("Tell me: what is the capital of France?")
    assert session.say("What language do they speak there?")
    assert "Saved 4 messages" in session.say(f"/save {file}")
    saved = json.loads(file.read_text())
    assert [m["role"] for m in saved["messages"]] == ["user", "assistant", "user", "assistant"]
    assert "Paris" in saved["messages"][1]["content"] and saved["model"]
    assert "Saved 4" in session.say(f"/save {file}")  # its own file it may replace
    session.say("/clear")
    assert "Saved 0" in session.say(f"/save {tmp_path / 'empty.json'}")
    assert "Loaded 4" in session.say(f"/load {file}")
    assert session.leave("/bye") == 0
    assert [p.name for p in tmp_path.iterdir() if ".part-" in p.name] == []


def test_regen_replaces_the_last_answer(chat, tmp_path):
    session = chat("--temp", "1.2", "--seed", "5")
    assert "expected an answer to give again" in session.say("/regen")
    first = session.say("Tell me a story.")
    second = session.say("/regen")
    assert second and second != first
    assert "Saved 2" in session.say(f"/save {tmp_path / 'r.json'}")
    assert session.leave("/exit") == 0


def roles(session, file):
    session.say(f"/save {file}")
    return [m["role"] for m in json.loads(file.read_text())["messages"]]


def test_a_regen_that_fails_keeps_the_answer(chat, tmp_path):
    long = tmp_path / "long.json"
    messages = [{"role": "user", "content": "word " * 300}, {"role": "assistant", "content": "kept"}]
    long.write_text(json.dumps(messages))
    session = chat("-c", "128")
    assert "Loaded 2" in session.say(f"/load {long}")
    text = session.say("/regen")
    assert "at most 128 tokens" in text and "try /clear" in text and "-c" not in text
    assert roles(session, long) == ["user", "assistant"]
    assert json.loads(long.read_text())["messages"] == messages
    assert session.leave() == 0


def test_a_regen_without_a_question_keeps_what_is_there(chat, tmp_path):
    file = tmp_path / "alone.json"
    file.write_text('[{"role": "assistant", "content": "Hello"}]')
    session = chat()
    assert "Loaded 1" in session.say(f"/load {file}")
    assert "an answer to give again" in session.say("/regen")
    assert roles(session, file) == ["assistant"]
    assert session.leave() == 0


def test_help_set_system_and_unknown_commands(chat):
    session = chat()
    text = session.say("/help")
    for command in ("/clear", "/regen", "/save", "/load", "/system", "/set", "/bye"):
        assert command in text
    assert "temp" in session.say("/set")
    session.say("/set temp 0.5")
    assert "0.5" in session.say("/set")
    assert "from 0 to 100" in session.say("/set temp -3")
    assert "try /help" in session.say("/hlp")
    assert "No system message" in session.say("/system")
    session.say("/system Answer in French.")
    assert "Answer in French." in session.say("/system")
    assert session.leave("/quit") == 0


def test_several_lines(chat, tmp_path):
    session = chat()
    session.type('"""first line\n')
    session.wait_for("... ")
    session.say('second line"""')
    file = tmp_path / "lines.json"
    session.say(f"/save {file}")
    assert json.loads(file.read_text())["messages"][0]["content"] == "first line\nsecond line"
    assert session.leave("\x04") == 0


def test_ctrl_c_stops_the_answer_and_keeps_the_chat(chat):
    session = chat("-n", "4000", "--ignore-eos")
    session.type("Count to a thousand.\n")
    session.wait_for("\n")
    time.sleep(2)
    start = time.monotonic()
    session.type("\x03")
    session.wait_for("(stopped)", timeout=5)
    assert time.monotonic() - start < 1.5
    session.wait_for(">>> ")
    session.say("/set predict 8")
    assert session.say("Hello")
    session.type("\x03")  # at the prompt: nothing is lost
    session.wait_for(">>> ")
    assert session.leave() == 0


def test_history_is_kept_between_chats(chat, brisk):
    first = chat()
    first.say("/system remember me")
    assert first.leave() == 0
    assert "remember" in (brisk.home / "state/brisk/history").read_text()
    second = chat()
    second.type("\x1b[A")  # up: the newest line first
    second.wait_for("bye")
    second.type("\x1b[A")
    second.wait_for("remember me")
    second.type("\x15")
    assert second.leave("\x04") == 0


def test_run_without_a_prompt_is_the_chat(chat):
    session = chat(verb="run")
    assert session.leave() == 0


def test_errors_leave_the_chat_alive(chat, tmp_path):
    session = chat("-c", "96")
    assert "error:" in session.say("word " * 150)
    assert "error:" in session.say(f"/load {tmp_path / 'absent.json'}")
    (tmp_path / "bad.json").write_text('{"messages": [{"role": 3}]}')
    assert "message 1" in session.say(f"/load {tmp_path / 'bad.json'}")
    (tmp_path / "role.json").write_text('[{"role": "root", "content": "x"}]')
    assert "the role system, user, assistant or tool" in session.say(f"/load {tmp_path / 'role.json'}")
    assert session.say("Hello")
    assert session.leave() == 0


def test_a_file_of_others_is_not_replaced(chat, tmp_path):
    other = tmp_path / "other.json"
    other.write_text("mine")
    session = chat()
    assert "error:" in session.say(f"/save {other}")
    assert other.read_text() == "mine"
    assert "Saved" in session.say(f"/save --force {other}")
    assert session.leave() == 0


def test_a_message_that_is_not_utf8(brisk, model):
    result = brisk("chat", model, "-n", "2", stdin=b"caf\xe9\n/bye\n")
    assert (result.code, result.out) == (0, "")
    assert "message: expected text in UTF-8" in result.err and "at byte 3" in result.err


def test_a_chat_from_a_pipe(brisk, model):
    done = subprocess.run(
        [brisk.binary, "chat", model, "--temp", "0", "-n", "24"],
        input=b"Tell me: what is the capital of France?\n/bye\n",
        capture_output=True,
        env=brisk.environment(),
        timeout=90,
    )
    assert done.returncode == 0
    assert b"Paris" in done.stdout and b">>>" not in done.stdout and b"\x1b" not in done.stdout
