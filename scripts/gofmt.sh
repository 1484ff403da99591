#!/bin/sh
# Fails with the names of the Go files that gofmt would change.
set -eu

unformatted=$(gofmt -l .)
if [ -n "$unformatted" ]; then
	printf 'gofmt would change:\n%s\n' "$unformatted" >&2
	exit 1
fi
