"""Tokenizing beside Hugging Face's `tokenizers`: the same tokenizer.json, the same text, one thread, turn by turn.

    bench/peers/tokenizing.py VOCABULARY.gguf [...] [--bench build/release/bench/bench_tokenizer] [--rounds 5] [--write NAME]

Each GGUF vocabulary (byte-level BPE) is written as a tokenizer.json with the pre-tokenizer that it names; --pattern
gives it another instead (llama-bpe, qwen2, gpt-4o: speed only, the tokens stay the same). The text is English
Wikipedia (scripts/fetch_test_data.sh), cut into documents of about 16 KB, and the manual pages of many
languages when they are there. Seconds are the thread's own, so that a busy machine does not
count. The peer's figure is the better one of `encode` and `encode_batch_fast`.
"""

import os

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

import argparse
import bz2
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from records import ROOT, cpu_model, run_json, warn_of_load, write_evidence

DATA = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "brisk/data"
FOLDED = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
TAIL = r"\s*[\r\n]+|\s+(?!\S)|\s+"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
PREFIX = r"[^\r\n\p{L}\p{N}]?"
PATTERNS = {
    "llama-bpe": rf"{FOLDED}|{PREFIX}\p{{L}}+|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{TAIL}",
    "qwen2": rf"{FOLDED}|{PREFIX}\p{{L}}+|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{TAIL}",
    "gpt-4o": rf"{PREFIX}{UPPER}*{LOWER}+{FOLDED}?|{PREFIX}{UPPER}+{LOWER}*{FOLDED}?"
    rf"|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{TAIL}",
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vocabularies", type=Path, nargs="+", help="GGUF files")
    parser.add_argument("--pattern", nargs="*", default=[], choices=PATTERNS, help="further pre-tokenizers for each")
    parser.add_argument("--bench", type=Path, default=ROOT / "build/release/bench/bench_tokenizer", help="our program")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each")
    parser.add_argument("--megabytes", type=float, default=2, help="of each text")
    parser.add_argument("--write", metavar="NAME", help="keep the figures as docs/evidence/NAME.json")
    return parser.parse_args()


def pre_tokenizer(name):
    from tokenizers import Regex, pre_tokenizers

    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=name not in PATTERNS)
    if name in ("smollm", "command-r", "starcoder"):
        return pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level])
    if name in PATTERNS:
        split = pre_tokenizers.Split(Regex(PATTERNS[name]), "isolated")
        return pre_tokenizers.Sequence([split, byte_level])
    if name in ("gpt-2", ""):
        return byte_level
    sys.exit(f"error: pre-tokenizer '{name}': expected smollm, command-r, starcoder, gpt-2 or {', '.join(PATTERNS)}")


def write_tokenizer(path, pre, target):
    """The vocabulary as tokenizer.json; the name of its pre-tokenizer."""
    import gguf
    from tokenizers import Tokenizer, decoders, models

    fields = gguf.GGUFReader(path).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"].contents()]
    name = pre or (fields["tokenizer.ggml.pre"].contents() if "tokenizer.ggml.pre" in fields else "")
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizer(name)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.save(str(target))
    return name


def documents(text, size):
    """Lines gathered to about `size` characters."""
    part, length = [], 0
    for line in text.splitlines(keepends=True):
        part.append(line)
        length += len(line)
        if length >= size:
            yield "".join(part)
            part, length = [], 0
    if part:
        yield "".join(part)


def texts(megabytes):
    """{name: documents}"""
    most = int(megabytes * 1e6)
    wikipedia = bz2.open(DATA / "enwiki.xml.bz2").read(most).decode("utf-8", "ignore")
    found = {"wikipedia": list(documents(wikipedia, 16384))}
    pages = DATA / "manpages.txt"
    if pages.exists():
        found["manual pages"] = list(documents(pages.read_bytes()[:most].decode("utf-8", "ignore"), 16384))
    return found


def time_peer(tokenizer, parts):
    """Seconds of the faster way, and the number of ids."""
    ways = [
        lambda: sum(len(tokenizer.encode(part, add_special_tokens=False).ids) for part in parts),
        lambda: sum(len(one.ids) for one in tokenizer.encode_batch_fast(parts, add_special_tokens=False)),
    ]
    results = []
    for way in ways:
        begin = time.process_time()
        count = way()
        results.append((time.process_time() - begin, count))
    return min(results)


def compare(arguments, tokenizer_json, parts, folder):
    """The figures of one tokenizer on one text, in MB/s."""
    from tokenizers import Tokenizer

    joined = folder / "texts"
    joined.write_bytes(b"".join(part.encode() + b"\0" for part in parts))
    size = sum(len(part.encode()) for part in parts)
    turns = {"brisk": [], "brisk, words only": [], "tokenizers": []}
    for _ in range(arguments.rounds):
        ours = run_json([arguments.bench, tokenizer_json, joined, 2])
        seconds, ids = time_peer(Tokenizer.from_file(str(tokenizer_json)), parts)
        if ids != ours["ids"]:
            sys.exit(f"error: {tokenizer_json.name}: {ours['ids']} ids here, {ids} there")
        turns["brisk"].append(size / 1e6 / min(ours["encode"]))
        turns["brisk, words only"].append(size / 1e6 / min(ours["split"]))
        turns["tokenizers"].append(size / 1e6 / seconds)
    medians = {name: statistics.median(speeds) for name, speeds in turns.items()}
    return {"ids": ids, "bytes": size, "megabytes_per_second": medians, "turns": turns,
            "times_as_fast": medians["brisk"] / medians["tokenizers"]}  # fmt: skip


def main():
    arguments = parse_arguments()
    load = warn_of_load()
    rows = []
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        for path in arguments.vocabularies:
            for pre in ["", *arguments.pattern]:
                target = folder / "tokenizer.json"
                name = write_tokenizer(path, pre, target)
                for text, parts in texts(arguments.megabytes).items():
                    figures = compare(arguments, target, parts, folder)
                    rows.append({"vocabulary": path.name, "pre_tokenizer": name, "text": text, **figures})
                    speeds = figures["megabytes_per_second"]
                    print(f"{path.name}, {name}, {text}: brisk {speeds['brisk']:.1f} MB/s (words {speeds['brisk, words only']:.0f}), "
                          f"tokenizers {speeds['tokenizers']:.1f} MB/s: {figures['times_as_fast']:.2f} x")  # fmt: skip
    print(json.dumps({"cpu": cpu_model(), "rounds": arguments.rounds}))
    if arguments.write:
        import tokenizers

        command = "bench/peers/tokenizing.py " + " ".join(path.name for path in arguments.vocabularies)
        command += f" --pattern {' '.join(arguments.pattern)}" if arguments.pattern else ""
        command += f" --rounds {arguments.rounds} --megabytes {arguments.megabytes:g}"
        figures = {"peer": f"tokenizers {tokenizers.__version__}", "rows": rows, "vouches_for": ["src/text"]}
        write_evidence(arguments.write, command, load, figures)


if __name__ == "__main__":
    main()
