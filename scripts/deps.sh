#!/bin/sh
# Brings what the tests need: a C compiler for the race detector, nftables and
# iproute2 for networks in namespaces, Chromium, Firefox, certutil and fonts for real
# calls, Node for the tests of the pages' scripts and, with its WebSockets, as a
# client of rooms, and aioice and coturn as clients that others wrote. As root on Debian it installs what is missing;
# elsewhere it says what is missing and goes on, and the tests that need it skip
# by name. coturn is only unpacked, into dist/coturn: installed, it would start a
# server that takes port 3478.
set -eu

GO_WANTED=1.26

# The commands, and the Debian package that each comes from.
needed='gcc:gcc git:git nft:nftables ip:iproute2 chromium:chromium firefox-esr:firefox-esr certutil:libnss3-tools node:nodejs fc-list:fontconfig'
coturn=dist/coturn

check_go() {
	if ! command -v go >/dev/null 2>&1; then
		echo "deps: no go command. Go $GO_WANTED or newer is at https://go.dev/dl/ (in China https://golang.google.cn/dl/)." >&2
		exit 1
	fi
}

missing_packages() {
	for pair in $needed; do
		command -v "${pair%%:*}" >/dev/null 2>&1 || printf '%s ' "${pair#*:}"
	done
	has_libc_headers || printf 'libc6-dev '
	has_chinese_font || printf 'fonts-noto-cjk '
	/usr/bin/python3 -c 'import aioice' 2>/dev/null || printf 'python3-aioice '
	[ -d /usr/share/nodejs/ws ] || printf 'node-ws '
}

has_libc_headers() {
	[ ! -f /etc/debian_version ] || [ -f /usr/include/stdio.h ]
}

has_chinese_font() {
	command -v fc-list >/dev/null 2>&1 && [ -n "$(fc-list :lang=zh file)" ]
}

has_coturn() {
	command -v turnutils_uclient >/dev/null 2>&1 || runs "$coturn/usr/bin/turnutils_uclient"
}

# runs PROGRAM: it is there with all its libraries.
runs() {
	[ -x "$1" ] && ! ldd "$1" | grep -q 'not found'
}

# unpack_coturn puts the programs of Debian's package where the tests look for
# them, and installs the libraries that they need, nothing else.
unpack_coturn() {
	libraries=$(apt-cache depends coturn | sed -n 's/^ *Depends: \(lib[^ ]*\)$/\1/p')
	# The names are meant to be split.
	# shellcheck disable=SC2086
	apt-get install -y -qq --no-install-recommends $libraries >/dev/null
	rm -rf "$coturn"
	mkdir -p "$coturn"
	(cd "$coturn" && apt-get -qq -o APT::Sandbox::User=root download coturn >/dev/null)
	dpkg -x "$coturn"/coturn_*.deb "$coturn"
	has_coturn
}

cd "$(dirname "$0")/.."
check_go
missing=$(missing_packages)
has_coturn || missing="${missing}coturn "
if [ -z "$missing" ]; then
	exit 0
fi
if [ "$(uname -s)" != Linux ] || [ ! -f /etc/debian_version ] || [ "$(id -u)" != 0 ]; then
	echo "deps: missing here (Debian's package names): $missing"
	echo "deps: only root on Debian gets them installed; tests that need them are skipped by name."
	exit 0
fi
echo "deps: installing: $missing"
missing=$(missing_packages)
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
if [ -n "$missing" ]; then
	# The names are meant to be split.
	# shellcheck disable=SC2086
	apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi
has_coturn || unpack_coturn
missing=$(missing_packages)
if [ -n "$missing" ]; then
	echo "deps: still missing after the installation: $missing" >&2
	exit 1
fi
