#!/bin/sh
# fuzz.sh TIME [PACKAGE...]: runs every fuzz target of these packages, without
# any of the module, for TIME each, one after the other. What a target prints is
# shown only where it fails.
set -eu

time=$1
shift
[ $# -gt 0 ] || set -- ./...
mkdir -p dist/log
log=dist/log/fuzz.log

# targets prints a package and a fuzz target of it a line.
targets() {
	go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' "$@" | while read -r package; do
		go test -list '^Fuzz' "$package" | sed -n "s|^\(Fuzz.*\)|$package \1|p"
	done
}

# only_late says whether all that failed was the end of TIME itself, which go test
# takes for a failure now and then (go.dev/issue/75804, mended in Go 1.27).
only_late() {
	grep -q '^ *context deadline exceeded$' "$log" && ! grep -q -e 'Failing input' -e '^panic:' "$log"
}

targets "$@" >dist/log/fuzz-targets
while read -r package target; do
	if ! go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package" >"$log" 2>&1 </dev/null && ! only_late; then
		cat "$log"
		exit 1
	fi
	echo "fuzzed $package $target for $time"
done <dist/log/fuzz-targets
