#!/usr/bin/env bash
# Writes assets/docs/licences.txt: every crate that Onset is compiled of on this platform
# (the normal dependencies, macros included; not those of build scripts and tests alone), its
# version and the licence its manifest states. Asks Cargo for what is on this disk; nothing
# is downloaded.
set -euo pipefail

cd "$(dirname "$0")/../.."
platform=$(rustc -vV | sed -n 's/^host: //p')
cargo metadata --locked --offline --format-version 1 --filter-platform "$platform" |
	python3 -c '
import json, sys

data = json.load(sys.stdin)
packages = {p["id"]: p for p in data["packages"]}
nodes = {n["id"]: n for n in data["resolve"]["nodes"]}
root = data["resolve"]["root"]
seen, waiting = {root}, [root]
while waiting:
    for dep in nodes[waiting.pop()]["deps"]:
        normal = any(kind["kind"] is None for kind in dep["dep_kinds"])
        if normal and dep["pkg"] not in seen:
            seen.add(dep["pkg"])
            waiting.append(dep["pkg"])
seen.remove(root)
lines = set()
for package in (packages[i] for i in seen):
    licence = package["license"]
    if not licence and package["license_file"]:
        licence = "its own, in the file " + package["license_file"].rsplit("/")[-1]
    if not licence:
        sys.exit("%s %s states no licence" % (package["name"], package["version"]))
    lines.add("%s %s — %s" % (package["name"], package["version"], licence))
sys.stdout.reconfigure(encoding="utf-8")
print("\n".join(sorted(lines)))
' >assets/docs/licences.new
mv assets/docs/licences.new assets/docs/licences.txt
echo "$(wc -l <assets/docs/licences.txt) crates: assets/docs/licences.txt"
