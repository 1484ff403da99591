#!/bin/sh
# size.sh FILE BYTES: fails where FILE has BYTES or more.
set -eu

size=$(wc -c <"$1")
if [ "$size" -ge "$2" ]; then
	echo "$1 has $size bytes; the limit is $2" >&2
	exit 1
fi
echo "$1 has $size bytes of $2"
