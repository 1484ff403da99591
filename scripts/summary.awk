# Reads `go test -v` of many packages and prints the line that ends each; before
# that of a failed one, what it said but the tests that passed, its last 2000
# lines at most.

/^=== (RUN|PAUSE|CONT|NAME)/ || /^ *--- PASS/ || /^(PASS|FAIL)$/ { next }

/^(ok|\?) *\t/ { print; lines = 0; next }

/^FAIL\t/ { tell(); print; lines = 0; next }

{ kept[lines++] = $0 }

END { tell() }

function tell(    i) {
	i = lines > 2000 ? lines - 2000 : 0
	if (i > 0) print "(" i " more lines are in dist/log)"
	for (; i < lines; i++) print kept[i]
}
