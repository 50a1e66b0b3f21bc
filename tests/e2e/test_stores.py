"""The stores of other tools: their models are listed, used in place, and removed only where that is ours to do."""

import hashlib
import json
import os
import pathlib
import shutil

import pytest
from hub_server import sha256, some_bytes
from terminal import Terminal

REPO = "owner/some-model"
COMMIT = "c" * 40
OTHER_COMMIT = "d" * 40


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def here(brisk, home):
    """The binary with a home folder of the test, so that only the test's stores exist."""
    outer = brisk.environment

    def environment(**variables):
        kept = {k: v for k, v in outer().items() if not k.startswith(("HF_", "OLLAMA_"))}
        own = {"HOME": str(home), "HF_HOME": str(home / "hf")}
        return kept | own | {k: str(v) for k, v in variables.items()}

    brisk.environment = environment
    return brisk


class HubCache:
    """Writes the cache of Hugging Face's tools by hand."""

    def __init__(self, home, repo=REPO):
        self.folder = home / "hf/hub" / ("models--" + repo.replace("/", "--"))
        (self.folder / "blobs").mkdir(parents=True)

    def put(self, name, data, commit=COMMIT):
        blob = self.folder / "blobs" / sha256(data)
        blob.write_bytes(data)
        path = self.folder / "snapshots" / commit / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(os.path.relpath(blob, path.parent))
        return path

    def main(self, commit=COMMIT):
        (self.folder / "refs").mkdir(exist_ok=True)
        (self.folder / "refs/main").write_text(commit)
        return self


class Ollama:
    def __init__(self, folder):
        self.folder = folder
        (folder / "blobs").mkdir(parents=True)

    def put(self, name, data):
        blob = self.folder / "blobs" / f"sha256-{sha256(data)}"
        blob.write_bytes(data)
        self.manifest(name, f"sha256:{sha256(data)}", len(data))
        return blob

    def manifest(self, name, digest, size=5, kind="application/vnd.ollama.image.model"):
        layers = [
            {"mediaType": "application/vnd.ollama.image.template", "digest": "sha256:" + "0" * 64, "size": 3},
            {"mediaType": kind, "digest": digest, "size": size},
        ]
        self.raw(name, json.dumps({"schemaVersion": 2, "layers": layers}))

    def raw(self, name, text):
        path = self.folder / "manifests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def ollama(home):
    return Ollama(home / ".ollama/models")


def listed(here, **more):
    result = here.ok("list", "--json", **more).json()
    return {m["name"]: m for m in result["models"]}, result["warnings"]


# All stores.


def test_every_store_is_listed_with_names_that_can_be_typed(here, home, ollama, model):
    cache = HubCache(home).main()
    hub_path = cache.put("m-Q4_0.gguf", some_bytes(3000))
    ollama_path = ollama.put("registry.ollama.ai/library/llama3.2/1b", some_bytes(4000))
    studio = home / ".lmstudio/models/pub/repo/file-Q8_0.gguf"
    own = home.parent / "cache/brisk/models/mine.gguf"
    for path in (studio, own):
        path.parent.mkdir(parents=True)
        shutil.copyfile(model, path)
    models, warnings = listed(here)
    assert not warnings
    assert {(n, m["store"], m["path"], m["bytes"]) for n, m in models.items()} == {
        (f"hf:{REPO}:Q4_0", "Hugging Face", str(hub_path), 3000),
        ("ollama:llama3.2:1b", "Ollama", str(ollama_path), 4000),
        ("lmstudio:pub/repo/file-Q8_0", "LM Studio", str(studio), studio.stat().st_size),
        ("mine", "Brisk", str(own), own.stat().st_size),
    }
    text = here.ok("list").out
    for name, entry in models.items():
        assert name in text and entry["store"] in text
    for name in ("lmstudio:pub/repo/file-Q8_0", "lmstudio:pub/repo/file-Q8_0.gguf", "mine", "mine.gguf"):
        assert here.ok("tokenize", name, "-p", "Hello", "--json").json()["ids"]


def test_a_model_of_ollama_runs_in_place(here, ollama, model):
    ollama.put("registry.ollama.ai/library/smollm/latest", pathlib.Path(model).read_bytes())
    ollama.put("hf.co/owner/repo/Q8_0", some_bytes(3000))
    ollama.put("registry.ollama.ai/someone/theirs/7b", some_bytes(3000))
    models, _ = listed(here)
    assert sorted(models) == ["ollama:hf.co/owner/repo:Q8_0", "ollama:smollm:latest", "ollama:someone/theirs:7b"]
    for name in ("ollama:smollm", "ollama:smollm:latest"):
        assert here.ok("run", name, "-p", "Hello", "-n", 1, "--json").json()["tokens"]
    missing = here("run", "ollama:smolm", "-p", "x", "--json")
    assert missing.code == 4 and "ollama:smollm:latest" in missing.error()["hint"]


def test_folders_of_the_stores_by_variables(here, home, tmp_path):
    elsewhere = Ollama(tmp_path / "elsewhere")
    elsewhere.put("registry.ollama.ai/library/a/b", some_bytes(3000))
    HubCache(home).main().put("m-Q4_0.gguf", some_bytes(3000))
    models, _ = listed(here, OLLAMA_MODELS=elsewhere.folder)
    assert set(models) == {"ollama:a:b", f"hf:{REPO}:Q4_0"}
    models, _ = listed(here, HF_HUB_CACHE=tmp_path / "none")
    assert set(models) == set()
    models, _ = listed(here, HF_HOME="", XDG_CACHE_HOME=tmp_path, HF_HUB_CACHE=home / "hf/hub")
    assert set(models) == {f"hf:{REPO}:Q4_0"}


def test_lm_studio_of_older_and_newer_versions(here, home, tmp_path):
    for folder in (home / ".cache/lm-studio/models", tmp_path / "pointed/models"):
        (folder / "pub/repo").mkdir(parents=True)
    (home / ".cache/lm-studio/models/pub/repo/old.gguf").write_bytes(b"x")
    (tmp_path / "pointed/models/pub/repo/new.gguf").write_bytes(b"x")
    mlx = tmp_path / "pointed/models/pub/mlx"
    mlx.mkdir()
    (mlx / "config.json").write_text("{}")
    (mlx / "model.safetensors").write_bytes(b"12345678")
    (home / ".lmstudio-home-pointer").write_text(str(tmp_path / "pointed"))
    models, _ = listed(here)
    assert set(models) == {"lmstudio:pub/repo/old", "lmstudio:pub/repo/new", "lmstudio:pub/mlx"}
    assert models["lmstudio:pub/mlx"]["path"] == str(mlx) and models["lmstudio:pub/mlx"]["bytes"] == 10


def test_the_cache_of_hugging_face(here, home):
    cache = HubCache(home).main()
    cache.put("m-Q4_0.gguf", some_bytes(3000))
    cache.put("m-Q8_0.gguf", some_bytes(3000, 1), OTHER_COMMIT)
    cache.put("deep/a-f16-00001-of-00002.gguf", some_bytes(3000, 2))
    cache.put("deep/a-f16-00002-of-00002.gguf", some_bytes(3000, 3))
    cache.put("half-Q2_K-00001-of-00002.gguf", some_bytes(3000, 4))
    cache.put("mmproj-f16.gguf", some_bytes(3000, 5))
    folder = HubCache(home, "owner/folder").main()
    folder.put("config.json", b"{}")
    folder.put("model.safetensors", some_bytes(2000))
    HubCache(home, "gpt2").main().put("m-f32.gguf", some_bytes(2000))
    (home / "hf/hub/datasets--a--b/blobs").mkdir(parents=True)
    models, warnings = listed(here)
    assert set(models) == {f"hf:{REPO}:Q4_0", f"hf:{REPO}:Q8_0", f"hf:{REPO}:F16", "hf:owner/folder", "hf:gpt2:F32"}
    assert models[f"hf:{REPO}:F16"]["bytes"] == 6000
    assert len(warnings) == 1 and "1 of 2 parts" in warnings[0]


def test_half_a_folder_is_not_taken_for_a_model(here, home):
    cache = HubCache(home).main()
    cache.put("config.json", b"{}")
    cache.put("model-00001-of-00002.safetensors", some_bytes(2000))
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    cache.put("model.safetensors.index.json", json.dumps({"weight_map": shards}).encode())
    result = here("run", f"hf:{REPO}", "-p", "x", "--json")
    assert result.code == 4 and "model-00002" in result.error()["got"]
    models, warnings = listed(here)
    assert not models
    assert len(warnings) == 1 and f"hf:{REPO}: no 'model-00002" in warnings[0]
    cache.put("model-00002-of-00002.safetensors", some_bytes(2000, 1))
    models, warnings = listed(here)
    assert set(models) == {f"hf:{REPO}"} and not warnings


def test_an_index_that_is_no_json_is_not_listed(here, home):
    cache = HubCache(home).main()
    cache.put("config.json", b"{}")
    cache.put("model.safetensors", some_bytes(2000))
    cache.put("model.safetensors.index.json", b"{")
    models, warnings = listed(here)
    assert not models and len(warnings) == 1 and REPO in warnings[0]


@pytest.mark.parametrize("way", [{"HF_HUB_OFFLINE": "1"}, {"TRANSFORMERS_OFFLINE": "1"}, {}])
def test_offline_errors_say_so(here, home, way):
    cache = HubCache(home).main()
    cache.put("half-Q2_K-00001-of-00002.gguf", some_bytes(3000))
    words = [] if way else ["--offline"]
    for name in (REPO, "owner/none"):
        for line in (["pull", name], ["run", "-p", "x", "-hf", name]):
            error = here(*line, *words, "--json", **way).error()
            assert "offline mode is on" in error["got"] and "without offline mode" in error["hint"]
    assert ("offline" in here("run", f"hf:{REPO}", "-p", "x", **way).err) == bool(way)


@pytest.mark.parametrize(
    "typed", ["HF:Owner/Some-Model:q4_0", "some-modle", "OWNER/some-modl", "owner/some-model:Q4_1", "SmolLM2", "smollm"]
)
def test_the_nearest_name_of_any_store(here, home, ollama, typed):
    HubCache(home).main().put("m-Q4_0.gguf", some_bytes(3000))
    ollama.put("registry.ollama.ai/library/smollm2/latest", some_bytes(3000))
    near = "ollama:smollm2:latest" if typed.lower().startswith("smol") else f"{REPO}:Q4_0"
    error = here("run", typed, "-p", "x", "--json")
    assert error.code == 4 and near.removeprefix(f"{REPO}:") in error.error()["hint"] + error.error()["got"]


def test_models_by_option_as_by_word(here, home, model, tmp_path):
    HubCache(home).main().put("m-Q4_1.gguf", pathlib.Path(model).read_bytes())
    messages = tmp_path / "messages.json"
    messages.write_text('[{"role": "user", "content": "Hi"}]')
    for verb, *rest in (
        ("tokenize", "-p", "Hello"),
        ("detokenize", "--ids", "1,2"),
        ("template", "--messages", messages),
    ):
        by_word = here.ok(verb, model, *rest).out
        assert by_word == here.ok(verb, "-m", model, *rest).out
        assert by_word == here.ok(verb, "-hf", f"{REPO}:Q4_1", "--offline", *rest).out
        assert "the model once" in here(verb, model, "-m", model, *rest).err
        assert here(verb, *rest).code == 2


def test_show_names_a_model_without_a_name(here, home, tmp_path):
    folder = tmp_path / "nameless"
    folder.mkdir()
    sizes = ("num_hidden_layers", "hidden_size", "intermediate_size", "max_position_embeddings", "vocab_size")
    config = {"architectures": ["LlamaForCausalLM"], "num_attention_heads": 1, "tie_word_embeddings": True}
    (folder / "config.json").write_text(json.dumps(config | dict.fromkeys(sizes, 8)))
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    data = len(header).to_bytes(8, "little") + header + b"\0" * 4
    (folder / "model.safetensors").write_bytes(data)
    shown = here.ok("show", folder).out
    assert "nameless" in [line.split()[-1] for line in shown.splitlines() if line.startswith("Name")]


def test_blobs_that_repositories_share(here, home, model):
    """Newer tools keep such a blob in blobs/ of the whole cache."""
    cache = HubCache(home).main()
    digest = hashlib.sha256(pathlib.Path(model).read_bytes()).hexdigest()
    shared = home / "hf/hub/blobs" / digest[:2] / digest
    shared.parent.mkdir(parents=True)
    shutil.copyfile(model, shared)
    (cache.folder / "blobs" / digest).symlink_to(os.path.relpath(shared, cache.folder / "blobs"))
    link = cache.folder / "snapshots" / COMMIT / "m-Q4_1.gguf"
    link.parent.mkdir(parents=True)
    link.symlink_to(f"../../blobs/{digest}")
    models, warnings = listed(here)
    assert models[f"hf:{REPO}:Q4_1"]["bytes"] == shared.stat().st_size and not warnings
    assert here.ok("tokenize", REPO, "-p", "Hello", "--json").json()["ids"]
    removed = here.ok("rm", f"hf:{REPO}:Q4_1", "-y", "--json").json()
    assert removed["bytes"] == 0 and shared.exists()


# Hostile stores.


@pytest.mark.parametrize(
    "digest",
    [
        "sha256:../../../../etc/passwd",
        "../../secret",
        "/etc/passwd",
        "sha256:" + "g" * 64,
        "sha256:" + "0" * 63,
        "sha256:" + "0" * 64 + "/../x",
        "",
        "md5:" + "0" * 64,
    ],
)
def test_a_digest_is_never_a_path(here, home, ollama, digest):
    (home / ".ollama/secret").write_text("secret")
    ollama.manifest("registry.ollama.ai/library/evil/latest", digest)
    ollama.put("registry.ollama.ai/library/good/latest", some_bytes(3000))
    models, warnings = listed(here)
    assert set(models) == {"ollama:good:latest"}
    assert len(warnings) == 1 and "evil" in warnings[0]
    assert "warning: left out: ollama:evil:latest" in here.ok("list").err
    refused = here("run", "ollama:evil", "-p", "x", "--json")
    assert refused.code == 3 and "digest" in refused.error()["got"]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", '{"layers": 1}', '{"layers": [1, [], {}]}', "[" * 100_000, '{"layers": ["%s"]}' % ("x" * 10_000_000)],
    ids=["empty", "list", "object", "null", "number", "odd layers", "deep", "10 MB"],
)
def test_manifests_that_are_none(here, ollama, text):
    ollama.raw("registry.ollama.ai/library/evil/latest", text)
    models, warnings = listed(here)
    assert not models and len(warnings) == 1
    assert here("run", "ollama:evil", "-p", "x").code == 3


def test_links_that_lead_out_of_a_store(here, home, ollama, tmp_path):
    outside = tmp_path / "outside.gguf"
    outside.write_bytes(some_bytes(3000))
    blob = ollama.folder / "blobs" / ("sha256-" + "a" * 64)
    blob.symlink_to(outside)
    ollama.manifest("registry.ollama.ai/library/out/latest", "sha256:" + "a" * 64)
    studio = home / ".lmstudio/models/pub/repo"
    studio.mkdir(parents=True)
    (studio / "out.gguf").symlink_to(outside)
    (studio / "nowhere.gguf").symlink_to("none")
    cache = HubCache(home).main()
    snapshot = cache.folder / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (snapshot / "out-Q4_0.gguf").symlink_to(outside)
    models, warnings = listed(here)
    assert not models and len(warnings) == 4
    for name in ("ollama:out", "lmstudio:pub/repo/out", f"hf:{REPO}"):
        assert here("run", name, "-p", "x").code in (3, 4)


def test_names_in_a_store_are_escaped(here, home):
    folder = home / ".lmstudio/models/pub/repo"
    folder.mkdir(parents=True)
    (folder / "a\x1b[31mred.gguf").write_bytes(b"x")
    assert "\x1b" not in here.ok("list").out
    assert "\\x1b[31mred" in here.ok("list").out


def test_a_ref_that_is_no_commit(here, home):
    cache = HubCache(home)
    cache.put("m-Q4_0.gguf", some_bytes(3000))
    cache.main("../../../../etc")
    models, _ = listed(here)
    assert set(models) == {f"hf:{REPO}:Q4_0"}
    assert here("pull", f"hf:{REPO}@other", "--offline").code == 4


# rm.


def test_rm_of_one_model_keeps_what_others_need(here, home):
    cache = HubCache(home).main()
    one = cache.put("m-Q4_0.gguf", some_bytes(3000))
    two = cache.put("m-Q8_0.gguf", some_bytes(4000, 1))
    same = cache.put("copy/other-f16.gguf", some_bytes(4000, 1), OTHER_COMMIT)
    refused = here("rm", f"hf:{REPO}:Q4_0", "--json")
    assert refused.code == 2 and "-y" in refused.error()["hint"] and one.exists()
    assert here.ok("rm", f"hf:{REPO}:Q4_0", "-y", "--json").json()["bytes"] == 3000
    assert not one.is_symlink() and two.exists()
    # Its blob has a second link.
    assert here.ok("rm", f"hf:{REPO}:Q8_0", "-y", "--json").json()["bytes"] == 0
    assert not two.is_symlink() and same.exists()
    rest = len((cache.folder / "refs/main").read_text())
    assert here.ok("rm", REPO, "-y", "--json").json()["bytes"] == 4000 + rest
    assert not cache.folder.exists()
    assert here("rm", f"hf:{REPO}", "-y").code == 4


def test_rm_refuses_a_revision(here, home):
    """It once took the name for the whole repository and removed all of it."""
    path = HubCache(home).main().put("m-Q4_0.gguf", some_bytes(3000))
    for name in (f"hf:{REPO}@none", f"{REPO}@{COMMIT}", f"hf:{REPO}:Q4_0@v1", f"https://huggingface.co/{REPO}/tree/v1"):
        refused = here("rm", name, "-y", "--json")
        assert refused.code == 2 and "revision" in refused.error()["got"]
        assert path.exists()
    here.ok("rm", f"hf:{REPO}@main", "-y")
    assert not path.exists()


def test_rm_does_not_follow_links(here, home, tmp_path):
    cache = HubCache(home).main()
    cache.put("m-Q4_0.gguf", some_bytes(3000))
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("mine")
    (cache.folder / "snapshots" / COMMIT / "folder").symlink_to(outside)
    here.ok("rm", f"hf:{REPO}", "-y")
    assert (outside / "file").read_text() == "mine"
    (home / "hf/hub/models--owner--linked").symlink_to(outside)
    assert here("rm", "hf:owner/linked", "-y").code == 4
    assert (outside / "file").read_text() == "mine"


def test_rm_of_own_models(here, home):
    folder = home.parent / "cache/brisk/models"
    folder.mkdir(parents=True)
    for name in ("mine.gguf", "big-00001-of-00002.gguf", "big-00002-of-00002.gguf", "stays.gguf"):
        (folder / name).write_bytes(b"12345")
    assert here.ok("rm", "big", "-y", "--json").json()["bytes"] == 10
    here.ok("rm", "mine.gguf", "-y")
    assert [p.name for p in folder.iterdir()] == ["stays.gguf"]
    for name in ("nothing", "../models/stays", str(folder / "stays.gguf")):
        assert here("rm", name, "-y").code in (2, 4)
    assert [p.name for p in folder.iterdir()] == ["stays.gguf"]


def test_rm_leaves_the_stores_of_others_to_them(here, ollama):
    blob = ollama.put("registry.ollama.ai/library/good/latest", some_bytes(3000))
    error = here("rm", "ollama:good", "-y", "--json")
    assert error.code == 2 and "ollama rm good" in error.error()["hint"]
    error = here("rm", "lmstudio:pub/repo/file", "-y", "--json")
    assert error.code == 2 and "LM Studio" in error.error()["hint"]
    assert blob.exists()


@pytest.mark.parametrize("answer, stays", [("y", False), ("n", True), ("", True)])
def test_rm_asks(here, home, binary, answer, stays):
    path = HubCache(home).main().put("m-Q4_0.gguf", some_bytes(3000))
    terminal = Terminal([binary, "rm", f"hf:{REPO}:Q4_0"], here.environment())
    try:
        terminal.wait_for("[y/N] ")
        terminal.type(answer + "\n")
        assert (terminal.wait_exit() != 0) == stays
    finally:
        terminal.close()
    assert path.exists() == stays
