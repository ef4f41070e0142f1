#!/bin/sh
# The C that ad_function_write_c writes compiles without warnings on every compiler and backend, and computes the same bits over
# lanes as the function it was written from.
. tests/check.sh

libs=-lm
echo '#include <sleef.h>' | $CC -E -x c - >/dev/null 2>&1 && [ -z "${AD_NO_SLEEF:-}" ] && libs="-lsleef -lm"
define=${AD_NO_SLEEF:+-DAD_NO_SLEEF}
warn="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Werror"

cat >"$dir/program.c" <<'END'
#define AD_IMPLEMENTATION
#include "ad.h"
#include <stdio.h>
#ifndef WRITE
size_t residual(const double *x, double *y);
size_t residual_jacobian(const double *x, double *y, double *jacobian);
size_t residual_many(size_t count, const double *x, double *y);
size_t residual_jacobian_many(size_t count, const double *x, double *y, double *jacobian);
static bool same(const double *a, const double *b, int n) {      /* but for the sign of a zero */
  for (int i = 0; i < n; i++) if (!(a[i] == b[i] || (a[i] != a[i] && b[i] != b[i]))) return false;
  return true;
}
#endif
enum { N = 17, M = 3, COUNT = 45 };
/* an operation of the program's own, which the written file calls by name: x0 (sin x1, x1 x0) */
static ad_status swing_value(void *context, const double *x, double *y) { y[0] = *(const double *)context * x[0] * sin(x[1]); y[1] = x[0] * x[0] * x[1]; return x[0] > 900 ? AD_ERROR_ARGUMENT : AD_OK; }
static ad_status swing_vjp(void *context, const double *x, const double *y, const double *w, double *gx) {
  (void)y;
  gx[0] = w[0] * *(const double *)context * sin(x[1]) + w[1] * 2 * x[0] * x[1];
  gx[1] = w[0] * *(const double *)context * x[0] * cos(x[1]) + w[1] * x[0] * x[0];
  return AD_OK;
}
static double twice = 2;
extern const ad_custom swing;
const ad_custom swing = { "swing", 2, 2, swing_value, swing_vjp, &twice, NULL, NULL };
static void map(const ad_var *x, ad_var *y, void *context) {      /* bundle adjustment: r C f u0 v0 k1 k2, X, w, feature */
  ad_var a[3], P[3], R[3], theta = ad_sqrt(ad_add(ad_add(ad_square(x[0]), ad_square(x[1])), ad_square(x[2])));
  ad_var c = ad_cos(theta), s = ad_sin(theta);
  (void)context;
  for (int i = 0; i < 3; i++) { a[i] = ad_div(x[i], theta); P[i] = ad_sub(x[11 + i], x[3 + i]); }
  ad_var t = ad_mul(ad_sub(1.0, c), ad_add(ad_add(ad_mul(a[0], P[0]), ad_mul(a[1], P[1])), ad_mul(a[2], P[2])));
  for (int i = 0; i < 3; i++) {
    int j = (i + 1) % 3, k = (i + 2) % 3;
    R[i] = ad_add(ad_add(ad_mul(P[i], c), ad_mul(ad_sub(ad_mul(a[j], P[k]), ad_mul(a[k], P[j])), s)), ad_mul(a[i], t));
  }
  if (ad_gt(theta, 100.0)) R[2] = ad_add(R[2], 1.0);                             /* a guard */
  R[2] = ad_select(ad_sub(x[12], 0.25), ad_max(R[2], 0.125), ad_add(R[2], 1.0));
  ad_var u = ad_div(R[0], R[2]), v = ad_div(R[1], R[2]), q = ad_add(ad_square(u), ad_square(v));
  ad_var L = ad_add(1.0, ad_add(ad_mul(x[9], q), ad_mul(x[10], ad_square(q))));
  y[0] = ad_mul(x[14], ad_sub(ad_fma(ad_mul(u, L), x[6], x[7]), x[15]));
  y[1] = ad_mul(x[14], ad_sub(ad_fma(ad_mul(v, L), x[6], x[8]), x[16]));
  ad_var in[2] = { x[1], u }, own[2];
  ad_custom_numbers(&swing, in, own);
  y[2] = ad_add(ad_sub(ad_sub(1.0, ad_square(x[14])), ad_mul(own[0], own[1])), ad_gelu(x[0]));
}
#ifdef WRITE
static void names(const ad_var *v, ad_var *to, void *context);
#else
size_t named_jacobian(const double *x, double *y, double *jacobian);
#endif
#ifndef WRITE
static bool named_is_right(void) {                           /* two operations, each of its own */
  const double at[2] = { 0.5, 0.75 };
  double between[2], v[2], w[2], j[4];
  if (swing_value(&twice, at, between) != AD_OK || swing_value(&twice, between, v) != AD_OK) return false;
  return named_jacobian(at, w, j) == 0 && !memcmp(v, w, sizeof v);
}
#endif
int main(int argc, char **argv) {
  static double x[COUNT * N];
  for (int i = 0; i < COUNT * N; i++) x[i] = 0.5 + 0.45 * sin(i * i);
  ad_function *f = ad_function_record(map, NULL, N, x, M);
  if (!f) return 2;
#ifdef WRITE
  FILE *file = fopen(argv[argc - 1], "w");
  ad_status status = file ? ad_function_write_c(f, "residual", file) : AD_ERROR_ARGUMENT;
  ad_function *g = ad_function_record(names, NULL, 2, x, 2);
  FILE *other = fopen(argv[argc - 2], "w");
  if (!g || !other || ad_function_write_c(g, "named", other) != AD_OK || fclose(other) != 0) return 1;
  ad_function_destroy(g);
  return status != AD_OK || fclose(file) != 0;
#else
  static double y[COUNT * M], j[COUNT * M * N], y2[COUNT * M], j2[COUNT * M * N];
  (void)argc; (void)argv;
  if (!named_is_right()) return 17;
  if (ad_function_jacobian_many(f, COUNT, x, y, j) != AD_OK) return 3;
  if (residual_jacobian_many(COUNT, x, y2, j2) != 0) return 4;
  if (memcmp(y, y2, sizeof y) || !same(j, j2, COUNT * M * N)) return 5;
  memset(y2, 0, sizeof y2);
  if (residual_many(COUNT, x, y2) != 0 || memcmp(y, y2, sizeof y)) return 6;
  for (int p = 0; p < COUNT; p++) {
    double v[M], w[M], d[M * N];
    if (residual(x + p * N, v) != 0 || residual_jacobian(x + p * N, w, d) != 0) return 7;
    for (int k = 0; k < M; k++) if (fabs(v[k] - y[p * M + k]) > 1e-13 * (1 + fabs(v[k])) || fabs(w[k] - v[k]) > 1e-13 * (1 + fabs(v[k]))) return 8;
    for (int k = 0; k < M * N; k++) if (fabs(d[k] - j[p * M * N + k]) > 1e-11 * (1 + fabs(d[k]))) return 9;
  }
  x[N + 1] = 1000;                                                               /* the operation fails: NaN at this point only */
  if (residual_jacobian_many(COUNT, x, y2, j2) != 1 || !isnan(y2[M + 2]) || memcmp(y2 + 2 * M, y + 2 * M, sizeof y - 2 * M * sizeof *y)) return 11;
  x[N + 1] = 0.5;
  x[3 * N + 14] = x[5 * N + 14] = 0;                         /* seeds of zero; beside numbers that are not finite they count as nothing */
  x[5 * N + 9] = x[12 * N + 9] = INFINITY;
  x[20 * N + 11] = NAN;
  if (ad_function_jacobian_many(f, COUNT, x, y, j) != AD_OK || residual_jacobian_many(COUNT, x, y2, j2) != 0) return 16;
  if (!same(y, y2, COUNT * M) || !same(j, j2, COUNT * M * N)) return 12;
  if (j2[5 * M * N + 10] != 0 || !isnan(j2[20 * M * N + 10])) return 13;
  for (int p = 0; p < COUNT; p++) {                          /* whatever the neighbours are */
    double v[M], d[M * N];
    if (residual_jacobian_many(1, x + p * N, v, d) != 0 || !same(d, j2 + p * M * N, M * N)) return 14;
    for (int k = 0; k < M * N; k++) if (!isnan(d[k]) && signbit(d[k]) != signbit(j2[p * M * N + k])) return 15;
  }
  x[0] = 1000; x[N * 40] = 1000;
  if (residual_jacobian_many(COUNT, x, y2, j2) != 2 || residual(x, y2) != 1) return 10;
  ad_function_destroy(f);
  return 0;
#endif
}
/* operations named as the written functions name what is theirs */
extern const ad_custom x, y;
const ad_custom x = { "x", 2, 2, swing_value, swing_vjp, &twice, NULL, NULL }, y = { "y", 2, 2, swing_value, swing_vjp, &twice, NULL, NULL };
#ifdef WRITE
static void names(const ad_var *v, ad_var *to, void *context) {
  ad_var in[2];
  (void)context;
  ad_custom_numbers(&x, v, in);
  ad_custom_numbers(&y, in, to);
}
#endif
END
build() { # OUTPUT FILES... with $flags
  out=$1
  shift
  $CC -std=c11 -O1 $warn $define $flags -I. "$@" -o "$out" $libs
}
flags=
check "a function is recorded" build "$dir/writer" -DWRITE "$dir/program.c"
check "functions are written" "$dir/writer" "$dir/named.c" "$dir/residual.c"
if [ -s "$dir/residual.c" ]; then
  for flags in -DAD_SIMD=AD_SIMD_SCALAR "-mavx2 -mfma" "-mavx512f -mavx2 -mfma"; do
    builds $CC $flags || continue
    for compiler in "$CC" clang; do
      have ${compiler%% *} || continue
      check "$compiler $flags: compiles without warnings" $compiler -std=c11 -O1 $warn $define $flags -I. -c "$dir/residual.c" -o "$dir/residual.o"
      check "$compiler $flags: operations named as parameters are" $compiler -std=c11 -O1 $warn $define $flags -I. -c "$dir/named.c" -o "$dir/named.o"
    done
    check "$flags: links with the function" build "$dir/compare" "$dir/program.c" "$dir/residual.c" "$dir/named.c"
    case $flags in *avx512f*) grep -q avx512f /proc/cpuinfo || continue ;; *avx2*) grep -q avx2 /proc/cpuinfo || continue ;; esac
    check "$flags: the same results" "$dir/compare"
  done
fi
finish
