#!/usr/bin/env bash
# Installs the system packages Onset needs on Debian and Ubuntu; elsewhere says which.
#   packages.sh run    what building and running needs
#   packages.sh test   the same, and what the tests use
set -euo pipefail

build=(gcc pkg-config libclang-dev libavcodec-dev libavformat-dev libavutil-dev libswscale-dev)
window=(libvulkan1 mesa-vulkan-drivers libxkbcommon0 libxkbcommon-x11-0 libx11-xcb1 libxcursor1 libxi6 libxrandr2 libwayland-client0 libegl1 libgl1)
packages=("${build[@]}" "${window[@]}")
[ "${1:-run}" = test ] && packages+=(libdlib-data strace xvfb)

if ! command -v cargo >/dev/null; then
	echo "Onset needs Rust 1.95 or newer: install it with rustup (https://rustup.rs), open a new shell, and try again." >&2
	exit 1
fi

if ! command -v apt-get >/dev/null; then
	if ! pkg-config --exists libavcodec libavformat libswscale 2>/dev/null; then
		cat >&2 <<'TEXT'
Onset needs, besides Rust: a C compiler, pkg-config, libclang, the FFmpeg libraries
with headers (libavcodec, libavformat, libavutil, libswscale 5.1 or newer) and,
for the window, a Vulkan or OpenGL driver and libxkbcommon.
  Fedora: dnf install gcc pkgconf clang-devel ffmpeg-free-devel vulkan-loader mesa-vulkan-drivers libxkbcommon-x11
  Arch:   pacman -S gcc pkgconf clang ffmpeg vulkan-icd-loader libxkbcommon-x11
  macOS:  brew install pkg-config llvm ffmpeg
TEXT
		exit 1
	fi
	exit 0
fi

missing=()
for p in "${packages[@]}"; do
	dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "Missing packages, and no sudo to install them. As root: apt-get install ${missing[*]}" >&2
		exit 1
	fi
	as_root=(sudo)
fi
echo "Installing: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
