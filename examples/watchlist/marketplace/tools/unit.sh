#!/bin/sh
# The unit tests, told on the terminal and, where a file is named, as JUnit XML in it.
set -eu
node --test \
    --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=junit --test-reporter-destination="${1:-/dev/null}" \
    test/*.test.mjs
