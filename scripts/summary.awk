# Reads `go test -v` of many packages and prints the line that ends each; before
# that of a failed one, all that it said but the tests that passed.

/^=== (RUN|PAUSE|CONT|NAME)/ || /^ *--- PASS/ || /^(PASS|FAIL)$/ { next }

/^(ok|\?) *\t/ { print; lines = 0; next }

/^FAIL\t/ {
	for (i = 0; i < lines; i++) print kept[i]
	print
	lines = 0
	next
}

{ kept[lines++] = $0 }

END { for (i = 0; i < lines; i++) print kept[i] }
