/* Errors in ULP of every row of the table: value, first and second derivative, against MPFR. LIBS: -lmpfr -lgmp

   The judge of a derivative is the value alone: central differences of the MPFR function, at 350 bits with a step of 2^-60 x where that
   leaves digits enough, else at 900 bits with 2^-110 x; so no derivative formula is written here. Rows that are derivatives of others
   (tanh_slope, trigamma) are judged as such.

     accuracy_ops [points] [row ...]  points a row and dtype for values (default 1000; release 1000000), derivatives at 20000 of them at
                                      most; prints a table in Markdown and the limits exceeded
     accuracy_ops --reference         prints tests/test_ops_reference.h

   Half of the points are in the row's domain, half over exponents, every eighth within 4096 ULP of a special one; from 1000000 points on
   all those within 4096 ULP of the special ones are looked at besides. A twentieth of the points serves where MPFR is slow (the gamma
   family, rows that are derivatives), a tenth floats (f32.h looks at all of them). Systems: v32, v64 (SLEEF where present), f32, f64
   (libm); second derivatives by duals over f32 and f64. Errors are in units of the last place of the result, or of the row's floor where
   the result is smaller than that (near a root in the middle of the domain no formula in x keeps relative accuracy). */

static long bits = 900;
#define BITS bits
#include "ad_simd.h"
#include "ad.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "oracles.h"

AD_DUAL(d32, ad_f32, 1)
AD_DUAL(d64, ad_f64, 1)


/* -- measuring ---------------------------------------------------------------------------------------------------------- */

/* digits and step: fewer where the function does not lose itself in 1 - 2^-BITS, no operand is tiny, and for derivatives at points
   that are not near the end of a domain or a pole (ordinary) */
static int step;
static bool ordinary;
static bool saturates(oracle *f);
static void choose_bits(oracle *f, double x, double y, int order) {
  const bool plain = fabs(x) > 1e-9 && (y == 0 || fabs(y) > 1e-9) && (order == 0 || (ordinary && !saturates(f)));
  bits = plain ? (order ? 350 : 200) : 900;
  step = plain ? 60 : 110;
}
/* r = the n-th derivative of f along operand k by central differences */
static void derivative(mpfr_t r, oracle *f, int n, int k, double x, double y) {
  static mpfr_t a, b, h, s, t, most;
  static long ready;
  choose_bits(f, x, y, n);
  if (!ready) mpfr_inits2(BITS, a, b, h, s, t, most, (mpfr_ptr)0);
  if (ready != BITS) {
    mpfr_ptr all[] = { a, b, h, s, t, most };
    for (int i = 0; i < 6; i++) mpfr_set_prec(all[i], BITS);
    ready = BITS;
  }
  if (mpfr_get_prec(r) != BITS) mpfr_set_prec(r, BITS);
  mpfr_set_d(a, x, RN); mpfr_set_d(b, y, RN);
  if (n == 0) { f(r, a, b); return; }
  mpfr_set_d(h, k ? y : x, RN);
  mpfr_abs(h, h, RN);
  mpfr_mul_2si(h, h, -step, RN);
  mpfr_set_ui(s, 0, RN);
  mpfr_set_ui(most, 0, RN);
  double c = 1;
  for (int i = 0; i <= n; i++) {
    mpfr_set_d(a, x, RN); mpfr_set_d(b, y, RN);
    mpfr_mul_si(t, h, n - 2 * i, RN);
    if (k) mpfr_add(b, b, t, RN); else mpfr_add(a, a, t, RN);
    f(t, a, b);
    mpfr_mul_d(t, t, i % 2 ? -c : c, RN);
    mpfr_add(s, s, t, RN);
    if (mpfr_cmpabs(t, most) > 0) mpfr_abs(most, t, RN);
    c = c * (n - i) / (i + 1);
  }
  /* what is left of the terms is rounding: a derivative that is 0 (or, too small for these bits, not judged) */
  mpfr_mul_2si(most, most, 60 - BITS, RN);
  if (mpfr_cmpabs(s, most) <= 0) { if (mpfr_zero_p(s) && fabs(x) > 1e-20 && (!k || fabs(y) > 1e-20)) mpfr_set_ui(r, 0, RN); else mpfr_set_nan(r); return; }
  mpfr_mul_2ui(h, h, 1, RN);
  for (int i = 0; i < n; i++) mpfr_div(s, s, h, RN);
  mpfr_set(r, s, RN);
}

/* error of got in ULP of the reference, in a format of bits of precision and least exponent e_min; 1e9: of another class. Below
   `known`, 0.5 at least, an error of half a unit is not worked out. */
static double ulps(double got, mpfr_t ref, int single, double floor_, double known) {
  static mpfr_t d; static int ready;
  double want = single ? (double)mpfr_get_flt(ref, RN) : mpfr_get_d(ref, RN);
  if (isnan(want) || (got == want && known >= 0.5)) return 0;
  if (isnan(got)) return 1e9;
  if (!ready) { mpfr_init2(d, 900); ready = 1; }
  if (isinf(want) || isinf(got)) {
    if (want == got) return 0;
    mpfr_set_d(d, single ? 0x1.fffffep127 : 0x1.fffffffffffffp1023, RN);          /* rounding at the edge of the range */
    mpfr_sub(d, ref, d, RN); mpfr_div_d(d, d, single ? 0x1p104 : 0x1p971, RN);
    double e = fabs(mpfr_get_d(d, RN));
    return e < 16 && fabs(isinf(got) ? want : got) > (single ? 3e38 : 1.7e308) ? e : 1e9;
  }
  double m = fmax(fabs(want), floor_);
  int e = m == 0 ? -100000 : ilogb(m), least = single ? -126 : -1022;
  mpfr_set_d(d, got, RN); mpfr_sub(d, d, ref, RN);
  mpfr_div_2si(d, d, (e < least ? least : e) - (single ? 23 : 52), RN);
  return fabs(mpfr_get_d(d, RN));
}

typedef struct system_ { const char *name; int single; } system_;
static const system_ systems[4] = { { "v64", 0 }, { "v32", 1 }, { "f64", 0 }, { "f32", 1 } };

/* out: value, dx, dy, dxx of row op in system s at x, y */
typedef void evaluate(double x, double y, double out[4]);
#define EVALUATE_1(N, D, op, ...)                                                                                             \
  static void v64_##op(double x, double y, double out[4]) { ad_f64 a[AD_V64_LANES]; (void)y;                                  \
    ad_v64 v = ad_v64_##op(ad_v64_k(x)); ad_v64_store(a, v); out[0] = a[0];                                                   \
    ad_v64_store(a, ad_v64_##op##_dx(ad_v64_k(x), v)); out[1] = a[0]; out[2] = out[3] = NAN; }                                \
  static void v32_##op(double x, double y, double out[4]) { ad_f32 a[AD_V32_LANES]; (void)y;                                  \
    ad_v32 v = ad_v32_##op(ad_v32_k(x)); ad_v32_store(a, v); out[0] = (double)a[0];                                           \
    ad_v32_store(a, ad_v32_##op##_dx(ad_v32_k(x), v)); out[1] = (double)a[0]; out[2] = out[3] = NAN; }                        \
  static void f64_##op(double x, double y, double out[4]) { d64 a = d64_variable(x, 0), v = d64_##op(a); (void)y;             \
    out[0] = v.v; out[1] = v.d[0]; out[2] = NAN; out[3] = d64_##op##_dx(a, v).d[0]; }                                         \
  static void f32_##op(double x, double y, double out[4]) { d32 a = d32_variable((float)x, 0), v = d32_##op(a); (void)y;      \
    out[0] = (double)v.v; out[1] = (double)v.d[0]; out[2] = NAN; out[3] = (double)d32_##op##_dx(a, v).d[0]; }
#define EVALUATE_2(N, D, op, ...)                                                                                             \
  static void v64_##op(double x, double y, double out[4]) { ad_f64 a[AD_V64_LANES];                                           \
    ad_v64 v = ad_v64_##op(ad_v64_k(x), ad_v64_k(y)); ad_v64_store(a, v); out[0] = a[0];                                      \
    ad_v64_store(a, ad_v64_##op##_dx(ad_v64_k(x), ad_v64_k(y), v)); out[1] = a[0];                                            \
    ad_v64_store(a, ad_v64_##op##_dy(ad_v64_k(x), ad_v64_k(y), v)); out[2] = a[0]; out[3] = NAN; }                            \
  static void v32_##op(double x, double y, double out[4]) { ad_f32 a[AD_V32_LANES];                                           \
    ad_v32 v = ad_v32_##op(ad_v32_k(x), ad_v32_k(y)); ad_v32_store(a, v); out[0] = (double)a[0];                              \
    ad_v32_store(a, ad_v32_##op##_dx(ad_v32_k(x), ad_v32_k(y), v)); out[1] = (double)a[0];                                    \
    ad_v32_store(a, ad_v32_##op##_dy(ad_v32_k(x), ad_v32_k(y), v)); out[2] = (double)a[0]; out[3] = NAN; }                    \
  static void f64_##op(double x, double y, double out[4]) {                                                                   \
    d64 a = d64_variable(x, 0), b = d64_constant(y), v = d64_##op(a, b);                                                      \
    out[0] = v.v; out[1] = v.d[0]; out[2] = ad_f64_##op##_dy(x, y, v.v); out[3] = d64_##op##_dx(a, b, v).d[0]; }              \
  static void f32_##op(double x, double y, double out[4]) {                                                                   \
    d32 a = d32_variable((float)x, 0), b = d32_constant((float)y), v = d32_##op(a, b);                                        \
    out[0] = (double)v.v; out[1] = (double)v.d[0]; out[2] = (double)ad_f32_##op##_dy((float)x, (float)y, v.v);                \
    out[3] = (double)d32_##op##_dx(a, b, v).d[0]; }
static double third;                    /* the third operand of ternary rows */
#define EVALUATE_3(N, D, op, ...)                                                                                             \
  static void v64_##op(double x, double y, double out[4]) { ad_f64 a[AD_V64_LANES];                                           \
    ad_v64 v = ad_v64_##op(ad_v64_k(x), ad_v64_k(y), ad_v64_k(third)); ad_v64_store(a, v); out[0] = a[0];                                      \
    ad_v64_store(a, ad_v64_##op##_dx(ad_v64_k(x), ad_v64_k(y), ad_v64_k(third), v)); out[1] = a[0];                                            \
    ad_v64_store(a, ad_v64_##op##_dy(ad_v64_k(x), ad_v64_k(y), ad_v64_k(third), v)); out[2] = a[0]; out[3] = NAN; }                            \
  static void v32_##op(double x, double y, double out[4]) { ad_f32 a[AD_V32_LANES];                                           \
    ad_v32 v = ad_v32_##op(ad_v32_k(x), ad_v32_k(y), ad_v32_k(third)); ad_v32_store(a, v); out[0] = (double)a[0];                              \
    ad_v32_store(a, ad_v32_##op##_dx(ad_v32_k(x), ad_v32_k(y), ad_v32_k(third), v)); out[1] = (double)a[0];                                    \
    ad_v32_store(a, ad_v32_##op##_dy(ad_v32_k(x), ad_v32_k(y), ad_v32_k(third), v)); out[2] = (double)a[0]; out[3] = NAN; }                    \
  static void f64_##op(double x, double y, double out[4]) {                                                                   \
    d64 a = d64_variable(x, 0), b = d64_constant(y), v = d64_##op(a, b, d64_constant(third));                                                      \
    out[0] = v.v; out[1] = v.d[0]; out[2] = ad_f64_##op##_dy(x, y, third, v.v); out[3] = d64_##op##_dx(a, b, d64_constant(third), v).d[0]; }              \
  static void f32_##op(double x, double y, double out[4]) {                                                                   \
    d32 a = d32_variable((float)x, 0), b = d32_constant((float)y), v = d32_##op(a, b, d32_constant((float)third));                                        \
    out[0] = (double)v.v; out[1] = (double)v.d[0]; out[2] = (double)ad_f32_##op##_dy((float)x, (float)y, (float)third, v.v);                \
    out[3] = (double)d32_##op##_dx(a, b, d32_constant((float)third), v).d[0]; }
AD_UNARY(EVALUATE_1, , )
AD_BINARY(EVALUATE_2, , )
AD_TERNARY(EVALUATE_3, , )
#define LIST(N, D, op, ...) { v64_##op, v32_##op, f64_##op, f32_##op },
static evaluate *const rows[][4] = { AD_UNARY(LIST, , ) AD_BINARY(LIST, , ) AD_TERNARY(LIST, , ) };

/* functions whose derivatives lose themselves below 1 - 2^-BITS, or take numbers of too many digits */
static bool saturates(oracle *f) {
  static oracle *const all[] = { o_erfcx, o_mish, o_softplus, o_logsigmoid, o_logcosh, o_logaddexp, o_silu, o_sigmoid, o_tanh, o_gelu, o_ndtr, o_log_ndtr,
                                 o_logaddexp_share, o_normal_pdf, o_gauss, o_erf, o_erfc, o_elu, o_expm1, o_mish_gate };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (all[i] == f) return true;
  return false;
}

static bool near_one(oracle *f) { return f == o_erf || f == o_erfc || f == o_ndtr || f == o_gelu || f == o_log_ndtr; }

static uint64_t state = 88172645463325252u;
static double uniform(void) { state ^= state << 13; state ^= state >> 7; state ^= state << 17; return (double)(state >> 11) * 0x1p-53; }

/* within 4096 ULP of point i of those where some row changes its formula, has a root, a pole or the end of its range, or of the ends of
   its domain */
static const double special_points[] = { 1, -1, 0.5, -0.5, 2, 0.25, 0.75, 1.5, 0.47, 0.1, 10, 4, 40, -40, 709.782712893384, -708.3964185322641, -745.1332191019412, 88.72283935546875,
  -87.33654022216797, -103.97208404541016, 710.4758600739439, 89.41598510742188, 1.4616321449683622, 1.5707963267948966, 3.141592653589793, 6.283185307179586,
  -1.2784645427610738, -0.7517915246935645, 0.36787944117144233, 26.5, -26.6, 171.6, 35.04, 1e15, 1e150, 268435456, 1024, -1024, 128, -128, 64, 24, 16, -20, -80, -700 };
enum { SPECIAL = sizeof special_points / sizeof *special_points + 2, NEAR = 4096, AROUND = SPECIAL * (2 * NEAR + 1) };
static double around(const ad_op_info *op, int i, int step_, int single) {
  double x = i < SPECIAL - 2 ? special_points[i] : op->lo[0] * (i == SPECIAL - 2) + op->hi[0] * (i != SPECIAL - 2), at;
  if (single) {
    float f = (float)x;
    int32_t u;
    memcpy(&u, &f, 4);
    if ((u & 0x7fffffff) <= NEAR) u += NEAR + 1;
    u += step_;
    memcpy(&f, &u, 4);
    return isfinite(f) ? (double)f : copysign(0x1.fffffep127, x);
  }
  int64_t u;
  memcpy(&u, &x, 8);
  if ((u & INT64_MAX) <= NEAR) u += NEAR + 1;
  u += step_;
  memcpy(&at, &u, 8);
  return at;
}

/* sample i of operand k: half in the row's domain, half over exponents (around 0 and around the ends of the domain) */
static double sample(const ad_op_info *op, int k, int i, int single) {
  double lo = op->lo[k], hi = op->hi[k], x, u = uniform();
  int range = single ? 40 : 300;
  if (op->arity == 2) range = single ? 20 : 60;
  if (i % 8 == 7 && k == 0) return around(op, (int)(uniform() * SPECIAL), (int)(uniform() * (2 * NEAR + 1)) - NEAR, single);
  switch (i % 6) {
    case 0: case 1: case 2: x = lo + (hi - lo) * u; break;
    case 3: x = ldexp(1 + uniform(), (int)(u * 2 * range) - range); if (i & 1) x = -x; break;
    case 4: x = ldexp(1 + uniform(), -(int)(u * 30)); x = i & 1 ? hi - x : lo + x; break;
    default: x = ldexp(1 + uniform(), (int)(u * 24) - 12); if (uniform() < 0.5) x = -x; break;
  }
  return single ? (double)(float)x : x;
}

/* --reference: points for tests/test_ops.c with value and partials, for machines without MPFR */
static void print_references(void) {
  mpfr_t ref; mpfr_init2(ref, BITS);
  printf("/* Made by: accuracy_ops --reference. Row, operands (floats), value, f_x, f_y, f_xx; NONE: not judged; a floor for value, f_x and f_xx. */\n");
  for (int o = 0; o < AD_OP_BINARY_END_; o++) {
    const judge *j = judge_of(ad_ops[o].name);
    if (!j) continue;
    for (int i = 0; i < 9; i++) {
      double lo = ad_ops[o].lo[0], hi = ad_ops[o].hi[0], u = (i + 0.37) / 9, w = (i * 5 % 9 + 0.41) / 9;
      double x = (double)(float)(lo + (hi - lo) * (i & 1 ? u : u * u)), y = (double)(float)(ad_ops[o].lo[1] + (ad_ops[o].hi[1] - ad_ops[o].lo[1]) * w);
      if (j->f == o_powi) y = rint(y);
      if (ad_ops[o].arity == 1) y = 0;
      printf("{ AD_OP_%s, %a, %a", ad_ops[o].name, x, y);
      for (int m = 0; m < 4; m++) {
        if (j->limit[m == 3 ? 2 : m ? 1 : 0] == 0 || (m == 2 && (y == 0 || j->order || j->f == o_powi))) { printf(", NONE"); continue; }
        derivative(ref, j->f, j->order + (m == 0 ? 0 : m == 3 ? 2 : 1), m == 2, x, y);
        if (mpfr_nan_p(ref)) printf(", NONE"); else printf(", %a", mpfr_get_d(ref, RN));
      }
      printf(", %g, %g, %g },\n", j->floor[0], j->floor[1], j->floor[2]);
    }
  }
  mpfr_clear(ref);
}

/* what the judge cannot tell, or in no time */
static bool left_out(const judge *j, int arity, double x, double y, int single) {
  if (x == 0 || (arity > 1 && x == y)) return true;
  if (j->f == o_hypot && fmax(fabs(x), fabs(y)) > 1e60 * fmin(fabs(x), fabs(y))) return true;      /* beyond the digits of the judge */
  if (j->f == o_lgamma || j->f == o_digamma || j->f == o_tgamma) { if (x < 0 || x > (j->f == o_tgamma ? 200 : 1e20)) return true; }
  if (fabs(x) > 1e6 && (j->f == o_sinpi || j->f == o_cospi || j->f == o_sinc || j->f == o_sin || j->f == o_cos || j->f == o_tan || j->f == o_versin)) return true;
  if ((j->f == o_fmod || j->f == o_remainder) && fabs(x / y) > 1e12) return true;
  if (j->f == o_gelu && single && x < -12.9) return true;                                          /* Phi(x) has lost its digits: f32.h */
  if (j->f == o_elu && x < (single ? -80 : -700)) return true;                                     /* y e^x, whose e^x has lost its digits */
  return fmax(fabs(x), fabs(y)) > (near_one(j->f) ? 18 : 150) && saturates(j->f);
}

static double worst[4][4], at[4][4][2];
/* row o at x, y in dtype s; derivatives too where they are wanted */
static void judge_at(int o, const judge *j, int s, double x, double y, bool derivatives, mpfr_t ref) {
  const ad_op_info *op = &ad_ops[o];
  double out[2][4];
  if (left_out(j, op->arity, x, y, s)) return;
  rows[o][s](x, y, out[0]); rows[o][s + 2](x, y, out[1]);
  for (int m = 0; m < (derivatives ? 4 : 1); m++) {
    if ((m == 2 && op->arity == 1) || (j->f == o_polygamma && m % 2)) continue;
    if (j->limit[m == 3 ? 2 : m ? 1 : 0] == 0) continue;
    if (m == 2 && (y == 0 || j->order || j->f == o_powi)) continue;
    derivative(ref, j->f, j->order + (m == 0 ? 0 : m == 3 ? 2 : 1), m == 2, x, y);
    if (mpfr_nan_p(ref)) continue;
    for (int l = 0; l < 2; l++) {
      if (m == 3 && l == 0) continue;
      double least = s & 1 ? 0x1p-126 : 0x1p-1022;        /* a subnormal value has few digits to make a partial of */
      if (m && (fabs(out[l][0]) < least || isinf(out[l][0])) && (op->keep & AD_KEEP_V)) continue;      /* nor has an overflowed one */
      if (m == 3 && (fabs(out[l][3]) < least || fabs(out[l][1]) < least)) continue;
      double e = ulps(out[l][m], ref, s & 1, j->floor[m == 3 ? 2 : m ? 1 : 0], worst[s + 2 * l][m]);
      if (e > worst[s + 2 * l][m]) { worst[s + 2 * l][m] = e; at[s + 2 * l][m][0] = x; at[s + 2 * l][m][1] = y; }
    }
  }
}

static void measure(int o, const judge *j, int points, mpfr_t ref) {
  const ad_op_info *op = &ad_ops[o];
  const bool inside = op->arity == 3;              /* ternary rows: in their domains */
  const bool slow = j->order || j->f == o_lgamma || j->f == o_digamma || j->f == o_tgamma || j->f == o_polygamma || j->f == o_log_ndtr || j->f == o_erfcx;
  memset(worst, 0, sizeof worst);
  for (int s = 0; s < 2; s++) {
    int n = points < 20000 ? points : points / (slow ? 20 : 1) / (s && op->arity == 1 ? 10 : 1), every = slow ? 5000 : 20000;
    for (int i = 0; i < n; i++) {
      double x = sample(op, 0, inside ? 0 : i, s & 1), y = op->arity > 1 ? sample(op, 1, inside ? 0 : i + (i / 6) % 6, s & 1) : 0;
      ordinary = i % 8 != 7 && i % 6 < 3 && (op->arity != 2 || (i + (i / 6) % 6) % 6 < 3);
      if (!strcmp(op->name, "powi")) y = rint(y);
      if (j->f == o_polygamma) x = 1 + i % 4, y = fmin(fabs(y), 1e4);
      if (inside) {
        third = sample(op, 2, 0, s & 1);
        mpfr_set_prec(operand_z, 64); mpfr_set_d(operand_z, third, RN);
        if (j->f == o_clamp && !(y < third)) continue;
      }
      if (op->arity > 1 && op->lo[1] >= 0) y = fabs(y);
      judge_at(o, j, s, x, y, n <= every || uniform() * n < every, ref);
    }
    ordinary = false;
    if (points >= 1000000 && op->arity == 1)
      for (int i = 0; i < SPECIAL; i++)
        for (int k = -NEAR; k <= NEAR; k += slow ? 16 : 1) judge_at(o, j, s, around(op, i, k, s & 1), 0, false, ref);
  }
}

int main(int argc, char **argv) {
  mpfr_set_emin(mpfr_get_emin_min()); mpfr_set_emax(mpfr_get_emax_max());
  if (argc > 1 && !strcmp(argv[1], "--reference")) { print_references(); return 0; }
  int points = argc > 1 ? atoi(argv[1]) : 1000, over = 0;
  mpfr_t ref; mpfr_inits2(BITS, ref, operand_z, (mpfr_ptr)0);
  if (argc <= 2) {
    printf("Against MPFR, %d points a row and dtype for values, %d for derivatives, in the domain of the row and over exponents.\n\n", points, points < 20000 ? points : 20000);
    printf("| row | value v64 / v32 | libm f64 / f32 | f' v64 / v32 | libm f64 / f32 | f_y v64 / v32 | f'' f64 / f32 |\n|---|---|---|---|---|---|---|\n");
  }
  for (int o = 0; o < AD_OP_COUNT_; o++) {
    const ad_op_info *op = &ad_ops[o];
    const judge *j = judge_of(op->name);
    bool wanted = argc <= 2;
    for (int i = 2; i < argc; i++) wanted = wanted || !strcmp(argv[i], op->name);
    if (!j && wanted) printf("%s has no judge\n", op->name), over++;
    if (!j || !wanted) continue;
    state = 88172645463325252u + (uint64_t)o;              /* a row's points do not depend on the others */
    measure(o, j, points, ref);
    printf("| %s ", op->name);
    for (int c = 0; c < 6; c++) {           /* columns: systems 0, 1 or 2, 3 and what of value, f_x, f_y, f_xx */
      static const int system[6] = { 0, 2, 0, 2, 0, 2 }, what[6] = { 0, 0, 1, 1, 2, 3 };
      int m = what[c];
      if (j->limit[m == 3 ? 2 : m ? 1 : 0] == 0 || (m == 2 && (op->arity == 1 || j->order || j->f == o_powi))) printf("| - ");
      else printf("| %.2f / %.2f ", worst[system[c]][m], worst[system[c] + 1][m]);
    }
    printf("|\n");
    for (int s = 0; s < 4; s++)
      for (int m = 0; m < 4; m++) {
        double limit = j->limit[m == 3 ? 2 : m ? 1 : 0];
        if (s >= 2 && m < 2) limit += 3;       /* libm of the machine */
        if (worst[s][m] > limit) {
          static const char *const what[4] = { "value", "f_x", "f_y", "f_xx" };
          fprintf(stderr, "%s %s %s: %.3g ULP > %g at %.17g %.17g\n", op->name, systems[s].name, what[m], worst[s][m], limit, at[s][m][0], at[s][m][1]);
          over++;
        }
      }
    fflush(stdout);
  }
  if (over) fprintf(stderr, "%d over their limit\n", over);
  return over != 0;
}
