/* Functions that call operations of the program's own on numbers: every kind, at one point and over lanes, against duals of duals. */
#include "test.h"
#include "memory.h"
#include "ad.h"

#define assert_near(a, b, tolerance)                                                                                          \
  do { double a_ = (double)(a), b_ = (double)(b); if (!(fabs(a_ - b_) <= (tolerance) * (1 + fabs(b_)))) print_error("%.17g, expected %.17g\n", a_, b_); \
    assert_true(fabs(a_ - b_) <= (tolerance) * (1 + fabs(b_))); } while (0)

static uint64_t state = 88172645463325252u;
static double uniform(double lo, double hi) {
  state ^= state << 13; state ^= state >> 7; state ^= state << 17;
  return lo + (hi - lo) * (double)(state >> 11) * 0x1p-53;
}

/* an implicit function: y0 with y0^3 + y0 = x0, by Newton's method, and y1 = x1 y0; it fails where x0 > 50 */
static long calls;
static ad_status cubic(void *context, const double *x, double *y) {
  double v = 0;
  (void)context;
  calls++;
  for (int i = 0; i < 60; i++) v -= (v * v * v + v - x[0]) / (3 * v * v + 1);
  y[0] = v; y[1] = x[1] * v;
  return x[0] > 50 ? AD_ERROR_ARGUMENT : AD_OK;
}
static ad_status cubic_vjp(void *context, const double *x, const double *y, const double *w, double *gx) {
  (void)context;
  gx[0] = (w[0] + w[1] * x[1]) / (3 * y[0] * y[0] + 1);
  gx[1] = w[1] * y[0];
  return AD_OK;
}
static ad_status cubic_jvp(void *context, const double *x, const double *y, const double *dx, double *dy) {
  (void)context;
  dy[0] = dx[0] / (3 * y[0] * y[0] + 1);
  dy[1] = dx[1] * y[0] + x[1] * dy[0];
  return AD_OK;
}
static ad_var element(ad_var x, ptrdiff_t i) { return ad_slice(x, 0, i, i + 1, 1); }
static void cubic_derive(void *context, const ad_var *x, ad_var y, ad_var w, ad_var *gx) {
  (void)context;
  const ad_var v = element(y, 0);
  const ad_var both[2] = { ad_div(ad_add(element(w, 0), ad_mul(element(w, 1), element(*x, 1))), ad_add(ad_mul(ad_square(v), 3.0), 1.0)), ad_mul(element(w, 1), v) };
  *gx = ad_concat(both, 2, 0);
}
enum { WAYS = 6 };
static const ad_custom ways[WAYS] = {
  { "cubic", 2, 2, cubic, cubic_vjp, NULL, NULL, NULL }, { "cubic", 2, 2, cubic, NULL, NULL, cubic_jvp, NULL }, { "cubic", 2, 2, cubic, NULL, NULL, NULL, cubic_derive },
  { "cubic", 2, 2, cubic, cubic_vjp, NULL, NULL, cubic_derive }, { "cubic", 2, 2, cubic, NULL, NULL, cubic_jvp, cubic_derive },
  { "cubic", 2, 2, cubic, cubic_vjp, NULL, cubic_jvp, cubic_derive } };

/* of three numbers: the operation of inputs, of its own results, the same once more, and of a constant */
enum { N = 3, M = 3 };
static void map(const ad_var *x, ad_var *y, void *context) {
  const ad_custom *op = (const ad_custom *)context;
  ad_var in[2], a[2], b[2], c[2], k[2];
  in[0] = ad_mul(x[0], x[1]); in[1] = x[2];
  ad_custom_numbers(op, in, a);
  ad_custom_numbers(op, in, c);
  in[0] = ad_add(a[1], x[0]); in[1] = ad_sin(a[0]);
  ad_custom_numbers(op, in, b);
  in[0] = in[1] = ad_constant(x[0].tape, 2);
  ad_custom_numbers(op, in, k);
  y[0] = ad_add(ad_mul(a[0], c[1]), ad_mul(b[0], k[1]));
  y[1] = ad_sub(ad_exp(b[1]), x[1]);
  y[2] = ad_mul(x[2], 3.0);
}
static void dual_cubic(const ad_dual2 *x, ad_dual2 *y) {
  ad_dual2 v = ad_dual2_k(0);
  for (int i = 0; i < 60; i++)
    v = ad_dual2_sub(v, ad_dual2_div(ad_dual2_sub(ad_dual2_add(ad_dual2_mul(ad_dual2_mul(v, v), v), v), x[0]), ad_dual2_add(ad_dual2_mul(ad_dual2_k(3), ad_dual2_mul(v, v)), ad_dual2_k(1))));
  y[0] = v; y[1] = ad_dual2_mul(x[1], v);
}
static void dual_map(const ad_dual2 *x, ad_dual2 *y) {
  ad_dual2 in[2], a[2], b[2];
  in[0] = ad_dual2_mul(x[0], x[1]); in[1] = x[2];
  dual_cubic(in, a);
  in[0] = ad_dual2_add(a[1], x[0]); in[1] = ad_dual2_sin(a[0]);
  dual_cubic(in, b);
  y[0] = ad_dual2_add(ad_dual2_mul(a[0], a[1]), ad_dual2_mul(b[0], ad_dual2_k(2)));      /* v^3 + v = 2 has v = 1 */
  y[1] = ad_dual2_sub(ad_dual2_exp(b[1]), x[1]);
  y[2] = ad_dual2_mul(x[2], ad_dual2_k(3));
}
typedef struct point { double y[M], j[M * N], h[N * N]; } point;
static point expected_at(const double *x, const double *w) {
  point p;
  memset(&p, 0, sizeof p);
  for (int i = 0; i < N; i++)
    for (int k = 0; k < N; k++) {
      ad_dual2 q[N], v[M];
      for (int z = 0; z < N; z++) { q[z] = ad_dual2_k(x[z]); q[z].v.d[0] = z == i; q[z].d[0].v = z == k; }
      dual_map(q, v);
      for (int j = 0; j < M; j++) { p.y[j] = v[j].v.v; p.j[j * N + i] = v[j].v.d[0]; p.h[i * N + k] += w[j] * v[j].d[0].d[0]; }
    }
  return p;
}

enum { COUNT = 131 };
static double x[COUNT * N], w[COUNT * M], dx[COUNT * N], y[COUNT * M], result[COUNT * M * N + N * N * COUNT];
static point expected[COUNT];
static void fill(void) {
  for (int i = 0; i < COUNT * N; i++) { x[i] = uniform(-1, 1); dx[i] = uniform(-1, 1); }
  for (int i = 0; i < COUNT * M; i++) w[i] = uniform(-1, 1);
  for (int p = 0; p < COUNT; p++) expected[p] = expected_at(x + N * p, w + M * p);
}
static double times(const double *row, ptrdiff_t step, const double *v, int n) { double s = 0; for (int k = 0; k < n; k++) s += row[k * step] * v[k]; return s; }
/* what a kind gave at point p */
static void check(ad_function_kind kind, int p, const double *r) {
  const point *e = &expected[p];
  for (int j = 0; j < M && kind == AD_FUNCTION_JVP; j++) assert_near(r[j], times(e->j + j * N, 1, dx + N * p, N), 1e-12);
  for (int k = 0; k < N && kind == AD_FUNCTION_VJP; k++) assert_near(r[k], times(e->j + k, N, w + M * p, M), 1e-12);
  for (int k = 0; k < M * N && kind == AD_FUNCTION_JACOBIAN; k++) assert_near(r[k], e->j[k], 1e-12);
  for (int k = 0; k < N * N && kind == AD_FUNCTION_HESSIAN; k++) assert_near(r[k], e->h[k], 1e-11);
  for (int k = 0; k < N && kind == AD_FUNCTION_HESSIAN_VECTOR; k++) assert_near(r[k], times(e->h + k * N, 1, dx + N * p, N), 1e-11);
}
static size_t width(ad_function_kind kind) { return kind == AD_FUNCTION_JACOBIAN ? M * N : kind == AD_FUNCTION_HESSIAN ? N * N : kind == AD_FUNCTION_JVP ? M : kind == AD_FUNCTION_VALUE ? 0 : N; }

static void test_kinds(void **unused) {
  static const size_t counts[] = { 0, 1, 7, 8, 9, 63, 64, 65, COUNT };
  (void)unused;
  fill();
  for (int way = 0; way < WAYS; way++) {
    ad_function *f = ad_function_record(map, (void *)(uintptr_t)&ways[way], N, x, M);
    assert_non_null(f);
    for (int kind = 0; kind < AD_FUNCTION_KINDS; kind++) {
      const bool refused = kind >= AD_FUNCTION_HESSIAN && !ways[way].derive;
      for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        ad_function_arguments a;
        memset(&a, 0, sizeof a);
        a.dtype = AD_F64; a.x = x; a.w = w; a.dx = dx; a.y = y; a.result = result;
        memset(y, 0, sizeof y);
        result[width((ad_function_kind)kind) * counts[c]] = -7;
        assert_int_equal(ad_function_apply(f, (ad_function_kind)kind, counts[c], &a), refused && counts[c] ? AD_ERROR_UNSUPPORTED : AD_OK);
        if (refused) continue;
        for (size_t p = 0; p < counts[c]; p++) {
          for (int j = 0; j < M && kind != AD_FUNCTION_HESSIAN && kind != AD_FUNCTION_HESSIAN_VECTOR; j++) assert_near(y[p * M + (size_t)j], expected[p].y[j], 1e-13);
          check((ad_function_kind)kind, (int)p, result + p * width((ad_function_kind)kind));
        }
        assert_true(result[width((ad_function_kind)kind) * counts[c]] == -7);
      }
    }
    for (int p = 0; p < 20; p++) {                           /* one point */
      const double *at = x + N * p;
      double r[N * N];
      assert_int_equal(ad_function_evaluate(f, at, y), AD_OK);
      for (int j = 0; j < M; j++) assert_near(y[j], expected[p].y[j], 1e-13);
      assert_int_equal(ad_function_jacobian(f, at, NULL, r), AD_OK); check(AD_FUNCTION_JACOBIAN, p, r);
      assert_int_equal(ad_function_jvp(f, at, dx + N * p, NULL, r), AD_OK); check(AD_FUNCTION_JVP, p, r);
      assert_int_equal(ad_function_vjp(f, at, w + M * p, NULL, r), AD_OK); check(AD_FUNCTION_VJP, p, r);
      assert_int_equal(ad_function_hessian(f, at, w + M * p, r), ways[way].derive ? AD_OK : AD_ERROR_UNSUPPORTED);
      if (ways[way].derive) check(AD_FUNCTION_HESSIAN, p, r);
      assert_int_equal(ad_function_hessian_vector(f, at, w + M * p, dx + N * p, r), ways[way].derive ? AD_OK : AD_ERROR_UNSUPPORTED);
      if (ways[way].derive) check(AD_FUNCTION_HESSIAN_VECTOR, p, r);
    }
    ad_function_destroy(f);
  }
}

/* a call of the same operands is made once a point; a constant one never; where it fails only its own points are NaN */
static void test_calls(void **unused) {
  (void)unused;
  fill();
  ad_function *f = ad_function_record(map, (void *)(uintptr_t)&ways[0], N, x, M);
  for (int p = 0; p < COUNT; p += 50) x[N * p] = x[N * p + 1] = 10;
  calls = 0;
  assert_int_equal(ad_function_evaluate_many(f, COUNT, x, y), AD_OK);
  assert_int_equal(calls, 2 * COUNT);
  for (int p = 0; p < COUNT; p++)
    for (int j = 0; j < M; j++) {
      if (p % 50 == 0 && j < 2) assert_true(isnan(y[p * M + j]));
      else if (p % 50) assert_near(y[p * M + j], expected[p].y[j], 1e-13);
    }
  calls = 0;
  assert_int_equal(ad_function_evaluate(f, x + N, y), AD_OK);
  assert_int_equal(calls, 2);
  ad_function_destroy(f);
}

/* floats, some inputs only, sparsity, a work space */
static void test_drivers(void **unused) {
  static float xf[COUNT * N], yf[COUNT * M], jf[COUNT * M * N];
  (void)unused;
  fill();
  for (int i = 0; i < COUNT * N; i++) xf[i] = (float)x[i];
  ad_function *f = ad_function_record(map, (void *)(uintptr_t)&ways[5], N, x, M);
  ad_function_arguments a;
  memset(&a, 0, sizeof a);
  a.dtype = AD_F32; a.x = xf; a.y = yf; a.result = jf;
  const size_t bytes = ad_function_workspace_bytes(f, AD_FUNCTION_JACOBIAN);
  a.workspace = aligned_alloc(64, (bytes + 63) / 64 * 64);
  const long before = allocations;
  assert_int_equal(ad_function_apply(f, AD_FUNCTION_JACOBIAN, COUNT, &a), AD_OK);
  for (int p = 0; p < COUNT; p++) for (int k = 0; k < M * N; k++) assert_near(jf[p * M * N + k], expected[p].j[k], 1e-4);
  a.dtype = AD_F64; a.x = x; a.y = y; a.result = result;
  assert_int_equal(ad_function_apply(f, AD_FUNCTION_JACOBIAN, COUNT, &a), AD_OK);
  assert_int_equal(allocations, before);
  for (int p = 0; p < COUNT; p++) check(AD_FUNCTION_JACOBIAN, p, result + p * M * N);
  free(a.workspace);
  const size_t some[2] = { 2, 0 };
  ad_function *g = ad_function_wrt(f, some, 2);
  assert_int_equal(ad_function_jacobian_many(g, COUNT, x, y, result), AD_OK);
  for (int p = 0; p < COUNT; p++) for (int j = 0; j < M; j++) for (int k = 0; k < 2; k++) assert_near(result[(p * M + j) * 2 + k], expected[p].j[j * N + (int)some[k]], 1e-12);
  ad_sparse *s = ad_sparse_create(f, AD_FUNCTION_JACOBIAN), *h = ad_sparse_create(f, AD_FUNCTION_HESSIAN);
  assert_int_equal(s->nonzeros, 7);                          /* the last row has one */
  assert_int_equal(ad_sparse_evaluate(s, x, NULL, result), AD_OK);
  for (size_t i = 0; i < M; i++) for (size_t k = s->row[i]; k < s->row[i + 1]; k++) assert_near(result[k], expected[0].j[i * N + s->column[k]], 1e-12);
  assert_int_equal(ad_sparse_evaluate(h, x, w, result), AD_OK);
  const long steady = allocations;                           /* after the first call nothing is allocated */
  assert_int_equal(ad_sparse_evaluate(h, x, w, result), AD_OK);
  assert_int_equal(ad_function_jacobian_many(f, COUNT, x, y, result + 100), AD_OK);
  assert_int_equal(ad_function_jacobian_many(f, COUNT, x, y, result + 100), AD_OK);
  assert_true(allocations <= steady + 1);
  for (size_t i = 0; i < N; i++) for (size_t k = h->row[i]; k < h->row[i + 1]; k++) assert_near(result[k], expected[0].h[i * N + h->column[k]], 1e-11);
  ad_sparse_destroy(s); ad_sparse_destroy(h);
  ad_function_destroy(f);                                    /* g lives on */
  assert_int_equal(ad_function_hessian(g, x, w, result), AD_OK);
  assert_near(result[0], expected[0].h[8], 1e-11);
  ad_function_destroy(g);
}

/* more operands than an instruction of any other kind has: y_j = sum_k cos(j + k) x_k^2 */
enum { WIDE = 40, TALL = 5 };
static ad_status wide(void *context, const double *a, double *b) {
  (void)context;
  for (int j = 0; j < TALL; j++) { b[j] = 0; for (int k = 0; k < WIDE; k++) b[j] += cos(j + k) * a[k] * a[k]; }
  return AD_OK;
}
static ad_status wide_vjp(void *context, const double *a, const double *b, const double *weight, double *ga) {
  (void)context; (void)b;
  for (int k = 0; k < WIDE; k++) { ga[k] = 0; for (int j = 0; j < TALL; j++) ga[k] += weight[j] * 2 * cos(j + k) * a[k]; }
  return AD_OK;
}
static const ad_custom wide_op = { "wide", WIDE, TALL, wide, wide_vjp, NULL, NULL, NULL };
static void wide_map(const ad_var *a, ad_var *b, void *context) {
  ad_var in[WIDE];
  (void)context;
  for (int k = 0; k < WIDE; k++) in[k] = ad_sin(a[k]);
  ad_custom_numbers(&wide_op, in, b);
  for (int j = 0; j < TALL; j++) b[j] = ad_mul(b[j], a[j]);
}
static void test_wide(void **unused) {
  static double at[70 * WIDE], v[70 * TALL], j[70 * TALL * WIDE], one[TALL * WIDE];
  (void)unused;
  for (int i = 0; i < 70 * WIDE; i++) at[i] = uniform(-1, 1);
  ad_function *f = ad_function_record(wide_map, NULL, WIDE, at, TALL);
  assert_non_null(f);
  assert_int_equal(ad_function_jacobian_many(f, 70, at, v, j), AD_OK);
  for (int p = 0; p < 70; p++) {
    assert_int_equal(ad_function_jacobian(f, at + p * WIDE, NULL, one), AD_OK);
    for (int r = 0; r < TALL; r++) {
      double sum = 0;
      for (int k = 0; k < WIDE; k++) { const double s = sin(at[p * WIDE + k]); sum += cos(r + k) * s * s; }
      assert_near(v[p * TALL + r], sum * at[p * WIDE + r], 1e-12);
      for (int k = 0; k < WIDE; k++) {
        const double c = at[p * WIDE + k], slope = 2 * cos(r + k) * sin(c) * cos(c) * at[p * WIDE + r] + (k == r ? sum : 0);
        assert_near(j[(p * TALL + r) * WIDE + k], slope, 1e-12);
        assert_near(one[r * WIDE + k], slope, 1e-12);
      }
    }
  }
  ad_function_destroy(f);
}

/* a comparison of a result, and tensors on the way */
static void branching(const ad_var *a, ad_var *b, void *context) {
  ad_var v[2];
  ad_custom_numbers((const ad_custom *)context, a, v);
  b[0] = ad_gt(v[0], 0.0) ? ad_square(v[1]) : v[0];
}
static void test_guard(void **unused) {
  const double at[6] = { 2, 3, -2, 3, 10, 1 };
  double v[3], g[6];
  unsigned char branch[3];
  (void)unused;
  ad_function *f = ad_function_record(branching, (void *)(uintptr_t)&ways[1], 2, at, 1);
  assert_non_null(f);
  ad_function_arguments a;
  memset(&a, 0, sizeof a);
  a.dtype = AD_F64; a.x = at; a.y = v; a.result = g; a.branch = branch;
  assert_int_equal(ad_function_apply(f, AD_FUNCTION_JACOBIAN, 3, &a), AD_ERROR_BRANCH);
  assert_true(!branch[0] && branch[1] && !branch[2]);
  assert_near(v[0], 9, 1e-13); assert_near(g[0], 2 * 3 * 3 / 4.0, 1e-13); assert_near(g[1], 6, 1e-13);
  assert_near(v[2], 4, 1e-13);
  ad_function_destroy(f);
}

/* a rule derive that compares: y = x |x|; points at which it goes another way than it was recorded are told, those where nothing is asked of it
   are not */
static ad_status signed_square(void *context, const double *a, double *b) { (void)context; b[0] = a[0] * fabs(a[0]); return AD_OK; }
static void signed_square_derive(void *context, const ad_var *a, ad_var b, ad_var weight, ad_var *ga) {
  (void)context; (void)b;
  *ga = ad_mul(weight, ad_mul(*a, ad_gt(ad_sum(*a, 0, false), 0.0) ? 2.0 : -2.0));
}
static const ad_custom signed_square_op = { "signed_square", 1, 1, signed_square, NULL, NULL, NULL, signed_square_derive };
static void signed_square_map(const ad_var *a, ad_var *b, void *context) { ad_custom_numbers((const ad_custom *)context, a, b); b[0] = ad_mul(b[0], a[1]); }
static void test_derive_guard(void **unused) {
  enum { POINTS = 77 };
  static double at[2 * POINTS], v[POINTS], g[2 * POINTS];
  unsigned char branch[POINTS];
  double h[4], one[2];
  (void)unused;
  for (int p = 0; p < POINTS; p++) { at[2 * p] = p % 5 ? 1 + p : -1 - p; at[2 * p + 1] = p % 10 ? 3 : 0; }
  ad_function *f = ad_function_record(signed_square_map, (void *)(uintptr_t)&signed_square_op, 2, at + 2, 1);
  assert_non_null(f);
  assert_int_equal(ad_function_prepare(f, AD_FUNCTION_JACOBIAN), AD_OK);
  const long prepared = allocations;
  assert_int_equal(ad_function_jacobian(f, at + 2, v, one), AD_OK);
  assert_true(allocations <= prepared + 1);                  /* its work space */
  ad_function_arguments a;
  memset(&a, 0, sizeof a);
  a.dtype = AD_F64; a.x = at; a.y = v; a.result = g; a.branch = branch;
  assert_int_equal(ad_function_apply(f, AD_FUNCTION_VALUE, POINTS, &a), AD_OK);
  for (int second = 0; second < 2; second++) {
    const ad_function_kind kind = second ? AD_FUNCTION_JACOBIAN : AD_FUNCTION_VJP;
    assert_int_equal(ad_function_apply(f, kind, POINTS, &a), AD_ERROR_BRANCH);
    for (int p = 0; p < POINTS; p++) {
      const double s = at[2 * p], c = at[2 * p + 1];
      if (c != 0) assert_int_equal(branch[p], p % 5 == 0);
      assert_near(v[p], s * fabs(s) * c, 1e-14);
      if (!branch[p]) { assert_near(g[2 * p], 2 * fabs(s) * c, 1e-14); assert_near(g[2 * p + 1], s * fabs(s), 1e-14); }
      else assert_near(g[2 * p], 2 * s * c, 1e-14);                          /* the recorded path */
    }
  }
  const double below[2] = { -1, 3 };
  assert_int_equal(ad_function_jacobian(f, below, v, one), AD_ERROR_BRANCH);
  assert_near(v[0], -3, 1e-15);
  assert_int_equal(ad_function_hessian(f, below, NULL, h), AD_ERROR_BRANCH);
  assert_int_equal(ad_function_hessian(f, at + 2, NULL, h), AD_OK);
  assert_near(h[0], 6, 1e-14); assert_near(h[1], 4, 1e-14);
  ad_sparse *s = ad_sparse_create(f, AD_FUNCTION_JACOBIAN);
  assert_int_equal(ad_sparse_evaluate(s, at + 2, NULL, g), AD_OK);
  assert_int_equal(ad_sparse_evaluate(s, below, NULL, g), AD_ERROR_BRANCH);
  ad_sparse_destroy(s);
  ad_function_destroy(f);
}

/* every allocation fails in turn */
static void test_memory(void **unused) {
  (void)unused;
  fill();
  for (long k = 0;; k++) {
    fail_at = allocations + k;
    ad_function *f = ad_function_record(map, (void *)(uintptr_t)&ways[2], N, x, M);
    ad_status first = f ? ad_function_jacobian_many(f, 3, x, y, result) : AD_ERROR_MEMORY, second = AD_ERROR_MEMORY;
    double h[N * N];
    for (int p = 0; p < 3 && first == AD_OK; p++) check(AD_FUNCTION_JACOBIAN, p, result + p * M * N);
    if (f) second = ad_function_hessian(f, x, w, h);
    for (int i = 0; i < N * N && second == AD_OK; i++) assert_near(h[i], expected[0].h[i], 1e-11);
    const bool reached = allocations > fail_at;
    fail_at = -1;
    assert_true(first == AD_OK || first == AD_ERROR_MEMORY);
    assert_true(second == AD_OK || second == AD_ERROR_MEMORY);
    if (f) { assert_int_equal(ad_function_hessian(f, x, w, h), AD_OK); for (int i = 0; i < N * N; i++) assert_near(h[i], expected[0].h[i], 1e-11); }
    ad_function_destroy(f);
    if (!reached) { assert_int_equal(first, AD_OK); assert_int_equal(second, AD_OK); break; }
  }
}

/* a function of numbers that cannot be, after an operation that was recorded, leaves nothing behind */
static ad_status square_value(void *context, const double *a, double *b) { (void)context; b[0] = a[0] * a[0]; return AD_OK; }
static void square_derive(void *context, const ad_var *a, ad_var b, ad_var weight, ad_var *ga) {
  ad_var both[2];
  (void)b;
  both[0] = both[1] = ad_mul(weight, ad_mul(*a, 2.0));
  *ga = context ? ad_concat(both, 2, 0) : both[0];          /* of a wrong size */
}
static const ad_custom square_ops[2] = { { "square", 1, 1, square_value, NULL, NULL, NULL, square_derive },
  { "wrong", 1, 1, square_value, NULL, (void *)(uintptr_t)&square_ops[0], NULL, square_derive } };
static void two_squares(const ad_var *a, ad_var *b, void *context) {
  ad_var v;
  (void)context;
  ad_custom_numbers(&square_ops[0], a, &v);
  ad_custom_numbers(&square_ops[1], &v, b);
}
static void test_refused(void **unused) {
  const double at = 3;
  (void)unused;
  const long before = live;
  ad_function *f = ad_function_record(two_squares, NULL, 1, &at, 1);
  assert_non_null(f);                                        /* one of tensors */
  double v = 0;
  assert_int_equal(ad_function_evaluate(f, &at, &v), AD_OK);
  assert_near(v, 81, 1e-15);
  ad_function_destroy(f);
  assert_int_equal(live, before);
}

/* C is written of what vjp and jvp can serve, under names of its own */
static void two_ops(const ad_var *a, ad_var *b, void *context) {
  ad_var v[2], u[2];
  const ad_custom *both = (const ad_custom *)context;
  ad_custom_numbers(&both[0], a, v);
  ad_custom_numbers(&both[1], v, u);
  b[0] = ad_add(u[0], u[1]);
}
static void test_written(void **unused) {
  const double at[2] = { 1, 2 };
  (void)unused;
  FILE *file = tmpfile();
  assert_non_null(file);
  for (int way = 0; way < WAYS; way++) {
    ad_function *f = ad_function_record(map, (void *)(uintptr_t)&ways[way], N, x, M);
    assert_int_equal(ad_function_write_c(f, "written", file), way == 2 ? AD_ERROR_UNSUPPORTED : AD_OK);
    assert_int_equal(ad_function_write_c(f, "cubic", file), way == 2 ? AD_ERROR_UNSUPPORTED : AD_ERROR_ARGUMENT);
    ad_function_destroy(f);
  }
  ad_custom both[2] = { ways[0], ways[1] };
  ad_function *f = ad_function_record(two_ops, both, 2, at, 1);
  assert_int_equal(ad_function_write_c(f, "written", file), AD_ERROR_ARGUMENT);        /* the same name */
  ad_function_destroy(f);
  both[1].name = "not an identifier";
  f = ad_function_record(two_ops, both, 2, at, 1);
  assert_int_equal(ad_function_write_c(f, "written", file), AD_ERROR_ARGUMENT);
  ad_function_destroy(f);
  static const char *const taken[] = { "double", "restrict", "ad_f64_exp", "written_many", "written_jacobian", "written_jacobian_many", "written_cubic_op", "_Bool" };
  for (size_t k = 0; k < sizeof taken / sizeof *taken; k++) {
    both[1].name = taken[k];
    f = ad_function_record(two_ops, both, 2, at, 1);
    assert_int_equal(ad_function_write_c(f, "written", file), AD_ERROR_ARGUMENT);
    both[1].name = "free";
    assert_int_equal(ad_function_write_c(f, k < 3 ? taken[k] : "while", file), AD_ERROR_ARGUMENT);
    ad_function_destroy(f);
  }
  both[1].name = "other";
  f = ad_function_record(two_ops, both, 2, at, 1);
  assert_int_equal(ad_function_write_c(f, "written", file), AD_OK);
  ad_function_destroy(f);
  fclose(file);
}

int main(void) {
  const struct CMUnitTest tests[] = { cmocka_unit_test(test_kinds), cmocka_unit_test(test_calls), cmocka_unit_test(test_drivers), cmocka_unit_test(test_wide),
    cmocka_unit_test(test_guard), cmocka_unit_test(test_derive_guard), cmocka_unit_test(test_refused), cmocka_unit_test(test_written), cmocka_unit_test(test_memory) };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
