"""Rows 20 to 30 of the catalogue: safetensors files, indexes, and the folders that hold them."""

import itertools
import json
import os
import struct

import models
from harness import BAD_INPUT, EITHER, ENVIRONMENT, Case, rng
from models import dump, tiny_folder, with_header

SHOW = ["show", "{dir}/m"]
RUN = ["run", "{dir}/m", "-n", "1", "-p", "x"]
GONE = (BAD_INPUT, ENVIRONMENT)  # a file that is missing, or no file


def in_folder(files):
    return {"m/" + name: content for name, content in files.items() if content is not None}


def cases_of(name, files, verbs=(SHOW, RUN), **more):
    """One case for each verb with the tiny folder, `files` in place of its own; None leaves one out."""
    contents = in_folder(tiny_folder() | files)
    for i, words in enumerate(verbs):
        form = ["--json"] if (len(name) + i) % 2 else []
        yield Case(f"{name} ({words[0]})", words + form, contents, **more)


def bad_weights(name, content, says=("model.safetensors",), **more):
    return cases_of(name, {"model.safetensors": content}, says=says, **more)


def good_header():
    content = tiny_folder()["model.safetensors"]
    size = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8 : 8 + size]), content[8 + size :]


def changed_header(change):
    """The tiny file with its header after change(header), unless that returns bytes to stand there."""
    header, data = good_header()
    given = change(header)
    return with_header(given if isinstance(given, bytes) else json.dumps(header).encode(), data)


NORM = "model.norm.weight"


def with_entry(**fields):
    return changed_header(lambda h: h[NORM].update(fields))


def test_the_tiny_folder_works(catalogue):
    catalogue.check(*cases_of("as it is", {}, codes=(0,)))


def test_row_20_header_lengths(catalogue):
    whole = tiny_folder()["model.safetensors"]
    size = len(whole)
    cases = []
    for length in (
        0,
        1,
        7,
        size - 8,
        size,
        size + 1,
        100_000_001,
        2**31,
        2**32,
        2**62,
        2**63,
        2**64 - 1,
        2**64 - 8,
    ):
        cases += bad_weights(f"header of {length}", struct.pack("<Q", length) + whole[8:])
    for content in (
        b"",
        b"\x07",
        bytes(7),
        bytes(8),
        bytes(9),
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 1) + b"{",
    ):
        cases += bad_weights(f"a file of {content!r}", content)
    catalogue.check(*cases)


def test_row_21_headers_that_are_no_json(catalogue):
    header, _ = good_header()
    text = json.dumps(header)
    texts = {
        "BOM": b"\xef\xbb\xbf" + text.encode(), "UTF-16": text.encode("utf-16"),
        "not UTF-8": text.encode().replace(b"norm", b"n\xffrm", 1),
        "surrogate": text.replace("norm", "n\\ud800rm", 1).encode(), "cut": text.encode()[:-1],
        "trailing": text.encode() + b"x",
        "two": text.encode() * 2, "a list": b"[]", "a number": b"1", "null": b"null", "a string": b'"x"',
        "single quotes": b"{'a': 1}",
        "comment": b"/**/" + text.encode(), "NUL": text.encode() + b"\0", "NaN": b'{"a": NaN}',
        "empty": b" " * 8,
        "100,000 brackets": b"[" * 100_000, "100,000 objects": b'{"a":' * 100_000,
        "deep metadata": b'{"__metadata__":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    }  # fmt: skip
    cases = [
        case
        for name, content in texts.items()
        for case in bad_weights(name, changed_header(lambda h: content))
    ]
    catalogue.check(*cases)


def test_row_23_offsets(catalogue):
    header, data = good_header()
    begin, end = header[NORM]["data_offsets"]
    offsets = [
        [end, begin], [begin, len(data) + 1], [begin, 2**53 + 1], [begin, 2**63], [begin, 2**64],
        [begin, 10**30], [begin, end, end],
        [begin], [], [-1, end], [begin, end - 4], [begin, end + 4], [begin + 4, end + 4], [begin, begin],
        [0, end - begin],
        [float(begin), float(end)], [begin, 1e3], ["0", "4"], None, {}, [None, None], [True, False],
        [[begin], [end]],
    ]  # fmt: skip
    cases = []
    for value in offsets:
        cases += bad_weights(f"offsets {value}", with_entry(data_offsets=value), seconds=1)
    cases += bad_weights("a hole at the end", changed_header(lambda h: None) + b"more")
    cases += bad_weights(
        "a hole at the front",
        with_header(json.dumps({"x": {"dtype": "U8", "shape": [1], "data_offsets": [1, 2]}}).encode(), b"ab"),
    )
    cases += bad_weights("an overlap", changed_header(lambda h: h.update(again=dict(h[NORM]))))
    catalogue.check(*cases)


def test_rows_24_and_30_shapes_and_types(catalogue):
    cases = []
    for shape in ([4194305, 4194305, 211106198978564], [2**62, 4], [2**63], [2**64], [2**32, 2**32], [65],
        [63], [-64], [64.0], [64.5],
                  ["64"], "64", None, {}, [[64]], [True] * 64, [2**62, 0, 2**62]):  # fmt: skip
        cases += bad_weights(f"shape {str(shape)[:40]}", with_entry(shape=shape))
    for dtype in ("F33", "f32", "", "FLOAT32", "I128", "Q4_0", 7, None, ["F32"], "F" * 70_000, "\n"):
        cases += bad_weights(f"type {str(dtype)[:10]!r}, {len(str(dtype))}", with_entry(dtype=dtype))
    for key in ("dtype", "shape", "data_offsets"):
        cases += bad_weights(f"without {key}", changed_header(lambda h: h[NORM].pop(key)))
    for metadata in (7, [], "x", {"a": 1}, {"a": None}, {"a": {}}, {"a": ["b"]}):
        cases += bad_weights(
            f"metadata {metadata}", changed_header(lambda h: h.update(__metadata__=metadata))
        )
    for entry in (7, None, "x", []):
        cases += bad_weights(f"tensor is {entry}", changed_header(lambda h: h.update({"x": entry})))
    for dtype, size in (("I64", 8), ("BOOL", 1), ("U8", 1), ("C64", 8)):  # types that hold no weights
        tensors = {**models.folder_tensors(), NORM: ([models.WIDTH], bytes(size * models.WIDTH))}
        content = models.safetensors(tensors, types={NORM: dtype})
        cases += cases_of(f"a norm of {dtype}", {"model.safetensors": content}, verbs=(RUN,), says=("norm",))
    catalogue.check(*cases)


def test_cuts(catalogue):
    whole = tiny_folder()["model.safetensors"]
    header = struct.unpack("<Q", whole[:8])[0] + 8
    random = rng("safetensors cuts")
    places = sorted(
        {
            *range(0, 20),
            *random.sample(range(header), 80),
            header,
            *random.sample(range(header, len(whole)), 60),
            len(whole) - 1,
        }
    )
    verbs = itertools.cycle([(SHOW,), (RUN,)])
    catalogue.check(
        *(case for cut in places for case in bad_weights(f"cut at {cut}", whole[:cut], verbs=next(verbs)))
    )


def test_bytes_changed_at_random(catalogue):
    whole = tiny_folder()["model.safetensors"]
    header = struct.unpack("<Q", whole[:8])[0] + 8
    cases = []
    for i in range(100):
        random = rng("safetensors bytes", i)
        data = bytearray(whole)
        for _ in range(random.choice([1, 1, 2, 6])):
            data[random.randrange(header)] = random.choice(b'{}[]",:0123456789-eE\\\x00\xff ')
        cases += cases_of(f"change {i}", {"model.safetensors": bytes(data)}, verbs=(RUN,), codes=EITHER)
    catalogue.check(*cases)


def test_row_27_many_tensors(catalogue):
    """300,000 tensors of one element each: at most 1 s, and 4 times the header's size in memory."""
    header, data = good_header()
    at = len(data)
    many = {
        f"extra.{i}": {"dtype": "U8", "shape": [1], "data_offsets": [at + i, at + i + 1]}
        for i in range(300_000)
    }
    content = with_header(json.dumps(header | many).encode(), data + bytes(300_000))
    catalogue.check(
        Case(
            "300,000 tensors",
            SHOW,
            in_folder(tiny_folder() | {"model.safetensors": content}),
            (0,),
            seconds=2,
        )
    )


# --- Row 28: indexes and what they name ---

SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


def sharded():
    """The tiny folder in two shards, and the table of its index."""
    tensors = models.folder_tensors()
    names = sorted(tensors)
    halves = names[: len(names) // 2], names[len(names) // 2 :]
    files = {"model.safetensors": None}
    files |= {
        shard: models.safetensors({name: tensors[name] for name in half})
        for shard, half in zip(SHARDS, halves)
    }
    return files, {name: shard for shard, half in zip(SHARDS, halves) for name in half}


def with_index(table, **files):
    shards, _ = sharded()
    index = table if isinstance(table, bytes) else dump({"metadata": {"total_size": 1}, "weight_map": table})
    return shards | {"model.safetensors.index.json": index} | files


def test_row_28_indexes_that_lead_out(catalogue):
    (catalogue.scratch / "outside.safetensors").write_bytes(tiny_folder()["model.safetensors"])
    outside = str(catalogue.scratch / "outside.safetensors")
    names = [
        "../../etc/passwd", "../../../outside.safetensors", outside, "/etc/passwd", "a/../../b.safetensors",
        "./" + "../" * 9 + "etc/passwd",
        "", ".", "..", "a\0b", "~/x.safetensors", "file:///etc/passwd", "..\\..\\etc\\passwd", "C:\\x",
        "/dev/zero", "/proc/self/mem",
        "config.json", "x" * 300, "a/" * 3000 + "b", "\x1b[31m", "missing.safetensors", "m/",
        "model-00001-of-00002.safetensors/",
    ]  # fmt: skip
    _, table = sharded()
    cases = []
    for name in names:
        lying = table | {NORM: name}
        cases += cases_of(f"index to {name[:30]!r}", with_index(lying), codes=GONE)
    for value in (None, 7, ["x"], {"a": "b"}, True):
        cases += cases_of(
            f"index to {value}", with_index(table | {NORM: value}), codes=GONE, says=("index.json",)
        )
    catalogue.check(*cases_of("a good index", with_index(table), codes=(0,)), *cases)


def test_row_28_indexes_that_are_none(catalogue):
    shards, table = sharded()
    text = dump({"weight_map": table})
    contents = {
        "empty": b"", "cut": text[:-20], "a list": b"[]", "no table": b"{}",
        "table is a list": b'{"weight_map": []}',
        "table is empty": b'{"weight_map": {}}', "brackets": b"[" * 100_000, "deep": b'{"a":' * 100_000,
        "latin-1": b'{"weight_map": {"\xe9": "x"}}',
        "20 MB": b'{"weight_map": {' + b",".join(b'"%d": "x"' % i for i in range(1_400_000)) + b"}}",
    }  # fmt: skip
    cases = [
        case for name, content in contents.items() for case in cases_of(name, with_index(content), codes=GONE)
    ]
    for label, change in {
        "a tensor absent from its shard": {"absent.weight": SHARDS[0]},
        "a tensor put into the other shard": {NORM: SHARDS[0] if table[NORM] == SHARDS[1] else SHARDS[1]},
    }.items():
        cases += cases_of(label, with_index(table | change), says=(next(iter(change)),))
    for shard in SHARDS:
        cases += cases_of(f"without {shard}", with_index(table, **{shard: None}), codes=GONE, says=(shard,))
        cases += cases_of(f"{shard} cut", with_index(table, **{shard: shards[shard][:-5]}), says=(shard,))
        cases += cases_of(f"{shard} empty", with_index(table, **{shard: b""}), says=(shard,))
    both = models.safetensors(models.folder_tensors())
    cases += cases_of("every tensor in two shards", with_index(table, **{SHARDS[0]: both}))
    catalogue.check(*cases)


def test_row_28_shards_that_are_no_files(catalogue):
    shards, table = sharded()
    shard = SHARDS[1]
    files = in_folder(tiny_folder() | with_index(table, **{shard: None}))
    (catalogue.scratch / "shard").write_bytes(shards[shard])

    def link(target):
        return lambda folder: (folder / "m" / shard).symlink_to(target)

    makers = {
        "a FIFO": lambda folder: os.mkfifo(folder / "m" / shard),
        "a folder": lambda folder: (folder / "m" / shard).mkdir(),
        "a link out, relative": link("../../../shard"),
        "a link out, absolute": link(catalogue.scratch / "shard"),
        "a link to a device": link("/dev/zero"), "a link to itself": link(shard),
        "a link to nothing": link("nothing"),
        "a link to a folder": link("."),
    }  # fmt: skip
    cases = [
        Case(f"{name} ({words[0]})", words, files, GONE, (shard,), prepare=make)
        for name, make in makers.items()
        for words in (SHOW, RUN)
    ]

    def inside(folder):
        (folder / "m" / "real").write_bytes(shards[shard])
        (folder / "m" / shard).symlink_to("real")

    cases.append(Case("a link that stays inside", RUN, files, (0,), prepare=inside))

    def config_link(folder):
        (folder / "m" / "config.json").unlink()
        (folder / "m" / "config.json").symlink_to("/etc/passwd")

    cases.append(
        Case(
            "config.json is a link out",
            RUN,
            in_folder(tiny_folder()),
            GONE,
            ("config.json",),
            prepare=config_link,
        )
    )
    catalogue.check(*cases)


def test_row_30_pickles(catalogue):
    pickle = b"PK\x03\x04" + b"archive/data.pkl" + b"\x80\x02cos\nsystem\n(S'touch owned'\ntR." + bytes(100)
    cases = []
    for name in ("pytorch_model.bin", "model.pt", "model.pth", "model.ckpt"):
        cases += cases_of(
            f"only {name}", {"model.safetensors": None, name: pickle}, codes=GONE, says=("safetensors",)
        )
        cases += cases_of(f"{name} beside the weights", {name: pickle}, codes=(0,))
    table = {name: "pytorch_model.bin" for name in models.folder_tensors()}
    cases += cases_of("an index to a pickle", with_index(table, **{"pytorch_model.bin": pickle}), codes=GONE)
    for opened in ("pytorch_model.bin", "model.safetensors"):
        words = ["run", "{dir}/m/" + opened, "-n", "1", "-p", "x"]
        cases.append(
            Case(f"{opened} by itself", words, in_folder(tiny_folder() | {"pytorch_model.bin": pickle}), GONE)
        )
    catalogue.check(*cases)


# --- config.json and its neighbours ---

ODD_VALUES = [
    "x",
    "",
    -1,
    0,
    0.5,
    1e400,
    2**31,
    2**32,
    2**63,
    2**64,
    [],
    {},
    [[]],
    True,
    ["LlamaForCausalLM", 7],
]
READ_KEYS = ("architectures", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
    "num_key_value_heads",
             "head_dim", "max_position_embeddings", "vocab_size", "rms_norm_eps", "rope_theta", "hidden_act",
             "tie_word_embeddings",
             "attention_bias", "mlp_bias", "rope_scaling", "sliding_window", "quantization_config",
             "rope_parameters")  # fmt: skip
# Values out of the list above that mean something, or nothing at all.
LEGAL = {
    "tie_word_embeddings": [True], "rms_norm_eps": [0, 0.5], "sliding_window": [0],
    "rope_theta": [2**31, 2**32],
    "max_position_embeddings": [2**31], "architectures": [["LlamaForCausalLM", 7]],
}  # fmt: skip


def is_legal(key, value):
    return value in ({}, []) or any(
        value == known and type(value) is type(known) for known in LEGAL.get(key, [])
    )


def test_config_with_wrong_values(catalogue):
    cases = []
    for key, value in itertools.product(READ_KEYS, ODD_VALUES):
        files = in_folder(tiny_folder() | {"config.json": dump(models.config() | {key: value})})
        codes = EITHER if is_legal(key, value) else (BAD_INPUT,)
        # Numbers out of range are refused later, under the names that GGUF has for them.
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        says = () if codes == EITHER or is_number else ("config.json", key)
        cases.append(Case(f"{key}: {value!r}", RUN, files, codes, says))
    catalogue.check(*cases)


def test_config_with_missing_keys(catalogue):
    needed = {
        "architectures", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
        "max_position_embeddings", "vocab_size",
        "tie_word_embeddings", "num_key_value_heads",
    }  # fmt: skip
    cases = []
    for key in models.config():
        content = dump({k: v for k, v in models.config().items() if k != key})
        cases.append(
            Case(
                f"without {key}",
                RUN,
                in_folder(tiny_folder() | {"config.json": content}),
                (BAD_INPUT,) if key in needed else (0,),
            )
        )
    catalogue.check(*cases)


def with_file(name, content, words=RUN, **more):
    """The tiny folder with one file replaced (None: left out)."""
    return Case(f"{name}: {more.pop('label')}", words, in_folder(tiny_folder() | {name: content}), **more)


def test_files_of_the_folder_that_are_none(catalogue):
    random = rng("config cuts")
    optional = ("tokenizer_config.json", "generation_config.json")
    cases = []
    for name in ("config.json", "tokenizer.json", *optional):
        whole = tiny_folder()[name]
        contents = {
            "empty": b"", "a list": b"[]", "a number": b"7", "null": b"null", "a string": b'"x"',
            "brackets": b"[" * 100_000, "deep": b'{"a":' * 100_000, "zeros": bytes(1000),
            "UTF-16": whole.decode().encode("utf-16"), "not UTF-8": b'{"a": "\xff"}',
            "trailing": whole + b"]",
            "20 MB": b'{"a": "' + b"x" * 20_000_000 + b'"}',
        } | {f"cut at {cut}": whole[:cut] for cut in random.sample(range(1, len(whole)), 12)}  # fmt: skip
        for label, content in contents.items():
            codes = EITHER if label == "empty" and name in optional else (BAD_INPUT,)
            words = RUN + (["--json"] if len(label) % 2 else [])
            cases.append(with_file(name, content, words, label=label, codes=codes, says=(name,)))
    for name in ("config.json", "tokenizer.json"):
        cases.append(with_file(name, None, label="not there", codes=GONE, says=(name,)))
    for name in optional:
        cases.append(with_file(name, None, label="not there", codes=(0,)))
    catalogue.check(*cases)


def test_values_of_the_other_files(catalogue):
    cases = []
    for value in (-1, 2**31, 2**64, models.VOCABULARY, "x", [0, -1], {}, [[]], 1.5):
        content = dump({"eos_token_id": value})
        says = ("generation_config.json", "eos_token_id")
        cases.append(with_file("generation_config.json", content, label=f"ends {value!r}", says=says))
    nameless = [[7], [{"name": 7}], [{"name": "other", "template": "x"}], [{"name": "default"}]]
    for value in (7, {}, True, *nameless):
        content = dump({"chat_template": value})
        says = ("tokenizer_config.json", "chat_template")
        cases.append(with_file("tokenizer_config.json", content, label=f"template {value!r}", says=says))
    catalogue.check(*cases)


# --- Odd and legal ---


def test_odd_and_legal_folders_work(catalogue):
    tensors = models.folder_tensors()
    header, data = good_header()
    pad = (-len(json.dumps(header))) % 8 + 3
    unaligned = with_header(json.dumps(header).encode() + b" " * pad, data)
    reordered = {name: tensors[name] for name in sorted(tensors, reverse=True)}
    empty = {**tensors, "model.layers.0.self_attn.rotary_emb.inv_freq": ([0], b"")}
    folders = {
        "tensors at odd bytes": {"model.safetensors": unaligned},
        "tensors in another order": {"model.safetensors": models.safetensors(reordered)},
        "a tensor without elements": {"model.safetensors": models.safetensors(empty)},
        "metadata with empty texts": {"model.safetensors": models.safetensors(tensors, {"": "", "é": "☕"})},
        "unknown keys": {"config.json": dump(models.config() | {"odd": {"deep": [1, {"x": None}]}, "é": 1})},
        "files that nobody reads": {
            "README.md": b"\xff\xfe",
            "ünï.txt": b"",
            "training_args.bin": b"\x80\x02.",
        },
        "another name of the only file": {
            "model.safetensors": None,
            "wëights.safetensors": models.safetensors(tensors),
        },
        "a list of templates": {
            "tokenizer_config.json": dump(
                {
                    "chat_template": [
                        {"name": "default", "template": models.TEMPLATE},
                        {"name": "x", "template": "y"},
                    ]
                }
            )
        },
        "a template of its own": {"chat_template.jinja": models.TEMPLATE.encode()},
    }
    catalogue.check(*(case for name, files in folders.items() for case in cases_of(name, files, codes=(0,))))
