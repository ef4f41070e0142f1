/* Random numbers by counter against the published vectors and their moments, dropout, and the steps of SGD and Adam against
   their definition. The file includes itself once per element type. */

#ifndef OPTIMISE_TEMPLATE
#define OPTIMISE_TEMPLATE
#include "ad_simd.h"
#include "test.h"
#include "bits.h"

#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define F(name) PASTE(S, name)
#define T(name) PASTE(name, S)

static const bits_entry hashes[] = {
#include "test_optimise_bits.h"
};
enum { HASHES = sizeof hashes / sizeof *hashes };
/* normal numbers need log, sinpi, cospi: the bits of the table are those of SLEEF's fma functions */
#if defined(AD__SLEEF) && AD_SIMD_ULP == 10 && (AD_SIMD != AD_SIMD_SCALAR || defined(__FMA__) || defined(__aarch64__))
enum { SAME_MATH = 1 };
#else
enum { SAME_MATH = 0 };
#endif

/* Random123 1.14, tests/kat_vectors: philox4x32 10 */
static void philox(void **state) {
  (void)state;
  uint32_t w[4][16];
  ad__philox16(0, 0, 0, w);
  assert_true(w[0][0] == 0x6627e8d5u && w[1][0] == 0xe169c58du && w[2][0] == 0xbc57ac4cu && w[3][0] == 0x9b00dbd8u);
  ad__philox16(UINT64_MAX, UINT64_MAX, UINT64_MAX, w);
  assert_true(w[0][0] == 0x408f276du && w[1][0] == 0x41c83b0eu && w[2][0] == 0xa20bc7c6u && w[3][0] == 0x6d5451fdu);
  ad__philox16(UINT64_C(0x299f31d0a4093822), UINT64_C(0x0370734413198a2e), UINT64_C(0x85a308d3243f6a88) - 5, w);
  assert_true(w[0][5] == 0xd16cfe09u && w[1][5] == 0x94fdccebu && w[2][5] == 0x5001e420u && w[3][5] == 0x24126ea1u);
}

#define S ad_f32
#define EPS ((long double)FLT_EPSILON)
#define HASH_ARRAY bits_add_array_f32
#include "test_optimise.c"
#undef S
#undef EPS
#undef HASH_ARRAY
#define S ad_f64
#define EPS ((long double)DBL_EPSILON)
#define HASH_ARRAY bits_add_array_f64
#include "test_optimise.c"

#define BOTH(name) cmocka_unit_test(name##_ad_f32), cmocka_unit_test(name##_ad_f64)
int main(void) {
  const struct CMUnitTest tests[] = { cmocka_unit_test(philox), BOTH(uniform), BOTH(normal), BOTH(dropout), BOTH(sgd), BOTH(adam), BOTH(stored) };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
#else

static void T(uniform)(void **state) {
  (void)state;
  enum { N = 20000 };
  static S x[N], y[300];
  double mean = 0, square = 0;
  size_t bins[16] = { 0 };
  F(random_uniform)(7, 3, 0, N, x);
  for (int i = 0; i < N; i++) {
    assert_true(x[i] >= 0 && x[i] < 1);
    mean += (double)x[i] / N, square += (double)x[i] * (double)x[i] / N;
    bins[(int)(x[i] * 16)]++;
  }
  assert_true(fabs(mean - 0.5) < 0.01 && fabs(square - 1.0 / 3) < 0.01);
  for (int b = 0; b < 16; b++) assert_true(bins[b] > N / 16 - 200 && bins[b] < N / 16 + 200);
  for (size_t first = 0; first < 200; first += 3)
    for (size_t n = 0; n < 70; n += 23) {
      F(random_uniform)(7, 3, first, n, y);
      assert_memory_equal(y, x + first, n * sizeof(S));
    }
  F(random_uniform)(7, 4, 0, 10, y);
  assert_memory_not_equal(y, x, 10 * sizeof(S));
  F(random_uniform)(8, 3, 0, 10, y);
  assert_memory_not_equal(y, x, 10 * sizeof(S));
}

static void T(normal)(void **state) {
  (void)state;
  enum { N = 40000 };
  static S x[N], y[300];
  double m[5] = { 0, 0, 0, 0, 0 };
  F(random_normal)(1, 2, 0, N, x);
  for (int i = 0; i < N; i++)
    for (int p = 1; p < 5; p++) m[p] += pow((double)x[i], p) / N;
  assert_true(fabs(m[1]) < 0.02 && fabs(m[2] - 1) < 0.03 && fabs(m[3]) < 0.08 && fabs(m[4] - 3) < 0.2);
  for (size_t first = 0; first < 150; first += 7)
    for (size_t n = 0; n < 200; n += 37) {
      F(random_normal)(1, 2, first, n, y);
      assert_memory_equal(y, x + first, n * sizeof(S));
    }
}

static void T(dropout)(void **state) {
  (void)state;
  S x[1000], y[1001], u[1000];
  for (size_t n = 0; n <= 1000; n += n < 70 ? 1 : 93)
    for (int k = 0; k < 4; k++) {
      double p = k * 0.25;
      size_t kept = 0;
      for (size_t i = 0; i < n; i++) x[i] = i % 10 == 3 ? (S)NAN : (S)i + 1;
      y[n] = 5;
      F(dropout)(9, 1, 11, n, p, x, y);
      F(random_uniform)(9, 1, 11, n, u);
      for (size_t i = 0; i < n; i++) {
        bool keep = (double)u[i] >= p;
        kept += keep;
        assert_true(keep ? isnan(x[i]) ? isnan(y[i]) : fabsl((long double)y[i] - (long double)x[i] / (1 - p)) <= 2 * EPS * (long double)x[i] / (1 - p) : y[i] == 0);
      }
      assert_true(y[n] == 5);
      assert_true(n < 1000 || fabs((double)kept / 1000 - (1 - p)) < 0.06);
      F(dropout)(9, 1, 11, n, p, x, x);
      for (size_t i = 0; i < n; i++) assert_true(memcmp(x + i, y + i, sizeof *x) == 0 || isnan(x[i]));
    }
}

static void T(sgd)(void **state) {
  (void)state;
  for (size_t n = 0; n < 70; n++)
    for (int mode = 0; mode < 4; mode++) {
      S x[71], g[70], v[71];
      long double wx[70], wv[70];
      double decay = mode & 1 ? 0.01 : 0;
      for (size_t i = 0; i < n; i++) x[i] = (S)i, wx[i] = i, g[i] = (S)(1 + i % 3), v[i] = 0, wv[i] = 0;
      x[n] = v[n] = 5;
      for (int step = 0; step < 5; step++) {
        F(sgd)(n, x, g, mode & 2 ? v : NULL, 0.1, 0.9, decay);
        for (size_t i = 0; i < n; i++) {
          long double d = g[i] + decay * wx[i];
          if (mode & 2) d = wv[i] = 0.9L * wv[i] + d;
          wx[i] -= 0.1L * d;
          assert_true(fabsl((long double)x[i] - wx[i]) <= 40 * EPS * (fabsl(wx[i]) + 1));
        }
      }
      assert_true(x[n] == 5 && v[n] == 5);
    }
}

static void T(adam)(void **state) {
  (void)state;
  for (size_t n = 0; n < 70; n++)
    for (int mode = 0; mode < 3; mode++) {
      S x[71], g[70], m[71], v[71];
      long double wx[70], wm[70], wv[70];
      long double decay = mode ? 0.01L : 0;
      for (size_t i = 0; i < n; i++) x[i] = (S)i, wx[i] = i, m[i] = v[i] = 0, wm[i] = wv[i] = 0;
      x[n] = m[n] = v[n] = 5;
      for (int step = 1; step < 6; step++) {
        for (size_t i = 0; i < n; i++) g[i] = (S)(i % 5) - (S)step;
        F(adam)(n, x, g, m, v, 0.01, 0.9, 0.999, 1e-8, (double)decay, mode == 2, (uint64_t)step);
        for (size_t i = 0; i < n; i++) {
          long double d = g[i] + (mode == 1 ? decay * wx[i] : 0);
          if (mode == 2) wx[i] -= 0.01L * decay * wx[i];
          wm[i] = 0.9L * wm[i] + 0.1L * d, wv[i] = 0.999L * wv[i] + 0.001L * d * d;
          long double mh = wm[i] / (1 - powl(0.9L, step)), vh = wv[i] / (1 - powl(0.999L, step));
          wx[i] -= 0.01L * mh / (sqrtl(vh) + 1e-8L);
          assert_true(fabsl((long double)x[i] - wx[i]) <= 60 * EPS * (fabsl(wx[i]) + 1));
        }
      }
      assert_true(x[n] == 5 && m[n] == 5 && v[n] == 5);
    }
}

static void T(stored)(void **state) {
  (void)state;
  static const char *names[] = { "random_uniform", "sgd", "adam", "dropout", "random_normal" };
  static S x[500], g[500], m[500], v[500];
  uint64_t h[5];
  for (int k = 0; k < 5; k++) h[k] = bits_start();
  for (size_t n = 1; n < 500; n += 13) {
    F(random_uniform)(5, 1, n, n, x);
    h[0] = HASH_ARRAY(h[0], n, x);
    F(random_uniform)(5, 2, n, n, g);
    memset(m, 0, sizeof m), memset(v, 0, sizeof v);
    for (int k = 0; k < 3; k++) F(sgd)(n, x, g, m, 0.1, 0.9, 0.01);
    h[1] = HASH_ARRAY(h[1], n, x);
    for (int k = 1; k < 4; k++) F(adam)(n, x, g, m, v, 0.1, 0.9, 0.99, 1e-8, 0.01, n % 2, (uint64_t)k);
    h[2] = HASH_ARRAY(h[2], n, x);
    F(dropout)(5, 3, n, n, 0.3, g, x);
    h[3] = HASH_ARRAY(h[3], n, x);
    F(random_normal)(5, 4, n, n, x);
    h[4] = HASH_ARRAY(h[4], n, x);
  }
  for (int k = 0; k < (SAME_MATH ? 5 : 4); k++) {
    char name[64];
    snprintf(name, sizeof name, "%s %d", names[k], (int)sizeof(S) * 8);
    assert_true(bits_known(hashes, HASHES, name, h[k]));
  }
}
#endif
