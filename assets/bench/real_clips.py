#!/usr/bin/env python3
"""Hits and false alarms on real clips whose expressions somebody marked by eye.

    onset analyze CLIPS/*.mp4 --out RESULTS
    python real_clips.py RESULTS CLIPS/events.csv

A marked expression is hit when a spot of either kind shares a frame with it; a spot that
shares none with any is a false alarm. events.csv holds clip, kind, onset, offset
(other columns are not read); only the kind `macro` counts, there being no known
micro-expression. Minutes are those of the recordings in RESULTS, marked or not.
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
    marked = {}
    for row in rows(args.events):
        if row["kind"] == "macro":
            stem = pathlib.Path(row["clip"]).stem
            marked.setdefault(stem, []).append((int(row["onset"]), int(row["offset"])))
    total = [0, 0, 0, 0.0]
    for folder in sorted(p.parent for p in args.results.glob("*/intervals.csv")):
        spots = [(int(r["onset"]), int(r["offset"])) for r in rows(folder / "intervals.csv")]
        times = [float(r["timestamp"]) for r in rows(folder / "frames.csv")]
        minutes = (times[-1] - times[0]) / 60 if times else 0.0
        truths = marked.get(folder.name, [])
        shares = lambda a, b: a[0] <= b[1] and b[0] <= a[1]
        hits = sum(any(shares(truth, spot) for spot in spots) for truth in truths)
        false = sum(not any(shares(truth, spot) for truth in truths) for spot in spots)
        print(f"{folder.name}: {hits} of {len(truths)} hit, {false} false alarms, {minutes:.2f} min")
        for place, value in enumerate((hits, len(truths), false, minutes)):
            total[place] += value
    hits, truths, false, minutes = total
    print(f"all: {hits} of {truths} hit, {false / minutes:.1f} false alarms a minute ({minutes:.1f} min)")


if __name__ == "__main__":
    main()
