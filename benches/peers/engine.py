"""Writes a table as CSV with one engine for some seconds, and prints what it cost as a line of JSON.

    engine.py polars|pyarrow|duckdb THREADS TABLE.arrow TABLE.csv SECONDS

The table is in the engine's own memory before the clock starts. What counts is the processor time of the process, user
and system, of the fastest of the writes; it goes to /dev/null, so that no disk takes part.
"""

import json
import os
import resource
import sys
import tempfile
import time

NOWHERE = "/dev/null"


def polars(threads, table):
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    import polars

    frame = polars.read_ipc(table).rechunk()
    return polars.__version__, lambda path: frame.write_csv(path, include_header=False)


def pyarrow(threads, table):
    import pyarrow
    import pyarrow.csv
    import pyarrow.ipc

    pyarrow.set_cpu_count(threads)
    rows = pyarrow.ipc.open_file(table).read_all()
    # It writes no views of strings.
    plain = [pyarrow.string() if field.type == pyarrow.string_view() else field.type for field in rows.schema]
    rows = rows.cast(pyarrow.schema(list(zip(rows.schema.names, plain))))
    options = pyarrow.csv.WriteOptions(include_header=False)
    return pyarrow.__version__, lambda path: pyarrow.csv.write_csv(rows, path, options)


def duckdb(threads, table):
    import duckdb
    import pyarrow.ipc

    connection = duckdb.connect(config={"threads": threads})
    rows = pyarrow.ipc.open_file(table).read_all()
    connection.register("rows", rows)
    connection.execute("CREATE TABLE lineitem AS FROM rows")
    connection.unregister("rows")
    statement = "COPY lineitem TO '{}' (FORMAT csv, HEADER false, USE_TMP_FILE false)"
    return duckdb.__version__, lambda path: connection.execute(statement.format(path))


def processor_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main():
    name, threads, table, csv, seconds = sys.argv[1:]
    version, write = {"polars": polars, "pyarrow": pyarrow, "duckdb": duckdb}[name](int(threads), table)

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "out.csv")
        write(path)
        with open(path, "rb") as theirs, open(csv, "rb") as ours:
            same = theirs.read() == ours.read()

    best, wall, writes, end = float("inf"), float("inf"), 0, time.monotonic() + float(seconds)
    while writes < 3 or time.monotonic() < end:
        began, began_wall = processor_seconds(), time.monotonic()
        write(NOWHERE)
        best, wall = min(best, processor_seconds() - began), min(wall, time.monotonic() - began_wall)
        writes += 1
    print(json.dumps({"version": version, "seconds": best, "wall": wall, "same_bytes": same, "writes": writes}))


main()
