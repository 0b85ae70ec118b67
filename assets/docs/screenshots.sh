#!/usr/bin/env bash
# Takes the pictures of the window in assets/docs/window: every room, dark and light, at
# 1280×800, 1920×1080 and at twice the density.
#   screenshots.sh ONSET [OUT]
# Needs xvfb, xdotool and imagemagick. The Live room is shown where there is a camera.
set -euo pipefail

onset=$(readlink -f "$1")
clip=$(readlink -f "$(dirname "$0")/../clip/sample.mp4")
out=${2:-$(dirname "$(readlink -f "$0")")/window}
only=${ONLY:-}
mkdir -p "$out"
work=${TMPDIR:-/tmp}/onset-pictures-${only:-all}
rm -rf "$work"
mkdir -p "$work"
. "$(dirname "$(readlink -f "$0")")/window.sh"
trap 'close_window; rm -rf "$work"' EXIT

shot() {
	sleep 1.5
	picture "$out/$1.png"
}

one() { # name width height scale theme
	local home=$work/$1-$5
	mkdir -p "$home/onset" "$home/films"
	cp "$clip" "$home/interview.mp4"
	for n in "subject 03" "subject 07" "subject 12"; do cp "$clip" "$home/films/$n.mp4"; done
	head -c 4000 "$clip" >"$home/films/subject 09.mp4"
	echo "{\"theme\": \"$5\", \"hints_seen\": true, \"coder\": \"A. Coder\",
		\"shown\": {\"magnified\": true, \"led\": false}}" >"$home/onset/window.json"
	open_window "$onset" "$home" "$2" "$3" "$4" "${CAMERA:-interview.mp4}"
	if [ -n "${CAMERA:-}" ]; then
		sleep "${SETTLE:-30}"
		shot "live-$5-$1"
	else
		sleep "${SETTLE:-45}"
		press n n
		shot "review-$5-$1"
		press ctrl+2
		# The first micro-expression, as the clip's truth has it, looked at where it is strongest.
		press Escape Home
		press shift+Right shift+Right shift+Right shift+Right shift+Right
		press shift+Right shift+Right shift+Right shift+Right o
		press Right Right Right Right Right x
		press Right Right Right Right Right Right f u
		write "1A 4B"
		press Return
		press Left Left Left Left Left Left
		shot "annotate-$5-$1"
		press ctrl+4
		focus
		# Into the path, from the room's first button.
		press Tab
		click "$((640 * $4))" "$((20 * $4))"
		write "$home/films"
		press Return
		sleep 2
		# Away from the field, whose keys the room's are not.
		click "$((640 * $4))" "$(($3 - 60 * $4))"
		press space
		sleep "${SETTLE:-45}"
		press Home
		shot "batch-$5-$1"
	fi
	close_window
}

for theme in dark light; do
	for size in "1280x800 1280 800 1" "1920x1080 1920 1080 1" "2x 2560 1600 2"; do
		read -r name width height scale <<<"$size"
		[ -z "$only" ] || [ "$only" = "$name-$theme" ] || continue
		one "$name" "$width" "$height" "$scale" "$theme"
	done
done
