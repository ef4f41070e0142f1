/* Softmax and its relatives, cross entropy and layer norm with their adjoints: against long double, at special values, in place,
   beside pages that fault, and against stored hashes. The file includes itself once per element type. */

#ifndef ROWS_TEMPLATE
#define ROWS_TEMPLATE
#include "ad_simd.h"
#include "test.h"
#include "bits.h"

#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define F(name) PASTE(S, name)
#define T(name) PASTE(name, S)

static const bits_entry hashes[] = {
#include "test_rows_bits.h"
};
enum { HASHES = sizeof hashes / sizeof *hashes, ROWS = 33, MOST = 1500, TOTAL = 40000 };
static const size_t widths[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 24, 31, 32, 33, 40, 47, 48, 63, 64, 65, 67, 100, 128, 300, 777, MOST };
#if defined(__aarch64__)   /* long double is slow there, and slower under qemu */
enum { STEP = 6 };
#else
enum { STEP = 1 };
#endif
enum { WIDTHS = sizeof widths / sizeof *widths };
/* exp and log give the bits of the table where SLEEF's fma functions serve; libm and SLEEF without fma have bits of their own */
#if defined(AD__SLEEF) && AD_SIMD_ULP == 10 && (AD_SIMD != AD_SIMD_SCALAR || defined(__FMA__) || defined(__aarch64__))
enum { SAME_MATH = 1 };
#else
enum { SAME_MATH = 0 };
#endif

#define S ad_f32
#define EPS ((long double)FLT_EPSILON)
#define LEAST ((long double)FLT_MIN)
#define HASH_ARRAY bits_add_array_f32
#include "test_rows.c"
#undef S
#undef EPS
#undef LEAST
#undef HASH_ARRAY
#define S ad_f64
#define EPS ((long double)DBL_EPSILON)
#define LEAST ((long double)DBL_MIN)
#define HASH_ARRAY bits_add_array_f64
#include "test_rows.c"

#define BOTH(name) cmocka_unit_test(name##_ad_f32), cmocka_unit_test(name##_ad_f64)
int main(void) {
  const struct CMUnitTest tests[] = { BOTH(softmax), BOTH(special), BOTH(in_place), BOTH(adjoints), BOTH(cross_entropy), BOTH(guards),
    BOTH(layer_norm), BOTH(columns), BOTH(places), BOTH(stored) };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
#else

static S T(x)[TOTAL], T(y)[TOTAL], T(z)[TOTAL], T(g)[TOTAL], T(w)[TOTAL];

static void T(fill)(double spread) {
  uint64_t seed = 21;
  for (size_t i = 0; i < TOTAL; i++) {
    T(x)[i] = (S)((bits_uniform(&seed) - 0.5) * 2 * spread);
    T(g)[i] = (S)((bits_uniform(&seed) - 0.5) * 4);
    T(w)[i] = (S)(bits_uniform(&seed) * 2);
  }
}
static size_t T(rows_for)(size_t n) { return TOTAL / n < ROWS ? TOTAL / n : ROWS; }
static long double T(lse)(size_t n, const S *x, long double *top) {
  long double sum = 0;
  *top = -INFINITY;
  for (size_t i = 0; i < n; i++) if ((long double)x[i] > *top) *top = (long double)x[i];
  for (size_t i = 0; i < n; i++) sum += expl((long double)x[i] - *top);
  return logl(sum);
}

static void T(softmax)(void **state) {
  (void)state;
  static const double spreads[] = { 1, 20, 1e4 };
  for (int k = 0; k < 3; k += STEP > 1 ? 2 : 1) {
    T(fill)(spreads[k]);
    for (size_t w = 0; w < WIDTHS; w += STEP) {
      size_t n = widths[w], rows = T(rows_for)(n);
      F(rows_softmax)(rows, n, T(x), T(y));
      F(rows_log_softmax)(rows, n, T(x), T(z));
      F(rows_logsumexp)(rows, n, T(x), T(w));
      for (size_t j = 0; j < rows; j++) {
        const S *x = T(x) + j * n;
        long double top, rest = T(lse)(n, x, &top);
        assert_true(fabsl((long double)T(w)[j] - top - rest) <= 4 * EPS * (fabsl(top + rest) + 1));
        for (size_t i = 0; i < n; i++) {
          long double d = (long double)x[i] - top, p = expl(d - rest);
          assert_true(fabsl((long double)T(y)[j * n + i] - p) <= (12 + fabsl(d)) * EPS * p + LEAST);
          assert_true(fabsl((long double)T(z)[j * n + i] - d + rest) <= 2 * EPS * (2 + fabsl(d) + rest));
        }
      }
    }
    /* a row does not depend on its neighbours or its place */
    for (size_t n = 1; n < 40; n++) {
      F(rows_softmax)(20, n, T(x), T(y));
      for (size_t j = 0; j < 20; j++) {
        F(rows_softmax)(1, n, T(x) + j * n, T(z));
        assert_memory_equal(T(z), T(y) + j * n, n * sizeof(S));
      }
    }
    /* columns */
    for (size_t n = 1; n < 30; n += 3)
      for (size_t columns = 1; columns < 1100; columns += columns < 20 ? 3 * STEP : 500) {
        F(columns_logsumexp)(n, columns, columns, T(x), T(y), T(z));
        for (size_t c = 0; c < columns; c++) {
          S line[30];
          long double top, rest;
          for (size_t j = 0; j < n; j++) line[j] = T(x)[j * columns + c];
          rest = T(lse)(n, line, &top);
          assert_true(fabsl((long double)T(y)[c] - top - rest) <= 4 * EPS * (fabsl(top + rest) + 1));
        }
      }
  }
}

static void T(special)(void **state) {
  (void)state;
  S inf = (S)INFINITY, x[40], y[40], v, g = 2, work;
  for (size_t n = 1; n < 40; n++)
    for (size_t k = 0; k <= n; k++) {
      /* k entries of +inf, the others finite or -inf */
      for (size_t i = 0; i < n; i++) x[i] = i < k ? inf : i % 3 ? (S)i : -inf;
      F(rows_softmax)(1, n, x, y);
      if (k) for (size_t i = 0; i < n; i++) assert_true(fabs((double)y[i] - (i < k ? 1 / (double)k : 0)) < 1e-6);
      F(rows_logsumexp)(1, n, x, &v);
      if (k) {
        assert_true(v == inf);
        F(rows_logsumexp_share)(1, n, x, &v, &g, y, false);
        for (size_t i = 0; i < n; i++) assert_true(y[i] == (S)(i < k ? g / (S)k : 0));
        F(rows_log_softmax)(1, n, x, y);
        for (size_t i = 0; i < n; i++) assert_true(i < k ? fabs((double)y[i] + log((double)k)) < 1e-5 : y[i] == -inf);
        F(columns_logsumexp)(n, 1, 1, x, &v, &work);
        assert_true(v == inf);
      }
      /* -inf counts for nothing */
      for (size_t i = 0; i < n; i++) x[i] = i < k ? -inf : 1;
      F(rows_softmax)(1, n, x, y);
      for (size_t i = 0; i < n; i++) assert_true(k == n ? isnan(y[i]) : fabs((double)y[i] - (i < k ? 0 : 1 / (double)(n - k))) < 1e-6 && (i >= k || y[i] == 0));
      F(rows_logsumexp)(1, n, x, &v);
      assert_true(k == n ? v == -inf : fabs((double)v - 1 - log((double)(n - k))) < 1e-5);
      F(rows_logsumexp_share)(1, n, x, &v, &g, y, false);
      for (size_t i = 0; i < k; i++) assert_true(y[i] == 0);
      /* NaN */
      x[k < n ? k : 0] = (S)NAN;
      F(rows_softmax)(1, n, x, y);
      F(rows_logsumexp)(1, n, x, &v);
      for (size_t i = 0; i < n; i++) assert_true(isnan(y[i]));
      assert_true(isnan(v));
      F(columns_logsumexp)(n, 1, 1, x, &v, &work);
      assert_true(isnan(v));
    }
  F(rows_logsumexp)(1, 0, x, &v);
  assert_true(v == -inf);
  /* nothing flows back from a zero seed, also through values without a number */
  for (int i = 0; i < 5; i++) x[i] = (S)NAN;
  S zero[5] = { 0, (S)-0.0, 0, 0, 0 };
  F(rows_softmax_share)(1, 5, x, zero, y, false);
  for (int i = 0; i < 5; i++) assert_true(y[i] == 0);
  F(rows_log_softmax_share)(1, 5, x, zero, y, false);
  for (int i = 0; i < 5; i++) assert_true(y[i] == 0);
  F(rows_logsumexp_share)(1, 5, x, x, zero, y, false);
  for (int i = 0; i < 5; i++) assert_true(y[i] == 0);
}

static void T(in_place)(void **state) {
  (void)state;
  T(fill)(3);
  for (size_t w = 0; w < WIDTHS; w += STEP) {
    size_t n = widths[w], rows = T(rows_for)(n);
    F(rows_softmax)(rows, n, T(x), T(y));
    memcpy(T(z), T(x), sizeof T(z));
    F(rows_softmax)(rows, n, T(z), T(z));
    assert_memory_equal(T(z), T(y), rows * n * sizeof(S));
    if (rows * n < TOTAL) assert_true(T(z)[rows * n] == T(x)[rows * n]);
    F(rows_log_softmax)(rows, n, T(x), T(y));
    memcpy(T(z), T(x), sizeof T(z));
    F(rows_log_softmax)(rows, n, T(z), T(z));
    assert_memory_equal(T(z), T(y), rows * n * sizeof(S));
  }
}

static void T(adjoints)(void **state) {
  (void)state;
  T(fill)(2);
  for (size_t w = 0; w < WIDTHS; w += STEP)
    for (int add = 0; add < 2; add++) {
      size_t n = widths[w], rows = T(rows_for)(n) < 5 ? T(rows_for)(n) : 5;
      for (int which = 0; which < 4; which++) {
        S lse[5];
        for (size_t i = 0; i < rows * n; i++) T(z)[i] = 1;
        if (which == 0) F(rows_softmax)(rows, n, T(x), T(y)), F(rows_softmax_share)(rows, n, T(y), T(g), T(z), add);
        if (which == 1) F(rows_log_softmax)(rows, n, T(x), T(y)), F(rows_log_softmax_share)(rows, n, T(y), T(g), T(z), add);
        if (which == 2) F(rows_logsumexp)(rows, n, T(x), lse), F(rows_logsumexp_share)(rows, n, T(x), lse, T(g), T(z), add);
        if (which == 3) F(columns_logsumexp)(rows, n, n, T(x), T(y), T(w)), F(columns_logsumexp_share)(rows, n, n, T(x), T(y), T(g), T(z), add);
        for (size_t j = 0; j < rows; j++) {
          long double top, rest = T(lse)(n, T(x) + j * n, &top), gy = 0, sum = 0, scale = 0;
          for (size_t i = 0; i < n; i++) {
            long double g = T(g)[j * n + i];
            gy += g * expl(T(x)[j * n + i] - top - rest), sum += g, scale += fabsl(g);
          }
          for (size_t i = 0; i < n; i++) {
            long double p = expl(T(x)[j * n + i] - top - rest), g = T(g)[j * n + i], want = add;
            if (which == 0) want += p * (g - gy);
            if (which == 1) want += g - p * sum;
            if (which == 2) want += p * (long double)T(g)[j];
            if (which == 3) {
              S line[5];
              for (size_t k = 0; k < rows; k++) line[k] = T(x)[k * n + i];
              long double r = T(lse)(rows, line, &top);
              want += (long double)T(g)[i] * expl(T(x)[j * n + i] - top - r);
              rest = T(lse)(n, T(x) + j * n, &top);
            }
            assert_true(fabsl((long double)T(z)[j * n + i] - want) <= EPS * (4 + 30 * p * (scale + 2) + 2 * fabsl(g)));
          }
        }
      }
    }
}

static void T(cross_entropy)(void **state) {
  (void)state;
  T(fill)(5);
  static int32_t label[ROWS];
  static S loss[ROWS], loss_alone[ROWS], other[TOTAL];
  for (size_t w = 0; w < WIDTHS; w += STEP) {
    size_t n = widths[w], rows = T(rows_for)(n);
    for (size_t j = 0; j < rows; j++) label[j] = (int32_t)(j * 7 % n);
    T(y)[rows * n < TOTAL ? rows * n : 0] = 77;
    assert_true(F(rows_cross_entropy)(rows, n, T(x), label, (S)0.25, loss, T(y)));
    if (rows * n < TOTAL) assert_true(T(y)[rows * n] == 77);
    assert_true(F(rows_cross_entropy)(rows, n, T(x), label, (S)0.25, loss_alone, NULL));
    assert_memory_equal(loss, loss_alone, rows * sizeof(S));
    for (size_t j = 0; j < rows; j++)
      for (size_t i = 0; i < n; i++) T(z)[j * n + i] = (S)(i == (size_t)label[j]);
    F(rows_cross_entropy_soft)(rows, n, T(x), T(z), (S)0.25, loss_alone, other);
    for (size_t j = 0; j < rows; j++) {
      long double top, rest = T(lse)(n, T(x) + j * n, &top);
      long double want = rest + top - (long double)T(x)[j * n + (size_t)label[j]];
      assert_true(fabsl((long double)loss[j] - want) <= 3 * EPS * (fabsl(top) + rest + 10));
      assert_true(fabsl((long double)loss_alone[j] - want) <= 3 * EPS * (fabsl(top) + rest + 10));
      for (size_t i = 0; i < n; i++) {
        long double p = expl((long double)T(x)[j * n + i] - top - rest), d = 0.25L * (p - (i == (size_t)label[j]));
        assert_true(fabsl((long double)T(y)[j * n + i] - d) <= EPS * (30 * p + 1));
        assert_true(fabsl((long double)other[j * n + i] - d) <= EPS * (30 * p + 1));
      }
    }
    label[rows - 1] = (int32_t)n;
    assert_false(F(rows_cross_entropy)(rows, n, T(x), label, 1, loss, T(y)));
    label[rows - 1] = -1;
    assert_false(F(rows_cross_entropy)(rows, n, T(x), label, 1, loss, T(y)));
  }
  /* a target of 0 on an impossible class */
  S x[3] = { 1, -(S)INFINITY, 1 }, t[3] = { (S)0.5, 0, (S)0.5 }, v, dx[3];
  F(rows_cross_entropy_soft)(1, 3, x, t, 1, &v, dx);
  assert_true(fabs((double)v - log(2)) < 1e-6 && fabs((double)dx[0]) < 1e-6 && dx[1] == 0);
}

static void T(guards)(void **state) {
  (void)state;
  guarded a = guarded_create(), b = guarded_create();
  T(fill)(2);
  for (size_t n = 1; n < 40; n++)
    for (size_t rows = 1; rows < 6; rows += 2)
      for (int end = 0; end < 2; end++) {
        size_t bytes = rows * n * sizeof(S);
        S *x = (S *)(void *)(end ? a.end - bytes : a.first), *y = (S *)(void *)(end ? b.end - bytes : b.first), mean[6], rstd[6];
        int32_t label[6] = { 0 };
        memcpy(x, T(x), bytes);
        F(rows_softmax)(rows, n, x, y);
        F(rows_softmax)(rows, n, T(x), T(z));
        assert_memory_equal(y, T(z), bytes);
        F(rows_softmax_share)(rows, n, y, x, y, true);
        F(rows_log_softmax)(rows, n, x, y);
        F(rows_log_softmax_share)(rows, n, y, x, y, true);
        F(rows_logsumexp)(rows, n, x, mean);
        F(rows_logsumexp_share)(rows, n, x, mean, mean, y, false);
        assert_true(F(rows_cross_entropy)(rows, n, x, label, 1, mean, y));
        F(rows_layer_norm)(rows, n, x, x, x, (S)1e-5, y, mean, rstd);
        F(rows_layer_norm_share)(rows, n, x, x, mean, rstd, x, y, true, y, y);
      }
  guarded_destroy(&a);
  guarded_destroy(&b);
}

static void T(layer_norm)(void **state) {
  (void)state;
  T(fill)(3);
  static S mean[ROWS], rstd[ROWS], dgain[MOST], dbias[MOST];
  for (size_t k = 0; k < WIDTHS; k += STEP)
    for (int mode = 0; mode < 4; mode++) {
      size_t n = widths[k], rows = T(rows_for)(n);
      bool affine = mode & 1, add = mode & 2;
      const S *gain = affine ? T(w) : NULL, *bias = affine ? T(w) + MOST : NULL;
      F(rows_layer_norm)(rows, n, T(x), gain, bias, (S)1e-3, T(y), mean, rstd);
      for (size_t i = 0; i < rows * n; i++) T(z)[i] = 1;
      for (size_t i = 0; i < n; i++) dgain[i] = dbias[i] = 1;
      F(rows_layer_norm_share)(rows, n, T(x), gain, mean, rstd, T(g), T(z), add, dgain, dbias);
      static long double dg[MOST], db[MOST];
      for (size_t i = 0; i < n; i++) dg[i] = db[i] = 1;
      for (size_t j = 0; j < rows; j++) {
        const S *x = T(x) + j * n, *g = T(g) + j * n;
        long double mu = 0, var = 0, a = 0, b = 0, N = (long double)n;
        for (size_t i = 0; i < n; i++) mu += x[i] / N;
        for (size_t i = 0; i < n; i++) var += (x[i] - mu) * (x[i] - mu) / N;
        long double r = 1 / sqrtl(var + (long double)(S)1e-3);
        for (size_t i = 0; i < n; i++) {
          long double h = (x[i] - mu) * r, s = g[i] * (affine ? (long double)gain[i] : 1);
          a += s / N, b += s * h / N, dg[i] += g[i] * h, db[i] += g[i];
          long double want = affine ? h * gain[i] + bias[i] : h;
          assert_true(fabsl((long double)T(y)[j * n + i] - want) <= EPS * r * 200);
        }
        for (size_t i = 0; i < n; i++) {
          long double h = (x[i] - mu) * r, s = g[i] * (affine ? (long double)gain[i] : 1), want = r * (s - a - h * b) + add;
          assert_true(fabsl((long double)T(z)[j * n + i] - want) <= EPS * r * r * 2000);
        }
      }
      for (size_t i = 0; i < n; i++) assert_true(fabsl((long double)dgain[i] - dg[i]) <= EPS * 60000 && fabsl((long double)dbias[i] - db[i]) <= EPS * 1000);
    }
}

/* of columns: what the rows of the transposed array give, but for the order of the sums */
static void T(columns)(void **state) {
  (void)state;
  static const size_t lengths[] = { 1, 2, 3, 7, 8, 9, 20, 33, 130 };
  enum { LENGTHS = sizeof lengths / sizeof *lengths };
  T(fill)(5);
  for (size_t k = 0; k < LENGTHS; k++)
    for (size_t columns = 1; columns <= 300; columns += columns < 20 ? 1 : 93) {
      const size_t n = lengths[k];
      S *y[2], *dx[2], *expected = T(z), *row = T(w);
      y[0] = T(y), y[1] = y[0] + TOTAL / 2;
      if (n * columns > TOTAL / 2) continue;
      for (int log_of = 0; log_of < 2; log_of++) {
        S line[2][130], want[130];
        F(columns_softmax)(log_of, n, columns, T(x), y[log_of]);
        dx[0] = expected, dx[1] = row;
        memcpy(dx[0], T(g), n * columns * sizeof(S));
        F(columns_softmax_share)(log_of, n, columns, y[log_of], dx[0], dx[0], false);   /* in place */
        for (size_t i = 0; i < n * columns; i++) dx[1][i] = 1;
        F(columns_softmax_share)(log_of, n, columns, y[log_of], T(g), dx[1], true);
        for (size_t c = 0; c < columns; c++) {
          for (size_t j = 0; j < n; j++) line[0][j] = T(x)[j * columns + c], line[1][j] = T(g)[j * columns + c];
          (log_of ? F(rows_log_softmax) : F(rows_softmax))(1, n, line[0], want);
          for (size_t j = 0; j < n; j++) assert_true(fabs((double)(y[log_of][j * columns + c] - want[j])) <= 16 * (double)EPS * (1 + fabs((double)want[j])));
          for (size_t j = 0; j < n; j++) want[j] = y[log_of][j * columns + c];
          (log_of ? F(rows_log_softmax_share) : F(rows_softmax_share))(1, n, want, line[1], line[0], false);
          for (size_t j = 0; j < n; j++) {
            const S d = dx[0][j * columns + c];
            assert_true(fabs((double)(d - line[0][j])) <= 100 * (double)EPS * (1 + fabs((double)line[0][j])) && dx[1][j * columns + c] == (S)(1 + d));
          }
        }
      }
    }
  /* one, two and no +inf, -inf alone, a NaN */
  {
    const S inf = (S)INFINITY, x[3][5] = { { inf, inf, 1, -inf, (S)NAN }, { 3, inf, -inf, -inf, inf }, { -inf, 0, 1, -inf, 0 } };
    S y[15], z[15];
    F(columns_softmax)(false, 3, 5, x[0], y);
    F(columns_softmax)(true, 3, 5, x[0], z);
    assert_true(y[0] == 1 && y[5] == 0 && y[10] == 0 && z[0] == 0 && z[5] == -inf && z[10] == -inf);
    assert_true(y[1] == (S)0.5 && y[6] == (S)0.5 && y[11] == 0);
    assert_true(y[2] == (S)0.5 && y[7] == 0 && y[12] == (S)0.5);
    for (size_t j = 0; j < 3; j++) assert_true(isnan(y[5 * j + 3]) && isnan(z[5 * j + 3]) && isnan(y[5 * j + 4]) && isnan(z[5 * j + 4]));
  }
}

/* the same bits wherever the rows lie, whatever their neighbours, and however many there are */
static void T(places)(void **state) {
  (void)state;
  enum { LONGEST = 4 * 16 + 3, MANY = 3, ROOM = LONGEST * MANY + 80, RESULTS = 9 };
  static S in[3][ROOM], out[RESULTS][ROOM], first[RESULTS][ROOM];
  uint64_t seed = 12;
  S source[3][LONGEST * MANY], mean[MANY], rstd[MANY];
  for (int k = 0; k < 3; k++)
    for (size_t i = 0; i < LONGEST * MANY; i++) source[k][i] = (S)(bits_uniform(&seed) * 4 - (k ? 0 : 2));
  for (size_t n = 1; n <= LONGEST; n++)
    for (size_t at = 0; at < 64 / sizeof(S); at += n % 8 == 1 ? 1 : 5)
      for (size_t rows = MANY; rows > 0; rows = rows > 1 ? 1 : 0) {   /* all, then the first alone */
        const size_t total = rows * n;
        const int32_t label[MANY] = { 0, (int32_t)(n / 2), (int32_t)n - 1 };
        S *x = in[0] + at, *g = in[1] + (at * 3) % 16, *w = in[2] + (at * 5) % 16, *y[RESULTS], loss[MANY];
        for (size_t i = 0; i < ROOM; i++) in[0][i] = in[1][i] = in[2][i] = (S)NAN;
        memcpy(x, source[0], total * sizeof(S)), memcpy(g, source[1], total * sizeof(S)), memcpy(w, source[2], total * sizeof(S));
        for (int k = 0; k < RESULTS; k++) {
          y[k] = out[k] + (at + (size_t)k) % 16;
          for (size_t i = 0; i < total; i++) y[k][i] = 1;
        }
        F(rows_softmax)(rows, n, x, y[0]);
        F(rows_log_softmax)(rows, n, x, y[1]);
        F(rows_softmax_share)(rows, n, y[0], g, y[2], true);
        F(rows_log_softmax_share)(rows, n, y[1], g, y[3], true);
        assert_true(F(rows_cross_entropy)(rows, n, x, label, 2, loss, y[4]));
        F(rows_cross_entropy_soft)(rows, n, x, w, 2, loss, y[5]);
        F(rows_layer_norm)(rows, n, x, w, g, (S)0.001, y[6], mean, rstd);
        F(rows_layer_norm_share)(rows, n, x, w, mean, rstd, g, y[7], true, NULL, NULL);
        F(rows_logsumexp)(rows, n, x, mean);
        F(rows_logsumexp_share)(rows, n, x, mean, g, y[8], true);
        for (int k = 0; k < RESULTS; k++) {
          if (at == 0 && rows == MANY) memcpy(first[k], y[k], total * sizeof(S));
          for (size_t i = 0; i < total; i++) assert_true(!isnan(y[k][i]));
          assert_memory_equal(first[k], y[k], total * sizeof(S));
        }
      }
}

static void T(stored)(void **state) {
  (void)state;
  static const char *names[] = { "layer_norm", "layer_norm_share", "softmax", "log_softmax", "logsumexp", "softmax_share", "log_softmax_share",
    "logsumexp_share", "cross_entropy", "cross_entropy_soft", "columns_logsumexp", "columns_softmax", "columns_softmax_share" };
  enum { NAMES = sizeof names / sizeof *names };
  static S mean[ROWS], rstd[ROWS], dgain[MOST], dbias[MOST];
  int32_t label[ROWS];
  uint64_t h[NAMES];
  for (int k = 0; k < NAMES; k++) h[k] = bits_start();
  T(fill)(4);
  for (size_t k = 0; k < WIDTHS; k++) {
    size_t n = widths[k], rows = T(rows_for)(n) < 19 ? T(rows_for)(n) : 19, total = rows * n;
    for (size_t j = 0; j < rows; j++) label[j] = (int32_t)(j % n);
    F(rows_layer_norm)(rows, n, T(x), T(w), T(g), (S)0.001, T(y), mean, rstd);
    h[0] = HASH_ARRAY(HASH_ARRAY(h[0], total, T(y)), rows, rstd);
    for (size_t i = 0; i < n; i++) dgain[i] = dbias[i] = 0;
    F(rows_layer_norm_share)(rows, n, T(x), T(w), mean, rstd, T(g), T(y), false, dgain, dbias);
    h[1] = HASH_ARRAY(HASH_ARRAY(HASH_ARRAY(h[1], total, T(y)), n, dgain), n, dbias);
    F(rows_softmax)(rows, n, T(x), T(y));
    h[2] = HASH_ARRAY(h[2], total, T(y));
    F(rows_softmax_share)(rows, n, T(y), T(g), T(z), false);
    h[5] = HASH_ARRAY(h[5], total, T(z));
    F(rows_log_softmax)(rows, n, T(x), T(y));
    h[3] = HASH_ARRAY(h[3], total, T(y));
    F(rows_log_softmax_share)(rows, n, T(y), T(g), T(z), false);
    h[6] = HASH_ARRAY(h[6], total, T(z));
    F(rows_logsumexp)(rows, n, T(x), mean);
    h[4] = HASH_ARRAY(h[4], rows, mean);
    F(rows_logsumexp_share)(rows, n, T(x), mean, T(g), T(z), false);
    h[7] = HASH_ARRAY(h[7], total, T(z));
    assert_true(F(rows_cross_entropy)(rows, n, T(x), label, (S)0.125, mean, T(z)));
    h[8] = HASH_ARRAY(HASH_ARRAY(h[8], rows, mean), total, T(z));
    F(rows_cross_entropy_soft)(rows, n, T(x), T(y), (S)0.125, mean, T(z));
    h[9] = HASH_ARRAY(HASH_ARRAY(h[9], rows, mean), total, T(z));
    F(columns_logsumexp)(rows, n, n, T(x), dgain, dbias);
    h[10] = HASH_ARRAY(h[10], n, dgain);
    for (int log_of = 0; log_of < 2; log_of++) {
      F(columns_softmax)(log_of, rows, n, T(x), T(y));
      h[11] = HASH_ARRAY(h[11], total, T(y));
      F(columns_softmax_share)(log_of, rows, n, T(y), T(g), T(z), false);
      h[12] = HASH_ARRAY(h[12], total, T(z));
    }
  }
  for (int k = 0; k < (SAME_MATH ? NAMES : 2); k++) {
    char name[64];
    snprintf(name, sizeof name, "%s %d", names[k], (int)sizeof(S) * 8);
    assert_true(bits_known(hashes, HASHES, name, h[k]));
  }
}
#endif
