"""What a contrasting decoding method costs: tokens per second of plain decoding and of each method, turn by turn.

    bench/model/decode_overhead.py --model M.gguf --layers 5,6,7 [--rounds 5] [--write NAME]

The methods: plain; prunecd with the given layers passed by, in one pass with two rows; dola; and two full
passes (a second run of the same model as the amateur), which is what prunecd saves. Rounds alternate; figures
are medians of the time per token relative to plain decoding in the same round. --write keeps everything as
docs/evidence/NAME.json.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from records import ROOT, run_json, warn_of_load, write_evidence


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brisk", type=Path, default=ROOT / "build/release/brisk", help="our binary")
    parser.add_argument("--model", type=Path, required=True, help="GGUF file")
    parser.add_argument("--layers", required=True, help="layers that prunecd passes by, such as 5,6,7")
    parser.add_argument("--generate", type=int, default=32, help="tokens of a turn")
    parser.add_argument("--depth", type=int, default=128, help="tokens before them")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", metavar="NAME", help="keep the figures as docs/evidence/NAME.json")
    return parser.parse_args()


def write_profile(arguments, folder):
    """The file that names the layers, as `brisk profile layers` writes it."""
    shown = run_json([arguments.brisk, "show", arguments.model, "--json"])
    profile = {
        "fingerprint": shown["fingerprint"],
        "layers": shown["architecture"]["layers"],
        "pruned": [int(layer) for layer in arguments.layers.split(",")],
        "mode": "ratio",
        "alpha": 0.1,
        "lambda": 0.5,
    }
    path = Path(folder) / "prunecd.json"
    path.write_text(json.dumps(profile))
    return path


def methods(arguments, profile):
    return {
        "plain": [],
        "prunecd": ["--decode", "prunecd", "--prunecd", profile],
        "dola": ["--decode", "dola", "--dola-layers", "high"],
        "two full passes": ["--decode", "contrastive", "--amateur", arguments.model],
    }


def measure(arguments, profile):
    """{method: [milliseconds per token of each round]}"""
    times = {name: [] for name in methods(arguments, profile)}
    for turn in range(arguments.rounds):
        for name, options in methods(arguments, profile).items():
            print(f"round {turn + 1} of {arguments.rounds}: {name}", file=sys.stderr)
            command = [arguments.brisk, "bench", "-m", arguments.model, "-p", 0, "-n", arguments.generate]
            command += ["-d", arguments.depth, "-t", arguments.threads, "-r", 1, "-o", "json", *options]
            times[name].append(1e3 / run_json(command)[0]["avg_ts"])
    return times


def summary(times):
    rows = {}
    for name, values in times.items():
        ratios = [value / plain for value, plain in zip(values, times["plain"])]
        rows[name] = {"ms_per_token": statistics.median(values), "of_plain": statistics.median(ratios)}
    return rows


def main():
    arguments = parse_arguments()
    load = warn_of_load()
    with tempfile.TemporaryDirectory() as folder:
        times = measure(arguments, write_profile(arguments, folder))
    rows = summary(times)
    print("| method | ms per token | of plain |\n| --- | --- | --- |")
    for name, row in rows.items():
        print(f"| {name} | {row['ms_per_token']:.2f} | {row['of_plain']:.3f} |")
    if arguments.write:
        command = f"bench/model/decode_overhead.py --model {arguments.model.name} --layers {arguments.layers}"
        command += f" --generate {arguments.generate} --depth {arguments.depth}"
        command += f" --threads {arguments.threads} --rounds {arguments.rounds}"
        write_evidence(arguments.write, command, load, {"rows": rows, "ms_per_token": times})


if __name__ == "__main__":
    main()
