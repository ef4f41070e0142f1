/* Tensors at work: no allocation per step, memory that runs out, optimisers, singular determinants, and the GMM objective of ADBench
   with its gradient against the reference results (AD_DATA; skipped where they are not). */
#include "ad.h"
#include "bits.h"
#include "mixture.h"
#include "test.h"
#include <stdio.h>

typedef struct counted { long calls, fail_at; } counted;
static void *counted_allocate(size_t bytes, void *context) {
  counted *c = (counted *)context;
  return c->calls++ == c->fail_at ? NULL : malloc(bytes);
}
static void counted_release(void *block, void *context) { (void)context; free(block); }
static ad_tape_options counted_options(counted *c) {
  ad_tape_options o;
  memset(&o, 0, sizeof o);
  o.allocate = counted_allocate;
  o.release = counted_release;
  o.context = c;
  return o;
}

enum { BATCH = 32, IN = 20, HIDDEN = 17, OUT = 5, PARAMETERS = 4 };
static const size_t shape[PARAMETERS][2] = { { IN, HIDDEN }, { HIDDEN }, { HIDDEN, OUT }, { OUT } };
static void parameters(ad_tape *t, ad_var *p) {
  for (int k = 0; k < PARAMETERS; k++) p[k] = ad_tensor_normal(t, AD_F32, 2 - k % 2, shape[k], k % 2 ? 0 : 0.3, 5 + (uint64_t)k);
}
static ad_var loss_of(ad_tape *t, const ad_var *p, const float *x, const int32_t *label) {
  const size_t size[] = { BATCH, IN }, n = BATCH;
  const ad_var h = ad_relu(ad_linear(ad_tensor_borrow(t, AD_F32, 2, size, x), p[0], p[1]));
  return ad_cross_entropy(ad_linear(h, p[2], p[3]), ad_tensor_borrow(t, AD_I32, 1, &n, label));
}
static void data(float *x, int32_t *label) {
  for (int i = 0; i < BATCH * IN; i++) x[i] = (float)((i * 7919) % 101) / 101 - 0.5f;
  for (int i = 0; i < BATCH; i++) label[i] = i % OUT;
}

static void test_no_allocation_per_step(void **ignored) {
  (void)ignored;
  counted c = { 0, -1 };
  const ad_tape_options o = counted_options(&c);
  ad_tape *t = ad_tape_create(&o);
  ad_var p[PARAMETERS], v[PARAMETERS];
  float x[BATCH * IN];
  int32_t label[BATCH];
  double first = 0, last = 0;
  long calls = 0;
  data(x, label);
  parameters(t, p);
  for (int k = 0; k < PARAMETERS; k++) v[k] = ad_tensor_constant(t, AD_F32, 2 - k % 2, shape[k], NULL);
  const ad_mark mark = ad_tape_mark(t);
  for (int step = 0; step < 300; step++) {
    const ad_var y = loss_of(t, p, x, label);
    assert_int_equal(ad_backward(y), AD_OK);
    assert_int_equal(ad_sgd(p, PARAMETERS, v, 0.05, 0.9, 1e-4), AD_OK);
    last = ad_value(y);
    if (step == 0) first = last;
    ad_tape_rewind(t, mark);
    if (step == 1) calls = c.calls;
  }
  assert_int_equal(c.calls, calls);
  assert_true(last < first / 4);
  ad_tape_destroy(t);
}

static void test_adam(void **ignored) {
  (void)ignored;
  ad_tape *t = ad_tape_create(NULL);
  const size_t n = 3;
  const double start[] = { 3, -2, 1 };
  const ad_var x = ad_tensor_variable(t, AD_F64, 1, &n, start), m = ad_tensor_constant(t, AD_F64, 1, &n, NULL), s = ad_tensor_constant(t, AD_F64, 1, &n, NULL);
  const ad_mark mark = ad_tape_mark(t);
  for (uint64_t step = 1; step <= 2000; step++) {
    assert_int_equal(ad_backward(ad_sumsq(ad_sub(x, 0.5), AD_ALL, false)), AD_OK);
    assert_int_equal(ad_adam(&x, 1, &m, &s, step, 0.02, 0.9, 0.999, 1e-8, 0), AD_OK);
    ad_tape_rewind(t, mark);
  }
  for (size_t i = 0; i < n; i++) assert_true(fabs(((const double *)ad_data(x))[i] - 0.5) < 1e-3);
  ad_tape_destroy(t);
}

/* every allocation fails once: an error, nothing lost, and the tape works after a reset */
static void test_out_of_memory(void **ignored) {
  (void)ignored;
  float x[BATCH * IN];
  int32_t label[BATCH];
  data(x, label);
  for (long k = 1;; k++) {
    counted c = { 0, k };
    const ad_tape_options o = counted_options(&c);
    ad_tape *t = ad_tape_create(&o);
    assert_non_null(t);
    ad_var p[PARAMETERS];
    parameters(t, p);
    ad_var y = loss_of(t, p, x, label);
    const ad_status status = ad_backward(y);
    const bool failed = c.calls > k;
    if (failed) {
      assert_int_equal(status, AD_ERROR_MEMORY);
      assert_int_equal(ad_tape_status(t), AD_ERROR_MEMORY);
      ad_tape_reset(t);
      parameters(t, p);
      y = loss_of(t, p, x, label);
    }
    assert_int_equal(ad_backward(y), AD_OK);
    assert_non_null(ad_grad_data(p[0]));
    ad_tape_destroy(t);
    if (!failed) break;
  }
}

/* the gradient of det is the matrix of cofactors, whatever the rank */
static void test_singular_determinants(void **ignored) {
  (void)ignored;
  const double a[3][9] = { { 1, 2, 3, 4, 5, 6, 7, 8, 9 }, { 1, 2, 3, 2, 4, 6, 3, 6, 9 }, { 0, 0, 0, 0, 0, 0, 0, 0, 0 } };
  const size_t size[] = { 3, 3 };
  ad_tape *t = ad_tape_create(NULL);
  for (int k = 0; k < 3; k++) {
    ad_tape_reset(t);
    const ad_var x = ad_tensor_variable(t, AD_F64, 2, size, a[k]);
    assert_int_equal(ad_backward(ad_det(x)), AD_OK);
    for (int i = 0; i < 3; i++)
      for (int j = 0; j < 3; j++) {
        const double *m = a[k];
        const int r = (i + 1) % 3, s = (i + 2) % 3, u = (j + 1) % 3, v = (j + 2) % 3;
        const double want = m[r * 3 + u] * m[s * 3 + v] - m[r * 3 + v] * m[s * 3 + u];
        assert_true(fabs(((const double *)ad_grad_data(x))[i * 3 + j] - want) < 1e-13);
      }
  }
  ad_tape_destroy(t);
}

/* the weights of 784-50-10 after some steps have the same bits on every backend with fma, on digits of noise and on those of MNIST */
#if __has_include(<sleef.h>) && !defined(AD_NO_SLEEF) && (defined(__FMA__) || defined(__AVX512F__) || defined(__aarch64__))
enum { STEPS = 8, IMAGES = 50, SIDE2 = 784, HIDDEN2 = 50 };
static bool unpack(const char *folder, const char *name, size_t skip_bytes, size_t n, unsigned char *to) {
  char command[600];
  snprintf(command, sizeof command, "%s/mnist/%s", folder, name);
  FILE *f = fopen(command, "rb");
  if (!f) return false;
  fclose(f);
  snprintf(command, sizeof command, "gzip -dc '%s/mnist/%s' 2>/dev/null", folder, name);
  f = popen(command, "r");
  if (!f) return false;
  size_t got = fread(to, 1, skip_bytes, f);
  if (got == skip_bytes) got = fread(to, 1, n, f);
  (void)pclose(f);
  return got == n;
}
static uint64_t trained(const unsigned char *pixel, const unsigned char *label) {
  static float x[IMAGES * SIDE2];
  static const size_t shapes[4][2] = { { SIDE2, HIDDEN2 }, { HIDDEN2 }, { HIDDEN2, 10 }, { 10 } };
  const size_t images[] = { IMAGES, SIDE2 };
  int32_t target[IMAGES];
  uint64_t h = bits_start();
  ad_tape *t = ad_tape_create(NULL);
  ad_var p[4];
  for (int k = 0; k < 4; k++) p[k] = k % 2 ? ad_tensor_variable(t, AD_F32, 1, shapes[k], NULL) : ad_tensor_normal(t, AD_F32, 2, shapes[k], 0.01, (uint64_t)k);
  const ad_mark m = ad_tape_mark(t);
  for (size_t step = 0; step < STEPS; step++) {
    for (size_t i = 0; i < IMAGES * SIDE2; i++) x[i] = (float)pixel[step * IMAGES * SIDE2 + i] / 255;
    for (size_t i = 0; i < IMAGES; i++) target[i] = label[step * IMAGES + i];
    const size_t n = IMAGES;
    const ad_var in = ad_tensor_borrow(t, AD_F32, 2, images, x), y = ad_linear(ad_relu(ad_linear(in, p[0], p[1])), p[2], p[3]);
    assert_int_equal(ad_backward(ad_cross_entropy(y, ad_tensor_borrow(t, AD_I32, 1, &n, target))), AD_OK);
    assert_int_equal(ad_sgd(p, 4, NULL, 0.1, 0, 0), AD_OK);
    ad_tape_rewind(t, m);
  }
  for (int k = 0; k < 4; k++) h = bits_add_array_f32(h, ad_size(p[k]), (const float *)ad_data(p[k]));
  ad_tape_destroy(t);
  return h;
}
static void test_same_bits(void **ignored) {
  (void)ignored;
  static const bits_entry hashes[] = { { "noise", UINT64_C(0x475676ab014a5ee8) }, { "mnist", UINT64_C(0xbc4c6b9249f5eda5) } };
  static unsigned char pixel[STEPS * IMAGES * SIDE2], label[STEPS * IMAGES];
  const char *folder = getenv("AD_DATA") ? getenv("AD_DATA") : "../shared/data";
  uint64_t seed = 5;
  for (size_t i = 0; i < sizeof pixel; i++) pixel[i] = (unsigned char)(255 * fmax(0, 5 * bits_uniform(&seed) - 4));
  for (size_t i = 0; i < sizeof label; i++) label[i] = (unsigned char)(10 * bits_uniform(&seed));
  assert_true(bits_known(hashes, 2, "noise", trained(pixel, label)));
  if (!unpack(folder, "train10k-images-idx3-ubyte.gz", 16, sizeof pixel, pixel) || !unpack(folder, "train10k-labels-idx1-ubyte.gz", 8, sizeof label, label)) {
    print_message("no mnist/train10k-*.gz in AD_DATA\n");
    skip();
  }
  assert_true(bits_known(hashes, 2, "mnist", trained(pixel, label)));
}
#else
static void test_same_bits(void **ignored) { (void)ignored; skip(); }        /* libm has bits of its own */
#endif

static void test_mixtures(void **ignored) {
  (void)ignored;
  static const int size[][2] = { { 2, 5 }, { 10, 5 }, { 10, 25 }, { 20, 50 }, { 32, 25 } };
  const char *folder = getenv("AD_DATA") ? getenv("AD_DATA") : "../shared/data";
  int found = 0;
  for (size_t s = 0; s < sizeof size / sizeof *size; s++) {
    char path[500];
    size_t d, k, n;
    snprintf(path, sizeof path, "%s/adbench/gmm_d%d_K%d.txt", folder, size[s][0], size[s][1]);
    FILE *f = fopen(path, "r");
    if (!f) continue;
    found++;
    assert_int_equal(fscanf(f, "%zu %zu %zu", &d, &k, &n), 3);
    const size_t columns = d * (d + 1) / 2, count = k + k * d + k * columns, total = count + n * d + 2;
    double *x = (double *)malloc(total * sizeof *x), want;
    for (size_t i = 0; i < total; i++) assert_int_equal(fscanf(f, "%lf", &x[i]), 1);
    fclose(f);
    ad_tape *t = ad_tape_create(NULL);
    const size_t shapes[3][2] = { { k }, { k, d }, { k, columns } }, at[3] = { 0, k, k + k * d };
    ad_var in[3];
    for (int i = 0; i < 3; i++) in[i] = ad_tensor_variable(t, AD_F64, i ? 2 : 1, shapes[i], x + at[i]);
    const ad_var y = mixture(t, d, k, n, x + count, x[total - 2], x[total - 1], in);
    assert_int_equal(ad_backward(y), AD_OK);
    snprintf(path, sizeof path, "%s/adbench/gmm_d%d_K%d.expected", folder, size[s][0], size[s][1]);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%lf", &want), 1);
    if (!(fabs(ad_value(y) - want) <= 1e-9 * fabs(want))) fail_msg("%s: %.17g, not %.17g", path, ad_value(y), want);
    for (int i = 0; i < 3; i++) {
      const double *g = (const double *)ad_grad_data(in[i]);
      for (size_t j = 0; j < ad_size(in[i]); j++) {
        assert_int_equal(fscanf(f, "%lf", &want), 1);
        if (!(fabs(g[j] - want) <= 1e-9 * fmax(fabs(want), 1))) fail_msg("%s: gradient of input %d element %zu: %.17g, not %.17g", path, i, j, g[j], want);
      }
    }
    ad_function *function = ad_function_create(in, 3, &y, 1);      /* the same in one call */
    double *all = (double *)malloc(count * sizeof *all), value = 0;
    const double one = 1;
    const void *from[3], *seed[1] = { &one };
    void *to[1] = { &value }, *grad[3];
    for (int i = 0; i < 3; i++) { from[i] = x + at[i]; grad[i] = all + at[i]; }
    assert_non_null(function);
    assert_int_equal(ad_function_run_vjp(function, from, seed, to, grad), AD_OK);
    rewind(f);
    for (size_t i = 0; i <= count; i++) {
      assert_int_equal(fscanf(f, "%lf", &want), 1);
      const double got = i ? all[i - 1] : value;
      if (!(fabs(got - want) <= 1e-9 * fmax(fabs(want), 1))) fail_msg("%s: as a function: number %zu: %.17g, not %.17g", path, i, got, want);
    }
    ad_function_destroy(function);
    free(all);
    fclose(f);
    free(x);
    ad_tape_destroy(t);
  }
  if (!found) {
    print_message("no adbench/gmm_*.txt in AD_DATA\n");
    skip();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = { cmocka_unit_test(test_no_allocation_per_step), cmocka_unit_test(test_adam), cmocka_unit_test(test_out_of_memory),
                                      cmocka_unit_test(test_singular_determinants), cmocka_unit_test(test_mixtures), cmocka_unit_test(test_same_bits) };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
