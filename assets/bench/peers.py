"""Runs Onset and OpenCV in turn on each pair and prints them side by side; see peers.sh."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import cv2

PRESETS = ["exact", "live"]
# A pair of 640×480: two frames of a recording, six apart.
CLIP, CLIP_FRAMES = "clips/intel_asl_yes.mkv", (20, 26)


def clip_pair(shared, folder):
    """Two frames of a shared recording, or a real pair enlarged where that cannot be read."""
    d = folder / "clip640"
    d.mkdir()
    reader = cv2.VideoCapture(str(shared / CLIP))
    for index in range(CLIP_FRAMES[1] + 1):
        read, frame = reader.read()
        if not read:
            break
        if index in CLIP_FRAMES:
            name = "A.png" if index == CLIP_FRAMES[0] else "B.png"
            gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
            cv2.imwrite(str(d / name), cv2.resize(gray, (640, 480), interpolation=cv2.INTER_AREA))
    if not (d / "B.png").exists():
        d.rename(folder / "real0-enlarged")
        d = folder / "real0-enlarged"
        for name in ("A.png", "B.png"):
            small = cv2.imread(str(folder / "real0" / name), cv2.IMREAD_GRAYSCALE)
            cv2.imwrite(str(d / name), cv2.resize(small, (640, 480), interpolation=cv2.INTER_CUBIC))
    return d


def pairs(shared, folder):
    """(name, A, B, truth or None), small pictures first."""
    export = [sys.executable, str(shared / "tools/export_pairs.py"), str(folder)]
    subprocess.run(export, check=True, stdout=subprocess.DEVNULL)
    found = []
    for d in sorted(p for p in folder.iterdir() if p.name != "rubberwhale"):
        truth = d / "truth.flo"
        found.append((d.name, d / "A.png", d / "B.png", truth if truth.exists() else None))
    d = clip_pair(shared, folder)
    found.append((d.name, d / "A.png", d / "B.png", None))
    whale = shared / "reference/rubberwhale"
    if whale.exists():
        found.append(("rubberwhale", whale / "frame10.png", whale / "frame11.png", whale / "flow10.flo"))
    size = lambda pair: cv2.imread(str(pair[1]), cv2.IMREAD_GRAYSCALE).size
    return sorted(found, key=size)


def run(command):
    """The one JSON line that both tools print."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed ({done.returncode}):\n{done.stderr}")
    return json.loads(done.stdout)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("onset")
    p.add_argument("shared", type=pathlib.Path)
    p.add_argument("--threads", type=int, default=1, help="for both programs")
    p.add_argument("--repeat", type=int, default=5, help="for pictures up to 256×256; larger ones get 3 at most")
    p.add_argument("--only", default="", help="pairs whose name contains this")
    p.add_argument("--json", type=pathlib.Path, help="also write every figure here")
    o = p.parse_args()

    number = lambda v, digits: "" if v is None else f"{v:.{digits}f}"
    heads = ["OpenCV CPU ms", "wall ms", "EPE px"]
    for preset in PRESETS:
        heads += [f"{preset} CPU ms", "wall ms", "ratio", "EPE px"]
    print(f"TV-L1, {o.threads} thread(s) each, medians; ratio = OpenCV's CPU time over Onset's; EPE where the truth is known")
    print(f"{'pair':<24} {'pixels':>9} " + " ".join(f"{h:>13}" for h in heads))
    rows = []
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        (folder / "pairs").mkdir()
        for name, a, b, truth in pairs(o.shared, folder / "pairs"):
            if o.only not in name:
                continue
            pixels = cv2.imread(str(a), cv2.IMREAD_GRAYSCALE).size
            repeat = o.repeat if pixels <= 256 * 256 else min(o.repeat, 3)
            common = ["--threads", o.threads, "--repeat", repeat]
            common += ["--truth", truth] if truth else []
            peer = run([sys.executable, o.shared / "tools/opencv_flow.py", a, b, *common])
            row = {"pair": name, "width": peer["width"], "height": peer["height"], "opencv": peer}
            shown = [number(peer["cpu_ms"], 1), number(peer["wall_ms"], 1), number(peer.get("epe_px"), 4)]
            for preset in PRESETS:
                ours = run([o.onset, "flow", a, b, "--json", "--preset", preset, "--out", folder / "ours.flo", *common])
                ours["cpu_ratio"] = peer["cpu_ms"] / ours["cpu_ms"]
                row[preset] = ours
                shown += [number(ours["cpu_ms"], 2), number(ours["wall_ms"], 2), number(ours["cpu_ratio"], 1), number(ours.get("epe_px"), 4)]
            size = f"{peer['width']}×{peer['height']}"
            print(f"{name:<24} {size:>9} " + " ".join(f"{s:>13}" for s in shown), flush=True)
            rows.append(row)
    if rows:
        print(f"{rows[0]['opencv']['tool']}; onset {o.onset}")
    if o.json:
        o.json.write_text(json.dumps(rows, indent=1) + "\n")


main()
