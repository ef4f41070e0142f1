/* One row of the table, quickly: the checks of test_special.c (classes at special points) and test_ops.c (exact special values, MPFR
   references, differences) on the scalar systems alone, for scripts/mutate.py, which runs it against a table with a wrong formula.
   Compiles with tcc in a moment. The row is MUTATE_ROW; exit status 1: it is wrong. With MUTATE_NAME (the row's name) and MUTATE_ARITY
   the check is that of its stored bits instead, those of the scalar backend with fma: compile with -D__FMA__ -DAD_SIMD=1, link SLEEF.
   With MUTATE_SAME nothing is checked: a hash of values, partials and second derivatives at 60,000 points is printed, by which
   scripts/mutate.py tells whether a mutant that survived is the same function. */
#define AD_INLINE static inline
#ifdef MUTATE_NAME
#include "ad_simd.h"
#endif
#include "ad.h"
#include <stdlib.h>
#include <string.h>
#include "special.h"
#include "bits.h"

#define TINY S_LEAST
#include "ops_points.h"
#ifdef MUTATE_NAME
static const bits_entry hashes[] = {
#include "test_ops_bits.h"
};
#define PASTE_(a, b, c, d) a##_##b##c##d
#define PASTE(a, b, c, d) PASTE_(a, b, c, d)
#define ROW(N, suffix) PASTE(N, MUTATE_NAME, suffix, )
#if MUTATE_ARITY == 1
#define RESULTS(N) r[0] = ROW(N, )(x[0]); r[1] = ROW(N, _dx)(x[0], r[0]);
#elif MUTATE_ARITY == 2
#define RESULTS(N) r[0] = ROW(N, )(x[0], x[1]); r[1] = ROW(N, _dx)(x[0], x[1], r[0]); r[2] = ROW(N, _dy)(x[0], x[1], r[0]);
#else
#define RESULTS(N) r[0] = ROW(N, )(x[0], x[1], x[2]); r[1] = ROW(N, _dx)(x[0], x[1], x[2], r[0]); \
  r[2] = ROW(N, _dy)(x[0], x[1], x[2], r[0]); r[3] = ROW(N, _dz)(x[0], x[1], x[2], r[0]);
#endif
#define BITS(N, T, add, single, digits) \
  static bool bits_##digits(int op) { \
    uint64_t seed = bits_start(), h = bits_start(); \
    char name[64]; \
    for (const char *c = ad_ops[op].name; *c; c++) seed = bits_add_u64(seed, (uint64_t)*c); \
    for (int i = 0; i < STORED_POINTS; i++) { \
      double in[3]; \
      T x[3], r[4]; \
      stored_point(op, i, single, &seed, in); \
      for (int k = 0; k < 3; k++) x[k] = (T)in[k]; \
      RESULTS(N) \
      for (int k = 0; k <= ad_ops[op].arity; k++) h = add(h, r[k]); \
    } \
    snprintf(name, sizeof name, "%s " #digits, ad_ops[op].name); \
    return bits_known(hashes, sizeof hashes / sizeof *hashes, name, h); \
  }
BITS(ad_v32, ad_f32, bits_add_f32, true, 32)
BITS(ad_v64, ad_f64, bits_add_f64, false, 64)
int main(void) { return !bits_32(MUTATE_ROW) || !bits_64(MUTATE_ROW); }
#elif defined(MUTATE_SAME)
/* where formulas take turns (ops_points.h), everywhere over exponents, and in the domain of the row */
static double number(int i, int k, bool single, uint64_t *seed) {
  const double u = bits_uniform(seed), w = bits_uniform(seed), lo = ad_ops[MUTATE_ROW].lo[k], hi = ad_ops[MUTATE_ROW].hi[k];
  double x = lo + (hi - lo) * u;
  switch (ad_ops[MUTATE_ROW].arity == 1 ? (i < SWITCHED ? 0 : i < SWITCHED + 50 ? 1 : 2 + i % 2) : (int)(w * 5)) {
    case 0: x = switched(ad_ops[MUTATE_ROW].arity == 1 ? i : (int)(u * SWITCHED), single); break;
    case 1: x = special_number(special_unary[ad_ops[MUTATE_ROW].arity == 1 && i - SWITCHED < SPECIAL_UNARY ? i - SWITCHED : (int)(u * SPECIAL_UNARY)], single); break;
    case 2: x = ldexp(u < 0.5 ? -1 - w : 1 + w, (int)(bits_uniform(seed) * (single ? 275 : 2098)) - (single ? 148 : 1074)); break;
    case 4: x = rint(x); break;
  }
  return single ? (double)(float)x : x;
}
int main(void) {
  uint64_t seed = 7, h = bits_start();
  const int arity = ad_ops[MUTATE_ROW].arity;
  for (int single = 0; single < 2; single++)
    for (int i = 0; i < 30000; i++) {
      double x[3], out[SPECIAL_RESULTS];
      for (int k = 0; k < 3; k++) x[k] = k < arity ? number(i, k, single, &seed) : 0;
      if (i % 7 == 0 && arity > 1) x[1] = x[0];
      (single ? special_s32 : special_s64)(MUTATE_ROW, x, out);
      for (int r = 0; r < special_results(MUTATE_ROW); r++) h = bits_add_f64(h, isnan(out[r]) ? (double)NAN : out[r] == 0 && r ? 0 : out[r]);
      if (getenv("MUTATE_PRINT")) {
        printf("%s %a %a %a:", single ? "f32" : "f64", x[0], x[1], x[2]);
        for (int r = 0; r < special_results(MUTATE_ROW); r++) printf(" %a", isnan(out[r]) ? (double)NAN : out[r] == 0 && r ? 0 : out[r]);
        printf("\n");
      }
    }
  if (!getenv("MUTATE_PRINT")) printf("%016llx\n", (unsigned long long)h);
  return 0;
}
#else
#define NONE S_NAN
#define INF S_INF

static const struct { int op; double x, y, v, dx, dy, dxx, fv, fd, fdd; } references[] = {
#include "test_ops_reference.h"
};
typedef struct point { const char *name; int op; double x, y, z, v, d[3]; } point;
static const point points[] = {
#include "test_ops_special.h"
};

static double ulps(double got, double want, double floor_) {
  double m = fmax(fmax(fabs(want), floor_), DBL_MIN);
  if (isnan(want) || isnan(got)) return isnan(want) && isnan(got) ? 0 : 1e9;
  if (isinf(want) || isinf(got)) return want == got ? 0 : 1e9;
  return fabs(got - want) / (ldexp(1, ilogb(m)) * DBL_EPSILON);
}
static int wrong(const char *what, const double *x, double got, double want) {
  printf("%s: %s at %g %g %g: %.17g, not %.17g\n", ad_ops[MUTATE_ROW].name, what, x[0], x[1], x[2], got, want);
  return 1;
}

int main(void) {
  static char classes[SPECIAL_MOST * SPECIAL_RESULTS];
  const int op = MUTATE_ROW, arity = ad_ops[op].arity, n = special_points(op);
  double x[3], out[SPECIAL_RESULTS];
  uint64_t seed = 11;
  for (int single = 0; single < 2; single++) {
    if (!special_classes_of(op, single, classes)) return 2;
    for (int i = 0; i < n; i++) {
      special_point(op, i, single, x);
      (single ? special_s32 : special_s64)(op, x, out);
      for (int r = 0; r < special_results(op); r++)
        if (classes[r * n + i] == 'r' ? !special_allows('r', 'r', out[r], single, false)
            : !special_agrees(special_forward(classes[r * n + i]), special_class(out[r], single, r == 0), r == 0)) return wrong("class", x, out[r], r);
    }
  }
  for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
    if (points[i].op != op) continue;
    x[0] = special_number(points[i].x, false), x[1] = special_number(points[i].y, false), x[2] = special_number(points[i].z, false);
    special_s64(op, x, out);
    for (int k = 0; k <= arity; k++) {
      double w = k ? points[i].d[k - 1] : points[i].v, want = special_number(w, false);
      if (w != ANY && !(ulps(out[k], want, 0) <= 6)) return wrong("special value", x, out[k], want);
    }
  }
  for (size_t i = 0; i < sizeof references / sizeof *references; i++) {
    if (references[i].op != op) continue;
    const double want[4] = { references[i].v, references[i].dx, references[i].dy, references[i].dxx };
    const double floors[4] = { references[i].fv, references[i].fd, references[i].fd, references[i].fdd };
    x[0] = references[i].x, x[1] = references[i].y, x[2] = 0;
    special_s64(op, x, out);
    for (int k = 0; k < 4; k++) {
      double got = k < 3 ? out[k] : out[1 + arity];
      if (want[k] == NONE || fabs(want[k]) == INF || (k == 2 && arity < 2)) continue;
      if (!(ulps(got, want[k], floors[k]) <= (k == 3 ? 16 : 9))) return wrong("reference", x, got, want[k]);
    }
  }
  /* partials against differences of values, second derivatives against differences of partials */
  for (int k = 0; k < arity; k++)
    for (int i = 0; i < 100; i++) {
      double f[3][SPECIAL_RESULTS], at, h;
      for (int j = 0; j < 3; j++) x[j] = ad_ops[op].lo[j] + (ad_ops[op].hi[j] - ad_ops[op].lo[j]) * (0.01 + 0.98 * bits_uniform(&seed));
      if (op == AD_OP_powi) x[1] = rint(x[1]);
      if (op == AD_OP_polygamma) x[0] = rint(x[0]);
      if ((op == AD_OP_powi && k == 1) || (op == AD_OP_polygamma && k == 0)) continue;
      at = x[k], h = 0x1p-17 * fmax(fabs(at), 0x1p-5);
      for (int j = 0; j < 3; j++) x[k] = at + (j - 1) * h, special_s64(op, x, f[j]);
      for (int r = 0; r <= arity; r++) {
        double size = fabs(f[0][r]) + fabs(f[2][r]), want = (f[2][r] - f[0][r]) / (2 * h), got = f[1][r ? 1 + arity + arity * (r - 1) + k : 1 + k];
        double bend = fabs(f[0][r] - 2 * f[1][r] + f[2][r]), u = fmax(fabs(at), 0x1p-5);
        if (!(bend <= 1e-3 * fabs(f[2][r] - f[0][r]) + 1e-9 * size)) continue;
        if (!(fabs(got - want) <= (r ? 1e-5 : 1e-6) * fabs(want) + (r ? 1e-9 : 1e-10) * size / u + 1e-12)) return wrong(r ? "difference of partials" : "difference", x, got, want);
      }
    }
  return 0;
}
#endif
