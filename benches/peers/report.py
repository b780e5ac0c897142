"""Runs the comparison of scripts/peers: the peers in Rust, the engines of Python beside them, and what is told of it.

    report.py PEERS [--json] [--front NAME]... [--seconds N] [--scale F]

PEERS is the program that benches/peers builds. Without --json, docs/peers.md and docs/peers.svg are written anew.
"""

import argparse
import datetime
import html
import json
import os
import platform
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FRONTS = ["contiguous", "iterators", "serde", "arrow", "threads"]
ENGINES = ["polars", "pyarrow", "duckdb"]
# Turns of ours and the engines, so that all of them meet the same moods of the machine.
ROUNDS = 3


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def rust_rows(peers, front, seconds, scale, *more):
    lines = run(peers, "--json", "--front", front, "--seconds", str(seconds), "--scale", str(scale), *more).splitlines()
    return [json.loads(line) for line in lines]


def python_rows(peers, seconds, scale):
    """The best of each over all rounds. Bytes are those of our CSV for everybody, so a ratio is one of time."""
    threads = sorted({1, os.cpu_count()})
    ours, best, told = 0.0, {}, {}
    with tempfile.TemporaryDirectory() as folder:
        run(peers, "--write", folder, "--scale", str(scale))
        table, csv = os.path.join(folder, "lineitem.arrow"), os.path.join(folder, "lineitem.csv")
        size = os.path.getsize(csv)
        for _ in range(ROUNDS):
            ours = max(ours, *(row["ours_mb_s"] for row in rust_rows(peers, "arrow", seconds / ROUNDS, scale, "--whole")))
            for engine in ENGINES:
                for count in threads:
                    script = os.path.join(ROOT, "benches/peers/engine.py")
                    out = run(sys.executable, script, engine, str(count), table, csv, str(seconds / ROUNDS))
                    found = json.loads(out)
                    told[engine] = (found["version"], found["same_bytes"])
                    best[engine, count] = min(found["seconds"], best.get((engine, count), float("inf")))
    rows = []
    for (engine, count), time in best.items():
        name = engine if count == 1 else f"{engine}, {count} threads"
        theirs = size / 1e6 / time
        rows.append({"front": "arrow", "peer": name, "ratio": ours / theirs, "ours_mb_s": ours, "peer_mb_s": theirs})
    return rows, told


def machine():
    with open("/proc/cpuinfo") as info:
        model = re.search(r"model name\s*: (.*)", info.read())
    return f"{model.group(1) if model else platform.machine()}, {os.cpu_count()} cores, {platform.system()}"


def crate_versions():
    with open(os.path.join(ROOT, "benches/peers/Cargo.lock")) as lock:
        found = dict(re.findall(r'name = "([^"]+)"\nversion = "([^"]+)"', lock.read()))
    return {name: found[name] for name in ["csv", "csv-async", "arrow-csv", "tpchgen"]}


def page(rows, told, scale, command):
    versions = {**crate_versions(), **{engine: version for engine, (version, _) in told.items()}}
    other_bytes = [engine for engine, (_, same) in told.items() if not same]
    compiler = run("rustc", "--version").split()[1]
    text = f"""# Beside other CSV writers

Written by `scripts/peers`, which measures all of it anew; [performance.md](performance.md) says what the figures mean.

![Output per second of processor time](peers.svg)

TPC-H `lineitem`, scale factor {scale}, comma, quotes where they are needed, line feeds. Same data, in memory; MB are
10⁶ bytes of output for each second of processor time (of wall time for `threads`: two threads against one). Ours and
the peer take turns in one process, block by block, and the shortest time of each block counts. The bytes are compared
before anything is measured. Engines of Python run beside it, in turns with ours, and write to `/dev/null`; there the
shortest time for the whole table counts, on both sides.

| front | peer | ours MB/s | peer MB/s | ratio |
|---|---|---|---|---|
"""
    for row in rows:
        text += "| {front} | {peer} | {ours_mb_s:,.0f} | {peer_mb_s:,.0f} | {ratio:.2f} |\n".format(**row)
    if other_bytes:
        text += f"\nOther bytes, since it cannot write these: {', '.join(other_bytes)} (all texts in quotes). Its ratio is that of the times.\n"
    text += f"""
- `contiguous`: rows of text that lie in blocks of memory: ours in a `Batch`, of others in their byte records; `memcpy`
  copies each finished record into the buffer.
- `iterators`: a sequence of byte slices for each row.
- `serde`: structs of four `i64`, four `f64` and eight `&str`.
- `arrow`: record batches of {8192:,} rows: integers, decimals, dates, string views.

Machine: {machine()}. Versions: rustc {compiler}, {', '.join(f'{name} {version}' for name, version in versions.items())}.
Measured on {datetime.date.today().isoformat()} by:

```console
$ {command}
```
"""
    return text


def chart(rows):
    """A bar for each writer, one group for each front; copying is no writer and would dwarf them."""
    bars = []
    for front in FRONTS[:-1]:
        of_front = [row for row in rows if row["front"] == front and row["peer"] != "memcpy"]
        if not of_front:
            continue
        ours = max(row["ours_mb_s"] for row in of_front)
        bars.append((front, None, 0, None))
        bars.append((None, "consign", ours, None))
        bars += [(None, row["peer"], ours / row["ratio"], row["ratio"]) for row in of_front]
    most = max(speed for _, _, speed, _ in bars)
    left, width, line = 170, 560, 24
    height = 56 + sum(34 if front else line for front, *_ in bars) + 16
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 {height}" width="900" height="{height}" role="img" aria-labelledby="title desc">',
        '<title id="title">CSV writers: MB of output for each second of processor time</title>',
        '<desc id="desc">' + html.escape("; ".join(f"{r['front']}: ours {r['ours_mb_s']:.0f}, {r['peer']} {r['peer_mb_s']:.0f}" for r in rows)) + "</desc>",
        "<style>",
        '  text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; font-size: 13px; fill: #1f2933 }',
        "  .head { font-size: 15px; font-weight: 600 }",
        "  .front { font-weight: 600; fill: #2f725d }",
        "  .name { text-anchor: end }",
        "  .figure { fill: #52606d }",
        "  .ours { fill: #3b8c72 }",
        "  .peer { fill: #b4bcc6 }",
        "</style>",
        # A ground of its own, so that it reads on dark pages too.
        f'<rect x="1" y="1" width="898" height="{height - 2}" rx="12" fill="#fbfaf7" stroke="#d9d5cb" stroke-width="1.5"/>',
        '<text class="head" x="24" y="34">MB of CSV for each second of processor time, TPC-H lineitem</text>',
    ]
    y = 56
    for front, name, speed, times in bars:
        if front:
            y += 34
            out.append(f'<text class="front" x="24" y="{y - 10}">{front}</text>')
            continue
        kind = "peer" if times else "ours"
        figure = f"consign is {times:.1f} × as fast" if times else f"{speed:,.0f}"
        length = max(1, width * speed / most)
        out.append(f'<text class="name" x="{left - 10}" y="{y + 13}">{html.escape(name)}</text>')
        out.append(f'<rect class="{kind}" x="{left}" y="{y}" width="{length:.1f}" height="18" rx="3"/>')
        out.append(f'<text class="figure" x="{left + length + 8:.1f}" y="{y + 14}" xml:space="preserve">{figure}</text>')
        y += line
    return "\n".join(out + ["</svg>", ""])


def main():
    options = argparse.ArgumentParser(prog="scripts/peers")
    options.add_argument("peers", help=argparse.SUPPRESS)
    options.add_argument("--json", action="store_true", help="a JSON object for each row, and no documents")
    options.add_argument("--front", action="append", choices=FRONTS, help="only this front, and no documents")
    options.add_argument("--seconds", type=float, default=4, help="how long each row is measured")
    options.add_argument("--scale", type=float, default=0.05, help="the scale factor of the table")
    options = options.parse_args()

    rows, told = [], {}
    for front in options.front or FRONTS:
        found = rust_rows(options.peers, front, options.seconds, options.scale)
        if front == "arrow":
            engines, told = python_rows(options.peers, options.seconds, options.scale)
            found += engines
        for row in found:
            print(json.dumps(row) if options.json else "{front:<11} {peer:<20} {ratio:8.2f} ×".format(**row), flush=True)
        rows += found
    if options.json or options.front:
        return
    for name, text in [("peers.md", page(rows, told, options.scale, " ".join(["scripts/peers", *sys.argv[2:]]))), ("peers.svg", chart(rows))]:
        with open(os.path.join(ROOT, "docs", name), "w") as file:
            file.write(text)
    print("\nwrote docs/peers.md and docs/peers.svg")


main()
