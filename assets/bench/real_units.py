#!/usr/bin/env python3
"""Action units on real clips whose expressions somebody marked by eye.

    onset analyze CLIPS/*.mp4 --out RESULTS
    python real_units.py RESULTS CLIPS/events.csv

For each marked expression: where the first marked unit ranks among all units by its
greatest probability in frames.csv between the marked onset and offset, and which units the
spots that share a frame with it have in intervals.csv. events.csv holds clip, kind, onset,
offset, what (`AU12+AU25`); AU27 is looked for as AU26, which Onset has instead.
"""

import argparse
import csv
import pathlib


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("events", type=pathlib.Path)
    args = parser.parse_args()
    first = found = spotted = events = 0
    for event in rows(args.events):
        stem = pathlib.Path(event["clip"]).stem
        folder = args.results / stem
        if event["kind"] != "macro" or not (folder / "frames.csv").exists():
            continue
        onset, offset = int(event["onset"]), int(event["offset"])
        wanted = [int(u[2:]) for u in event["what"].split("+")]
        wanted = [26 if u == 27 else u for u in wanted]
        peak = {}
        for row in rows(folder / "frames.csv"):
            if onset <= int(row["frame"]) <= offset:
                for name, value in row.items():
                    if name.startswith("AU") and value:
                        unit = int(name[2:4])
                        peak[unit] = max(peak.get(unit, 0.0), float(value))
        ranked = sorted(peak, key=peak.get, reverse=True)
        top = " ".join(f"AU{u} {peak[u]:.2f}" for u in ranked[:4])
        spots = [
            row["aus"] or "none"
            for row in rows(folder / "intervals.csv")
            if int(row["onset"]) <= offset and onset <= int(row["offset"])
        ]
        named = {int("".join(c for c in u if c.isdigit())) for s in spots for u in s.split("+") if s != "none"}
        events += 1
        first += bool(ranked) and ranked[0] in wanted
        found += any(u in ranked[:3] and peak[u] >= 0.5 for u in wanted)
        spotted += bool(named & set(wanted))
        print(f"{stem} {onset}-{offset} {event['what']}: frames {top}; spots {', '.join(spots) or 'none'}")
    print(
        f"{events} expressions: a marked unit on top in {first}, among the first three with "
        f"0.5 or more in {found}, named in a spot in {spotted}"
    )


if __name__ == "__main__":
    main()
