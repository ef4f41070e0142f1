#!/bin/sh
# Units compiled for different instruction sets in one program: each keeps its own lanes, the results are the same bits, and no
# symbol is shared by accident (a weak or common one would run AVX-512 code on a processor without it).
. tests/check.sh

cat >"$dir/unit.c" <<'EOF'
#include "ad_simd.h"
#include "ad.h"
#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
int PASTE(lanes_, UNIT)(void);
double PASTE(dot_, UNIT)(const double *x, const double *y, int n);
ad_var PASTE(record_, UNIT)(ad_var x);
ad_dual PASTE(dual_, UNIT)(const ad_dual *x);
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
/* the layout of a tape and of a dual does not depend on the instruction set */
ad_var PASTE(record_, UNIT)(ad_var x) { return ad_add(ad_sin(x), ad_mul(x, x)); }
ad_dual PASTE(dual_, UNIT)(const ad_dual *x) { return ad_add(ad_sin(*x), ad_mul(*x, *x)); }
EOF
cat >"$dir/main.c" <<'EOF'
#define AD_IMPLEMENTATION
#include "ad.h"
#include <stdio.h>
int lanes_scalar(void), lanes_avx2(void), lanes_avx512(void);
double dot_scalar(const double *x, const double *y, int n), dot_avx2(const double *x, const double *y, int n), dot_avx512(const double *x, const double *y, int n);
ad_var record_scalar(ad_var x), record_avx2(ad_var x), record_avx512(ad_var x);
ad_dual dual_scalar(const ad_dual *x), dual_avx2(const ad_dual *x), dual_avx512(const ad_dual *x);
static double x[800], y[800];
/* one tape and one dual go through all units: g(g(g(x))), g = sin x + x^2 */
static int passed_around(int avx2, int avx512) {
  ad_tape *tape = ad_tape_create(NULL);
  ad_var v = ad_variable(tape, 0.3), z = record_scalar(v);
  ad_dual d = ad_dual_variable(0.3, 5), e = dual_scalar(&d);
  double t = 0.3, dt = 1;
  for (int i = 0; i < 1 + avx2 + avx512; i++) dt *= cos(t) + 2 * t, t = sin(t) + t * t;
  if (avx2) z = record_avx2(z), e = dual_avx2(&e);
  if (avx512) z = record_avx512(z), e = dual_avx512(&e);
  if (ad_backward(z) != AD_OK) return 1;
  int wrong = fabs(ad_value(z) - t) > 1e-14 || fabs(ad_grad(v) - dt) > 1e-13 || fabs(e.v - t) > 1e-14 || fabs(e.d[5] - dt) > 1e-13 || e.d[4] != 0;
  ad_tape_destroy(tape);
  return wrong;
}
int main(void) {
  for (int i = 0; i < 800; i++) x[i] = 1.0 / (i + 1), y[i] = (i % 7) - 3.1;
  double s = dot_scalar(x, y, 800);
  int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"), avx512 = avx2 && __builtin_cpu_supports("avx512f");
  if (lanes_scalar() != 1) return 1;
  if (avx2 && (lanes_avx2() != 4 || dot_avx2(x, y, 800) != s)) return 2;
  if (avx512 && (lanes_avx512() != 8 || dot_avx512(x, y, 800) != s)) return 3;
  return passed_around(avx2, avx512) ? 4 : 0;
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
  link() { $CC $define -std=c11 -Og -I. "$dir/main.c" "$dir/scalar.o" "$dir/avx2.o" "$dir/avx512.o" -o "$dir/program" $libs; }
  check "the three link into one program" link
  check "each unit has its own lanes and the same result" "$dir/program"
  unshared() { ! nm "$dir/program" "$dir"/*.o | grep -E ' [VvWwCu] _*ad_'; }
  check "no weak or common symbol" unshared
  private() { ! nm -g --defined-only "$dir/scalar.o" "$dir/avx2.o" "$dir/avx512.o" | grep -E ' _*ad_'; }
  check "units that only use the lanes export none of them" private
  printf '#define AD_STATIC\n#include "ad.h"\nint AD_STATIC_UNIT;\n' >"$dir/static.c"
  static() { $CC $define -std=c11 -Og -I. -c "$dir/static.c" -o "$dir/static.o" && ! nm -g --defined-only "$dir/static.o" | grep -E ' _*ad_'; }
  check "AD_STATIC makes all of it private" static
else
  skip "units with different instruction sets" "$CC does not compile for AVX-512"
fi
finish
