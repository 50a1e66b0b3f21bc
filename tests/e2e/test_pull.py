"""brisk pull and -hf against a server that behaves as the hub does, in good and in bad weather."""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest
from hub_server import HubServer, Proxy, blob_name, sha256, some_bytes

TOKEN = "hf_secretOfTheTest"
REPO = "owner/some-model"
SIZE = 1_000_000


@pytest.fixture
def hub():
    with HubServer() as server:
        yield server


@pytest.fixture
def home(tmp_path):
    return tmp_path / "hf"


@pytest.fixture
def here(brisk, hub, home):
    """The binary, with the test's hub and cache for its world."""
    outer = brisk.environment

    def environment(**variables):
        kept = {k: v for k, v in outer().items() if not k.startswith(("HF_", "OLLAMA_")) and "proxy" not in k.lower()}
        own = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(home), "HOME": str(home.parent)}
        return kept | own | {k: str(v) for k, v in variables.items()}

    brisk.environment = environment
    return brisk


def cache_of(home, repo=REPO):
    return home / "hub" / ("models--" + repo.replace("/", "--"))


def leftovers(home):
    """Files that are neither a whole blob nor part of the layout."""
    return [p for p in home.rglob("*") if p.is_file() and (".incomplete" in p.name or ".link-" in p.name)]


def pull(here, *words, **more):
    return here.ok("pull", *words, "--json", **more).json()


def error_of(here, *words, code, **more):
    result = here("pull", *words, "--json", **more)
    assert result.code == code, f"exit {result.code}: {result.err}"
    assert TOKEN not in result.err
    error = result.error()
    assert error["where"] and error["expected"] and error["got"]
    return error


# The good days.


def test_a_file_comes_whole_and_lies_as_other_tools_lay_it(here, hub, home):
    data = some_bytes(SIZE)
    repo = hub.add(REPO, {"some-model-q8_0.gguf": data, "README.md": b"words"})
    result = pull(here, REPO)
    folder = cache_of(home)
    path = folder / "snapshots" / repo.commit / "some-model-q8_0.gguf"
    assert result["path"] == str(path) and path.read_bytes() == data
    assert os.readlink(path) == f"../../blobs/{sha256(data)}"
    assert (folder / "refs/main").read_text() == repo.commit == result["commit"]
    assert sorted(os.listdir(folder / "blobs")) == [sha256(data)]
    assert result["fetched"] == result["bytes"] == len(data)
    assert not leftovers(home)
    before = len(hub.requests("cdn"))
    again = pull(here, REPO)
    assert again["fetched"] == 0 and again["path"] == result["path"]
    assert len(hub.requests("cdn")) == before


def test_for_people(here, hub):
    hub.add(REPO, {"some-model-q8_0.gguf": some_bytes(SIZE)})
    assert "fetched in" in here.ok("pull", REPO).out
    assert "all of it was here" in here.ok("download", REPO).out


@pytest.mark.parametrize(
    "name, file",
    [
        (REPO, "m-Q4_K_M.gguf"),
        ("hf:" + REPO, "m-Q4_K_M.gguf"),
        ("hf.co/" + REPO, "m-Q4_K_M.gguf"),
        ("https://huggingface.co/" + REPO, "m-Q4_K_M.gguf"),
        (f"https://huggingface.co/{REPO}/blob/main/m-Q8_0.gguf", "m-Q8_0.gguf"),
        (f"https://huggingface.co/{REPO}/tree/v1", "m-Q4_K_M.gguf"),
        (REPO + ":q8_0", "m-Q8_0.gguf"),
        (REPO + ":IQ2_XS@v1", "sub folder/m-iq2_xs.gguf"),
        (REPO + "@v1:Q8_0", "m-Q8_0.gguf"),
        (f"hf:{REPO}/sub folder/m-iq2_xs.gguf", "sub folder/m-iq2_xs.gguf"),
    ],
)
def test_spellings_of_a_name(here, hub, home, name, file):
    files = ["m-Q4_K_M.gguf", "m-Q4_0.gguf", "m-Q8_0.gguf", "sub folder/m-iq2_xs.gguf", "mmproj-f16.gguf"]
    repo = hub.add(REPO, {f: some_bytes(2000, f) for f in files})
    repo.revisions["v1"] = repo.commit
    path = pathlib.Path(pull(here, name)["path"])
    assert path == cache_of(home) / "snapshots" / repo.commit / file
    assert path.read_bytes() == repo.files[file]


def test_the_endpoints_own_address_is_a_name(here, hub):
    hub.add(REPO, {"m-Q4_0.gguf": some_bytes(2000)})
    assert pull(here, f"{hub.endpoint}/{REPO}")["repo"] == REPO


@pytest.mark.parametrize(
    "files, quant, words",
    [
        (["m-Q5_K_M.gguf", "m-Q6_K.gguf"], "", ["Q5_K_M", "Q6_K"]),
        (["m-Q5_K_M.gguf", "m-Q6_K.gguf"], ":Q4_K_M", ["Q5_K_M", "Q6_K"]),
        (["a-Q4_0.gguf", "b-Q4_0.gguf"], ":Q4_0", ["a-Q4_0.gguf", "b-Q4_0.gguf"]),
        (["m.bin"], "", ["m.bin"]),
        (["model.safetensors", "config.json"], ":Q4_0", ["safetensors"]),
    ],
)
def test_a_name_that_means_none_or_many_lists_what_there_is(here, hub, files, quant, words):
    hub.add(REPO, {f: some_bytes(2000, f) for f in files})
    error = error_of(here, REPO + quant, code=4)
    for word in words:
        assert word in error["got"]
    assert not hub.requests("cdn")


def test_all_parts_of_a_split_file(here, hub):
    names = [f"big-Q4_0-{i:05}-of-00003.gguf" for i in (1, 2, 3)]
    hub.add(REPO, {n: some_bytes(5000, n) for n in names} | {"big-Q2_K-00001-of-00002.gguf": b"x" * 2000})
    result = pull(here, REPO + ":Q4_0")
    assert [f["name"] for f in result["files"]] == names
    assert result["path"].endswith(names[0])
    assert "1 of them" in error_of(here, REPO + ":Q2_K", code=3)["got"]


def test_a_repository_without_gguf_gives_its_folder(here, hub):
    wanted = {
        "config.json": b"{}",
        "generation_config.json": b"{}",
        "tokenizer.json": some_bytes(3000),
        "tokenizer_config.json": b"{}",
        "chat_template.jinja": b"{{ messages }}",
        "special_tokens_map.json": b"{}",
        "model-00001-of-00002.safetensors": some_bytes(9000, 1),
        "model-00002-of-00002.safetensors": some_bytes(9000, 2),
        "model.safetensors.index.json": json.dumps(
            {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
        ).encode(),
    }
    others = ["pytorch_model.bin", "model.pt", "README.md", "consolidated.safetensors", "onnx/model.safetensors"]
    hub.add(REPO, wanted | {n: some_bytes(2000, n) for n in others})
    result = pull(here, REPO)
    folder = pathlib.Path(result["path"])
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == wanted
    for name in others:
        assert not hub.requests("hub", part=f"/resolve/{hub.repos[REPO].commit}/{name}")
    error_of(here, f"{REPO}/pytorch_model.bin", code=4)


def test_several_files_at_a_time(here, hub):
    names = [f"m-f16-{i:05}-of-00006.gguf" for i in range(1, 7)]
    hub.add(REPO, {n: some_bytes(200_000, n) for n in names})
    hub.faults.pause, hub.faults.piece = 0.1, 50_000
    one = pull(here, REPO, "-j", 1)["seconds"]
    shutil.rmtree(here.home / "hf")
    assert pull(here, REPO, "-j", 6)["seconds"] < 0.6 * one


# Other tools.


def hugging_face(home, endpoint, code):
    """Runs a line of Python with huggingface_hub, in a process of its own: it reads the environment once."""
    own = {"HF_HOME": str(home), "HF_ENDPOINT": endpoint, "HF_HUB_DISABLE_XET": "1", "HOME": str(home)}
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HF_") and "proxy" not in k.lower()}
    python = shutil.which("python3") or "python3"
    for candidate in (os.environ.get("BRISK_PYTHON"), os.sys.executable, python):
        if candidate and subprocess.run([candidate, "-c", "import huggingface_hub"], capture_output=True).returncode == 0:
            break
    else:
        pytest.skip("no huggingface_hub")
    done = subprocess.run([candidate, "-c", code], env=kept | own, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_what_huggingface_hub_fetched_is_used_in_place(here, hub, home):
    repo = hub.add(REPO, {"m-Q8_0.gguf": some_bytes(SIZE), "config.json": b"{}"})
    path = hugging_face(
        home, hub.endpoint, f"from huggingface_hub import hf_hub_download as d; print(d('{REPO}', 'm-Q8_0.gguf'))"
    )
    assert pathlib.Path(path).read_bytes() == repo.files["m-Q8_0.gguf"]
    hub.log.clear()
    models = here.ok("list", "--json").json()["models"]
    assert [(m["name"], m["path"]) for m in models] == [(f"hf:{REPO}:Q8_0", path)]
    assert pull(here, REPO, "--offline")["path"] == path
    assert not hub.log
    assert pull(here, REPO)["fetched"] == 0 and not hub.requests("cdn")
    hub.log.clear()
    folder = hugging_face(
        home, hub.endpoint, f"from huggingface_hub import snapshot_download as d; print(d('{REPO}'))"
    )
    assert pathlib.Path(folder, "m-Q8_0.gguf").samefile(path)


def test_huggingface_hub_finds_what_we_pulled(here, hub, home):
    hub.add(REPO, {"m-Q8_0.gguf": some_bytes(SIZE)})
    small = hub.add("owner/folder", {"config.json": b"{}", "model.safetensors": some_bytes(5000)})
    path = pull(here, REPO)["path"]
    folder = pull(here, "owner/folder")["path"]
    hub.log.clear()
    found = hugging_face(
        home,
        hub.endpoint,
        "from huggingface_hub import try_to_load_from_cache as t, hf_hub_download as d, snapshot_download as s;"
        f"print(t('{REPO}', 'm-Q8_0.gguf'), d('{REPO}', 'm-Q8_0.gguf', local_files_only=True),"
        "s('owner/folder', local_files_only=True))",
    )
    assert found.split() == [path, path, folder]
    assert not hub.requests(part=REPO) and not hub.requests(part="owner/folder")
    listed = hugging_face(
        home,
        hub.endpoint,
        "from huggingface_hub import scan_cache_dir as s; c = s();"
        "print(sorted(r.repo_id for r in c.repos), len(c.warnings))",
    )
    assert listed == f"['owner/folder', '{REPO}'] 0"
    assert small.commit in folder


# Bad weather.


def test_cut_connections_go_on_by_ranges(here, hub):
    data = some_bytes(SIZE)
    hub.add(REPO, {"m-Q8_0.gguf": data})
    hub.faults.cut_after = 300_000
    result = pull(here, REPO)
    assert pathlib.Path(result["path"]).read_bytes() == data
    ranges = [r.headers.get("Range") for r in hub.requests("cdn")]
    assert ranges == [None, "bytes=300000-", "bytes=600000-", "bytes=900000-"]
    assert result["fetched"] == len(data)


def test_a_server_that_ignores_ranges(here, hub, home):
    data = some_bytes(SIZE)
    hub.add(REPO, {"m-Q8_0.gguf": data})
    leave_partial(home, data, data[:400_000])
    hub.faults.ignore_range = True
    assert pathlib.Path(pull(here, REPO)["path"]).read_bytes() == data
    assert hub.requests("cdn")[0].headers["Range"] == "bytes=400000-"


def test_a_server_whose_ranges_begin_elsewhere(here, hub, home):
    data = some_bytes(SIZE)
    hub.add(REPO, {"m-Q8_0.gguf": data})
    leave_partial(home, data, data[:400_000])
    hub.faults.wrong_offset = True
    assert pathlib.Path(pull(here, REPO)["path"]).read_bytes() == data


def test_a_file_that_changes_on_the_way_is_never_mixed(here, hub, home):
    data, other = some_bytes(SIZE, 1), some_bytes(SIZE, 2)
    hub.add(REPO, {"m-Q8_0.gguf": data})
    hub.faults.cut_after = 600_000
    hub.faults.swap = {sha256(data): other}
    result = here("pull", REPO)
    # The rest is of another file: If-Range makes the server say so, and we begin anew; it never gets whole.
    assert result.code != 0
    assert all("If-Range" in r.headers for r in hub.requests("cdn") if "Range" in r.headers)
    assert not (cache_of(home) / "snapshots").exists()
    for partial in leftovers(home):
        content = partial.read_bytes()
        assert content in (data[: len(content)], other[: len(content)])
    hub.faults.cut_after, hub.faults.swap = None, {}
    assert pathlib.Path(pull(here, REPO)["path"]).read_bytes() == data


def leave_partial(home, data, content, repo=REPO):
    path = cache_of(home, repo) / "blobs" / (blob_name(data) + ".incomplete")
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", ["longer", "as long, other", "shorter, other", "empty", "whole"])
def test_whatever_an_earlier_run_left(here, hub, home, kind):
    data = some_bytes(SIZE)
    content = {
        "longer": data + b"more",
        "as long, other": some_bytes(SIZE, 7),
        "shorter, other": some_bytes(SIZE // 2, 7),
        "empty": b"",
        "whole": data,
    }[kind]
    hub.add(REPO, {"m-Q8_0.gguf": data})
    leave_partial(home, data, content)
    result = pull(here, REPO)
    assert pathlib.Path(result["path"]).read_bytes() == data
    assert not leftovers(home)
    assert (result["fetched"] == 0) == (kind == "whole")


def test_a_partial_file_that_is_a_link_is_not_written_through(here, hub, home, tmp_path):
    data = some_bytes(SIZE)
    hub.add(REPO, {"m-Q8_0.gguf": data})
    victim = tmp_path / "victim"
    victim.write_text("mine")
    path = leave_partial(home, data, b"")
    path.unlink()
    path.symlink_to(victim)
    error_of(here, REPO, code=4)
    assert victim.read_text() == "mine"


@pytest.mark.parametrize("size", [SIZE, 500])
def test_a_wrong_hash_leaves_nothing(here, hub, home, size):
    data = some_bytes(size)
    hub.add(REPO, {"m-Q8_0.gguf": data})
    hub.faults.damage = {sha256(data), "m-Q8_0.gguf"}
    error = error_of(here, REPO, code=3)
    assert blob_name(data) in error["expected"] and "removed" in error["got"]
    assert not list(cache_of(home).glob("blobs/*")) and not (cache_of(home) / "snapshots").exists()
    hub.faults.damage = set()
    assert pathlib.Path(pull(here, REPO)["path"]).read_bytes() == data


def test_a_file_that_does_not_end_fills_no_disk(here, hub, home):
    hub.add(REPO, {"m-Q8_0.gguf": some_bytes(SIZE)})
    hub.faults.more = bytes(50_000_000)
    assert error_of(here, REPO, code=3)["got"] == "a longer one"
    assert sum(p.stat().st_size for p in home.rglob("*") if p.is_file()) <= SIZE


def test_failures_that_pass(here, hub):
    data = some_bytes(SIZE)
    hub.add(REPO, {"m-Q8_0.gguf": data})
    hub.faults.statuses = [
        ("/api/", 503, {}),
        ("/resolve/", 500, {}),
        ("/files/", 429, {"Retry-After": "1"}),
        ("/files/", 502, {}),
    ]
    start = time.monotonic()
    assert pathlib.Path(pull(here, REPO)["path"]).read_bytes() == data
    assert time.monotonic() - start > 1
    assert not hub.faults.statuses


def test_failures_that_stay_end(here, hub):
    hub.add(REPO, {"m-Q8_0.gguf": some_bytes(SIZE)})
    hub.faults.statuses = [("/api/", 503, {})] * 9
    assert "503" in error_of(here, REPO, code=4, timeout=30)["got"]
    hub.faults.statuses = [("/files/", 429, {"Retry-After": "3600"})]
    start = time.monotonic()
    error = error_of(here, REPO, code=4)
    assert "3600" in error["hint"] and time.monotonic() - start < 5


def test_a_server_that_is_not_there(here, hub):
    error = error_of(here, REPO, code=4, HF_ENDPOINT="http://127.0.0.1:1", timeout=30)
    assert "127.0.0.1:1" in error["where"]


def test_a_trickle_is_cut(here, hub):
    hub.add(REPO, {"m-Q8_0.gguf": some_bytes(SIZE)})
    hub.faults.pause, hub.faults.piece = 0.2, 1
    start = time.monotonic()
    error_of(here, REPO, code=4, HF_HUB_DOWNLOAD_TIMEOUT=1, timeout=60)
    assert time.monotonic() - start < 40


@pytest.mark.parametrize(
    "location, word",
    [
        ("file:///etc/passwd", "file:"),
        ("ftp://127.0.0.1/x", "ftp:"),
        ("gopher://127.0.0.1/x", "gopher:"),
        ("/owner/some-model/resolve/main/m-Q8_0.gguf", "redirects"),
    ],
)
def test_redirects_that_are_refused(here, hub, location, word):
    hub.add(REPO, {"m-Q8_0.gguf": some_bytes(SIZE)})
    hub.faults.location = location
    error = error_of(here, REPO, code=3)
    assert word in error["got"] + error["expected"]
    assert len(hub.requests("hub", part="/resolve/")) <= 12


# Leave to read.


def test_the_token_goes_to_the_hub_and_nowhere_else(here, hub, home):
    hub.add(REPO, {"m-Q8_0.gguf": some_bytes(SIZE)}, token=TOKEN)
    error = error_of(here, REPO, code=4)
    assert "HF_TOKEN" in error["hint"] and "private" in error["got"]
    pull(here, REPO, HF_TOKEN=TOKEN)
    assert all(r.headers.get("Authorization") == f"Bearer {TOKEN}" for r in hub.requests("hub")[1:])
    assert hub.requests("cdn")
    assert not any("Authorization" in r.headers for r in hub.requests("cdn"))


def test_the_token_of_a_file(here, hub, home, tmp_path):
    hub.add(REPO, {"m-Q8_0.gguf": some_bytes(SIZE)}, token=TOKEN)
    home.mkdir()
    (home / "token").write_text(TOKEN + "\n")
    pull(here, REPO)
    (home / "token").unlink()
    shutil.rmtree(home / "hub")
    (tmp_path / "elsewhere").write_text(TOKEN)
    pull(here, REPO, HF_TOKEN_PATH=tmp_path / "elsewhere")


def test_a_token_that_would_break_out_of_its_header(here, hub):
    error = error_of(here, REPO, code=4, HF_TOKEN=TOKEN + "\r\nX-Evil: 1")
    assert error["where"] == "HF_TOKEN" and not hub.log


def test_a_wrong_token_is_said(here, hub):
    hub.add(REPO, {"m-Q8_0.gguf": some_bytes(SIZE)}, token="hf_other")
    error_of(here, REPO, code=4, HF_TOKEN=TOKEN)


def test_a_gated_repository_names_its_page(here, hub):
    hub.add(REPO, {"m-Q8_0.gguf": some_bytes(SIZE)}, gated=True)
    error = error_of(here, REPO, code=4)
    assert "gated" in error["got"] and f"{hub.endpoint}/{REPO}" in error["hint"]


def test_what_is_not_there(here, hub):
    repo = hub.add(REPO, {"m-Q8_0.gguf": some_bytes(SIZE), "m-Q4_0.gguf": some_bytes(SIZE)})
    repo.revisions["experiment"] = repo.commit
    error = error_of(here, "owner/no-such", code=4, HF_TOKEN=TOKEN)
    assert error["expected"] == "a repository"
    error = error_of(here, REPO + "@experimant", code=4)
    assert "revision" in error["expected"] and "experiment" in error["hint"]
    error = error_of(here, f"{REPO}/m-Q8.gguf", code=4)
    assert error["hint"].startswith("m-Q8_0.gguf")


@pytest.mark.parametrize("name", ["", "owner", "../x/y", "hf:a/../b", "hf:a/b:", "a/b@../c", "hf:a/b/../../c.gguf", "a/b c"])
def test_names_that_are_none(here, hub, name):
    error_of(here, name, code=2)
    assert not hub.log


# Hostile answers.


@pytest.mark.parametrize(
    "name",
    [
        "../evil.gguf",
        "/tmp/evil.gguf",
        "a/../../evil.gguf",
        "..\\evil.gguf",
        "a//evil.gguf",
        "./evil.gguf",
        "C:/evil.gguf",
        "file:///evil.gguf",
        "evil\n.gguf",
        "",
        "x" * 300 + ".gguf",
    ],
)
def test_hostile_names(here, hub, home, name):
    hub.add(REPO, {"m-Q8_0.gguf": some_bytes(SIZE)})
    hub.faults.siblings = [{"rfilename": name, "size": 5, "blobId": "0" * 40}]
    error_of(here, REPO, code=3)
    assert not hub.requests("cdn") and not home.exists()


@pytest.mark.parametrize(
    "entry",
    [
        {"size": 5, "blobId": "../../evil"},
        {"size": 5, "blobId": ""},
        {"size": 5},
        {"size": -1, "blobId": "0" * 40},
        {"size": 2**45, "blobId": "0" * 40},
        {"size": 1.5, "blobId": "0" * 40},
        {"size": 5, "blobId": "0" * 40, "lfs": {"sha256": "/etc/passwd", "size": 5}},
        {"size": 5, "blobId": "0" * 40, "lfs": {"sha256": "0" * 64, "size": "5"}},
    ],
)
def test_hostile_entries(here, hub, home, entry):
    hub.add(REPO, {"m-Q8_0.gguf": some_bytes(SIZE)})
    hub.faults.siblings = [{"rfilename": "x.gguf", **entry}]
    error_of(here, REPO, code=3)
    assert not hub.requests("cdn") and not home.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"<html>",
        b'{"sha": "main", "siblings": []}',
        b'{"sha": "../../x", "siblings": []}',
        b'{"sha": "%s", "siblings": 3}' % (b"0" * 40),
        b"[" * 100_000,
        b'{"sha": "%s", "siblings": [%s]}' % (b"0" * 40, b",".join([b"{}"] * 3_500_000)),
        b'"' + b"x" * 10_000_000 + b'"',
    ],
    ids=["empty", "list", "object", "html", "no commit", "path", "number", "deep", "10 MB", "10 MB text"],
)
def test_answers_that_are_none(here, hub, body):
    hub.add(REPO, {})
    hub.faults.api_body = body
    start = time.monotonic()
    error = error_of(here, REPO, code=3)
    assert time.monotonic() - start < 10
    assert ("8 MiB" in error["expected"]) == (len(body) > 8 << 20)


def test_a_file_twice(here, hub):
    hub.add(REPO, {"m-Q8_0.gguf": some_bytes(SIZE)})
    hub.faults.siblings = list(hub.repos[REPO].siblings())
    assert "twice" in error_of(here, REPO, code=3)["got"]


def test_room_is_looked_at_first(here, hub):
    hub.add(REPO, {})
    hub.faults.siblings = [
        {"rfilename": f"x-{i:05}-of-00064.gguf", "lfs": {"sha256": f"{i:064}", "size": 2**44}} for i in range(1, 65)
    ]
    error = error_of(here, REPO, code=4)
    assert str(2**50) in error["expected"] and int(error["got"]) < 2**50
    assert not hub.requests(part="/resolve/")


def test_a_folder_that_cannot_be_written(here, hub, home):
    hub.add(REPO, {"m-Q8_0.gguf": some_bytes(SIZE)})
    home.parent.mkdir(exist_ok=True)
    home.write_text("a file")
    error_of(here, REPO, code=4)


# Offline, proxies, and a machine without libcurl.


@pytest.mark.parametrize("way", [{"HF_HUB_OFFLINE": "1"}, {"TRANSFORMERS_OFFLINE": "yes"}, {}])
def test_offline_makes_no_request(here, hub, way):
    hub.add(REPO, {"m-Q8_0.gguf": some_bytes(SIZE)})
    words = [] if way else ["--offline"]
    assert "brisk pull" in error_of(here, REPO, *words, code=4, **way)["hint"]
    assert not hub.log
    path = pull(here, REPO)["path"]
    hub.log.clear()
    assert pull(here, REPO, *words, **way)["path"] == path
    assert not hub.log


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_a_proxy(here, hub, variable):
    hub.add(REPO, {"m-Q8_0.gguf": some_bytes(SIZE)})
    with Proxy() as proxy:
        pull(here, REPO, **{variable: proxy.address})
        assert len(proxy.seen) == 3 and len(hub.log) == 3
        proxy.seen.clear()
        pull(here, REPO, **{variable: proxy.address, "NO_PROXY": "127.0.0.1,localhost"})
        assert not proxy.seen


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of 127.0.0.1 that nobody signed but itself, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    files = folder / "certificate.pem", folder / "key.pem"
    name = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-out", files[0], "-keyout", files[1], *name]
    subprocess.run(command, check=True, capture_output=True)
    return files


def test_tls_is_checked_and_never_left(here, certificate):
    with HubServer(certificate) as hub:
        hub.add(REPO, {"small-Q8_0.gguf": b"few bytes", "large-Q4_0.gguf": some_bytes(SIZE)})
        way = {"HF_ENDPOINT": hub.endpoint, "SSL_CERT_FILE": certificate[0]}
        assert "ca-certificates" in error_of(here, REPO, code=4, HF_ENDPOINT=hub.endpoint, timeout=30)["hint"]
        assert pathlib.Path(pull(here, REPO + ":Q8_0", **way)["path"]).read_bytes() == b"few bytes"
        # The CDN of this server speaks plain HTTP.
        error = error_of(here, REPO + ":Q4_0", code=3, **way)
        assert error["expected"] == "a redirect to https" and not hub.requests("cdn")


def test_without_libcurl(here, hub, tmp_path):
    for name in ("libcurl.so.4", "libcurl-gnutls.so.4"):
        (tmp_path / name).write_bytes(b"no library")
    error = error_of(here, REPO, code=4, LD_LIBRARY_PATH=tmp_path)
    assert "libcurl" in error["expected"] and "apt install" in error["hint"]
    here.ok("version", LD_LIBRARY_PATH=tmp_path)


# Interrupts, two at once.


def slow(hub, seconds=3.0, size=SIZE):
    hub.faults.piece = 1 << 14
    hub.faults.pause = seconds / (size / hub.faults.piece)


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def has_partial(home, least=1):
    return any(p.stat().st_size >= least for p in home.rglob("*.incomplete"))


def test_ctrl_c_keeps_what_came(here, hub, home):
    data = some_bytes(SIZE)
    hub.add(REPO, {"m-Q8_0.gguf": data})
    slow(hub, 20)
    process = here.start("pull", REPO)
    wait_until(lambda: has_partial(home, 50_000))
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130 and time.monotonic() - start < 2
    assert b"goes on from there" in err
    hub.faults.pause = 0
    hub.log.clear()
    result = pull(here, REPO)
    assert pathlib.Path(result["path"]).read_bytes() == data
    assert result["fetched"] < len(data) - 40_000
    assert "Range" in hub.requests("cdn")[0].headers


def test_killed_at_random_moments(here, hub, home):
    data, second = some_bytes(3 * SIZE, 3), some_bytes(SIZE, 4)
    names = ["m-Q8_0-00001-of-00002.gguf", "m-Q8_0-00002-of-00002.gguf"]
    hub.add(REPO, dict(zip(names, (data, second))))
    slow(hub, 4, 3 * SIZE)
    seed = random.randrange(1 << 32)
    print("seed", seed)
    moments = random.Random(seed)
    kept = 0
    for count in range(24):
        process = here.start("pull", REPO)
        # Later and later on a machine so busy that nothing has come yet.
        patience = 1 if kept or count < 8 else min(2 ** (count - 7), 32)
        time.sleep(moments.uniform(0.005, 0.35) * patience)
        process.kill()
        process.communicate(timeout=20)
        # At no moment is there a file under a final name that is not whole.
        for blob in cache_of(home).glob("blobs/*"):
            content = blob.read_bytes()
            whole = data if blob.name.startswith(sha256(data)) else second
            assert content == whole[: len(content)]
            assert blob.name.endswith(".incomplete") or content == whole
        assert bool(list(cache_of(home).glob("snapshots/*/*"))) <= (not leftovers(home))
        kept = max(kept, sum(p.stat().st_size for p in cache_of(home).glob("blobs/*")))
    hub.faults.pause = 0
    result = pull(here, REPO)
    assert pathlib.Path(result["path"]).read_bytes() == data
    assert kept > 0 and result["fetched"] <= len(data) + len(second) - kept
    assert not leftovers(home)


def test_two_at_once_fetch_once(here, hub, home):
    data = some_bytes(SIZE)
    hub.add(REPO, {"m-Q8_0.gguf": data})
    slow(hub, 2)
    processes = [here.start("pull", REPO, "--json") for _ in range(3)]
    results = [p.communicate(timeout=60) for p in processes]
    assert [p.returncode for p in processes] == [0, 0, 0], results
    assert len(hub.requests("cdn")) == 1
    path = {json.loads(out)["path"] for out, _ in results}
    assert len(path) == 1 and pathlib.Path(path.pop()).read_bytes() == data


def test_the_second_takes_over_from_a_killed_one(here, hub, home):
    data = some_bytes(SIZE)
    hub.add(REPO, {"m-Q8_0.gguf": data})
    slow(hub, 6)
    first = here.start("pull", REPO)
    wait_until(lambda: has_partial(home, 100_000))
    second = here.start("pull", REPO, "--json")
    time.sleep(0.3)
    first.kill()
    first.communicate(timeout=20)
    hub.faults.pause = 0
    out, err = second.communicate(timeout=60)
    assert second.returncode == 0, err
    assert json.loads(out)["fetched"] < len(data)
    assert pathlib.Path(json.loads(out)["path"]).read_bytes() == data


# -hf.


def test_hf_pulls_what_is_missing_and_runs(here, hub, model):
    data = pathlib.Path(model).read_bytes()
    hub.add(REPO, {"some-Q4_1.gguf": data})
    words = ["run", "-hf", REPO + ":q4_1", "-p", "Hello", "-n", 2, "--temp", 0, "--json"]
    refused = here(*words, "--offline")
    assert refused.code == 4 and "brisk pull" in refused.error()["hint"] and not hub.log
    first = here.ok(*words).json()
    hub.log.clear()
    assert here.ok(*words).json()["text"] == first["text"]
    assert here.ok(*words, "--offline").json()["text"] == first["text"]
    assert here.ok("run", REPO, *words[3:]).json()["text"] == first["text"]
    assert here.ok("run", f"hf:{REPO}:Q4_1", *words[3:]).json()["text"] == first["text"]
    assert not hub.log


@pytest.mark.parametrize("verb", ["run", "chat", "bench", "score", "eval"])
def test_the_model_is_given_once(here, hub, verb):
    words = {"run": ["model.gguf", "-p", "x"], "chat": ["-m", "model.gguf"]}.get(verb, ["model.gguf"])
    result = here(verb, *words, "-hf", REPO)
    assert result.code == 2 and "the model once" in result.err
    assert not hub.log
