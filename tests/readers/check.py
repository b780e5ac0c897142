#!/usr/bin/env python3
"""Load what each CSV preset writes with the readers that it is for, and compare cell by cell.

    check.py FOLDER [READER ...]

FOLDER is one that `cargo run --example csv_presets -- FOLDER` has filled. Without names, all readers run. A reader
that is not there is an error, never a pass.
"""

import csv
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def expected(rows, change):
    return [[change(cell) for cell in row] for row in rows]


def keep(cell):
    return cell


def blank_null(cell):
    return "" if cell is None else cell


def duckdb_reader(folder, rows):
    import duckdb

    for preset in ("duckdb", "rfc4180", "snowflake"):
        found = duckdb.sql(
            f"SELECT * FROM read_csv('{folder / preset}.csv', header = true, delim = ',', quote = '\"', escape = '\"', "
            "nullstr = '', allow_quoted_nulls = false, all_varchar = true, auto_detect = false, strict_mode = true, "
            "columns = {'a': 'VARCHAR', 'b': 'VARCHAR', 'c': 'VARCHAR'})"
        ).fetchall()
        yield preset, [list(row) for row in found], expected(rows, keep)
    one = folder / "one_column.csv"
    one.write_text('a\n\n""\nx\n', newline="")
    found = duckdb.sql(
        f"SELECT * FROM read_csv('{one}', header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '', "
        "allow_quoted_nulls = false, auto_detect = false, columns = {'a': 'VARCHAR'})"
    ).fetchall()
    yield "duckdb, one column", [row[0] for row in found], [None, "", "x"]


def mariadb_reader(folder, rows):
    server, install = shutil.which("mariadbd"), shutil.which("mariadb-install-db")
    if not (server and install):
        sys.exit("MariaDB's server is not installed")
    with tempfile.TemporaryDirectory() as work:
        data, socket = os.path.join(work, "data"), os.path.join(work, "s")
        as_root = ["--user=root"] if os.geteuid() == 0 else []
        subprocess.run(
            [install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", *as_root],
            check=True,
            capture_output=True,
        )
        options = [f"--datadir={data}", f"--socket={socket}", f"--pid-file={work}/pid", "--skip-networking", "--local-infile"]
        running = subprocess.Popen([server, "--no-defaults", *options, *as_root], stderr=subprocess.DEVNULL)
        try:
            client = ["mariadb", "--no-defaults", f"--socket={socket}", "-u", "root", "--local-infile=1", "-N", "-B", "--raw"]

            def run(sql):
                return subprocess.run([*client, "-e", sql], check=True, capture_output=True, text=True).stdout

            for _ in range(300):
                if os.path.exists(socket):
                    break
                time.sleep(0.1)
            run("CREATE DATABASE d CHARACTER SET utf8mb4")
            run("CREATE TABLE d.t (n INT AUTO_INCREMENT PRIMARY KEY, a TEXT, b TEXT, c TEXT)")
            run(
                f"LOAD DATA LOCAL INFILE '{folder}/mysql_load_data.csv' INTO TABLE d.t CHARACTER SET utf8mb4 "
                "FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' ESCAPED BY '\\\\' "
                "LINES TERMINATED BY '\\n' IGNORE 1 LINES (a, b, c)"
            )
            cells = ", ".join(f"ifnull(hex({name}), 'null')" for name in "abc")
            lines = run(f"SELECT {cells} FROM d.t ORDER BY n").splitlines()
            decode = lambda cell: None if cell == "null" else bytes.fromhex(cell).decode()
            yield "mysql_load_data", [[decode(cell) for cell in line.split("\t")] for line in lines], expected(rows, keep)
        finally:
            running.terminate()
            running.wait()


def pandas_reader(folder, rows):
    import pandas

    for preset, null in (("redshift_copy", "\\N"), ("bigquery", "\\N")):
        frame = pandas.read_csv(
            folder / f"{preset}.csv", dtype=str, keep_default_na=False, na_values=[null], lineterminator="\n"
        )
        found = [[None if cell is pandas.NA or cell != cell else cell for cell in row] for row in frame.values.tolist()]
        # pandas takes a quoted text for null too: the hazard that these dialects list.
        yield preset, found, expected(rows, lambda cell: None if cell == null else cell)
    frame = pandas.read_csv(folder / "platform.csv", dtype=str, keep_default_na=False, escapechar="\\", doublequote=False)
    yield "platform", frame.values.tolist(), expected(rows, lambda cell: "null" if cell is None else cell)


def polars_reader(folder, rows):
    import polars

    for preset in ("postgres_copy", "rfc4180"):
        frame = polars.read_csv(
            folder / f"{preset}.csv",
            infer_schema=False,
            eol_char="\n",
            truncate_ragged_lines=False,
        )
        found = [list(row) for row in frame.rows()]
        yield preset, found, expected(rows, keep)


def pyarrow_reader(folder, rows):
    import pyarrow
    from pyarrow import csv as reader

    convert = reader.ConvertOptions(
        column_types={name: pyarrow.string() for name in "abc"},
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    for preset in ("postgres_copy", "duckdb", "snowflake", "rfc4180"):
        table = reader.read_csv(
            folder / f"{preset}.csv",
            parse_options=reader.ParseOptions(newlines_in_values=True),
            convert_options=convert,
        )
        yield preset, [list(row.values()) for row in table.to_pylist()], expected(rows, keep)


def python_reader(folder, rows):
    def read(preset, encoding="utf-8", **options):
        with open(folder / f"{preset}.csv", newline="", encoding=encoding) as file:
            return list(csv.reader(file, strict=True, **options))[1:]

    yield "rfc4180", read("rfc4180"), expected(rows, blank_null)
    yield "postgres_copy", read("postgres_copy"), expected(rows, blank_null)
    yield "platform", read("platform", escapechar="\\", doublequote=False), expected(
        rows, lambda cell: "null" if cell is None else cell
    )

    def guarded(cell):
        return "" if cell is None else f"'{cell}" if cell[:1] in ("=", "@", "\t", "\n") or cell == "-- comment" else cell

    yield "excel", read("excel", encoding="utf-8-sig"), expected(rows, guarded)


def sqlite_reader(folder, rows):
    tool = shutil.which("sqlite3") or sys.exit("sqlite3 is not installed")
    with tempfile.TemporaryDirectory() as work:
        database = os.path.join(work, "d.db")
        for preset in ("rfc4180", "postgres_copy"):
            script = "DROP TABLE IF EXISTS t;\nCREATE TABLE t (a TEXT, b TEXT, c TEXT);\n.mode csv\n"
            script += f".import --skip 1 {folder / preset}.csv t\n"
            subprocess.run([tool, database], input=script, text=True, check=True)
            found = [list(row) for row in sqlite3.connect(database).execute("SELECT * FROM t ORDER BY rowid")]
            # SQLite's import knows no null.
            yield preset, found, expected(rows, blank_null)


def postgres_reader(folder, rows):
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not binaries:
        sys.exit("PostgreSQL's server is not installed")
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as work:
        data, sockets = os.path.join(work, "data"), os.path.join(work, "s")
        os.makedirs(sockets)
        if as_user:
            shutil.chown(work, "postgres")
            shutil.chown(sockets, "postgres")

        def run(*command, **options):
            return subprocess.run([*as_user, *command], check=True, cwd=work, capture_output=True, **options)

        run(binaries[-1] / "initdb", "-D", data, "-A", "trust", "-E", "UTF8", "--locale=C")
        options = f"-c listen_addresses= -c unix_socket_directories={sockets} -c fsync=off"
        run(binaries[-1] / "pg_ctl", "-D", data, "-w", "-o", options, "-l", os.path.join(work, "log"), "start")
        try:
            psql = ["psql", "-h", sockets, "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-qAt"]

            def load(path, columns):
                table = ", ".join(f"{name} text" for name in columns)
                names = ", ".join(columns)
                copy = "COPY t FROM STDIN WITH (FORMAT csv, HEADER true)"
                run(*psql, "-c", f"DROP TABLE IF EXISTS t; CREATE TABLE t (n serial, {table})")
                run(*psql, "-c", copy.replace("t FROM", f"t ({names}) FROM"), input=Path(path).read_bytes())
                query = f"SELECT coalesce(json_agg(json_build_array({names}) ORDER BY n), '[]') FROM t"
                return json.loads(run(*psql, "-c", query).stdout)

            yield "postgres_copy", load(folder / "postgres_copy.csv", "abc"), expected(rows, keep)
            one = folder / "one_column.csv"
            one.write_text('a\n\n""\n"\\."\nx\n', newline="")
            yield "postgres_copy, one column", load(one, "a"), [[None], [""], ["\\."], ["x"]]
        finally:
            run(binaries[-1] / "pg_ctl", "-D", data, "-m", "immediate", "stop")


READERS = {
    "duckdb": duckdb_reader,
    "mariadb": mariadb_reader,
    "pandas": pandas_reader,
    "polars": polars_reader,
    "postgres": postgres_reader,
    "pyarrow": pyarrow_reader,
    "python": python_reader,
    "sqlite": sqlite_reader,
}


def main():
    folder = Path(sys.argv[1]).resolve()
    rows = json.loads((folder / "table.json").read_text())["rows"]
    wrong = 0
    for name in sys.argv[2:] or READERS:
        for preset, found, right in READERS[name](folder, rows):
            differences = [f"    {r!r}\n      read as {f!r}" for f, r in zip(found, right) if f != r]
            if len(found) != len(right):
                differences.append(f"    {len(right)} rows, read as {len(found)}")
            print(f"{'ok   ' if not differences else 'WRONG'} {name}: {preset}")
            print("\n".join(differences[:5]), end="\n" if differences else "")
            wrong += bool(differences)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
