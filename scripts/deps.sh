#!/bin/sh
# Brings what the tests need: a C compiler for the race detector, nftables and
# iproute2 for networks in namespaces, Chromium and fonts for real calls, Node
# for the tests of the pages' scripts. As root on Debian it installs what is
# missing; elsewhere it says what is missing and goes on, and the tests that
# need it skip by name.
set -eu

GO_WANTED=1.26

# The commands, and the Debian package that each comes from.
needed='gcc:gcc git:git nft:nftables ip:iproute2 chromium:chromium node:nodejs fc-list:fontconfig'

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
}

has_libc_headers() {
	[ ! -f /etc/debian_version ] || [ -f /usr/include/stdio.h ]
}

has_chinese_font() {
	command -v fc-list >/dev/null 2>&1 && [ -n "$(fc-list :lang=zh file)" ]
}

check_go
missing=$(missing_packages)
if [ -z "$missing" ]; then
	exit 0
fi
if [ "$(uname -s)" != Linux ] || [ ! -f /etc/debian_version ] || [ "$(id -u)" != 0 ]; then
	echo "deps: missing here (Debian's package names): $missing"
	echo "deps: only root on Debian gets them installed; tests that need them are skipped by name."
	exit 0
fi
echo "deps: installing: $missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# The names are meant to be split.
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing >/dev/null
missing=$(missing_packages)
if [ -n "$missing" ]; then
	echo "deps: still missing after the installation: $missing" >&2
	exit 1
fi
