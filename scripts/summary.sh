#!/bin/sh
# summary.sh LOG...: adds up what the logs of run.sh say, in cmocka's words. A log that is missing, that ends in a crash or
# that counts nothing is one failure. The last line is `N passed, N failed`; the exit status is 1 if anything failed.
passed=0 failed=0 skipped=0
for log; do
  if [ ! -f "$log" ]; then
    echo "FAILED: ${log#build/logs/} did not build"
    failed=$((failed + 1))
    continue
  fi
  set -- $(awk '
    /^\[  PASSED  \] [0-9]+ test/ { p += $4 }
    /^\[  FAILED  \] [0-9]+ test/ { f += $4 }
    /^\[  SKIPPED \] [0-9]+ test/ { s += $4 }
    /^--- exit / { status = $3; ended = 1 }
    END { if (!f && (!ended || status != 0 || !p && !s)) f = 1; print p + 0, f + 0, s + 0 }' "$log")
  [ "$2" = 0 ] || echo "FAILED: $2 in ${log#build/logs/}: $(sed -n 's/^\[  FAILED  \] \([A-Za-z_].*\)/\1/p; s/^--- exit \([1-9].*\)/(exit \1)/p' "$log" | sort -u | tr '\n' ' ')"
  passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
done
[ "$skipped" = 0 ] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
