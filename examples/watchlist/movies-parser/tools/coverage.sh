#!/bin/sh
# Which lines the tests reach, as HTML in a folder; fails below LEAST per cent.
set -eu
LEAST=80
folder=${1:-coverage}
mkdir -p "$folder"
go test -coverprofile="$folder/profile" ./...
go tool cover -html="$folder/profile" -o "$folder/index.html"
share=$(go tool cover -func="$folder/profile" | awk 'END { print int($NF) }')
rm "$folder/profile"
echo "$share % of the statements"
[ "$share" -ge "$LEAST" ] || { echo "failed: the tests must reach $LEAST %"; exit 1; }
