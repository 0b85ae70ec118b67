#!/usr/bin/env bash
# Onset's flow beside OpenCV's on the same pairs, one after the other on this machine.
#   peers.sh ONSET [--threads N] [--repeat N] [--json FILE]
# Needs ../shared/tools (or ONSET_SHARED); without it there is nothing to compare and
# that is no failure. OpenCV comes from the system's Python or from a virtual
# environment in the cache folder, never into the checkout.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
onset=$1
shift
shared=${ONSET_SHARED:-$here/../../../shared}

if [ ! -f "$shared/tools/opencv_flow.py" ] || [ ! -f "$shared/reference/tvl1_oracle.npz" ]; then
	echo "Nothing to compare with: $shared holds no tools/opencv_flow.py or no reference/tvl1_oracle.npz."
	echo "Set ONSET_SHARED to the folder that does. Onset alone: onset bench"
	exit 0
fi
if ! command -v python3 >/dev/null; then
	echo "OpenCV is driven from Python: install python3 (on Debian: apt-get install python3 python3-venv)." >&2
	exit 1
fi

python=python3
if ! python3 -c 'import numpy, cv2; cv2.optflow.DualTVL1OpticalFlow_create' 2>/dev/null; then
	venv=${XDG_CACHE_HOME:-$HOME/.cache}/onset/bench-venv
	python=$venv/bin/python
	if ! "$python" -c 'import numpy, cv2' 2>/dev/null; then
		echo "Installing OpenCV into $venv" >&2
		python3 -m venv "$venv"
		"$python" -m pip install --quiet numpy opencv-contrib-python-headless
	fi
fi
exec "$python" "$here/peers.py" "$onset" "$shared" "$@"
