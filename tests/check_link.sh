#!/bin/sh
# Units compiled for different instruction sets in one program: each keeps its own lanes, the results are the same bits, and no
# symbol is shared by accident (a weak or common one would run AVX-512 code on a processor without it).
. tests/check.sh

cat >"$dir/unit.c" <<'EOF'
#include "ad_simd.h"
#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
int PASTE(lanes_, UNIT)(void);
double PASTE(dot_, UNIT)(const double *x, const double *y, int n);
int PASTE(lanes_, UNIT)(void) { return AD_V64_LANES; }
/* eight partial sums on every backend, then the tree */
double PASTE(dot_, UNIT)(const double *x, const double *y, int n) {
  ad_v64 sum[8 / AD_V64_LANES];
  double part[8];
  for (int j = 0; j < 8 / AD_V64_LANES; j++) sum[j] = ad_v64_k(0);
  for (int i = 0; i < n; i += 8)
    for (int j = 0; j < 8 / AD_V64_LANES; j++)
      sum[j] = ad_v64_fma(ad_v64_load(x + i + j * AD_V64_LANES), ad_v64_load(y + i + j * AD_V64_LANES), sum[j]);
  for (int j = 0; j < 8 / AD_V64_LANES; j++) ad_v64_store(part + j * AD_V64_LANES, sum[j]);
  for (int h = 4; h > 0; h /= 2)
    for (int i = 0; i < h; i++) part[i] = part[i] + part[i + h];
  return part[0];
}
EOF
cat >"$dir/main.c" <<'EOF'
#define AD_IMPLEMENTATION
#include "ad.h"
#include <stdio.h>
int lanes_scalar(void), lanes_avx2(void), lanes_avx512(void);
double dot_scalar(const double *x, const double *y, int n), dot_avx2(const double *x, const double *y, int n), dot_avx512(const double *x, const double *y, int n);
static double x[800], y[800];
int main(void) {
  for (int i = 0; i < 800; i++) x[i] = 1.0 / (i + 1), y[i] = (i % 7) - 3.1;
  double s = dot_scalar(x, y, 800);
  if (lanes_scalar() != 1) return 1;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && (lanes_avx2() != 4 || dot_avx2(x, y, 800) != s)) return 2;
  if (__builtin_cpu_supports("avx512f") && (lanes_avx512() != 8 || dot_avx512(x, y, 800) != s)) return 3;
  return 0;
}
EOF
if builds $CC -mavx512f; then
  libs=-lm
  echo '#include <sleef.h>' | $CC -E -x c - >/dev/null 2>&1 && [ -z "${AD_NO_SLEEF:-}" ] && libs="-lsleef -lm"
  define=${AD_NO_SLEEF:+-DAD_NO_SLEEF}
  unit() { name=$1 && shift && $CC $define -std=c11 -O2 -I. "$@" -DUNIT=$name -c "$dir/unit.c" -o "$dir/$name.o"; }
  check "scalar unit" unit scalar -DAD_SIMD=AD_SIMD_SCALAR
  check "AVX2 unit" unit avx2 -mavx2 -mfma
  check "AVX-512 unit" unit avx512 -mavx512f -mavx2 -mfma
  link() { $CC $define -std=c11 -O2 -I. "$dir/main.c" "$dir/scalar.o" "$dir/avx2.o" "$dir/avx512.o" -o "$dir/program" $libs; }
  check "the three link into one program" link
  check "each unit has its own lanes and the same result" "$dir/program"
  unshared() { ! nm "$dir/program" "$dir"/*.o | grep -E ' [VvWwCu] _*ad_'; }
  check "no weak or common symbol" unshared
  private() { ! nm -g --defined-only "$dir/scalar.o" "$dir/avx2.o" "$dir/avx512.o" | grep -E ' _*ad_'; }
  check "units that only use the lanes export none of them" private
  printf '#define AD_STATIC\n#include "ad.h"\nint AD_STATIC_UNIT;\n' >"$dir/static.c"
  static() { $CC $define -std=c11 -I. -c "$dir/static.c" -o "$dir/static.o" && ! nm -g --defined-only "$dir/static.o" | grep -E ' _*ad_'; }
  check "AD_STATIC makes all of it private" static
else
  skip "units with different instruction sets" "$CC does not compile for AVX-512"
fi
finish
