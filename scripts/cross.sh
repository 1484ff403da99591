#!/bin/sh
# Builds everything, and type-checks the tests, for each system that is
# supported: what is Linux only must have its stub.
set -eu

for target in linux/amd64 linux/arm64 linux/arm linux/mipsle darwin/arm64 windows/amd64; do
	echo "building for $target"
	export CGO_ENABLED=0 GOOS="${target%/*}" GOARCH="${target#*/}"
	go build ./...
	go vet ./...
done
