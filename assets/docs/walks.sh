#!/usr/bin/env bash
# Goes through what three people do with Onset, in the real window with keyboard and mouse,
# checks in the project what came of it, and counts the key presses.
#   walks.sh ONSET OUT
# Pictures on the way go to OUT. Needs xvfb, xdotool, imagemagick and sqlite3. The camera's
# walk is gone where CAMERA names one, the other two elsewhere.
set -euo pipefail

onset=$(readlink -f "$1")
mkdir -p "$2"
out=$(readlink -f "$2")
work=$(mktemp -d)
. "$(dirname "$(readlink -f "$0")")/window.sh"
trap 'close_window; rm -rf "$work"' EXIT

presses=0
keys() {
	press "$@"
	presses=$((presses + $#))
}
types() {
	write "$1"
	presses=$((presses + ${#1}))
}
# The window has the project to itself: a copy, with what is still in its journal, is asked.
ask() {
	rm -f "$work"/copy.onset*
	cp "$project" "$work/copy.onset"
	[ ! -e "$project-wal" ] || cp "$project-wal" "$work/copy.onset-wal"
	sqlite3 "$work/copy.onset" "$1"
}
is() { # WHAT FOUND WANTED
	[ "$2" = "$3" ] || { echo "walks: $1: $2 in place of $3" >&2; picture "$out/wrong.png" >&2; exit 1; }
	echo "  $1: $2"
}
until_analysed() {
	local waited=0
	until [ -e "$project" ] && [ "$(ask 'SELECT count(*) FROM analysis')" = 1 ]; do
		sleep 1
		waited=$((waited + 1))
		[ "$waited" -lt "${PATIENCE:-600}" ] || { echo "walks: no analysis after $waited s" >&2; exit 1; }
	done
}

home=$work/home
mkdir -p "$home/onset"
echo '{"hints_seen": true, "coder": "A. Coder", "theme": "dark"}' >"$home/onset/window.json"

if [ -n "${CAMERA:-}" ]; then
	open_window "$onset" "$home" 1280 800 1
	sleep 2
	keys ctrl+3
	sleep 2
	keys Return
	sleep "${SETTLE:-10}"
	picture "$out/live.png"
	echo "start live and read the bars: $presses key presses"
	exit
fi

# A minute and a half of somebody who does something every three seconds or so.
sed -e 's/^world = .*/world = "walks"/; s/^recordings = .*/recordings = 1/' \
	-e 's/^seconds = .*/seconds = [90.0, 90.0]/; s/^none_in = .*/none_in = 0.0/' \
	-e 's/^in_20_seconds = .*/in_20_seconds = [6, 6]/' \
	-e 's/^peak_px = \[0.3, 1.0\]/peak_px = [0.8, 1.6]/' \
	"$(dirname "$(readlink -f "$0")")/../studio/test-1.toml" >"$work/recipe.toml"
"$onset" synth --recipe "$work/recipe.toml" --out "$work/film" --quiet
recording=$(find "$work/film" -name '*.mp4')
cp "$recording" "$home/interview.mp4"
project=$home/interview.onset
open_window "$onset" "$home" 1280 800 1 interview.mp4

# The project is there with the first thing that is said; this one is taken back.
sleep 5
press ctrl+2 t ctrl+z ctrl+1
until_analysed
sleep 3
picture "$out/review-before.png"
for n in $(seq 20); do
	keys n
	if [ $((n % 3)) = 0 ]; then keys r; else keys a; fi
done
picture "$out/review-after.png"
echo "review 20 candidates: $presses key presses"
is accepted "$(ask "SELECT count(*) FROM annotation WHERE status = 'accepted'")" 14
is rejected "$(ask "SELECT count(*) FROM annotation WHERE status = 'rejected'")" 6

# The same by mouse: a place of the timeline, a closer look, the first one of the list.
xdotool mousemove 500 640 click 1
sleep 1
for n in 1 2 3 4; do xdotool click 4; sleep 0.2; done
sleep 1
picture "$out/review-zoomed.png"
press 0

press ctrl+2 Escape Home
presses=0
for units in 12c "L12c 6b" 4 1+2 b28; do
	[ "$presses" = 0 ] || keys shift+Right shift+Right
	keys o Right Right Right Right x Right Right Right Right Right Right f u
	types "$units"
	keys Return
done
picture "$out/annotate.png"
echo "annotate 5 intervals with units: $presses key presses"
is "intervals of one's own" "$(ask "SELECT count(*) FROM annotation WHERE candidate_kind IS NULL")" 5
is units "$(ask "SELECT group_concat(units, ' ') FROM (SELECT units FROM annotation WHERE candidate_kind IS NULL ORDER BY onset)")" \
	"AU12C AU12LC+AU6B AU4 AU1+AU2 AUB28"
is onsets "$(ask "SELECT group_concat(onset, ' ') FROM (SELECT onset FROM annotation WHERE candidate_kind IS NULL ORDER BY onset)")" \
	"0 30 60 90 120"
