#!/usr/bin/env bash
# A long high-speed recording as a folder of images, and what analysing it takes.
#   long_folder.sh ONSET [FRAMES [FPS [CLIP]]]
# 10,000 JPEGs of 640×480 at 200 frames a second, 50 s, of the bundled clip by default.
# The clip's frames are written once and linked under further numbers, forth and back
# so that nothing jumps: the folder takes the room of one pass. It is removed afterwards.
# It is analysed twice: with the default stride, and with a flow window from every frame.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
onset=$1
frames=${2:-10000}
fps=${3:-200}
clip=${4:-$here/../clip/sample.mp4}
command -v ffmpeg >/dev/null || { echo "This needs the ffmpeg program (on Debian: apt-get install ffmpeg)." >&2; exit 1; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/once" "$folder/long"
ffmpeg -v error -i "$clip" -frames:v "$frames" -vf scale=640:480 -q:v 3 -start_number 0 "$folder/once/%06d.jpg"
once=$(find "$folder/once" -name '*.jpg' | wc -l)
[ "$once" -gt 1 ] || { echo "No frames in $clip" >&2; exit 1; }
turn=$((2 * once - 2))
for ((i = 0; i < frames; i++)); do
	at=$((i % turn))
	[ "$at" -lt "$once" ] || at=$((turn - at))
	printf '%s/once/%06d.jpg\0%s/long/%06d.jpg\0' "$folder" "$at" "$folder" "$i"
done | xargs -0 -n 2 -P 2 ln
for stride in k/12 dense; do
	case $stride in
	dense) echo "stride dense, a window from every frame:" ;;
	*) echo "stride $stride, the default:" ;;
	esac
	"$onset" bench "$folder/long" --fps "$fps" --whole-only --stride "$stride"
done
