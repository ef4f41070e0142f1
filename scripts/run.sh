#!/bin/sh
# run.sh LOG COMMAND...: runs a test program, keeps its output and its exit status in LOG, and prints the output.
log=$1
shift
mkdir -p "$(dirname "$log")"
{
  echo "--- $*"
  "$@" 2>&1
  echo "--- exit $?"
} >"$log"
cat "$log"
