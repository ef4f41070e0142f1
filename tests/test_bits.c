/* The same bits everywhere. A hash of each row's values, tangents, gradients and second derivatives in float and in double, over points in
   the domain of the row and over special ones: values and gradients from tensors, tangents and second derivatives from functions. The
   hashes are stored (test_bits_hashes.h) and must come out on scalar with fma, AVX2, AVX-512 and NEON. And a slice of a result is the
   result of the slice, for every row, every n up to four registers and three, at any offset.

   AD_BITS_POINTS=n takes n points instead of 960, AD_BITS_PART=2/8 the second of eight parts of the rows (training is in the first),
   for `make test-bits`, which compares what AD_PRINT_BITS=1 prints. */
#include "test.h"
#include "memory.h"
#include "ad_simd.h"
#include "ad.h"
#include "row.h"
#include "bits.h"

static const bits_entry hashes[] = {
#include "test_bits_hashes.h"
  { "", 0 }
};
enum { HASHES = sizeof hashes / sizeof *hashes, POINTS = 960 };
static bool in_part(int i) {
  int part = 1, parts = 1;
  return !getenv("AD_BITS_PART") || (sscanf(getenv("AD_BITS_PART"), "%d/%d", &part, &parts) == 2 && parts > 0 && i % parts == part - 1);
}
#if defined(AD__SLEEF) && AD_SIMD_ULP == 10 && (defined(__FMA__) || defined(__AVX512F__) || defined(__aarch64__))
#define HASHES_HOLD 1
#else
#define HASHES_HOLD 0
#endif

static ad_tape *tape;
static int context_op;
static void map(const ad_var *x, ad_var *y, void *context) { y[0] = row_on_tape(*(const int *)context, x); }
static bool is_order(int op, int k) { return (op == AD_OP_powi && k == 1) || (op == AD_OP_polygamma && k == 0); }

/* operand k of n points into x (as the type), from the domain, every fourth from special numbers */
static void fill(int op, int k, bool single, size_t n, void *x) {
  static const double special[] = { 0, -0.0, 1, -1, 0.5, -2, 1e-30, -1e-30, 3e38, -1e10, 20, -90, INFINITY, -INFINITY, NAN, 1e-40 };
  uint64_t seed = (uint64_t)op * 16 + (uint64_t)k + 77;
  for (size_t i = 0; i < n; i++) {
    double u = ad_ops[op].lo[k] + (ad_ops[op].hi[k] - ad_ops[op].lo[k]) * bits_uniform(&seed);
    if (is_order(op, k)) u = rint(u);
    if (i % 4 == 3) u = special[(i / 4 * (size_t)(2 * k + 1) + i / 64 * (size_t)k) % 16];
    if (single) ((float *)x)[i] = (float)u; else ((double *)x)[i] = u;
  }
}
static uint64_t hash(bool single, size_t n, const void *x) {
  return single ? bits_add_array_f32(bits_start(), n, (const float *)x) : bits_add_array_f64(bits_start(), n, (const double *)x);
}
static int known(int op, bool single, const char *what, uint64_t h) {
  char name[80];
  snprintf(name, sizeof name, "%s %s %s", ad_ops[op].name, single ? "32" : "64", what);
  return !bits_known(hashes, HASHES, name, h);
}

static void same_bits(void **state) {
  (void)state;
  size_t n = getenv("AD_BITS_POINTS") ? (size_t)strtoul(getenv("AD_BITS_POINTS"), NULL, 10) : POINTS, bytes = n * sizeof(double);
  if (!HASHES_HOLD) skip();
  int wrong = 0;
  void *x[3], *points = malloc(3 * bytes), *seed = malloc(3 * bytes), *result = malloc(9 * bytes), *ones = malloc(bytes);
  for (int k = 0; k < 3; k++) x[k] = malloc(bytes);
  tape = ad_tape_create(NULL);
  for (int op = 0; op < AD_OP_COUNT_; op++)
    for (int single = 0; single < 2 && in_part(op); single++) {
      const size_t a = (size_t)ad_ops[op].arity, size = single ? sizeof(float) : sizeof(double);
      const ad_dtype type = single ? AD_F32 : AD_F64;
      ad_var v[3] = { { NULL, 0, 0 }, { NULL, 0, 0 }, { NULL, 0, 0 } };
      ad_tape_reset(tape);
      for (size_t k = 0; k < a; k++) {
        fill(op, (int)k, single, n, x[k]);
        for (size_t i = 0; i < n; i++) memcpy((char *)points + (i * a + k) * size, (char *)x[k] + i * size, size);
        v[k] = ad_tensor_variable(tape, type, 1, &n, x[k]);
      }
      for (size_t i = 0; i < n; i++) if (single) ((float *)ones)[i] = 1; else ((double *)ones)[i] = 1;
      ad_var y = row_on_tape(op, v);
      assert_int_equal(ad_backward_from(y, ones), AD_OK);
      wrong += known(op, single, "value", hash(single, n, ad_data(y)));
      uint64_t h = bits_start();
      for (size_t k = 0; k < a; k++) h = bits_add_u64(h, hash(single, n, ad_grad_data(v[k])));
      wrong += known(op, single, "gradient", h);
      double at[3];
      for (int k = 0; k < 3; k++) at[k] = 0.5 * (ad_ops[op].lo[k] + ad_ops[op].hi[k]);
      context_op = op;
      ad_function *f = ad_function_record(map, &context_op, a, at, 1);
      assert_non_null(f);
      h = bits_start();
      for (size_t k = 0; k < a; k++) {
        for (size_t i = 0; i < n * a; i++) if (single) ((float *)seed)[i] = i % a == k; else ((double *)seed)[i] = i % a == k;
        ad_function_arguments arguments = { points, NULL, seed, NULL, result, NULL, NULL, type };
        assert_int_equal(ad_function_apply(f, AD_FUNCTION_JVP, n, &arguments), AD_OK);
        h = bits_add_u64(h, hash(single, n, result));
      }
      wrong += known(op, single, "tangent", h);
      ad_function_arguments arguments = { points, NULL, NULL, NULL, result, NULL, NULL, type };
      assert_int_equal(ad_function_apply(f, AD_FUNCTION_HESSIAN, n, &arguments), AD_OK);
      wrong += known(op, single, "second", hash(single, n * a * a, result));
      ad_function_destroy(f);
    }
  ad_tape_destroy(tape);
  for (int k = 0; k < 3; k++) free(x[k]);
  free(points), free(seed), free(result), free(ones);
  assert_int_equal(wrong, 0);
}

/* value and gradients of n points from an offset: the same bits as in the whole */
static void slices(void **state) {
  (void)state;
  if (getenv("AD_PRINT_BITS")) skip();
  enum { MOST = 4 * 16 + 3, ALL = MOST + 16 };
  static double x[3][ALL], whole[4][ALL];
  static float ones_f[ALL];
  static double ones_d[ALL];
  for (int i = 0; i < ALL; i++) ones_f[i] = 1, ones_d[i] = 1;
  tape = ad_tape_create(NULL);
  long compared = 0;
  for (int op = 0; op < AD_OP_COUNT_; op++)
    for (int single = 0; single < 2; single++) {
      const int a = ad_ops[op].arity, lanes = single ? AD_V32_LANES : AD_V64_LANES;
      const size_t size = single ? sizeof(float) : sizeof(double);
      for (int k = 0; k < a; k++) fill(op, k, single, ALL, x[k]);
      for (int part = -1; part <= 4 * lanes + 3; part++) {
        const size_t n = part < 0 ? ALL : (size_t)part, offset = part < 0 ? 0 : (size_t)(part * 5 % 13);
        const ad_dtype type = single ? AD_F32 : AD_F64;
        ad_var v[3], borrowed[3];
        ad_tape_reset(tape);
        for (int k = 0; k < a; k++) {
          v[k] = ad_tensor_variable(tape, type, 1, &n, (char *)x[k] + offset * size);
          borrowed[k] = ad_tensor_borrow(tape, type, 1, &n, (char *)x[k] + offset * size);      /* read where it lies */
        }
        ad_var y = row_on_tape(op, v), in_place = row_on_tape(op, borrowed);
        assert_int_equal(ad_backward_from(y, single ? (void *)ones_f : ones_d), AD_OK);
        for (int r = 0; r <= a; r++) {
          const void *got = r ? ad_grad_data(v[r - 1]) : ad_data(in_place);
          if (part < 0) memcpy(whole[r], got, ALL * size);
          else if (hash(single, n, got) != hash(single, n, (char *)whole[r] + offset * size)) fail_msg("%s: result %d of %zu points from %zu on", ad_ops[op].name, r, n, offset);
          compared++;
        }
      }
    }
  assert_true(compared > 2000);
  ad_tape_destroy(tape);
}

/* a network 784-50-10 learns: noise, or MNIST where AD_BITS_DIGITS names the folder with its files images and labels. The weights at the end */
enum { PIXELS = 28 * 28, HIDDEN = 50, CLASSES = 10, BATCH = 100, PARAMETERS = 4 };
static void read_bytes(const char *folder, const char *name, size_t skipped, size_t n, unsigned char *bytes) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  assert_int_equal(fseek(file, (long)skipped, SEEK_SET), 0);
  assert_int_equal(fread(bytes, 1, n, file), n);
  fclose(file);
}
static void training(void **state) {
  (void)state;
  if (!HASHES_HOLD || !in_part(0)) skip();
  static const size_t shape[PARAMETERS][2] = { { PIXELS, HIDDEN }, { HIDDEN }, { HIDDEN, CLASSES }, { CLASSES } }, size[] = { BATCH, PIXELS }, count = BATCH;
  const char *folder = getenv("AD_BITS_DIGITS");
  const size_t n = folder ? 10000 : 300, steps = folder ? 500 : 5;
  ad_var p[PARAMETERS];
  uint64_t h = bits_start(), seed = 3;
  unsigned char *bytes = malloc(n * PIXELS), *classes = malloc(n);
  double *pixel = malloc(n * PIXELS * sizeof *pixel);
  int32_t *label = malloc(n * sizeof *label);
  if (folder) read_bytes(folder, "images", 16, n * PIXELS, bytes), read_bytes(folder, "labels", 8, n, classes);
  for (size_t i = 0; i < n * PIXELS; i++) pixel[i] = folder ? bytes[i] / 255.0 : bits_uniform(&seed);
  for (size_t i = 0; i < n; i++) label[i] = folder ? classes[i] : (int32_t)(i * 7 % CLASSES);
  ad_tape *t = ad_tape_create(NULL);
  for (int k = 0; k < PARAMETERS; k++) p[k] = ad_tensor_normal(t, AD_F64, 2 - k % 2, shape[k], k % 2 ? 0 : 0.01, (uint64_t)k);
  const ad_mark mark = ad_tape_mark(t);
  for (size_t step = 0; step < steps; step++) {
    const size_t first = step * BATCH % n;
    const ad_var x = ad_tensor_borrow(t, AD_F64, 2, size, pixel + first * PIXELS);
    const ad_var y = ad_cross_entropy(ad_linear(ad_relu(ad_linear(x, p[0], p[1])), p[2], p[3]), ad_tensor_borrow(t, AD_I32, 1, &count, label + first));
    assert_int_equal(ad_backward(y), AD_OK);
    assert_int_equal(ad_sgd(p, PARAMETERS, NULL, 0.1, 0, 0), AD_OK);
    ad_tape_rewind(t, mark);
  }
  for (int k = 0; k < PARAMETERS; k++) h = bits_add_array_f64(h, ad_size(p[k]), (const double *)ad_data(p[k]));
  ad_tape_destroy(t);
  free(bytes), free(classes), free(pixel), free(label);
  assert_true(bits_known(hashes, HASHES, folder ? "training on MNIST, 500 steps" : "training on noise, 5 steps", h));
}

int main(void) {
  const struct CMUnitTest tests[] = { cmocka_unit_test(same_bits), cmocka_unit_test(slices), cmocka_unit_test(training) };
  return cmocka_run_group_tests_name("bits", tests, NULL, NULL);
}
