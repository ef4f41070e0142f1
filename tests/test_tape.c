/* The tape: graphs, marks, resets, the caller's memory, memory that runs out, misuse, several tapes and threads, tracing, pictures. */
#define AD_TRACE
#include "test.h"
#include <pthread.h>
#include <stdio.h>
#include "ad.h"

/* an allocator that counts, and fails at call number fail_at (once), or from it on (forever) */
typedef struct counted { long calls, live, fail_at; bool forever; } counted;
static void *counted_allocate(size_t bytes, void *context) {
  counted *c = (counted *)context;
  const long k = c->calls++;
  if (c->fail_at >= 0 && (c->forever ? k >= c->fail_at : k == c->fail_at)) return NULL;
  c->live++;
  return malloc(bytes);
}
static void counted_release(void *block, void *context) { ((counted *)context)->live--; free(block); }
static ad_tape_options counted_options(counted *c) {
  ad_tape_options o;
  memset(&o, 0, sizeof o);
  memset(c, 0, sizeof *c);
  c->fail_at = -1;
  o.allocate = counted_allocate;
  o.release = counted_release;
  o.context = c;
  return o;
}

static void assert_message(const ad_tape *t, ad_status status, const char *a, const char *b) {
  assert_int_equal(ad_tape_status(t), status);
  if (!strstr(ad_tape_message(t), a) || !strstr(ad_tape_message(t), b)) fail_msg("message \"%s\" lacks \"%s\" or \"%s\"", ad_tape_message(t), a, b);
}

/* --- graphs */

static void test_graphs(void **unused) {
  ad_tape *t = ad_tape_create(NULL);
  ad_var x = ad_variable(t, 3), y, a, b, unused_one = ad_variable(t, 7), c = ad_constant(t, 2);
  double first;
  (void)unused;
  y = ad_mul(x, x);
  assert_int_equal(ad_backward(y), AD_OK);
  assert_true(ad_value(y) == 9 && ad_grad(x) == 6 && ad_grad(y) == 1);
  assert_true(ad_grad(unused_one) == 0 && !signbit(ad_grad(unused_one)));
  a = ad_mul(x, c);                                   /* diamond */
  b = ad_add(x, a);
  y = ad_mul(a, b);
  ad_backward(y);
  assert_true(ad_grad(x) == 4 * 3 * 3 && ad_grad(c) == 0);
  y = ad_constant(t, 0);
  for (int i = 0; i < 1000; i++) y = ad_add(y, ad_mul(x, 0.5 * i));
  ad_backward(y);
  first = ad_grad(x);
  assert_true(first == 0.5 * 999 * 500);
  for (int i = 0; i < 3; i++) { ad_backward(y); assert_true(memcmp(&first, &x.tape->adjoint[x.node], sizeof first) == 0); }
  a = ad_variable(t, 1);                              /* recorded after the sweep */
  assert_true(ad_grad(a) == 0);
  ad_backward(ad_add(x, x));
  assert_true(ad_grad(x) == 2);
  {
    const double seed = 2.5;
    assert_int_equal(ad_backward_from(ad_mul(x, x), &seed), AD_OK);
    assert_true(ad_grad(x) == 15);
  }
  assert_int_equal(ad_backward(x), AD_OK);            /* of itself */
  assert_true(ad_grad(x) == 1);
  assert_true(ad_rank(x) == 0 && ad_size(x) == 1 && ad_type(x) == AD_F64 && *(const double *)ad_data(x) == 3 && ad_shape(x));
  assert_true(*(const double *)ad_grad_data(x) == 1);
  ad_tape_destroy(t);
  ad_tape_destroy(NULL);
}

static void test_mixed_numbers(void **unused) {
  ad_tape *t = ad_tape_create(NULL);
  ad_var x = ad_variable(t, 2), y = ad_variable(t, 5), z = ad_variable(t, 7);
  (void)unused;
#define SAME(e, v) assert_true(ad_value(e) == (v))
  SAME(ad_sub(x, 1.5), 0.5); SAME(ad_sub(1.5, x), -0.5); SAME(ad_div(1, x), 0.5); SAME(ad_div(x, 4), 0.5);
  SAME(ad_fma(x, y, z), 17); SAME(ad_fma(x, y, 1), 11); SAME(ad_fma(x, 3, z), 13); SAME(ad_fma(4, y, z), 27);
  SAME(ad_fma(x, 3, 1), 7); SAME(ad_fma(3, x, 1), 7); SAME(ad_fma(3, 4, x), 14);
  assert_true(ad_fma(3, 4, 2.0) == 14);
  ad_backward(ad_fma(3, ad_mul(x, x), ad_mul(2, x)));
  assert_true(ad_grad(x) == 14);
  ad_backward(ad_fma(3, 4, x));
  assert_true(ad_grad(x) == 1);
  assert_int_equal(ad_tape_status(t), AD_OK);
  ad_tape_destroy(t);
}

static void test_guards(void **unused) {
  ad_tape *t = ad_tape_create(NULL);
  ad_var x = ad_variable(t, 2), y = ad_variable(t, 3), nan = ad_variable(t, NAN);
  size_t before = ad_tape_nodes(t);
  (void)unused;
  assert_true(ad_lt(x, y) == 1 && ad_lt(y, x) == 0 && ad_le(x, 2) == 1 && ad_le(2.5, x) == 0 && ad_gt(y, x) == 1 && ad_gt(x, 2) == 0);
  assert_true(ad_ge(x, 2) == 1 && ad_ge(1, x) == 0 && ad_eq(x, 2) == 1 && ad_eq(x, y) == 0 && ad_ne(x, y) == 1 && ad_ne(2, x) == 0);
  assert_true(ad_lt(x, nan) == 0 && ad_ge(x, nan) == 0 && ad_ne(nan, nan) == 1);
  assert_int_equal(ad_tape_nodes(t) - before, 2 * 15);
  assert_int_equal(t->code[ad_tape_nodes(t) - 1].op, AD_NODE(AD_OP_GUARD_, AD_PLAIN));
  ad_backward(ad_select(ad_less(x, y), x, y));
  assert_true(ad_grad(x) == 1 && ad_grad(y) == 0);
  ad_tape_destroy(t);
}

/* a chain of ten million under a stack of 64 KiB */
static void *deep(void *result) {
  ad_tape *t = ad_tape_create(NULL);
  ad_var x = ad_variable(t, 1), y = x;
  for (int i = 0; i < 10000000; i++) y = ad_add(y, 1e-7);
  if (ad_backward(y) == AD_OK && ad_grad(x) == 1 && fabs(ad_value(y) - 2) < 1e-6) *(int *)result = 1;
  ad_tape_destroy(t);
  return NULL;
}
static void test_deep(void **unused) {
  pthread_attr_t attr;
  pthread_t thread;
  int result = 0;
  (void)unused;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 65536);
  if (pthread_create(&thread, &attr, deep, &result)) skip();              /* sanitizers want more stack */
  pthread_join(thread, NULL);
  pthread_attr_destroy(&attr);
  assert_int_equal(result, 1);
}

/* --- reset, marks */

static void test_reset_and_marks(void **unused) {
  counted c;
  ad_tape_options o = counted_options(&c);
  ad_tape *t = ad_tape_create(&o);
  ad_var x, old, y;
  ad_mark mark, older;
  long calls = 0;
  (void)unused;
  for (int step = 0; step < 50; step++) {
    ad_tape_reset(t);
    x = ad_variable(t, step);
    y = x;
    for (int i = 0; i < 5000; i++) y = ad_sin(y);
    assert_int_equal(ad_backward(y), AD_OK);
    if (step == 1) calls = c.calls;
  }
  assert_int_equal(c.calls, calls);                   /* nothing is allocated once it has grown */
  old = x;
  older = ad_tape_mark(t);
  ad_tape_reset(t);
  assert_false(ad_is_valid(old));
  y = ad_sin(old);
  assert_false(ad_is_valid(y));
  assert_message(t, AD_ERROR_TAPE, "ad_sin", "older than the last reset");
  ad_tape_reset(t);
  assert_string_equal(ad_tape_message(t), "");
  assert_int_equal(ad_tape_status(t), AD_OK);
  x = ad_variable(t, 2);
  mark = ad_tape_mark(t);
  for (int step = 0; step < 3; step++) {
    y = ad_mul(x, ad_mul(x, x));
    assert_int_equal(ad_backward(y), AD_OK);
    ad_tape_rewind(t, mark);
    assert_int_equal(ad_tape_nodes(t), 1);
    assert_true(ad_grad(x) == 12);                    /* the gradient of what stays is kept */
  }
  assert_false(ad_is_valid(y));
  y = ad_exp(y);
  assert_message(t, AD_ERROR_TAPE, "ad_exp", "after a rewind the tape has 1 nodes");
  ad_tape_reset(t);
  ad_tape_rewind(t, older);
  assert_message(t, AD_ERROR_TAPE, "ad_tape_rewind", "older than the last reset");
  ad_tape_reset(t);
  ad_variable(t, 1);
  mark = ad_tape_mark(t);
  ad_variable(t, 1);
  older = ad_tape_mark(t);
  ad_tape_rewind(t, mark);
  ad_tape_rewind(t, older);
  assert_message(t, AD_ERROR_TAPE, "beyond the end", "2");
  {
    ad_tape *other = ad_tape_create(NULL);
    ad_tape_reset(t);
    ad_tape_rewind(other, ad_tape_mark(t));
    assert_message(other, AD_ERROR_TAPE, "another tape", "ad_tape_rewind");
    ad_tape_destroy(other);
  }
  ad_tape_rewind(NULL, mark);
  ad_tape_reset(NULL);
  ad_tape_mark(NULL);
  ad_tape_destroy(t);
  assert_int_equal(c.live, 0);
}

/* --- memory */

static void test_caller_memory(void **unused) {
  static unsigned char memory[40000];
  counted c;
  ad_tape_options o = counted_options(&c);
  (void)unused;
  for (size_t offset = 0; offset < 64; offset += 7)
    for (size_t size = 0; size + offset <= sizeof memory; size += 1111) {
      o.memory = memory + offset;
      o.memory_size = size;
      for (o.nodes = 0; o.nodes < 4000; o.nodes = 3 * o.nodes + 50) {
        ad_tape *t;
        ad_var x, y;
        size_t n;
        memset(memory, 0xa5, sizeof memory);
        t = ad_tape_create(&o);
        if (!t) { assert_true(size < 3000); continue; }
        x = y = ad_variable(t, 0.5);
        while (ad_is_valid(y)) y = ad_cos(y);
        assert_message(t, AD_ERROR_MEMORY, "cos", "memory given to the tape");
        n = ad_tape_nodes(t);
        assert_true(n >= 1 && ad_value(x) == 0.5);
        y.node = (uint32_t)n - 1; y.kind = x.kind;                        /* what was recorded stays usable */
        ad_backward(y);
        assert_true(n == 1 || fabs(ad_grad(x)) <= 0.5);
        ad_tape_reset(t);
        assert_int_equal(ad_tape_status(t), AD_OK);
        assert_true(ad_is_valid(ad_variable(t, 1)));
        for (size_t i = 0; i < offset; i++) assert_int_equal(memory[i], 0xa5);
        for (size_t i = offset + size; i < sizeof memory; i++) assert_int_equal(memory[i], 0xa5);
        ad_tape_destroy(t);
      }
    }
  assert_int_equal(c.calls, 0);
}

/* Every allocation fails once, then forever: an ordinary error each time, nothing lost, nothing leaked. */
static void test_out_of_memory(void **unused) {
  (void)unused;
  for (int forever = 0; forever < 2; forever++)
    for (long k = 0;; k++) {
      counted c;
      ad_tape_options o = counted_options(&c);
      ad_tape *t;
      ad_var x, y, last;
      bool reached;
      c.fail_at = k;
      c.forever = forever;
      t = ad_tape_create(&o);
      if (!t) { assert_int_equal(k, 0); continue; }
      x = last = y = ad_variable(t, 0.5);
      for (int i = 0; i < 20000; i++) { last = ad_is_valid(y) ? y : last; y = ad_sin(y); }
      reached = c.calls > k;
      if (reached && ad_tape_status(t) != AD_OK) {
        assert_message(t, AD_ERROR_MEMORY, "out of memory", "bytes");
        if (ad_is_valid(last)) {                      /* what was recorded before is there */
          assert_true(fabs(ad_value(last)) <= 0.5);
          assert_int_equal(ad_backward(last), AD_ERROR_MEMORY);           /* the first error stays */
          assert_true(ad_grad(x) > 0);
        }
        ad_tape_reset(t);
        c.fail_at = -1;
        x = y = ad_variable(t, 0.5);
        for (int i = 0; i < 20000; i++) y = ad_sin(y);
        assert_int_equal(ad_backward(y), AD_OK);
        assert_true(ad_grad(x) > 0);
      }
      ad_tape_destroy(t);
      assert_int_equal(c.live, 0);
      if (!reached) { assert_true(k > 5); break; }
    }
}

static void test_limits(void **unused) {
  ad_tape_options o;
  ad_tape *t;
  ad_var x;
  (void)unused;
  memset(&o, 0, sizeof o);
  o.max_nodes = 1000;
  t = ad_tape_create(&o);
  x = ad_variable(t, 1);
  for (int i = 0; i < 1500; i++) x = ad_add(x, 1);
  assert_message(t, AD_ERROR_LIMIT, "limit of 1000 nodes", "add");
  assert_int_equal(ad_tape_nodes(t), 1000);
  ad_tape_destroy(t);
  o.max_nodes = 0;
  o.max_bytes = 200000;
  t = ad_tape_create(&o);
  x = ad_variable(t, 1);
  for (int i = 0; i < 15000; i++) x = ad_add(x, 1);
  assert_message(t, AD_ERROR_LIMIT, "beyond the limit of 200000 bytes", "");
  assert_true(ad_tape_bytes(t) <= 200000);
  ad_tape_destroy(t);
}

/* --- misuse: an error with the operation and the numbers, nothing else changes */

static void test_misuse(void **unused) {
  ad_tape *t = ad_tape_create(NULL), *other = ad_tape_create(NULL);
  ad_var none, x = ad_variable(t, 2), z = ad_variable(other, 4), y;
  const double seed = 1;
  (void)unused;
  memset(&none, 0, sizeof none);
  /* no tape at all: inert */
  assert_false(ad_is_valid(ad_variable(NULL, 1)) || ad_is_valid(ad_constant(NULL, 1)));
  assert_false(ad_is_valid(ad_sin(none)) || ad_is_valid(ad_mul(none, none)) || ad_is_valid(ad_mul(none, 2)) || ad_is_valid(ad_mul(2, none)));
  assert_false(ad_is_valid(ad_fma(none, none, none)) || ad_is_valid(ad_fma(none, 1, 2)) || ad_is_valid(ad_fma(1, 2, none)) || ad_lt(none, 1));
  assert_true(isnan(ad_value(none)) && isnan(ad_grad(none)) && ad_rank(none) == -1 && !ad_shape(none) && ad_size(none) == 0 && !ad_data(none));
  assert_true(!ad_grad_data(none) && ad_type(none) == AD_F64);
  assert_int_equal(ad_backward(none), AD_ERROR_TAPE);
  assert_int_equal(ad_backward_from(none, &seed), AD_ERROR_TAPE);
  assert_int_equal(ad_tape_status(NULL), AD_ERROR_TAPE);
  assert_true(ad_tape_message(NULL) && ad_tape_nodes(NULL) == 0 && ad_tape_bytes(NULL) == 0);
  /* operands of two tapes */
  y = ad_mul(x, z);
  assert_false(ad_is_valid(y));
  assert_message(t, AD_ERROR_TAPE, "ad_mul: operand y (node 0)", "another tape");
  assert_int_equal(ad_tape_status(other), AD_OK);
  assert_int_equal(ad_tape_nodes(t), 1);
  /* an invalid operand is passed over in silence, the first error stays, what is valid goes on */
  assert_false(ad_is_valid(ad_sin(y)) || ad_is_valid(ad_add(x, y)) || ad_is_valid(ad_add(y, x)) || ad_is_valid(ad_fma(x, x, y)) || ad_lt(y, x));
  assert_message(t, AD_ERROR_TAPE, "ad_mul: operand y (node 0)", "another tape");
  assert_true(ad_value(ad_mul(x, x)) == 4);
  assert_int_equal(ad_backward(y), AD_ERROR_TAPE);
  ad_tape_reset(t);
  x = ad_variable(t, 2);
  ad_fma(x, x, z);
  assert_message(t, AD_ERROR_TAPE, "ad_fma: operand z", "another tape");
  ad_tape_reset(t);
  x = ad_variable(t, 2);
  assert_true(isnan(ad_grad(x)) && !ad_grad_data(x));                /* no gradient yet: NaN, which is no error */
  assert_int_equal(ad_tape_status(t), AD_OK);
  assert_int_equal(ad_backward_from(x, NULL), AD_ERROR_ARGUMENT);
  assert_message(t, AD_ERROR_ARGUMENT, "ad_backward_from", "null");
  ad_tape_reset(t);
  assert_true(isnan(ad_value(x)) && ad_rank(x) == -1);
  assert_message(t, AD_ERROR_TAPE, "value", "older than the last reset");
  ad_tape_reset(t);
  assert_int_equal(ad_backward(x), AD_ERROR_TAPE);
  assert_message(t, AD_ERROR_TAPE, "backward", "older than the last reset");
  ad_tape_reset(t);
  x.node = 77; x.kind = (uint32_t)t->kind;
  assert_int_equal(ad_backward(x), AD_ERROR_TAPE);
  assert_message(t, AD_ERROR_TAPE, "node 77", "0 nodes");
  assert_int_equal(ad_tape_write_dot(NULL, stdout), AD_ERROR_ARGUMENT);
  assert_int_equal(ad_tape_write_dot(t, NULL), AD_ERROR_ARGUMENT);
  ad_tape_destroy(t);
  ad_tape_destroy(other);
}

/* --- threads: a tape each */

static void *work(void *sum) {
  ad_tape *t = ad_tape_create(NULL);
  for (int k = 0; k < 200; k++) {
    ad_tape_reset(t);
    ad_var x = ad_variable(t, 0.5), y = x;
    for (int i = 0; i < 200; i++) y = ad_sin(ad_mul(y, 1.5));
    ad_backward(y);
    *(double *)sum += ad_grad(x);
  }
  ad_tape_destroy(t);
  return NULL;
}
static void test_threads(void **unused) {
  enum { THREADS = 8 };
  pthread_t thread[THREADS];
  double sum[THREADS] = { 0 };
  (void)unused;
  for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&thread[i], NULL, work, &sum[i]), 0);
  for (int i = 0; i < THREADS; i++) { pthread_join(thread[i], NULL); assert_true(memcmp(&sum[i], &sum[0], sizeof(double)) == 0); }
}

/* --- tracing, checks, pictures */

static char *text_of(FILE *f, char *buffer, size_t size) {
  size_t n;
  rewind(f);
  n = fread(buffer, 1, size - 1, f);
  buffer[n] = 0;
  fclose(f);
  return buffer;
}
static void test_trace_and_check(void **unused) {
  ad_tape *t = ad_tape_create(NULL);
  char text[4096], place[64];
  FILE *f = tmpfile();
  ad_var x = ad_variable(t, 2), y, z;
  int line;
  (void)unused;
  assert_true(ad_tape_check(t, f));
  y = ad_sub(x, 2);
  z = ad_mul(3, ad_log(y)); line = __LINE__;
  assert_false(ad_tape_check(t, f));
  text_of(f, text, sizeof text);
  snprintf(place, sizeof place, "test_tape.c:%d)", line);
  if (!strstr(text, "log(node 1) = -inf") || !strstr(text, "node 1 = sub(node 0, 2) = 0") || !strstr(text, "node 0 = variable") || !strstr(text, place))
    fail_msg("%s", text);
  assert_false(ad_tape_check(t, NULL));
  ad_tape_reset(t);
  x = ad_variable(t, 0);
  y = ad_sqrt(x);                                     /* a finite value with an infinite partial */
  assert_false(ad_tape_check(t, NULL));
  ad_tape_reset(t);
  const size_t three = 3;                             /* elements of tensors, and the operations that lead to them */
  const double data[3] = { 1, 0, 2 };
  x = ad_tensor_variable(t, AD_F64, 1, &three, data);
  f = tmpfile();
  z = ad_sum(ad_log(ad_mul(x, x)), AD_ALL, false); line = __LINE__;
  assert_false(ad_tape_check(t, f));
  text_of(f, text, sizeof text);
  snprintf(place, sizeof place, "test_tape.c:%d)", line);
  if (!strstr(text, "node 2 = log(node 1), shape (3,), element 1 = -inf") || !strstr(text, "node 1 = mul(node 0, node 0), shape (3,)") || !strstr(text, place) ||
      strstr(text, "sum"))
    fail_msg("%s", text);
  f = tmpfile();
  assert_int_equal(ad_tape_write_dot(t, f), AD_OK);
  text_of(f, text, sizeof text);
  if (!strstr(text, "n3 [label = \"sum | ()") || !strstr(text, "n2 -> n3;") || !strstr(text, "n2 [label = \"log | (3,)")) fail_msg("%s", text);
  ad_tape_reset(t);
  z = ad_sin(x); line = __LINE__;                     /* errors know their place too */
  snprintf(place, sizeof place, "test_tape.c:%d", line);
  assert_message(t, AD_ERROR_TAPE, "ad_sin", place);
  (void)z;
  ad_tape_destroy(t);
}
static void test_dot(void **unused) {
  ad_tape *t = ad_tape_create(NULL);
  char text[4096];
  FILE *f = tmpfile();
  ad_var w = ad_variable(t, 1), x = ad_variable(t, 2), y = ad_variable(t, 3), d = ad_sub(ad_mul(w, x), y);
  (void)unused;
  ad_backward(ad_mul(d, ad_mul(1, d)));
  assert_true(ad_grad(w) == -4 && ad_grad(x) == -2 && ad_grad(y) == 2);
  assert_int_equal(ad_tape_write_dot(t, f), AD_OK);
  text_of(f, text, sizeof text);
  if (strncmp(text, "digraph", 7) || !strstr(text, "n3 [label = \"mul | value 2 | adjoint -2\"]") || !strstr(text, "n0 -> n3 [label = \"2\"]") ||
      !strstr(text, "mul 1, x | value -1") || text[strlen(text) - 2] != '}')
    fail_msg("%s", text);
  ad_tape_destroy(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_graphs), cmocka_unit_test(test_mixed_numbers), cmocka_unit_test(test_guards), cmocka_unit_test(test_deep),
    cmocka_unit_test(test_reset_and_marks), cmocka_unit_test(test_caller_memory), cmocka_unit_test(test_out_of_memory),
    cmocka_unit_test(test_limits), cmocka_unit_test(test_misuse), cmocka_unit_test(test_threads), cmocka_unit_test(test_trace_and_check),
    cmocka_unit_test(test_dot),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
