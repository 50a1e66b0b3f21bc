"""Rows 1 to 19 of the catalogue: GGUF files that lie, are cut, contradict themselves, or only look odd."""

import itertools
import os
import struct

import models
import pytest
from harness import BAD_INPUT, EITHER, ENVIRONMENT, Case, rng
from models import ARRAY, BOOL, F32, I32, STRING, U32, Lie, tiny_gguf

SHOW = ["show", "{dir}/m.gguf"]
RUN = ["run", "{dir}/m.gguf", "-n", "1", "-p", "x"]
TOKENIZE = ["tokenize", "{dir}/m.gguf", "-p", "x"]
GRAPH = ["show", "{dir}/m.gguf", "--graph"]
EVERY = (SHOW, RUN, TOKENIZE)

HUGE = [2**31, 2**32, 2**62, 2**63 - 1, 2**63, 2**64 - 1]


def u64(value):
    return Lie(struct.pack("<Q", value))


def cases_of(name, data, verbs=EVERY, says=(), file="m.gguf", **more):
    """One case for each verb; every other one asks for JSON. The message must name the file."""
    says = (file, *says) if file else says
    for i, words in enumerate(verbs):
        form = ["--json"] if (len(name) + i) % 2 else []
        yield Case(f"{name} ({' '.join(words[::2])})", words + form, {"m.gguf": data}, says=says, **more)


def changed(change):
    """The tiny file after change(file)."""
    file = tiny_gguf()
    change(file)
    return file.data()


# --- Rows 1 and 2: magic, version, counts ---


def test_row_1_magic_and_version(catalogue):
    whole = tiny_gguf().data()
    contents = {
        "empty": b"", "3 bytes": b"GGU", "magic alone": b"GGUF", "another magic": b"GGUX" + whole[4:],
        "lower case": b"gguf" + whole[4:], "png": b"\x89PNG\r\n\x1a\n" + bytes(200), "zeros": bytes(4096),
        "html": b"<!DOCTYPE html><html>", "safetensors": models.tiny_folder()["model.safetensors"][:9000],
    }  # fmt: skip
    cases = [case for name, data in contents.items() for case in cases_of(name, data)]
    for version in (0, 1, 4, 2**32 - 1):
        cases += cases_of(
            f"version {version}", changed(lambda f: setattr(f, "version", version)), says=("version",)
        )
    swapped = b"GGUF" + struct.pack(">I", 3) + whole[8:]
    cases += cases_of("byte order", swapped, says=("endian",))
    catalogue.check(*cases)


def test_row_2_counts(catalogue):
    cases = []
    wraps = [
        2**61,
        2**64 // 56 + 1,
        2**64 // 24 + 1,
    ]  # times 8, or times what one entry costs, is small again
    for count in HUGE + wraps + [10_000]:
        cases += cases_of(f"{count} keys", changed(lambda f: setattr(f, "key_count", u64(count))))
        cases += cases_of(f"{count} tensors", changed(lambda f: setattr(f, "tensor_count", u64(count))))
        for kind in ("Q", "II"):  # a file that ends behind the header
            head = b"GGUF" + struct.pack("<IQQ", 3, count, count) + struct.pack("<" + kind, *[1] * len(kind))
            cases += cases_of(f"short file of {count}, {kind}", head + bytes(32))
    catalogue.check(*cases)


# --- Row 3: lengths ---


def with_string(place, content):
    """The tiny file with a raw string (length and bytes) at a place."""

    def change(file):
        if place == "key":
            file.keys[3][0] = content
        elif place == "value":
            file.set("general.name", STRING, content)
        elif place == "token":
            file.set(
                "tokenizer.ggml.tokens", ARRAY, (STRING, [*models.TOKENS[:7], content, *models.TOKENS[8:]])
            )
        else:
            file.tensors[2][0] = content

    return changed(change)


def test_row_3_lengths(catalogue):
    cases = []
    for place, length in itertools.product(("key", "value", "token", "tensor"), [*HUGE, 10**7]):
        cases += cases_of(
            f"{place} of {length} bytes", with_string(place, Lie(struct.pack("<Q", length) + b"abc"))
        )
    for count, element in itertools.product(HUGE, (0, 4, 8, 12)):
        lie = Lie(struct.pack("<IQ", element, count) + bytes(16))
        data = changed(lambda f: f.set("some.list", ARRAY, lie))
        cases += cases_of(f"array of {count} of type {element}", data)
    catalogue.check(*cases)


# --- Rows 5 to 8: values, names, alignment ---


def test_row_5_value_types(catalogue):
    cases = []
    for kind in (13, 14, 255, 2**31, 2**32 - 1):
        cases += cases_of(
            f"type {kind}",
            changed(lambda f: f.set("odd.key", kind, Lie(bytes(8)))),
            says=("odd.key", str(kind)),
        )
        lie = Lie(struct.pack("<IQ", kind, 1) + bytes(8))
        cases += cases_of(
            f"list of {kind}", changed(lambda f: f.set("odd.key", ARRAY, lie)), says=("odd.key",)
        )
    nested = Lie(struct.pack("<IQIQI", ARRAY, 1, U32, 1, 7))
    cases += cases_of(
        "array of arrays", changed(lambda f: f.set("odd.key", ARRAY, nested)), says=("odd.key",)
    )
    deep = Lie(struct.pack("<IQ", ARRAY, 1) * 100_000)
    cases += cases_of(
        "100,000 arrays deep", changed(lambda f: f.set("odd.key", ARRAY, deep)), says=("odd.key",)
    )
    cases += cases_of("bool of 2", changed(lambda f: f.set("odd.key", BOOL, Lie(b"\x02"))), says=("odd.key",))
    bools = Lie(struct.pack("<IQ", BOOL, 3) + b"\x00\x01\xff")
    cases += cases_of(
        "bool of 255 in a list", changed(lambda f: f.set("odd.key", ARRAY, bools)), says=("odd.key",)
    )
    catalogue.check(*cases)


def test_row_5_values_of_another_type(catalogue):
    """Every key that is read, with a value of a type that makes no sense for it."""
    cases = []
    for name, kind, _ in tiny_gguf().keys:
        odd = {STRING: (U32, 7), ARRAY: (STRING, "x")}.get(kind, (STRING, "x"))
        lists = (ARRAY, (F32, [1.0, 2.0]))
        for label, (odd_kind, value) in {"another type": odd, "a list": lists}.items():
            if name == "general.name":
                continue
            data = changed(lambda f: f.set(name, odd_kind, value))
            cases += cases_of(f"{name} of {label}", data, verbs=(RUN,), says=(name.split(".")[-1],))
    catalogue.check(*cases)


def test_row_7_names_twice(catalogue):
    cases = []
    for name in ("general.architecture", "llama.block_count", "tokenizer.ggml.tokens"):
        again = next(key for key in tiny_gguf().keys if key[0] == name)
        cases += cases_of(f"{name} twice", changed(lambda f: f.keys.append(again)), says=(name,))
    for name in ("token_embd.weight", "blk.1.ffn_down.weight"):
        cases += cases_of(f"{name} twice", changed(lambda f: f.tensors.append(f.tensor(name))), says=(name,))
    for bad in (b"\xff\xfe", b"a\nb", b"\x1b[31m", b"a\0b", b"", b"x" * 70_000, b"\xed\xa0\x80"):
        label = repr(bad[:8])
        cases += cases_of(f"key {label}", changed(lambda f: f.keys.append([bad, U32, 1])))
        cases += cases_of(
            f"tensor {label}", changed(lambda f: f.tensors.append([bad, [4], 0, None, bytes(16)]))
        )
    catalogue.check(*cases)


def test_row_8_alignment(catalogue):
    cases = []
    for alignment in (0, 1, 3, 4, 33, 48, 2**21, 2**31, 2**32 - 1):
        data = changed(lambda f: f.set("general.alignment", U32, alignment))
        cases += cases_of(f"alignment {alignment}", data, says=("alignment",))
    for kind, value in ((STRING, "32"), (I32, -32), (F32, 32.0), (ARRAY, (U32, [32]))):
        data = changed(lambda f: f.set("general.alignment", kind, value))
        cases += cases_of(f"alignment of type {kind}", data, says=("alignment",))
    for offset in (1, 7, 31):
        data = changed(lambda f: f.tensors[1].__setitem__(3, offset))
        cases += cases_of(f"offset {offset}", data, says=("offset",))
    catalogue.check(*cases)


# --- Rows 9 to 14: tensors ---


def with_tensor(dims, kind=0, offset=None, content=bytes(64)):
    return changed(lambda f: f.tensors.append(["odd.weight", dims, kind, offset, content]))


def test_rows_9_and_11_dimensions(catalogue):
    huge = [
        (2**62, 4), (2**63 - 1, 2, 1, 1), (2**32, 2**32), (2**63, 1), (2**64 - 1, 1), (2**31, 2**31, 4),
        (2**22, 2**21, 2**21),
        (4194305, 4194305, 211106198978564), (2**60, 16), (2**61 + 1, 4),
    ]  # fmt: skip
    cases = []
    for kind in (0, 8):
        for dims in huge:
            cases += cases_of(f"{dims} of type {kind}", with_tensor(list(dims), kind), says=("odd.weight",))
    for count in (5, 8, 255, 2**31, 2**32 - 1):
        lie = Lie(struct.pack("<I", count) + struct.pack("<4Q", 1, 1, 1, 1))
        cases += cases_of(f"{count} dimensions", with_tensor(lie), says=("odd.weight",))
    for width in (1, 31, 33, 63):
        cases += cases_of(
            f"rows of {width} in blocks of 32", with_tensor([width, 2], 8), says=("odd.weight",)
        )
    cases += cases_of("rows of 128 in blocks of 256", with_tensor([128, 2], 12), says=("odd.weight",))
    for name in models.shapes():
        data = changed(lambda f: f.tensor(name).__setitem__(1, [0]))
        cases += cases_of(f"{name} without elements", data, verbs=(RUN, GRAPH), says=(name.split(".")[0],))
    catalogue.check(*cases)


def test_row_11_offsets(catalogue):
    cases = []
    for offset in (2**20, 2**31, 2**40, 2**62, 2**63 - 64, 2**63, 2**64 - 32):
        cases += cases_of(f"offset {offset}", with_tensor([16], offset=offset), says=("odd.weight",))
    cases += cases_of("inside another tensor", with_tensor([16], offset=32), says=("odd.weight",))
    cases += cases_of("one byte too long", with_tensor([17]), says=("odd.weight",))
    catalogue.check(*cases)


def test_row_13_cuts(catalogue):
    whole = tiny_gguf().data()
    header = len(tiny_gguf().header())
    random = rng("gguf cuts")
    places = sorted({*range(0, 40), *random.sample(range(header), 160), header - 1, header})
    inside = sorted({*random.sample(range(header, len(whole)), 98), len(whole) - 1, len(whole) - 4})
    verbs = itertools.cycle(EVERY)
    cases = [case for cut in places for case in cases_of(f"cut at {cut}", whole[:cut], verbs=(next(verbs),))]
    for cut in inside:
        cases += cases_of(f"data cut at {cut}", whole[:cut], verbs=(next(verbs),), says=("bytes",))
    catalogue.check(*cases)


def test_row_14_tensor_types(catalogue):
    cases = []
    for kind in (4, 5, 9, 15, 31, 32, 33, 36, 37, 38, 99, 1000, 2**31, 2**32 - 1):
        data = with_tensor([256], kind, content=bytes(4096))
        cases += cases_of(f"type {kind}", data, says=("odd.weight", str(kind), "F32"))
    catalogue.check(*cases)


# --- Row 15: hyperparameters ---

WRONG_NUMBERS = {
    "block_count": [0, 1, 3, 513, 100_000, 2**32 - 1],
    "embedding_length": [0, 1, 63, 65, 128, 2**20, 2**32 - 1],
    "feed_forward_length": [0, 1, 127, 2**32 - 1],
    "attention.head_count": [0, 3, 5, 64, 2**16, 2**32 - 1],
    "attention.head_count_kv": [0, 1, 3, 4, 8, 2**32 - 1],
    "context_length": [0, 2**31, 2**32 - 1],
    "rope.dimension_count": [0, 1, 15, 18, 2**32 - 1],
    "attention.key_length": [0, 1, 8, 32, 2**32 - 1],
    "attention.value_length": [0, 8, 32, 2**32 - 1],
    "vocab_size": [0, 1, models.VOCABULARY - 1, models.VOCABULARY + 1, 2**32 - 1],
    "expert_count": [1, 8, 2**32 - 1],
    "attention.sliding_window": [1, 4096],
}
WRONG_FLOATS = {
    "attention.layer_norm_rms_epsilon": [-1.0, 1.0, 1e30, float("nan"), float("inf"), float("-inf")],
    "rope.freq_base": [0.0, -1.0, 1.0, 1e30, float("nan"), float("inf")],
    "rope.scale_linear": [0.5, float("nan")],
}


def test_row_15_hyperparameters(catalogue):
    cases = []
    for kind, table in ((U32, WRONG_NUMBERS), (F32, WRONG_FLOATS)):
        for name, values in table.items():
            for value in values:
                data = changed(lambda f: f.set("llama." + name, kind, value))
                cases += cases_of(f"{name} {value}", data, verbs=(RUN, GRAPH), says=())
    for name in WRONG_NUMBERS:
        data = changed(lambda f: f.set("llama." + name, I32, -1))
        cases += cases_of(f"{name} -1", data, verbs=(RUN,), says=(name.split(".")[-1],))
    catalogue.check(*cases)


def test_row_15_layers_that_are_not_there(catalogue):
    cases = []
    for layers in (3, 513):
        data = changed(lambda f: f.set("llama.block_count", U32, layers))
        cases += cases_of(f"{layers} layers", data, verbs=(RUN, GRAPH), says=("blk.2.",), seconds=1)
    data = changed(lambda f: f.set("llama.block_count", U32, 100_000))
    cases += cases_of("100,000 layers", data, verbs=(RUN, GRAPH), says=("block_count",), seconds=1)
    catalogue.check(*cases)


def test_row_15_missing_and_misshapen_tensors(catalogue):
    cases = []
    for name, shape in models.shapes().items():
        gone = changed(lambda f: f.tensors.remove(f.tensor(name)))
        cases += cases_of(f"without {name}", gone, verbs=(RUN,), says=(name,))
        longer = models.values_of(name) + bytes(4 * shape[-1])
        wider, longer_table = [*shape[:-1], shape[-1] + 1], [shape[0] + 1, *shape[1:]]
        # More rows of embeddings than tokens are usual: tables are padded.
        for dims in [wider[::-1]] + ([longer_table[::-1]] if name != "token_embd.weight" else []):
            content = (longer + bytes(4096))[: 4 * _count(dims)]
            data = changed(
                lambda f: f.tensors.__setitem__(
                    f.tensors.index(f.tensor(name)), [name, dims, 0, None, content]
                )
            )
            cases += cases_of(f"{name} as {dims}", data, verbs=(RUN,), says=(name.split(".")[0],))
    for name in ("blk.2.attn_q.weight", "blk.0.attn_q.bias", "blk.0.ffn_gate_exps.weight", "odd.weight"):
        data = changed(lambda f: f.tensors.append([name, [16], 0, None, bytes(64)]))
        cases += cases_of(f"with {name}", data, verbs=(RUN,), says=(name,))
    catalogue.check(*{case.name: case for case in cases}.values())


def _count(dims):
    count = 1
    for dim in dims:
        count *= dim
    return count


def test_row_15_missing_keys(catalogue):
    optional = {
        "general.name", "llama.rope.dimension_count", "tokenizer.chat_template",
        "tokenizer.ggml.eos_token_id",
        "tokenizer.ggml.pre",
    }  # fmt: skip
    # Without the number of heads for keys there are as many as for queries, and the tensors say otherwise.
    cases = []
    for name, _, _ in tiny_gguf().keys:
        codes = (
            EITHER
            if name in optional | {"tokenizer.ggml.merges", "tokenizer.ggml.token_type"}
            else (BAD_INPUT,)
        )
        data = changed(lambda f: f.remove(name))
        cases += [Case(f"without {name}", RUN, {"m.gguf": data}, codes=codes)]
    catalogue.check(*cases)


def test_row_15_vocabularies_that_do_not_fit(catalogue):
    tokens, types = models.TOKENS, [1] * 256 + [3, 3]
    tables = {
        "257 tokens": (tokens[:-1], types[:-1]), "259 tokens": ([*tokens, "zz"], [*types, 1]),
        "no tokens": ([], []),
        "one token": (["a"], [1]), "a token twice": ([*tokens[:-1], "a"], types),
        "fewer types": (tokens, types[:-1]), "more types": (tokens, [*types, 1]),
        "type 0": (tokens, [0] * 258),
        "type 99": (tokens, [99] * 258), "type -1": (tokens, [-1] * 258),
    }  # fmt: skip
    cases = []
    for name, (words, kinds) in tables.items():
        data = changed(
            lambda f: f.set("tokenizer.ggml.tokens", ARRAY, (STRING, words)).set(
                "tokenizer.ggml.token_type", ARRAY, (I32, kinds)
            )
        )
        # llama.cpp's converters write tokens twice, and types that nobody reads.
        codes = EITHER if name in ("a token twice", "type 0") else (BAD_INPUT,)
        cases += [Case(name, RUN, {"m.gguf": data}, codes=codes)]
    for name in ("bos", "eos", "unknown", "padding", "eot", "separator"):
        for kind, value in ((U32, models.VOCABULARY), (U32, 2**32 - 2), (I32, -7), (STRING, "x")):
            data = changed(lambda f: f.set(f"tokenizer.ggml.{name}_token_id", kind, value))
            codes = (BAD_INPUT,) if name in ("bos", "eos") else EITHER
            cases += [Case(f"{name} {kind} {value}", RUN, {"m.gguf": data}, codes=codes)]
    for merge in ("a", "a b c", " a", "a ", "", "nosuch token", "a\tb"):
        data = changed(lambda f: f.set("tokenizer.ggml.merges", ARRAY, (STRING, [merge])))
        cases += cases_of(f"merge {merge!r}", data, verbs=(TOKENIZE,), says=("merge",))
    catalogue.check(*cases)


# --- Row 17: split files ---


def parts(count=3):
    """The tiny model in `count` parts, as {file name: Gguf}."""
    whole = tiny_gguf()
    files = {}
    for i in range(count):
        share = whole.tensors[i::count]
        file = models.Gguf(whole.copy().keys if i == 0 else [], share)
        file.set("split.no", 2, i).set("split.count", 2, count).set(
            "split.tensors.count", I32, len(whole.tensors)
        )
        files[f"m-{i + 1:05}-of-{count:05}.gguf"] = file
    return files


def test_row_17_splits(catalogue):
    names = list(parts())
    cases = []

    def split(label, change=lambda files: None, says=(), opened=names[0], codes=(BAD_INPUT, ENVIRONMENT)):
        files = parts()
        change(files)
        contents = {name: file if isinstance(file, bytes) else file.data() for name, file in files.items()}
        words = ["run", "{dir}/" + opened, "-n", "1", "-p", "x"]
        return Case(label, words, contents, codes=codes, says=says)

    for name in names:
        cases.append(split(f"whole, opened by {name}", opened=name, codes=(0,)))
    for i, name in enumerate(names):
        for opened in names:
            if opened != name:
                cases.append(split(f"without {name}, by {opened}", lambda f: f.pop(name), (name,), opened))
        other = parts()[name].copy()
        other.tensors = [["foreign" + t[0], *t[1:]] for t in other.tensors]
        cases.append(split(f"other tensors in {name}", lambda f: f.update({name: other})))
        for key, kind, values in (("split.no", 2, [7, 3, 65535]), ("split.count", 2, [0, 2, 4, 65535]),
                                  ("split.tensors.count", I32, [0, 1, -1, 10**6])):  # fmt: skip
            for value in values:
                cases.append(
                    split(f"{key} {value} in {name}", lambda f: f[name].set(key, kind, value), ("split",))
                )
        cases.append(split(f"{name} cut", lambda f: f.update({name: f[name].data()[:-200]}), (name,)))
        cases.append(split(f"{name} empty", lambda f: f.update({name: b""}), (name,)))
        cases.append(split(f"{name} no GGUF", lambda f: f.update({name: b"hello" * 100}), (name,)))

    def twice(files):
        files[names[1]].tensors.append(files[names[0]].tensors[0])
        for file in files.values():
            file.set("split.tensors.count", I32, len(models.shapes()) + 1)

    cases.append(split("a tensor in two parts", twice, ("token_embd",)))
    model = tiny_gguf().set("split.no", 2, 0).set("split.count", 2, 65535).data()
    big = {"m-00001-of-65535.gguf": model}
    cases.append(
        Case("65535 parts", ["show", "{dir}/m-00001-of-65535.gguf"], big, says=("split.count", "65535"))
    )
    catalogue.check(*cases)


def test_row_17_parts_that_are_no_files(catalogue):
    second = "m-00002-of-00003.gguf"
    contents = {name: file.data() for name, file in parts().items() if name != second}
    outside = tiny_gguf().data()

    def link_out(folder):
        (folder / second).symlink_to(folder.parent.parent / "outside.gguf")

    makers = {
        "a FIFO": lambda folder: os.mkfifo(folder / second),
        "a folder": lambda folder: (folder / second).mkdir(),
        "a link that leads out": link_out,
        "a link to itself": lambda folder: (folder / second).symlink_to(second),
        "a link to nothing": lambda folder: (folder / second).symlink_to("nothing"),
    }
    (catalogue.scratch / "outside.gguf").write_bytes(outside)
    words = ["run", "{dir}/m-00001-of-00003.gguf", "-n", "1", "-p", "x"]
    catalogue.check(
        *(
            Case(name, words, contents, (BAD_INPUT, ENVIRONMENT), (second,), prepare=make)
            for name, make in makers.items()
        )
    )


# --- Row 19: numbers that are none ---


def f32_in(name, value, place):
    def change(file):
        data = bytearray(file.tensor(name)[4])
        struct.pack_into("<f", data, 4 * place, value)
        file.tensor(name)[4] = bytes(data)

    return changed(change)


def scale_in(name, bits):
    """The tensor as Q8_0 with one scale of these 16 bits."""

    def change(file):
        tensor = file.tensor(name)
        blocks = _count(tensor[1]) // 32
        content = bytearray(struct.pack("<e32b", 0.01, *range(-16, 16)) * blocks)
        struct.pack_into("<H", content, 34 * (blocks // 2), bits)
        tensor[2], tensor[4] = models.TYPE_Q8_0, bytes(content)

    return changed(change)


def place_named(name):
    if name.startswith("blk."):
        return "layer." + name.split(".")[1]
    return "head" if name == "output_norm.weight" else "embedding"


def test_row_19_numbers_that_are_none(catalogue):
    nan, inf = float("nan"), float("inf")
    texts = b'{"text": "some text"}\n'
    cases = []
    for name, shape in models.shapes().items():
        row = ord("x") if name == "token_embd.weight" else 1  # the row that the prompt uses
        place = row * shape[-1] + 3 if len(shape) > 1 else 3
        norms = name.endswith("_norm.weight")
        for value in [nan, inf, -inf] if norms else [nan]:
            data = f32_in(name, value, place)
            cases.append(Case(f"{value} in {name}, shown", SHOW, {"m.gguf": data}, codes=(0,)))
            cases += cases_of(
                f"{value} in {name}", data, verbs=(RUN,), says=(place_named(name), "finite"), file=None
            )
            words = ["score", "{dir}/m.gguf", "-f", "-"]
            if name != "token_embd.weight":
                cases.append(
                    Case(
                        f"{value} in {name}, scored",
                        words,
                        {"m.gguf": data},
                        stdin=texts,
                        says=(place_named(name),),
                    )
                )
        if len(shape) > 1 and name != "token_embd.weight":
            for bits in (0x7E00, 0x7C00, 0xFC00):
                cases += cases_of(
                    f"scale {bits:x} in {name}",
                    scale_in(name, bits),
                    verbs=(RUN,),
                    says=(place_named(name),),
                    file=None,
                )
    catalogue.check(*cases)


# --- Whatever changes at random ---


@pytest.mark.parametrize("verb", ["show", "run", "tokenize"])
def test_bytes_changed_at_random(catalogue, verb):
    whole = tiny_gguf().data()
    header = len(tiny_gguf().header())
    words = {"show": SHOW, "run": RUN, "tokenize": TOKENIZE}[verb]
    cases = []
    for i in range(100):
        random = rng("gguf bytes", verb, i)
        data = bytearray(whole)
        for _ in range(random.choice([1, 1, 2, 8])):
            data[random.randrange(header)] = random.choice([0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)])
        cases.append(Case(f"change {i}", words, {"m.gguf": bytes(data)}, codes=(0, BAD_INPUT, ENVIRONMENT)))
    catalogue.check(*cases)


# --- Odd and legal ---


def test_odd_and_legal_files_work(catalogue):
    def gap(file):
        place = 0
        for tensor in file.tensors:
            tensor[3] = place
            tensor[4] += bytes(96)
            place += len(tensor[4]) + -len(tensor[4]) % 32

    def aligned_to(size):
        def change(file):
            file.alignment = size
            file.set("general.alignment", U32, size)

        return change

    changes = {
        "unchanged": lambda f: None,
        "version 2": lambda f: setattr(f, "version", 2),
        "unknown keys": lambda f: [f.set(f"odd.key{kind}", kind, value) for kind, value in
                                   [(0, 1), (1, -1), (2, 1), (3, -1), (4, 1), (5, -1), (6, 1.5), (7, True),
                                   (8, ""), (10, 2**64 - 1),
                                    (11, -2**63), (12, 1e300), (9, (8, ["", "é"])), (9, (4, [])),
                                    (9, (12, [1.0])), (9, (7, [True]))]],
        "empty texts": lambda f: f.set("general.name", STRING, "").set("general.description", STRING, ""),
        "names in UTF-8": lambda f: f.set("général.naïve☕", STRING, "名前").set("🙂", STRING, "🙂"),
        "a name that is no UTF-8": lambda f: f.set("general.name", STRING, b"\xff\xfe\x1b[31m"),
        "a tensor without elements": lambda f: f.tensors.insert(3, ["no.elements", [0, 4], 0, None, b""]),
        "a tensor without elements at the end": lambda f: f.tensors.append(["é.none", [32, 0, 3], 8, None,
        b""]),
        "gaps": gap,
        "keys in another order": lambda f: f.keys.reverse(),
        "tensors in another order": lambda f: f.tensors.reverse(),
        "alignment 8": aligned_to(8), "alignment 64": aligned_to(64), "alignment 65536": aligned_to(65536),
        "an empty template": lambda f: f.set("tokenizer.chat_template", STRING, ""),
        "no template": lambda f: f.remove("tokenizer.chat_template"),
        "a list in the metadata with 300,000 texts": lambda f: f.set("odd.list", ARRAY,
        (STRING, ["x"] * 300_000)),
    }  # fmt: skip
    cases = []
    for name, change in changes.items():
        for words in (SHOW, [*SHOW, "--json", "--all"], RUN, TOKENIZE):
            cases.append(Case(f"{name}, {' '.join(words)}", words, {"m.gguf": changed(change)}, codes=(0,)))
    trailing = tiny_gguf().data() + b"more" * 1000
    cases.append(Case("bytes behind the last tensor", RUN, {"m.gguf": trailing}, codes=(0,)))
    catalogue.check(*cases)
