/* Reductions: against naive loops in long double, against the tree that ad_simd.h promises bit by bit, and against stored
   hashes that one backend made and all must meet. The file includes itself once per element type. */

#ifndef REDUCE_TEMPLATE
#define REDUCE_TEMPLATE
#include "ad_simd.h"
#include "test.h"
#include "bits.h"

#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define F(name) PASTE(S, name)
#define T(name) PASTE(name, S)

static const bits_entry hashes[] = {
#include "test_reduce_bits.h"
};
enum { HASHES = sizeof hashes / sizeof *hashes };
static const size_t sizes[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
  32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67,
  127, 128, 129, 255, 256, 257, 300, 511, 512, 513, 600, 1023, 1024, 1025, 1537, 2500, 4096, 4099 };
enum { SIZES = sizeof sizes / sizeof *sizes, MOST = 4099 };

#define S ad_f32
#define WIDE 16
#define EPS ((long double)FLT_EPSILON)
#define HASH bits_add_f32
#define HASH_ARRAY bits_add_array_f32
#define HUGE_POWER 100
#include "test_reduce.c"
#undef S
#undef WIDE
#undef EPS
#undef HASH
#undef HASH_ARRAY
#undef HUGE_POWER
#define S ad_f64
#define WIDE 8
#define EPS ((long double)DBL_EPSILON)
#define HASH bits_add_f64
#define HASH_ARRAY bits_add_array_f64
#define HUGE_POWER 800
#include "test_reduce.c"

#define BOTH(name) cmocka_unit_test(name##_ad_f32), cmocka_unit_test(name##_ad_f64)
int main(void) {
  const struct CMUnitTest tests[] = { BOTH(naive), BOTH(tree), BOTH(guarded), BOTH(columns), BOTH(special), BOTH(norms), BOTH(arg), BOTH(share),
    BOTH(prod_share), BOTH(cumsum), BOTH(axis), BOTH(large), BOTH(stored) };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
#else

static S T(data)[MOST + 64], T(other)[MOST + 64];

static void T(fill)(uint64_t seed) {
  for (size_t i = 0; i < MOST + 64; i++) {
    T(data)[i] = (S)(2 * bits_uniform(&seed) - 1);
    T(other)[i] = (S)(2 * bits_uniform(&seed) - 1);
  }
}

static bool T(near)(S v, long double want, long double scale, size_t n) {
  long double levels = 4 + log2l((long double)n + 1);
  return fabsl((long double)v - want) <= levels * EPS * scale;
}

static void T(naive)(void **state) {
  (void)state;
  T(fill)(1);
  for (size_t k = 0; k < SIZES; k++)
    for (size_t offset = 0; offset < 64 / sizeof(S); offset++) {
      size_t n = sizes[k];
      const S *x = T(data) + offset, *y = T(other) + offset;
      long double sum = 0, sumabs = 0, sumsq = 0, dot = 0, absdot = 0, var = 0;
      S highest = -(S)INFINITY, lowest = (S)INFINITY;
      if (n > 600 && offset > 2) continue;
      for (size_t i = 0; i < n; i++) {
        long double a = x[i], b = y[i];
        sum += a, sumabs += fabsl(a), sumsq += a * a, dot += a * b, absdot += fabsl(a * b);
        if (x[i] > highest) highest = x[i];
        if (x[i] < lowest) lowest = x[i];
      }
      assert_true(T(near)(F(array_sum)(n, x), sum, sumabs, n));
      assert_true(T(near)(F(array_sumabs)(n, x), sumabs, sumabs, n));
      assert_true(T(near)(F(array_sumsq)(n, x), sumsq, sumsq, n));
      assert_true(T(near)(F(array_dot)(n, x, y), dot, absdot, n));
      assert_true(T(near)(F(array_norm)(n, x), sqrtl(sumsq), sqrtl(sumsq), n));
      assert_true(n == 0 || T(near)(F(array_mean)(n, x), sum / (long double)n, sumabs / (long double)n, n));
      assert_true(F(array_max)(n, x) == highest && F(array_min)(n, x) == lowest);
      for (size_t i = 0; i < n; i++) var += ((long double)x[i] - sum / (long double)n) * ((long double)x[i] - sum / (long double)n);
      for (size_t ddof = 0; ddof < 2; ddof++) {
        S mean, variance;
        F(array_moments)(n, x, ddof, &mean, &variance);
        if (n > ddof) {
          assert_true(T(near)(mean, sum / (long double)n, sumabs / (long double)n, n));
          assert_true(T(near)(variance, var / (long double)(n - ddof), var / (long double)(n - ddof) + EPS, n));
        } else assert_true(isnan(variance));
      }
    }
}

/* the tree as the header defines it, on one lane after the other */
static S T(block)(const S *x, size_t registers, size_t lane) {
  return registers == 1 ? x[lane] : T(block)(x, registers / 2, lane) + T(block)(x + registers / 2 * WIDE, registers / 2, lane);
}
static S T(tree_sum)(size_t n, const S *x) {
  S lane[WIDE];
  if (n == 0) return 0;
  for (size_t l = 0; l < WIDE; l++) {
    size_t m = n / WIDE, at = m * WIDE;
    lane[l] = at + l < n ? x[at + l] : (S)-0.0;
    for (size_t b = 1; b <= m; b *= 2)
      if (m & b) at -= b * WIDE, lane[l] = T(block)(x + at, b, l) + lane[l];
  }
  for (size_t h = WIDE / 2; h; h /= 2)
    for (size_t l = 0; l < h; l++) lane[l] += lane[l + h];
  return lane[0];
}
static void T(tree)(void **state) {
  (void)state;
  T(fill)(2);
  for (size_t k = 0; k < SIZES; k++)
    for (size_t offset = 0; offset < 5; offset++) {
      S v = F(array_sum)(sizes[k], T(data) + offset), w = T(tree_sum)(sizes[k], T(data) + offset);
      assert_memory_equal(&v, &w, sizeof v);
    }
}

static void T(guarded)(void **state) {
  (void)state;
  T(fill)(3);
  guarded g = guarded_create();
  for (size_t n = 0; n < 70; n++) {
    S *at[2] = { (S *)(void *)g.first, (S *)(void *)(g.end - n * sizeof(S)) };
    for (int p = 0; p < 2; p++) {
      memcpy(at[p], T(data), n * sizeof(S));
      S v = F(array_sum)(n, at[p]), w = F(array_sum)(n, T(data)), out[70], again[70];
      assert_memory_equal(&v, &w, sizeof v);
      assert_true(F(array_max)(n, at[p]) == F(array_max)(n, T(data)));
      (void)F(array_prod)(n, at[p]), (void)F(array_norm)(n, at[p]), (void)F(array_dot)(n, at[p], at[p]);
      if (n) (void)F(array_argmax)(n, at[p]);
      F(columns_sum)(1, n, n, at[p], out, false);
      F(columns_sum)(1, n, n, T(data), again, false);
      assert_memory_equal(out, again, n * sizeof(S));
      F(array_share)(n, T(data), F(array_max)(n, T(data)), 1, at[p], true);
      if (n) F(columns_sum)(n, 1, 1, at[p], at[p] + n - 1, true);
    }
  }
  guarded_destroy(&g);
}

static void T(columns)(void **state) {
  (void)state;
  enum { COLUMNS = 300 };
  static const size_t rows[] = { 0, 1, 2, 3, 5, 7, 8, 9, 13, 16, 24, 31, 40, 67 }, widths[] = { 1, 2, 3, 7, 8, 9, 15, 16, 17, 33, 61, 130, COLUMNS };
  static S x[67 * (COLUMNS + 3)], y[67 * (COLUMNS + 3)], out[COLUMNS + 1], mean[COLUMNS], variance[COLUMNS], work[COLUMNS];
  uint64_t seed = 4;
  for (size_t i = 0; i < 67 * (COLUMNS + 3); i++) x[i] = (S)(2 * bits_uniform(&seed) - 1), y[i] = (S)bits_uniform(&seed);
  for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
      for (size_t extra = 0; extra < 4; extra += 3) {
        size_t n = rows[r], m = widths[w], stride = m + extra;
        for (int what = 0; what < 9; what++) {
          out[m] = 77;
          for (size_t c = 0; c < m; c++) out[c] = 5;
          switch (what) {
            case 0: F(columns_sum)(n, m, stride, x, out, false); break;
            case 1: F(columns_sum)(n, m, stride, x, out, true); break;
            case 2: F(columns_dot)(n, m, stride, x, y, out, false); break;
            case 3: F(columns_sumsq)(n, m, stride, x, out); break;
            case 4: F(columns_norm)(n, m, stride, x, out); break;
            case 5: F(columns_max)(n, m, stride, x, out); break;
            case 6: F(columns_min)(n, m, stride, x, out); break;
            case 7: F(columns_prod)(n, m, stride, x, out); break;
            case 8: F(columns_sumabs)(n, m, stride, x, out); break;
          }
          assert_true(out[m] == 77);
          for (size_t c = 0; c < m; c++) {
            long double sum = what == 1 ? 5 : 0, scale = what == 1 ? 5 : 0, sq = 0, prod = 1, hi = -INFINITY, lo = INFINITY;
            for (size_t j = 0; j < n; j++) {
              long double a = x[j * stride + c], b = y[j * stride + c];
              sum += what == 2 ? a * b : what == 8 ? fabsl(a) : a;
              scale += fabsl(a), sq += a * a, prod *= a;
              if (a > hi) hi = a;
              if (a < lo) lo = a;
            }
            if (what <= 2 || what == 8) assert_true(T(near)(out[c], sum, scale, n));
            if (what == 3) assert_true(T(near)(out[c], sq, sq, n));
            if (what == 4) assert_true(T(near)(out[c], sqrtl(sq), sqrtl(sq), n));
            if (what == 5) assert_true((long double)out[c] == hi);
            if (what == 6) assert_true((long double)out[c] == lo);
            if (what == 7) assert_true(fabsl((long double)out[c] - prod) <= EPS * (long double)(n + 1) * fabsl(prod));
          }
        }
        F(columns_moments)(n, m, stride, x, 1, mean, variance, work);
        for (size_t c = 0; c < m; c++) {
          S column[67], one_mean, one_variance;
          for (size_t j = 0; j < n; j++) column[j] = x[j * stride + c];
          F(array_moments)(n, column, 1, &one_mean, &one_variance);
          if (n < 2) assert_true(isnan(variance[c]));
          else {
            assert_true(T(near)(mean[c], (long double)one_mean, 1, n));
            assert_true(T(near)(variance[c], (long double)one_variance, (long double)one_variance + EPS, n));
          }
        }
      }
}

static void T(special)(void **state) {
  (void)state;
  S x[80] = { 0 }, inf = (S)INFINITY, nan_ = (S)NAN;
  /* empty */
  assert_true(F(array_sum)(0, x) == 0 && !signbit(F(array_sum)(0, x)));
  assert_true(F(array_prod)(0, x) == 1 && isnan(F(array_mean)(0, x)));
  assert_true(F(array_max)(0, x) == -inf && F(array_min)(0, x) == inf && F(array_norm)(0, x) == 0 && F(array_dot)(0, x, x) == 0);
  /* a NaN, an infinity in every position, also of the tail */
  for (size_t n = 1; n < 80; n++)
    for (size_t at = 0; at < n; at++) {
      for (size_t i = 0; i < n; i++) x[i] = (S)(i % 5);
      x[at] = nan_;
      assert_true(isnan(F(array_sum)(n, x)) && isnan(F(array_max)(n, x)) && isnan(F(array_min)(n, x)) && isnan(F(array_prod)(n, x)));
      assert_true(isnan(F(array_norm)(n, x)) && isnan(F(array_mean)(n, x)));
      assert_true(F(array_argmax)(n, x) == at && F(array_argmin)(n, x) == at);
      x[at] = -inf;
      assert_true(F(array_sum)(n, x) == -inf && F(array_min)(n, x) == -inf && F(array_argmin)(n, x) == at && F(array_norm)(n, x) == inf);
      assert_true(n == 1 || F(array_max)(n, x) >= 0);
    }
  /* signed zeros: +0 is larger; the sum of -0 only is -0 */
  for (size_t n = 1; n < 40; n++) {
    for (size_t i = 0; i < n; i++) x[i] = (S)-0.0;
    assert_true(signbit(F(array_sum)(n, x)) && signbit(F(array_max)(n, x)) && signbit(F(array_dot)(n, x, x)) == 0);
    x[n / 2] = 0;
    assert_false(signbit(F(array_max)(n, x)));
    assert_true(n == 1 || signbit(F(array_min)(n, x)));
  }
}

static void T(norms)(void **state) {
  (void)state;
  T(fill)(5);
  for (size_t n = 1; n < 70; n++) {
    S x[70], two[70][2], out[2], base = F(array_norm)(n, T(data)), column;
    F(columns_norm)(n, 1, 1, T(data), &column);
    for (int p = -HUGE_POWER; p <= HUGE_POWER; p += HUGE_POWER / 4) {
      for (size_t i = 0; i < n; i++) x[i] = (S)ldexp((double)T(data)[i], p), two[i][0] = x[i], two[i][1] = 0;
      S v = F(array_norm)(n, x), w = (S)ldexp((double)base, p);
      assert_memory_equal(&v, &w, sizeof v);
      F(columns_norm)(n, 2, 2, &two[0][0], out);
      w = (S)ldexp((double)column, p);
      assert_memory_equal(out, &w, sizeof w);
      assert_true(out[1] == 0);
    }
    for (size_t i = 0; i < n; i++) x[i] = 0;
    assert_true(F(array_norm)(n, x) == 0);
    x[n - 1] = (S)ldexp(1, -1050 < -HUGE_POWER * 2 ? -149 : -1074);
    assert_true(F(array_norm)(n, x) == x[n - 1]);
  }
}

static void T(arg)(void **state) {
  (void)state;
  S x[67 * 9], work[9];
  int32_t index[9];
  uint64_t seed = 6;
  for (int round = 0; round < 20; round++)
    for (size_t n = 1; n < 67; n++) {
      for (size_t i = 0; i < n * 9; i++) x[i] = (S)floor(8 * bits_uniform(&seed));
      if (round > 10) x[(size_t)(bits_uniform(&seed) * (double)(n * 9))] = (S)NAN;
      size_t hi = 0, lo = 0;
      for (size_t i = 1; i < n; i++) {
        if (!isnan(x[hi]) && (x[i] > x[hi] || isnan(x[i]))) hi = i;
        if (!isnan(x[lo]) && (x[i] < x[lo] || isnan(x[i]))) lo = i;
      }
      assert_int_equal(F(array_argmax)(n, x), hi);
      assert_int_equal(F(array_argmin)(n, x), lo);
      for (int sign = -1; sign <= 1; sign += 2) {
        F(columns_arg)(n, 9, 9, x, sign, index, work);
        for (size_t c = 0; c < 9; c++) {
          S column[67];
          for (size_t j = 0; j < n; j++) column[j] = x[j * 9 + c];
          assert_int_equal(index[c], sign > 0 ? F(array_argmax)(n, column) : F(array_argmin)(n, column));
        }
      }
    }
}

static void T(share)(void **state) {
  (void)state;
  S x[67 * 5], dx[67 * 5], cx[67 * 5], v[5], g[5] = { 6, 1, 0, -3, 2 }, work[5];
  uint64_t seed = 7;
  for (int round = 0; round < 30; round++)
    for (size_t n = 1; n < 67; n++) {
      for (size_t i = 0; i < n * 5; i++) x[i] = (S)floor(5 * bits_uniform(&seed)), cx[i] = 10;
      if (round > 20) x[(size_t)(bits_uniform(&seed) * (double)(n * 5))] = (S)NAN;
      F(columns_max)(n, 5, 5, x, v);
      F(columns_share)(n, 5, 5, x, v, g, cx, true, work);
      for (size_t c = 0; c < 5; c++) {
        S column[67];
        size_t k = 0, first = n;
        for (size_t j = 0; j < n; j++) column[j] = x[j * 5 + c];
        for (size_t j = n; j-- > 0;) {
          k += column[j] == v[c];
          if (isnan(column[j])) first = j;
        }
        F(array_share)(n, column, v[c], g[c], dx, false);
        for (size_t j = 0; j < n; j++) {
          S want = isnan(v[c]) ? (j == first ? g[c] : 0) : column[j] == v[c] ? g[c] / (S)k : 0;
          assert_true(dx[j] == want && cx[j * 5 + c] == (S)(10 + want));
        }
      }
    }
}

static void T(prod_share)(void **state) {
  (void)state;
  S x[20], dx[40], work[20];
  for (size_t zeros = 0; zeros < 4; zeros++)
    for (size_t n = 1; n < 12; n++) {
      for (size_t i = 0; i < n; i++) x[i] = i < zeros ? 0 : (S)(1 + (double)(i % 3));
      F(array_prod_share)(n, 1, x, 2, dx, false, work);
      for (size_t i = 0; i < n; i++) {
        S want = 2;
        for (size_t j = 0; j < n; j++) want *= i == j ? 1 : x[j];
        assert_true(dx[i] == want);
      }
      F(array_prod_share)(n, 1, x, 1, dx, true, work);
      x[0] = (S)INFINITY;
      F(array_prod_share)(n, 1, x, (S)-0.0, dx, false, work);
      for (size_t i = 0; i < n; i++) assert_true(dx[i] == 0);
    }
}

static void T(cumsum)(void **state) {
  (void)state;
  T(fill)(8);
  S out[200];
  for (size_t n = 0; n < 100; n++)
    for (size_t step = 1; step < 3; step++) {
      long double sum = 0;
      for (size_t i = 0; i < 200; i++) out[i] = 1;
      F(array_cumsum)(n, step, T(data), out, false, false);
      for (size_t i = 0; i < n; i++) {
        sum += T(data)[i * step];
        assert_true(fabsl((long double)out[i * step] - sum) <= EPS * fabsl(sum) + 64 * 0x1p-63L);
      }
      if (step == 2) for (size_t i = 0; i < n; i++) assert_true(out[2 * i + 1] == 1);
      F(array_cumsum)(n, step, T(data), out, true, true);
      for (size_t i = 0; i < n; i++) assert_true(fabsl((long double)out[i * step] - sum - (long double)T(data)[i * step]) <= 4 * EPS * 60);
    }
  S x[5] = { 1, (S)INFINITY, 2, -(S)INFINITY, 3 };
  F(array_cumsum)(5, 1, x, x, false, false);
  assert_true(x[0] == 1 && x[1] == (S)INFINITY && x[2] == (S)INFINITY && isnan(x[3]) && isnan(x[4]));
}

static void T(axis)(void **state) {
  (void)state;
  T(fill)(9);
  S out[64], want[64];
  for (int kind = AD_REDUCE_SUM; kind <= AD_REDUCE_NORM; kind++)
    for (size_t inner = 1; inner < 5; inner++) {
      F(reduce)((ad_reduction)kind, 6, 11, inner, T(data), out, false);
      for (size_t o = 0; o < 6; o++)
        for (size_t i = 0; i < inner; i++) {
          S line[11];
          for (size_t j = 0; j < 11; j++) line[j] = T(data)[(o * 11 + j) * inner + i];
          F(reduce)((ad_reduction)kind, 1, 11, 1, line, want, false);
          assert_true(T(near)(out[o * inner + i], (long double)*want, 11, 11));
        }
    }
}

/* n = 1e7 numbers: the bound of the tree */
static void T(large)(void **state) {
  (void)state;
#if defined(__aarch64__)
  size_t n = 300000;
#else
  size_t n = 10000000;
#endif
  S *x = (S *)malloc(n * sizeof(S));
  assert_non_null(x);
  for (int kind = 0; kind < 3; kind++) {
    uint64_t seed = 10;
    long double sum = 0, error = 0, scale = 0;
    for (size_t i = 0; i < n; i++) {
      double u = bits_uniform(&seed);
      x[i] = (S)(kind == 0 ? u : kind == 1 ? u - 0.5 : ldexp(u - 0.5, (int)(i % 40)));
      long double a = x[i], t = sum + a;
      error += fabsl(sum) >= fabsl(a) ? (sum - t) + a : (a - t) + sum;
      sum = t, scale += fabsl(a);
    }
    sum += error;
    assert_true(fabsl((long double)F(array_sum)(n, x) - sum) <= (log2l((long double)n) + 2) * EPS / 2 * scale);
    S columns[5], total = 0;
    F(columns_sum)(n / 5, 5, 5, x, columns, false);
    for (int c = 0; c < 5; c++) total += columns[c];
    assert_true(fabsl((long double)total - sum) <= (log2l((long double)n) + 4) * EPS / 2 * scale);
  }
  free(x);
}

static void T(stored)(void **state) {
  (void)state;
  static S x[MOST + 64], y[MOST + 64], out[MOST + 64], work[MOST + 64];
  uint64_t seed = 11, h[24];
  const char *names[] = { "sum", "prod", "max", "min", "sumabs", "sumsq", "dot", "mean", "norm", "moments", "columns_sum", "columns_prod",
    "columns_max", "columns_min", "columns_sumabs", "columns_sumsq", "columns_dot", "columns_mean", "columns_norm", "columns_moments", "share",
    "prod_share", "cumsum" };
  enum { NAMES = sizeof names / sizeof *names };
  for (int k = 0; k < NAMES; k++) h[k] = bits_start();
  for (size_t i = 0; i < MOST + 64; i++) {
    x[i] = (S)ldexp(bits_uniform(&seed) - 0.5, (int)(i % 7));
    y[i] = (S)(bits_uniform(&seed) * 4 - 1);
  }
  for (size_t k = 0; k < SIZES; k++) {
    size_t n = sizes[k], m = 1 + k % 50, rows = n / m;
    S v;
    h[0] = HASH(h[0], F(array_sum)(n, x));
    h[1] = HASH(h[1], F(array_prod)(n, y));
    h[2] = HASH(h[2], F(array_max)(n, x));
    h[3] = HASH(h[3], F(array_min)(n, x));
    h[4] = HASH(h[4], F(array_sumabs)(n, x));
    h[5] = HASH(h[5], F(array_sumsq)(n, x));
    h[6] = HASH(h[6], F(array_dot)(n, x, y));
    h[7] = HASH(h[7], F(array_mean)(n, x));
    h[8] = HASH(h[8], F(array_norm)(n, x));
    F(array_moments)(n, x, 1, out, &v);
    h[9] = HASH(HASH(h[9], *out), v);
    F(columns_sum)(rows, m, m, x, out, false);
    h[10] = HASH_ARRAY(h[10], m, out);
    F(columns_prod)(rows, m, m, y, out);
    h[11] = HASH_ARRAY(h[11], m, out);
    F(columns_max)(rows, m, m, x, out);
    h[12] = HASH_ARRAY(h[12], m, out);
    F(columns_min)(rows, m, m, x, out);
    h[13] = HASH_ARRAY(h[13], m, out);
    F(columns_sumabs)(rows, m, m, x, out);
    h[14] = HASH_ARRAY(h[14], m, out);
    F(columns_sumsq)(rows, m, m, x, out);
    h[15] = HASH_ARRAY(h[15], m, out);
    F(columns_dot)(rows, m, m, x, y, out, false);
    h[16] = HASH_ARRAY(h[16], m, out);
    F(columns_mean)(rows, m, m, x, out);
    h[17] = HASH_ARRAY(h[17], m, out);
    F(columns_norm)(rows, m, m, x, out);
    h[18] = HASH_ARRAY(h[18], m, out);
    F(columns_moments)(rows, m, m, x, 0, out, out + m, work);
    h[19] = HASH_ARRAY(h[19], 2 * m, out);
    F(array_share)(n, x, F(array_max)(n, x), (S)1.5, out, false);
    h[20] = HASH_ARRAY(h[20], n, out);
    F(array_prod_share)(n, 1, y, (S)1.5, out, false, work);
    h[21] = HASH_ARRAY(h[21], n, out);
    F(array_cumsum)(n, 1, x, out, k % 2, false);
    h[22] = HASH_ARRAY(h[22], n, out);
  }
  for (int k = 0; k < NAMES; k++) {
    char name[64];
    snprintf(name, sizeof name, "%s %d", names[k], (int)sizeof(S) * 8);
    assert_true(bits_known(hashes, HASHES, name, h[k]));
  }
}
#endif
