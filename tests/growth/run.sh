#!/usr/bin/env bash
# Runs store_growth in a folder of its own: run.sh PROGRAM [OPTION]...
set -euo pipefail
work=$(mktemp -d "${TMPDIR:-/tmp}/almanac-growth.XXXXXX")
trap 'rm -rf "$work"' EXIT
program=$1
shift
"$program" "$work" "$@"
