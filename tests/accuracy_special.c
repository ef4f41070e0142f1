/* MPFR judges the table of special values (special.h): values at every point, partials and second derivatives by differences of
   the value at 5200 bits, so that no derivative formula is its own judge. LIBS: -lmpfr -lgmp

   At 0 and at infinity a unary row is looked at 2^-2200 and 2^2200: the limit from inside the domain (R3). What no difference can
   tell is listed below with the rule that settles it. Disagreements go to stderr and make the exit status 1. */

#include "ad.h"
static long bits = 5200;                /* fewer where no operand is extreme */
#define BITS bits
#include "oracles.h"
#include "special.h"

/* Conventions at special values: points where the limit is one of several, or where the derivative is one by agreement */
static const struct { const char *row; double x; int result; const char *why; } settled[] = {
  { "abs", 0, 1, "R2: a kink, the middle" }, { "relu", 0, 1, "R2: relu'(0) = 0" }, { "relu6", 0, 1, "R2: bounds inclusive" }, { "relu6", 6, 1, "R2: bounds inclusive" },
  { "relu6", 6, 2, "a kink" }, { "relu6", 0, 2, "a kink" },
  { "hardtanh", 1, 1, "R2: bounds inclusive" }, { "hardtanh", 1, 2, "a kink" }, { "smoothstep", 0, 2, "a jump" }, { "smoothstep", 1, 2, "a jump" },
  { "smoothstep", 0, 1, "a jump of the second derivative" }, { "smoothstep", 1, 1, "a jump of the second derivative" }, { "abs", 0, 2, "R2: 0" }, { "relu", 0, 2, "R2: 0" },
  { "xlogx", 0, 1, "R3: grows as log x, beyond the reach of 2^-2200" }, { "entropy", 0, 1, "R3: as xlogx" },
  { "xlogx", S_INF, 1, "R3: as at 0" }, { "entropy", S_INF, 1, "R3: as at 0" }, { "xlogx", 0, 0, "0 log 0 = 0" }, { "entropy", 0, 0, "0 log 0 = 0" },
  { "frac", S_INF, 0, "NaN: inf - inf" }, { "wrap", S_INF, 0, "NaN: inf - inf" }, { "rsqrt", 0, 0, "1/sqrt(-0), as IEEE 754; MPFR has +inf" },
  { "log_ndtr", S_INF, 1, "R3" }, { "erfcx_curve", 705, 2, "the fourth derivative of erfcx cancels in float beyond the domain of the row" }, { "softsign", 0, 2, "a jump of the second derivative: the middle" },
};
static bool is_settled(const char *row, double x, int result) {
  for (size_t i = 0; i < sizeof settled / sizeof *settled; i++)
    if (!strcmp(settled[i].row, row) && settled[i].x == fabs(x) && settled[i].result == result) return true;
  return false;
}

static void step(mpfr_t h, mpfr_t x) {
  mpfr_abs(h, x, RN);
  if (mpfr_zero_p(h) || mpfr_cmp_ui(h, 1) > 0) mpfr_set_ui(h, 1, RN);
  mpfr_mul_2si(h, h, -110, RN);
}
/* the difference of orders nx, ny over its steps; NaN: it cannot tell */
static void difference(mpfr_t r, const judge *j, int nx, int ny, mpfr_t x, mpfr_t y) {
  NEW(hx, hy, a, b, t, most);
  step(hx, x); step(hy, y);
  mpfr_set_ui(r, 0, RN); mpfr_set_ui(most, 0, RN);
  long cx = 1;
  for (int i = 0; i <= nx; i++) {
    long cy = 1;
    mpfr_mul_si(a, hx, nx - 2 * i, RN);
    if (nx) mpfr_add(a, a, x, RN); else mpfr_set(a, x, RN);                   /* the sign of a zero stays */
    for (int k = 0; k <= ny; k++) {
      mpfr_mul_si(b, hy, ny - 2 * k, RN);
      if (ny) mpfr_add(b, b, y, RN); else mpfr_set(b, y, RN);
      j->f(t, a, b);
      mpfr_mul_si(t, t, ((i + k) % 2 ? -1 : 1) * cx * cy, RN);
      mpfr_add(r, r, t, RN);
      if (mpfr_cmpabs(t, most) > 0) mpfr_abs(most, t, RN);
      cy = cy * (ny - k) / (k + 1);
    }
    cx = cx * (nx - i) / (i + 1);
  }
  mpfr_mul_2si(most, most, 60 - BITS, RN);
  if (nx + ny && mpfr_cmpabs(r, most) <= 0 && !mpfr_zero_p(r)) mpfr_set_nan(r);          /* nothing but rounding is left */
  for (int i = 0; i < nx; i++) mpfr_div(r, r, hx, RN), mpfr_div_2ui(r, r, 1, RN);
  for (int i = 0; i < ny; i++) mpfr_div(r, r, hy, RN), mpfr_div_2ui(r, r, 1, RN);
  END(hx, hy, a, b, t, most);
}

static bool overflows(oracle *f) {
  static oracle *const all[] = { o_log_ndtr, o_erfcx, o_erfc, o_logaddexp, o_softplus, o_logsigmoid, o_logcosh, o_mish, o_mish_gate, o_silu, o_gelu, o_ndtr, o_logaddexp_share };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) if (all[i] == f) return true;
  return false;
}
static bool erfc_like(oracle *f) { return f == o_log_ndtr || f == o_erfcx || f == o_erfc || f == o_gelu || f == o_ndtr; }    /* and slow */
static bool gamma_like(oracle *f) { return f == o_lgamma || f == o_digamma || f == o_tgamma || f == o_polygamma; }
static void set(mpfr_t r, double x, bool limit) {
  if (limit && (x == 0 || isinf(x))) mpfr_set_si_2exp(r, signbit(x) ? -1 : 1, x == 0 ? -2200 : 2200, RN);
  else mpfr_set_d(r, x, RN);
}

int main(int argc, char **argv) {
  const char *only = argc > 1 ? argv[1] : NULL;
  static char classes[SPECIAL_MOST * SPECIAL_RESULTS];
  long judged = 0, settled_ = 0, all = 0, open = 0, wrong = 0;
  mpfr_set_emin(mpfr_get_emin_min()); mpfr_set_emax(mpfr_get_emax_max());
  NEW(x, y, r);
  for (int op = 0; op < AD_OP_BINARY_END_; op++) {
    const judge *j = judge_of(ad_ops[op].name);
    const int arity = ad_ops[op].arity, n = special_points(op);
    if (only && strcmp(only, ad_ops[op].name)) continue;
    for (int single = 0; j && single < 2; single++) {
      if (!special_classes_of(op, single, classes)) { fprintf(stderr, "%s: no classes\n", ad_ops[op].name); return 1; }
      for (int i = 0; i < n; i++) {
        double p[3];
        special_point(op, i, single, p);
        bool regular = true, tame = true;
        for (int k = 0; k < arity; k++) tame = tame && fabs(p[k]) < 100 && fabs(p[k]) > 1e-3;
        bits = tame ? 1500 : 5200;
        for (int k = 0; k < arity; k++) regular = regular && isfinite(p[k]) && p[k] != 0;
        all += special_results(op);
        for (int result = 0; result < special_results(op); result++) {
          char expected = classes[result * n + i];
          int nx = 0, ny = 0;
          if (result >= 1 && result <= arity) nx = result == 1, ny = result == 2;
          if (result > arity) nx = (result - 1 - arity) / arity == 0, ny = !nx, (result - 1 - arity) % arity == 0 ? nx++ : ny++;
          if (special_open(expected)) { open++; continue; }
          if (isnan(p[0]) || isnan(p[1])) continue;                            /* R5, tested in test_ops.c */
          if (result && !regular && arity == 2) continue;
          if (result && (j->limit[result > arity ? 2 : 1] == 0 && !j->order)) continue;     /* steps */
          if (result && arity == 2 && (j->f == o_powi || j->f == o_polygamma) && (j->f == o_powi ? ny : nx)) continue;    /* orders */
          if (gamma_like(j->f) && (!(p[arity - 1] > 0) || p[arity - 1] > 1e6 || (arity == 2 && !(p[0] >= 1 && p[0] <= 4 && p[0] == rint(p[0]))))) continue;
          if (arity == 2 && p[0] == p[1] && result && j->f != o_mul && j->f != o_div && j->f != o_pow && j->f != o_add && j->f != o_sub) continue;    /* ties */
          if (j->f == o_huber && result && fabs(p[0]) == fabs(p[1])) continue;    /* a jump of the second derivative */
          if (j->f == o_pow && (result || j->order) && fabs(p[1]) > 1e30) continue;           /* the step is too long for y^2 */
          if (j->f == o_pow && j->order && result > arity && (fabs(p[0]) > 1e30 || fabs(p[0]) < 1e-30)) continue;      /* its terms overflow */
          if (j->f == o_powi && (p[1] != rint(p[1]) || (result && fabs(p[1]) > 1e30))) continue;    /* and NaN by agreement */
          if (result > arity && arity == 2) {                                   /* made of a value that has no digits left: lost */
            set(x, p[0], false); set(y, p[1], false);
            difference(r, j, j->order, 0, x, y);
            double v = single ? (double)mpfr_get_flt(r, RN) : mpfr_get_d(r, RN);
            if (fabs(v) < (single ? (double)FLT_MIN : DBL_MIN) || (j->f == o_hypot && fabs(p[0]) < 1e-30 && fabs(p[1]) < 1e-30)) continue;
          }
          if (j->order && !regular && arity == 2) continue;
          if (isinf(p[0]) && (j->f == o_sin || j->f == o_cos || j->f == o_tan || j->f == o_sinpi || j->f == o_cospi || j->f == o_versin)) continue;
          if (is_settled(ad_ops[op].name, fabs(special_unary[arity == 1 ? i : 0]), result)) { settled_++; continue; }
          if (j->f == o_log_ndtr && !tame) continue;                             /* minutes */
          if (fmax(fabs(p[0]), fabs(p[1])) > (erfc_like(j->f) ? 120 : 1e9) && overflows(j->f)) continue;       /* what e^x and erfc(x) are made of overflows or is 0 in MPFR too */
          set(x, p[0], arity == 1 && nx + j->order); set(y, p[1], false);
          difference(r, j, nx + j->order, ny, x, y);
          if ((mpfr_nan_p(r) || mpfr_zero_p(r)) && arity == 1 && p[0] == 0 && nx + j->order) {     /* smooth there, and 2^-2200 too near */
            set(x, 0, false);
            difference(r, j, nx + j->order, ny, x, y);
          }
          if (mpfr_nan_p(r) && (isinf(p[0]) || p[0] == 0) && arity == 1) { set(x, p[0], true); difference(r, j, nx + j->order, ny, x, y); }
          double d = single ? (double)mpfr_get_flt(r, RN) : mpfr_get_d(r, RN);
          char got = special_class(d, single, result == 0);
          if (got == 'N' && expected != 'N' && (result || j->order || fabs(p[0]) > 1e9)) continue;       /* infinities that cancel: it cannot tell */
          if (expected == 'z' && result && fabs(d) < 1e-50 && fabs(p[0]) > 1e-10) got = 'z';             /* the rest of the series */
          judged++;
          if (result == 0 && d == 0 && (expected == 'z' || expected == 'o')) continue;     /* signs of zeros: IEEE 754, test_ops_special.h */
          if (got == 'z' && arity == 2 && fabs(p[0]) == fabs(p[1]) && j->f == o_atan2) continue;         /* (y^2 - x^2)/h^4: a root */
          if (special_agrees(expected, got, result == 0) || special_agrees(got, expected, result == 0)) continue;
          if (++wrong < 200) fprintf(stderr, "%s(%g, %g) %s result %d: the table has %c, MPFR %c (%g)\n", ad_ops[op].name, p[0], p[1], single ? "f32" : "f64", result, expected, got, d);
        }
      }
    }
  }
  printf("Special values: of %ld classes MPFR judged %ld, %ld are settled by a rule (R2, R3), %ld second derivatives allow more than one class, %ld wrong.\n", all, judged, settled_, open, wrong);
  END(x, y, r);
  return wrong != 0;
}
