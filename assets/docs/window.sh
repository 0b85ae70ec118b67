# The window on a screen that nobody sees, worked by mouse and keys; for the scripts beside
# this one. Needs xvfb, xdotool and imagemagick.

server='' window=''

# User-Mode Linux has no noise of its own: the first random number that a program wants takes
# minutes, so what is known is credited. And a page of memory costs it 0.1 ms, so programs
# keep theirs: with both, a camera's pictures are analysed there at nearly this machine's rate.
if grep -q 'User Mode Linux' /proc/cpuinfo; then
	python3 -c '
import fcntl, hashlib, struct, time
seed = hashlib.sha512(repr(time.time()).encode()).digest()
add_entropy = 0x40085203
with open("/dev/random", "wb") as random:
    fcntl.ioctl(random, add_entropy, struct.pack("ii64s", 512, 64, seed))'
	export MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=100000000000 MALLOC_ARENA_MAX=1 \
		MALLOC_TOP_PAD_=33554432
fi

close_window() {
	[ -z "$window" ] || kill "$window" 2>/dev/null || true
	[ -z "$server" ] || kill "$server" 2>/dev/null || true
	wait "$window" "$server" 2>/dev/null || true
	server='' window=''
}

# open_window ONSET HOME WIDTH HEIGHT SCALE [INPUT]: the window fills the screen; its
# settings and its log are in HOME, where it also runs.
open_window() {
	local onset=$1 home=$2 width=$3 height=$4 scale=$5
	shift 5
	# The server says which number was free.
	rm -f "$home/display"
	exec 3<>"$home/display"
	Xvfb -displayfd 3 -screen 0 "${width}x${height}x24" -nolisten tcp >/dev/null 2>&1 &
	server=$!
	until [ -s "$home/display" ]; do sleep 0.1; done
	DISPLAY=:$(cat "$home/display")
	export DISPLAY
	(cd "$home" && HOME=$home XDG_CONFIG_HOME=$home XDG_DATA_HOME=$home \
		WINIT_X11_SCALE_FACTOR=$scale exec "$onset" view "$@") >"$home/log" 2>&1 &
	window=$!
	until xdotool search --onlyvisible --name Onset >/dev/null 2>&1; do
		kill -0 "$window" || { cat "$home/log"; return 1; }
		sleep 0.2
	done
	sleep 2
	# No tooltip, nothing lit.
	xdotool mousemove "$((width - 2))" "$((height - 2))"
	xdotool windowsize "$(shown)" "$width" "$height"
}

shown() { xdotool search --onlyvisible --name Onset | tail -1; }
focus() { xdotool windowfocus "$(shown)"; }

# So long a key takes to be seen.
PAUSE=${PAUSE:-0.4}

press() {
	local key
	for key in "$@"; do
		focus
		xdotool key "$key"
		sleep "$PAUSE"
	done
}

write() {
	focus
	xdotool type --delay 40 "$1"
	sleep "$PAUSE"
}

# At a place of the screen, in its own points.
click() {
	xdotool mousemove "$1" "$2" click "${3:-1}"
	sleep "$PAUSE"
}

picture() {
	import -window root -dither None -colors 255 "PNG8:$1"
	echo "$1"
}
