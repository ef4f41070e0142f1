#!/bin/sh
# run.sh LOG COMMAND...: runs a test program, keeps its output and its exit status in LOG, and prints the output.
log=$1
shift
mkdir -p "$(dirname "$log")"
began=$(date +%s)
{
  echo "--- $*"
  "$@" 2>&1
  echo "--- exit $? after $(($(date +%s) - began)) s"
} >"$log"
cat "$log"
