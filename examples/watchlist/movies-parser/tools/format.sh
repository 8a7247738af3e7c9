#!/bin/sh
# Fails with the names of the files that gofmt would change.
set -eu
found=$(gofmt -l .)
[ -z "$found" ] || { printf 'not formatted (run gofmt -w .):\n%s\n' "$found"; exit 1; }
