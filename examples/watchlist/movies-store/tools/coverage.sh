#!/bin/sh
# Which lines the unit tests reach, as HTML in coverage/.
set -eu
node --test --experimental-test-coverage --test-reporter=./tools/coverage.mjs test/*.test.mjs
