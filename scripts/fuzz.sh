#!/bin/sh
# fuzz.sh: builds tests/fuzz_*.c with clang's libFuzzer, ASan and UBSan and runs each for FUZZ_TIME seconds (60). What it learns stays
# in build/fuzz/NAME.corpus, an input that fails in build/fuzz/NAME-crash-*.
echo 'int LLVMFuzzerTestOneInput(const unsigned char *p, unsigned long n); int LLVMFuzzerTestOneInput(const unsigned char *p, unsigned long n) { return p && n > 1e9; }' |
  clang -fsanitize=fuzzer -x c - -o /dev/null 2>/dev/null || { echo "fuzz needs clang with libFuzzer: apt-get install --no-install-recommends clang libclang-rt-14-dev" && exit 1; }
status=0
libs=$(sed -n 's/^LIBS *= *//p' build/config.mk)
for source in tests/fuzz_*.c; do
  name=$(basename "$source" .c)
  mkdir -p "build/fuzz/$name.corpus"
  clang -std=c11 -D_GNU_SOURCE -O0 -g1 '-DAD_INLINE=static inline __attribute__((unused))' -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -I. "$source" -o "build/fuzz/$name" $libs &&
    "build/fuzz/$name" -max_total_time="${FUZZ_TIME:-60}" -artifact_prefix="build/fuzz/$name-" -print_final_stats=1 "build/fuzz/$name.corpus" 2>&1 | tail -n 25 | tee "build/fuzz/$name.log" &&
    ! grep -q 'SUMMARY\|ERROR' "build/fuzz/$name.log" || status=1
done
exit $status
