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
server='' window=''
finish() {
	[ -z "$window" ] || kill "$window" 2>/dev/null || true
	[ -z "$server" ] || kill "$server" 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT

focus() { xdotool windowfocus "$(xdotool search --onlyvisible --name Onset | tail -1)"; }
press() {
	for key in "$@"; do
		focus
		xdotool key "$key"
		sleep 0.4
	done
}
write() {
	focus
	xdotool type --delay 40 "$1"
	sleep 0.4
}
shot() {
	sleep 1.5
	import -window root -dither None -colors 255 "PNG8:$out/$1.png"
	echo "$out/$1.png"
}

one() { # name width height scale theme
	local home=$work/$1-$5
	mkdir -p "$home/onset" "$home/films"
	cp "$clip" "$home/interview.mp4"
	for n in "subject 03" "subject 07" "subject 12"; do cp "$clip" "$home/films/$n.mp4"; done
	head -c 4000 "$clip" >"$home/films/subject 09.mp4"
	echo "{\"theme\": \"$5\", \"hints_seen\": true, \"coder\": \"A. Coder\",
		\"shown\": {\"magnified\": true, \"led\": false}}" >"$home/onset/window.json"
	# The server says which number was free.
	exec 3<>"$work/number-$1-$5"
	Xvfb -displayfd 3 -screen 0 "$2x$3x24" -nolisten tcp >/dev/null 2>&1 &
	server=$!
	until [ -s "$work/number-$1-$5" ]; do sleep 0.1; done
	DISPLAY=:$(cat "$work/number-$1-$5")
	export DISPLAY
	(cd "$home" && HOME=$home XDG_CONFIG_HOME=$home XDG_DATA_HOME=$home WINIT_X11_SCALE_FACTOR=$4 \
		exec "$onset" view "${CAMERA:-interview.mp4}") >"$work/log" 2>&1 &
	window=$!
	until xdotool search --onlyvisible --name Onset >/dev/null 2>&1; do sleep 0.2; done
	sleep 2
	# No tooltip, nothing lit.
	xdotool mousemove "$(($2 - 2))" "$(($3 - 2))"
	xdotool windowsize "$(xdotool search --onlyvisible --name Onset | tail -1)" "$2" "$3"
	if [ -n "${CAMERA:-}" ]; then
		sleep "${SETTLE:-30}"
		shot "live-$5-$1"
	else
		sleep "${SETTLE:-45}"
		press n n
		shot "review-$5-$1"
		press ctrl+2
		press Escape shift+Right o Right Right x shift+Right f u
		write "1B 2B 12LC"
		press Return
		shot "annotate-$5-$1"
		press ctrl+4
		focus
		# Into the path, from the room's first button.
		press Tab
		xdotool mousemove "$((640 * $4))" "$((20 * $4))" click 1
		write "$home/films"
		press Return
		sleep 2
		# Away from the field, whose keys the room's are not.
		xdotool mousemove "$((640 * $4))" "$(($3 - 60 * $4))" click 1
		press space
		sleep "${SETTLE:-45}"
		press Home
		shot "batch-$5-$1"
	fi
	kill "$window" "$server"
	wait "$window" "$server" 2>/dev/null || true
	window='' server=''
}

for theme in dark light; do
	for size in "1280x800 1280 800 1" "1920x1080 1920 1080 1" "2x 2560 1600 2"; do
		read -r name width height scale <<<"$size"
		[ -z "$only" ] || [ "$only" = "$name-$theme" ] || continue
		one "$name" "$width" "$height" "$scale" "$theme"
	done
done
