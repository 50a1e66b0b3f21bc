"""Runs `brisk bench` and llama.cpp's `llama-bench` on the same file, turn by turn, and compares them.

    bench/peers/compare.py --llama-bench "$(bench/peers/llama_cpp.sh)" --model M.gguf [--rounds 5] [--write NAME]

Rounds alternate, so that a busy minute of the machine hits both; figures are medians over the rounds. The
machine's own limits, measured in the same run, stand below the table. --write keeps everything as
docs/evidence/NAME.json.
"""

import argparse
import json
import os
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from records import ROOT, cpu_model, run_json, warn_of_load, write_evidence


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brisk", type=Path, default=ROOT / "build/release/brisk", help="our binary")
    parser.add_argument("--llama-bench", type=Path, required=True, help="the peer's")
    parser.add_argument("--model", type=Path, required=True, help="GGUF file")
    parser.add_argument("--prompt", type=int, nargs="*", default=[128, 512], help="lengths of prompts")
    parser.add_argument("--generate", type=int, nargs="*", default=[128], help="lengths of answers")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=5, help="turns of each program")
    parser.add_argument("--repetitions", type=int, default=1, help="repetitions within a turn")
    parser.add_argument("--write", metavar="NAME", help="keep the figures as docs/evidence/NAME.json")
    return parser.parse_args()


def one_turn(program, arguments):
    """{test name: tokens per second} of one turn of a program."""
    lengths = ["-p", ",".join(map(str, arguments.prompt)) or 0, "-n", ",".join(map(str, arguments.generate)) or 0]
    rows = run_json(
        [*program, "-m", arguments.model, *lengths, "-t", arguments.threads, "-r", arguments.repetitions, "-o", "json"]
    )
    return {f"pp{row['n_prompt']}" if row["n_prompt"] else f"tg{row['n_gen']}": row["avg_ts"] for row in rows}


def measure(arguments):
    """{program: {test: [tokens per second of each turn]}}"""
    programs = {"brisk": [arguments.brisk, "bench"], "llama.cpp": [arguments.llama_bench]}
    turns = {name: {} for name in programs}
    for turn in range(arguments.rounds):
        for name, program in programs.items():
            print(f"round {turn + 1} of {arguments.rounds}: {name}", file=sys.stderr)
            for test, speed in one_turn(program, arguments).items():
                turns[name].setdefault(test, []).append(speed)
    return turns


def summarise(turns):
    """Rows of test, ours, the peer's, and how many times slower (above 1) or faster (below 1) we are."""
    rows = []
    for test, ours in turns["brisk"].items():
        theirs = turns["llama.cpp"][test]
        a, b = statistics.median(ours), statistics.median(theirs)
        rows.append({"test": test, "brisk": a, "llama.cpp": b, "times_slower": b / a})
    return rows


def print_table(rows):
    print("| test | brisk, tokens/s | llama.cpp, tokens/s | brisk takes |")
    print("| --- | ---: | ---: | ---: |")
    for row in rows:
        print(f"| {row['test']} | {row['brisk']:.1f} | {row['llama.cpp']:.1f} | {row['times_slower']:.2f} x the time |")


def command_line(arguments):
    return " ".join(
        [
            f"bench/peers/compare.py --model {arguments.model.name}",
            f"--prompt {' '.join(map(str, arguments.prompt))} --generate {' '.join(map(str, arguments.generate))}",
            f"--threads {arguments.threads} --rounds {arguments.rounds} --repetitions {arguments.repetitions}",
        ]
    )


def main():
    arguments = parse_arguments()
    load = warn_of_load()
    turns = measure(arguments)
    limits = run_json([arguments.brisk, "bench", "--limits", "-t", arguments.threads, "--json"])
    rows = summarise(turns)
    print_table(rows)
    print(f"\nmedians of {arguments.rounds} rounds, {arguments.threads} threads, {cpu_model()}; limits: {json.dumps(limits)}")
    if arguments.write:
        figures = {"medians": rows, "turns": turns, "limits": limits}
        figures["vouches_for"] = ["src/kernels", "src/graph", "src/runtime"]
        write_evidence(arguments.write, command_line(arguments), load, figures)


if __name__ == "__main__":
    main()
