/* Convolution and pooling against plain loops in long double, over shapes drawn at random; workspace between pages that fault;
   special values; the same bits on every backend with fma. The file includes itself once per element type. */

#ifndef CONV_TEMPLATE
#define CONV_TEMPLATE
#include "ad_simd.h"
#include "random.h"

static ad_conv random_conv(void) {
  for (;;) {
    ad_conv p;
    size_t h, w;
    p.batch = random_below(3);
    p.groups = 1 + random_below(3);
    p.channels = p.groups * (1 + random_below(5));
    p.filters = p.groups * (1 + random_below(8));
    if (random_below(4) == 0) p.groups = 1, p.filters = 1 + random_below(37);
    p.height = 1 + random_below(11);
    p.width = 1 + random_below(19);
    for (int d = 0; d < 2; d++) {
      p.kernel[d] = 1 + random_below(4);
      p.stride[d] = random_below(2) ? 1 : 1 + random_below(4);
      p.padding[d] = random_below(3);
      p.dilation[d] = random_below(2) ? 1 : 1 + random_below(3);
    }
    if (ad_conv_shape(&p, &h, &w)) return p;
  }
}
/* the input element that tap r, s sees from output i, j; false outside */
static bool seen(size_t i, size_t stride, size_t r, size_t dilation, size_t padding, size_t size, size_t *h) {
  *h = i * stride + r * dilation - padding;
  return i * stride + r * dilation >= padding && *h < size;
}

#define S ad_f32
#define EPSILON FLT_EPSILON
#define HASH UINT64_C(0x8366372e290a5980)
#define HASH_POOL UINT64_C(0x379333a4c1a32706)
#include "test_conv.c"
#undef S
#undef EPSILON
#undef HASH
#undef HASH_POOL
#define S ad_f64
#define EPSILON DBL_EPSILON
#define HASH UINT64_C(0x1bd5bd3043fe6e9c)
#define HASH_POOL UINT64_C(0x1338c7551e396756)
#include "test_conv.c"

static void test_shapes(void **state) {
  ad_conv p = {2, 4, 8, 9, 6, {3, 3}, {1, 2}, {1, 0}, {1, 1}, 2}, q;
  ad_pool o = {3, 8, 9, {2, 3}, {2, 2}, {0, 1}, {1, 1}, false}, u;
  size_t h, w;
  (void)state;
  assert_true(ad_conv_shape(&p, &h, &w));
  assert_true(h == 8 && w == 4);
  q = p, q.groups = 3;
  assert_false(ad_conv_shape(&q, &h, &w));
  assert_true(ad_f32_conv_work(&q) == SIZE_MAX);
  q = p, q.groups = 0;
  assert_false(ad_conv_shape(&q, &h, &w));
  q = p, q.stride[0] = 0;
  assert_false(ad_conv_shape(&q, &h, &w));
  q = p, q.dilation[1] = 0;
  assert_false(ad_conv_shape(&q, &h, &w));
  q = p, q.kernel[0] = 11;
  assert_false(ad_conv_shape(&q, &h, &w));
  q = p, q.kernel[1] = 0;
  assert_false(ad_conv_shape(&q, &h, &w));
  q = p, q.padding[0] = SIZE_MAX / 2;
  assert_false(ad_conv_shape(&q, &h, &w));
  q = p, q.dilation[0] = SIZE_MAX;
  assert_false(ad_conv_shape(&q, &h, &w));
  q = p, q.batch = SIZE_MAX / 4;
  assert_false(ad_conv_shape(&q, &h, &w));
  assert_true(ad_pool_shape(&o, &h, &w));
  assert_true(h == 4 && w == 5);
  u = o, u.kernel[0] = 9;
  assert_false(ad_pool_shape(&u, &h, &w));
  u = o, u.planes = SIZE_MAX / 2;
  assert_false(ad_pool_shape(&u, &h, &w));
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define BOTH(name) cmocka_unit_test(name##_ad_f32), cmocka_unit_test(name##_ad_f64)
    cmocka_unit_test(test_shapes), BOTH(test_random_shapes), BOTH(test_blocks), BOTH(test_conv_special), BOTH(test_pools), BOTH(test_pool_special), BOTH(test_pool_hash), BOTH(test_hash),
  };
  return cmocka_run_group_tests_name("conv", tests, NULL, NULL);
}

#else

static S *T(random_array)(size_t n) {
  S *a = (S *)malloc((n + 1) * sizeof *a);
  assert_non_null(a);
  for (size_t i = 0; i < n; i++) a[i] = (S)random_number();
  return a;
}

/* all three against loops over the definition; sums and what bounds their errors are collected together */
static void T(check)(const ad_conv *p, void *work) {
  size_t h, w, nx, ny, nw, cs = p->channels / p->groups, fs = p->filters / p->groups;
  S *x, *y, *k, *b, *gx, *gy, *gw, *gx2, *gw2;
  double *sum, *size;
  assert_true(ad_conv_shape(p, &h, &w));
  nx = p->batch * p->channels * p->height * p->width;
  ny = p->batch * p->filters * h * w;
  nw = p->filters * cs * p->kernel[0] * p->kernel[1];
  x = T(random_array)(nx), gx = T(random_array)(nx), gx2 = T(random_array)(nx);
  y = T(random_array)(ny), gy = T(random_array)(ny);
  k = T(random_array)(nw), gw = T(random_array)(nw), gw2 = T(random_array)(nw), b = T(random_array)(p->filters);
  sum = (double *)calloc(2 * (nx + ny + nw) + 1, sizeof *sum);
  size = sum + nx + ny + nw;
  for (size_t n = 0; n < p->batch; n++)
    for (size_t f = 0; f < p->filters; f++)
      for (size_t i = 0; i < h; i++)
        for (size_t j = 0; j < w; j++) {
          const size_t at = ((n * p->filters + f) * h + i) * w + j;
          sum[at] = b[f];
          size[at] = fabs((double)b[f]);
          for (size_t c = 0; c < cs; c++)
            for (size_t r = 0; r < p->kernel[0]; r++)
              for (size_t s = 0; s < p->kernel[1]; s++) {
                size_t v, u, e, q = ((f * cs + c) * p->kernel[0] + r) * p->kernel[1] + s;
                if (!seen(i, p->stride[0], r, p->dilation[0], p->padding[0], p->height, &v) || !seen(j, p->stride[1], s, p->dilation[1], p->padding[1], p->width, &u)) continue;
                e = ((n * p->channels + f / fs * cs + c) * p->height + v) * p->width + u;
                sum[at] += (double)x[e] * k[q], size[at] += fabs((double)x[e] * k[q]);
                sum[ny + e] += (double)gy[at] * k[q], size[ny + e] += fabs((double)gy[at] * k[q]);
                sum[ny + nx + q] += (double)gy[at] * x[e], size[ny + nx + q] += fabs((double)gy[at] * x[e]);
              }
        }
  F(conv)(p, x, k, b, y, work);
  for (size_t i = 0; i < ny; i++) assert_true(fabs(y[i] - sum[i]) <= 60 * EPSILON * size[i]);
  F(conv)(p, x, k, NULL, y, work);
  for (size_t i = 0; i < ny; i++) assert_true(fabs(y[i] + (double)b[i / (h * w) % p->filters] - sum[i]) <= 60 * EPSILON * (size[i] + 1));
  memcpy(gx2, gx, nx * sizeof *gx);
  memcpy(gw2, gw, nw * sizeof *gw);
  F(conv_data)(p, gy, k, gx, true, work);
  F(conv_filter)(p, x, gy, gw, true, work);
  for (size_t i = 0; i < nx; i++) assert_true(fabs((double)gx[i] - gx2[i] - sum[ny + i]) <= 60 * EPSILON * (size[ny + i] + 1));
  for (size_t i = 0; i < nw; i++) assert_true(fabs((double)gw[i] - gw2[i] - sum[ny + nx + i]) <= 60 * EPSILON * (size[ny + nx + i] + 1));
  F(conv_data)(p, gy, k, gx, false, work);
  F(conv_filter)(p, x, gy, gw, false, work);
  for (size_t i = 0; i < nx; i++) assert_true(fabs(gx[i] - sum[ny + i]) <= 60 * EPSILON * size[ny + i]);
  for (size_t i = 0; i < nw; i++) assert_true(fabs(gw[i] - sum[ny + nx + i]) <= 60 * EPSILON * size[ny + nx + i]);
  free(sum);
  free(x), free(gx), free(gx2), free(y), free(gy), free(k), free(gw), free(gw2), free(b);
}

static void T(test_random_shapes)(void **state) {
  (void)state;
  for (int round = 0; round < 250; round++) {
    ad_conv p = random_conv();
    const size_t bytes = F(conv_work)(&p), shift = random_below(64);
    unsigned char *work = (unsigned char *)malloc(bytes + 128 + shift);
    for (size_t i = 0; i < bytes + 128 + shift; i++) work[i] = 0xa5;
    T(check)(&p, work + shift);
    for (size_t i = bytes + shift; i < bytes + 128 + shift; i++) assert_int_equal(work[i], 0xa5);
    free(work);
  }
}

/* more channels than a block of k, more rows than fit the lifting, a kernel larger than a block, 1 x 1, filters over one register */
static void T(test_blocks)(void **state) {
  static const ad_conv shapes[] = {
    {1, 60, 5, 6, 3, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1},   {1, 3, 70, 260, 2, {3, 5}, {1, 1}, {1, 2}, {1, 1}, 1},    {1, 2, 23, 24, 2, {21, 20}, {1, 1}, {0, 0}, {1, 1}, 1},
    {2, 5, 9, 40, 35, {1, 1}, {1, 1}, {0, 0}, {1, 1}, 1}, {1, 4, 120, 33, 4, {2, 2}, {2, 3}, {0, 1}, {3, 2}, 4},   {1, 450, 3, 3, 2, {1, 1}, {2, 2}, {0, 0}, {1, 1}, 1},
    {1, 1, 40, 1700, 1, {1, 3}, {1, 1}, {0, 1}, {1, 1}, 1},
  };
  (void)state;
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    const size_t bytes = F(conv_work)(&shapes[i]);
    unsigned char *work = (unsigned char *)malloc(bytes + 64);
    for (size_t z = 0; z < 64; z++) work[bytes + z] = 0xa5;
    T(check)(&shapes[i], work);
    for (size_t z = 0; z < 64; z++) assert_int_equal(work[bytes + z], 0xa5);
    free(work);
  }
}

/* NaN and infinity go exactly where they are seen; no channels and no images give zeros */
static void T(test_conv_special)(void **state) {
  ad_conv p = {1, 2, 6, 7, 3, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1};
  S x[2 * 42] = {0}, w[3 * 18], y[3 * 42], gw[3 * 18];
  void *work = malloc(F(conv_work)(&p));
  (void)state;
  for (int i = 0; i < 3 * 18; i++) w[i] = 0;
  x[2 * 7 + 3] = (S)NAN;
  x[42 + 5 * 7 + 6] = (S)INFINITY;
  F(conv)(&p, x, w, NULL, y, work);
  for (int f = 0; f < 3; f++)
    for (int i = 0; i < 6; i++)
      for (int j = 0; j < 7; j++) assert_int_equal((abs(i - 2) <= 1 && abs(j - 3) <= 1) || (abs(i - 5) <= 1 && abs(j - 6) <= 1), isnan(y[(f * 6 + i) * 7 + j]) != 0);
  p.batch = 0;
  F(conv_filter)(&p, x, y, gw, false, work);
  for (int i = 0; i < 3 * 18; i++) assert_true(gw[i] == 0);
  free(work);
}

static ad_pool T(random_pool)(void) {
  for (;;) {
    ad_pool p;
    size_t h, w;
    p.planes = random_below(4);
    p.height = 1 + random_below(12);
    p.width = 1 + random_below(40);
    for (int d = 0; d < 2; d++) {
      p.kernel[d] = 1 + random_below(4);
      p.stride[d] = 1 + random_below(3);
      p.padding[d] = random_below(3);
      p.dilation[d] = 1 + random_below(2);
    }
    p.include_padding = random_below(2);
    if (ad_pool_shape(&p, &h, &w)) return p;
  }
}
/* few different values, so that there are ties; now and then a NaN */
static void T(test_pools)(void **state) {
  (void)state;
  for (int round = 0; round < 200; round++) {
    ad_pool p = T(random_pool)();
    size_t h, w, nx, ny;
    S *x, *y, *mean, *gy, *gx, *gmean;
    double *expected, *expected_mean;
    assert_true(ad_pool_shape(&p, &h, &w));
    nx = p.planes * p.height * p.width;
    ny = p.planes * h * w;
    x = T(random_array)(nx), y = T(random_array)(ny), mean = T(random_array)(ny), gy = T(random_array)(ny), gx = (S *)calloc(nx + 1, sizeof *gx), gmean = (S *)calloc(nx + 1, sizeof *gx);
    expected = (double *)calloc(nx + 1, sizeof *expected), expected_mean = (double *)calloc(nx + 1, sizeof *expected);
    for (size_t i = 0; i < nx; i++) x[i] = random_below(40) == 0 && round % 2 ? (S)NAN : (S)((int)random_below(5) - 2);
    F(max_pool)(&p, x, y);
    F(mean_pool)(&p, x, mean);
    F(max_pool_back)(&p, x, y, gy, gx);
    F(mean_pool_back)(&p, gy, gmean);
    for (size_t at = 0; at < ny; at++) {
      const size_t n = at / (h * w), i = at / w % h, j = at % w;
      size_t inside[16], count = 0, winners = 0, first = SIZE_MAX, all = p.kernel[0] * p.kernel[1];
      double most = -INFINITY, sum = 0;
      for (size_t r = 0; r < p.kernel[0]; r++)
        for (size_t s = 0; s < p.kernel[1]; s++) {
          size_t v, u;
          if (seen(i, p.stride[0], r, p.dilation[0], p.padding[0], p.height, &v) && seen(j, p.stride[1], s, p.dilation[1], p.padding[1], p.width, &u)) inside[count++] = (n * p.height + v) * p.width + u;
        }
      for (size_t q = 0; q < count; q++) {
        const double e = x[inside[q]];
        if (isnan(e) && first == SIZE_MAX) first = inside[q];
        sum += e;
        if (e > most) most = e;
      }
      for (size_t q = 0; q < count; q++) winners += x[inside[q]] == most;
      for (size_t q = 0; q < count; q++) {
        expected[inside[q]] += first != SIZE_MAX ? (first == inside[q] ? (double)gy[at] : 0) : x[inside[q]] == most ? (double)gy[at] / (double)winners : 0;
        expected_mean[inside[q]] += (double)gy[at] / (double)(p.include_padding ? all : count);
      }
      assert_true(first != SIZE_MAX ? isnan(y[at]) : y[at] == (S)most);
      sum = p.include_padding ? sum / (double)all : count ? sum / (double)count : 0;
      assert_true(isnan(sum) ? isnan(mean[at]) : fabs(mean[at] - sum) <= 4 * EPSILON * 2);
    }
    for (size_t i = 0; i < nx; i++) assert_true(fabs(gx[i] - expected[i]) <= 20 * EPSILON && fabs(gmean[i] - expected_mean[i]) <= 20 * EPSILON);
    free(x), free(y), free(mean), free(gy), free(gx), free(gmean), free(expected), free(expected_mean);
  }
}
/* padding never wins, not even against -infinity; -0 does not beat +0 */
static void T(test_pool_special)(void **state) {
  ad_pool p = {1, 2, 2, {2, 2}, {2, 2}, {1, 1}, {1, 1}, false};
  S x[4] = {(S)-INFINITY, -5, (S)-0.0, 0}, y[4], gy[4] = {1, 2, 3, 4}, gx[4] = {0};
  (void)state;
  F(max_pool)(&p, x, y);
  assert_true(y[0] == (S)-INFINITY && y[1] == -5 && y[2] == 0 && y[3] == 0);
  F(max_pool_back)(&p, x, y, gy, gx);
  for (int i = 0; i < 4; i++) assert_true(gx[i] == gy[i]);
}

static void T(test_pool_hash)(void **state) {
  uint64_t total = 1;
  (void)state;
  random_state = 8;
  for (int round = 0; round < 40; round++) {
    const ad_pool p = T(random_pool)();
    size_t h, w, nx, ny;
    S *x, *y, *gy;
    assert_true(ad_pool_shape(&p, &h, &w));
    nx = p.planes * p.height * p.width, ny = p.planes * h * w;
    x = T(random_array)(nx), y = T(random_array)(ny), gy = T(random_array)(ny);
    F(max_pool)(&p, x, y);
    F(max_pool_back)(&p, x, y, gy, x);
    total = random_hash(random_hash(total, y, sizeof(S), ny), x, sizeof(S), nx);
    F(mean_pool)(&p, x, y);
    F(mean_pool_back)(&p, gy, x);
    total = random_hash(random_hash(total, y, sizeof(S), ny), x, sizeof(S), nx);
    free(x), free(y), free(gy);
  }
  if (FLT_EVAL_METHOD == 0 && total != HASH_POOL) fail_msg("hash of pooling 0x%016llx", (unsigned long long)total);
}

static void T(test_hash)(void **state) {
  static const ad_conv shapes[] = {{2, 50, 13, 17, 9, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1}, {1, 6, 31, 45, 8, {3, 2}, {2, 3}, {1, 0}, {1, 2}, 2}};
  uint64_t total = 1;
  (void)state;
  random_state = 7;
  for (int i = 0; i < 2; i++) {
    const ad_conv *p = &shapes[i];
    size_t h, w, nx, ny, nw;
    S *x, *y, *k, *b;
    void *work = malloc(F(conv_work)(p));
    assert_true(ad_conv_shape(p, &h, &w));
    nx = p->batch * p->channels * p->height * p->width;
    ny = p->batch * p->filters * h * w;
    nw = p->filters * p->channels / p->groups * p->kernel[0] * p->kernel[1];
    x = T(random_array)(nx), y = T(random_array)(ny), k = T(random_array)(nw), b = T(random_array)(p->filters);
    F(conv)(p, x, k, b, y, work);
    total = random_hash(total, y, sizeof(S), ny);
    F(conv_data)(p, y, k, x, true, work);
    total = random_hash(total, x, sizeof(S), nx);
    F(conv_filter)(p, x, y, k, false, work);
    total = random_hash(total, k, sizeof(S), nw);
    free(x), free(y), free(k), free(b), free(work);
  }
#if AD_GEMM_FUSED && FLT_EVAL_METHOD == 0
  if (total != HASH) fail_msg("hash 0x%016llx", (unsigned long long)total);
#endif
}

#endif
