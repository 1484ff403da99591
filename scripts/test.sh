#!/bin/sh
# Runs every test with the race detector; those of the pages' scripts are among
# them, since package web runs node.
# What builds networks or starts browsers runs alone, after the rest, so that its
# timing is its own; there the calls of e2e go side by side, as many at a time as
# there are CPUs, since they wait more than they work. What relays packets runs
# twice, once over each data path: first the one that auto takes here, then plain,
# which the rooms of e2e are left out of: their calls are those of the other pages;
# so are what relays nothing, and the test that the suite notices each rule that is
# off, which no path has to do with.
# The whole output is in dist/log; what is printed is the line of each package, and
# everything a failed package said. With CI=true a skipped test is a failure.
set -eu

alone='/(natlab|e2e|conformance|interop|bench)(/|$)'
mkdir -p dist/log
rm -f dist/log/test-*.log
failed=0

# run_go NAME ARGUMENTS...: go test with its output in dist/log/test-NAME.log.
run_go() {
	name=$1
	shift
	status=dist/log/status
	{ go test -v -race -count 1 "$@" 2>&1 && echo 0 >"$status" || echo 1 >"$status"; } |
		tee "dist/log/test-$name.log" | awk -f scripts/summary.awk
	[ "$(cat "$status")" = 0 ] || failed=1
}

# count RESULT: how many tests, subtests included, ended so.
count() {
	cat dist/log/test-*.log | grep -c "^ *--- $1" || true
}

packages=$(go list ./...)
together=$(echo "$packages" | grep -Ev "$alone" || true)
apart=$(echo "$packages" | grep -E "$alone" || true)

# The package names are meant to be split.
# shellcheck disable=SC2086
run_go together -timeout 10m $together
# shellcheck disable=SC2086
[ -z "$apart" ] || run_go apart -p 1 -timeout 15m $apart
ICEBOX_TURN_RELAY_DATAPATH=plain
export ICEBOX_TURN_RELAY_DATAPATH
run_go plain -p 1 -timeout 15m -skip '^Test(Room|ClientModule|Device|1cs1csWithoutTURN$|RulesOff$)' ./turnserver ./conformance ./interop ./e2e

skipped=$(count SKIP)
if [ "$skipped" != 0 ]; then
	echo "skipped here:"
	grep -h -B 1 '^ *--- SKIP' dist/log/test-*.log | grep -v '^--$'
fi
if [ "$skipped" != 0 ] && [ "${CI:-}" = true ]; then
	echo "on CI nothing may skip" >&2
	failed=1
fi
echo "$(count PASS) passed, $(count FAIL) failed, $skipped skipped"
exit "$failed"
