#!/bin/sh
# coverage.sh MAKE: builds the tests for coverage, runs them, and prints which lines of the headers ran on any backend; those that
# did not are listed in build/coverage/not-run.txt. A line of a template counts as run if it ran for one of its types.
backends=$(sed -n 's/^BACKENDS *= *//p' build/config.mk | tr ' ' '\n' | grep -v neon | tr '\n' ' ')
rm -rf build/coverage
AD_CONFIGURED= $1 test B=build/coverage BACKENDS="$backends" CHECKS= CC="${CC:-gcc}" OPT="-O0 -g1 --coverage" WARN= | tail -n 3
find build/coverage -name '*.gcda' -exec gcov --stdout {} + 2>/dev/null | awk -F: '
  $3 == "Source" { file = $4; sub(/^.*\//, "", file); next }
  file != "ad.h" && file != "ad_simd.h" { next }
  { count = $1; line = $2 + 0; gsub(/[ *]/, "", count) }
  line == 0 || count == "-" { next }
  count ~ /^[#=]+$/ { if (!((file, line) in seen)) seen[file, line] = 0; text = $0; sub(/^[^:]*:[^:]*:/, "", text); source[file, line] = text; next }
  { seen[file, line] = 1 }
  END {
    for (key in seen) {
      split(key, at, SUBSEP)
      lines[at[1]]++
      run[at[1]] += seen[key]
      if (!seen[key]) printf "%s:%d:%s\n", at[1], at[2], source[key] > "build/coverage/not-run.txt"
    }
    for (file in lines) printf "%-10s %5d of %5d lines, %.1f %%\n", file, run[file], lines[file], 100 * run[file] / lines[file]
  }'
[ ! -f build/coverage/not-run.txt ] || { sort -t: -k1,1 -k2,2n -o build/coverage/not-run.txt build/coverage/not-run.txt && echo "not run: build/coverage/not-run.txt"; }
