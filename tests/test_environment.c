/* Floating-point environments that other code may leave behind: subnormals flushed, other rounding modes, traps. Every row in its domain
   by tensors (values and gradients) must stay near what it is in the usual mode, raise nothing where operands are benign, and
   ad_selfcheck must say what is set. */
#include "test.h"
#include "memory.h"
#include "ad_simd.h"
#include "ad.h"
#include "row.h"
#include "bits.h"
#include <fenv.h>

enum { N = 67 };
static ad_tape *tape;
static float ones_f[N];
static double ones_d[N];

/* n points of a row's domain, in the middle of it; results as double: value, then partials. The environment is that of the call for the
   row, the usual one around it */
static void run(int op, bool single, size_t n, double scale, double out[4][N]) {
  fenv_t here;
  fegetenv(&here);
  fesetenv(FE_DFL_ENV);
  static double d[3][N];
  static float f[3][N];
  uint64_t seed = (uint64_t)op + 5;
  ad_var x[3] = { { NULL, 0, 0 }, { NULL, 0, 0 }, { NULL, 0, 0 } };
  const int arity = ad_ops[op].arity;
  ad_tape_reset(tape);
  for (int k = 0; k < arity; k++) {
    for (size_t i = 0; i < n; i++) {
      d[k][i] = (ad_ops[op].lo[k] + (ad_ops[op].hi[k] - ad_ops[op].lo[k]) * (0.02 + 0.96 * bits_uniform(&seed))) * scale;
      if ((op == AD_OP_powi && k == 1) || (op == AD_OP_polygamma && k == 0)) d[k][i] = 1 + (double)(i % 3);
      f[k][i] = (float)d[k][i];
    }
    x[k] = ad_tensor_variable(tape, single ? AD_F32 : AD_F64, 1, &n, single ? (void *)f[k] : d[k]);
  }
  fesetenv(&here);
  ad_var y = row_on_tape(op, x);
  assert_int_equal(ad_backward_from(y, single ? (void *)ones_f : ones_d), AD_OK);
  for (int r = 0; r <= arity; r++) {
    const void *data = r ? ad_grad_data(x[r - 1]) : ad_data(y);
    for (size_t i = 0; i < n; i++) out[r][i] = single ? (double)((const float *)data)[i] : ((const double *)data)[i];
  }
}

/* where a number is a step's, the other side of the step; else the same within some ULP of what the row is made of */
static bool steps(int op) {
  switch (op) {
    case AD_OP_floor: case AD_OP_ceil: case AD_OP_trunc: case AD_OP_rint: case AD_OP_round: case AD_OP_wrap: case AD_OP_frac: case AD_OP_fmod: case AD_OP_remainder: return true;
    default: return false;
  }
}
/* SLEEF 3.5.1 is made for rounding to nearest: else its cbrt is off by a factor of 2, and sin and cos by 1e-8 with AVX2 (1e8 ULP).
   ad_selfcheck names the mode. libm stays within 256 ULP. */
#if defined(AD__SLEEF)
static const double other_modes = 1e9;
#else
static const double other_modes = 256;
#endif
static bool lost(int op) { return op == AD_OP_cbrt && fegetround() != FE_TONEAREST; }
static int compare(const char *mode, double tolerance) {
  static double usual[4][N], other[4][N];
  double worst = 0;
  int wrong = 0, worst_op = 0;
  for (int op = 0; op < AD_OP_COUNT_; op++)
    for (int single = 0; single < 2; single++) {
      const double eps = single ? (double)FLT_EPSILON : DBL_EPSILON, least = single ? (double)FLT_MIN : DBL_MIN;
      fenv_t here;
      if (lost(op)) continue;
      fegetenv(&here);
      fesetenv(FE_DFL_ENV);
      run(op, single, N, 1, usual);
      fesetenv(&here);
      run(op, single, N, 1, other);
      fesetenv(FE_DFL_ENV);
      for (int r = 0; r <= ad_ops[op].arity; r++) {
        double most = 0;
        int bad = 0, at = 0;
        for (int i = 0; i < N; i++) most = fmax(most, fabs(usual[r][i]));
        for (int i = 0; i < N; i++) {
          /* relative, or of what cancels where the result is small beside the row's others */
          double error = fabs(other[r][i] - usual[r][i]) / (eps * fmax(fabs(usual[r][i]), fmin(1, most) * 0.25) + least);
          if (!(error <= tolerance) && !steps(op)) bad++, at = i;
          if (error > worst && !steps(op)) worst = error, worst_op = op;
          if (isnan(other[r][i])) bad++, at = i;
        }
        if (bad && ++wrong < 30) print_message("%s %s result %d: %d wrong, %.17g and %.17g\n", ad_ops[op].name, mode, r, bad, other[r][at], usual[r][at]);
      }
      fesetenv(&here);
    }
  fesetenv(FE_DFL_ENV);
  print_message("%s: up to %.3g ULP away (%s)\n", mode, worst, ad_ops[worst_op].name);
  return wrong;
}

static void rounding_modes(void **state) {
  static const int modes[] = { FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO };
  static const char *const names[] = { "upward", "downward", "toward zero" };
  (void)state;
  assert_null(ad_selfcheck());
  for (int m = 0; m < 3; m++) {
    assert_int_equal(fesetround(modes[m]), 0);
    const char *said = ad_selfcheck();
    fesetround(FE_TONEAREST);
    if (FLT_EVAL_METHOD == 0) assert_non_null(strstr(said, "rounding mode"));
    fesetround(modes[m]);
    int wrong = compare(names[m], other_modes);
    fesetround(FE_TONEAREST);
    assert_int_equal(wrong, 0);
  }
}

#if defined(__x86_64__) && defined(__SSE2__)
static void flush(bool on) { unsigned csr = __builtin_ia32_stmxcsr(); __builtin_ia32_ldmxcsr(on ? csr | 0x8040u : csr & ~0x8040u); }
#define CAN_FLUSH 1
#elif defined(__aarch64__)
static void flush(bool on) {
  uint64_t fpcr;
  __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
  fpcr = on ? fpcr | UINT64_C(1) << 24 : fpcr & ~(UINT64_C(1) << 24);
  __asm__ volatile("msr fpcr, %0" : : "r"(fpcr));
}
#define CAN_FLUSH 1
#else
static void flush(bool on) { (void)on; }
#define CAN_FLUSH 0
#endif
static void flush_to_zero(void **state) {
  (void)state;
  if (!CAN_FLUSH) skip();
  flush(true);
  const char *said = ad_selfcheck();
  int wrong = compare("flushing", 8);
  flush(true);
  static double out[4][N];
  for (int op = 0; op < AD_OP_COUNT_; op++)                  /* subnormal operands: it ends */
    for (int single = 0; single < 2; single++) run(op, single, N, single ? 1e-40 : 1e-310, out);
  flush(false);
  assert_true(strstr(said, "subnormal") != NULL);
  assert_null(ad_selfcheck());
  assert_int_equal(wrong, 0);
}

/* rows and padding raise nothing at plain operands; where the C library can, with traps */
static void no_exceptions(void **state) {
  static double out[4][N];
  int wrong = 0;
  (void)state;
  for (int op = 0; op < AD_OP_COUNT_; op++)
    for (int single = 0; single < 2; single++)
      for (size_t n = 1; n < N; n += n < 20 ? 1 : 15) {
        feclearexcept(FE_ALL_EXCEPT);
        run(op, single, n, 1, out);
        int raised = fetestexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW);
        if (raised && ++wrong < 40) print_message("%s %s, %zu points: raises%s%s%s\n", ad_ops[op].name, single ? "f32" : "f64", n, raised & FE_INVALID ? " invalid" : "",
                                                  raised & FE_DIVBYZERO ? " division by zero" : "", raised & FE_OVERFLOW ? " overflow" : "");
      }
  feclearexcept(FE_ALL_EXCEPT);
  assert_int_equal(wrong, 0);
#if defined(__GLIBC__) && defined(__x86_64__)
  feenableexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW);
  for (int op = 0; op < AD_OP_COUNT_; op++)
    for (int single = 0; single < 2; single++) run(op, single, 21, 1, out);
  fedisableexcept(FE_ALL_EXCEPT);
#endif
}

static int start(void **state) {
  (void)state;
  for (int i = 0; i < N; i++) ones_f[i] = 1, ones_d[i] = 1;
  tape = ad_tape_create(NULL);
  return tape == NULL;
}
static int stop(void **state) { (void)state; ad_tape_destroy(tape); return 0; }

int main(void) {
  const struct CMUnitTest tests[] = { cmocka_unit_test(rounding_modes), cmocka_unit_test(flush_to_zero), cmocka_unit_test(no_exceptions) };
  return cmocka_run_group_tests_name("environment", tests, start, stop);
}
