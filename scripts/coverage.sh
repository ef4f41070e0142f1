#!/bin/sh
# coverage.sh MAKE: builds the tests for coverage, runs them and prints what of the headers ran, all backends merged.
command -v gcovr >/dev/null 2>&1 || { echo "coverage needs gcovr: apt-get install --no-install-recommends gcovr" && exit 1; }
backends=$(sed -n 's/^BACKENDS *= *//p' build/config.mk | tr ' ' '\n' | grep -v neon | tr '\n' ' ')
rm -rf build/coverage
AD_CONFIGURED= $1 test B=build/coverage BACKENDS="$backends" CHECKS= OPT="-O0 -g --coverage -fprofile-abs-path" WARN= | tail -n 3
gcovr --root . --filter 'ad\.h' --filter 'ad_simd\.h' --exclude-unreachable-branches --exclude-throw-branches --merge-mode-functions=merge-use-line-min \
  --gcov-ignore-parse-errors --print-summary --html-details build/coverage/index.html build/coverage && echo "pages: build/coverage/index.html"
