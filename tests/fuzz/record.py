"""The record of fuzz campaigns, one line a run, and the table that docs/reliability.md shows of it.

Run as a program it checks that the table agrees with the record; with --write it writes it.
"""

import csv
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
RECORD = HERE / "record.csv"
PAGE = HERE.parent.parent / "docs" / "reliability.md"
COLUMNS = ["date", "commit", "target", "executions", "cpu_seconds", "edges", "features", "findings"]
BEGIN = "<!-- fuzz record: begin -->"
END = "<!-- fuzz record: end -->"


def runs(path=RECORD):
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def append(run, path=RECORD):
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerow(run)


def accumulated(all_runs):
    """By target: sums, and what was run since its last finding."""
    totals = {}
    for run in all_runs:
        total = totals.setdefault(
            run["target"], {"executions": 0, "clean": 0, "cpu": 0, "findings": 0})
        has_found = int(run["findings"]) != 0
        total["executions"] += int(run["executions"])
        total["cpu"] += int(run["cpu_seconds"])
        total["findings"] += int(run["findings"])
        total["clean"] = 0 if has_found else total["clean"] + int(run["cpu_seconds"])
        for name in ("edges", "features", "date", "commit"):
            total[name] = run[name]
    return totals


def table(all_runs):
    lines = [
        "| Target | Executions | CPU minutes | of these since the last finding | Findings | Edges, features | Last run |",
        "|---|---|---|---|---|---|---|",
    ]
    for target, total in sorted(accumulated(all_runs).items()):
        lines.append(
            f"| `{target}` | {total['executions']:,} | {total['cpu'] // 60} | {total['clean'] // 60} "
            f"| {total['findings']} | {int(total['edges']):,}, {int(total['features']):,} "
            f"| {total['date']}, {total['commit']} |")
    return "\n".join(lines)


def with_table(page, all_runs):
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{table(all_runs)}\n{END}{after}"


def main(arguments):
    page = PAGE.read_text()
    wanted = with_table(page, runs())
    if arguments == ["--write"]:
        PAGE.write_text(wanted)
        return 0
    if page != wanted:
        print("The table of docs/reliability.md is not that of tests/fuzz/record.csv: "
              "run `python3 tests/fuzz/record.py --write`.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
