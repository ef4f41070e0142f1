/* 13_implicit: an operation of one's own with a solve inside. Kepler's equation E - e sin E = M gives the place E of a planet from the
   time M (the mean anomaly) and the shape e of its orbit. value solves it by Newton's method for a whole array; its derivatives do not
   go through the iterations: the implicit function theorem gives dE = (dM + sin E de) / (1 - e cos E). They are written in operations of
   the tape, so that the second derivatives a fit by Newton's method needs come along. Teaches ad_custom_apply, ad_differentiate. */
#define AD_IMPLEMENTATION
#include "ad.h"
#include "example.h"

enum { N = 40 };

static ad_status shape(void *context, const ad_array *x, ad_dtype *type, int *rank, size_t *size) {    /* x: M (any shape), e (a number) */
  (void)context; (void)type;
  if (x[1].rank != 0) return AD_ERROR_SHAPE;
  *rank = x[0].rank;
  for (int i = 0; i < *rank; i++) size[i] = x[0].shape[i];
  return AD_OK;
}
static ad_status value(void *context, const ad_array *x, const ad_array *y) {
  const double *M = x[0].data, e = *(const double *)x[1].data;
  double *E = y->data;
  (void)context;
  for (size_t i = 0; i < y->size; i++) {
    double step = 1;
    E[i] = M[i];
    for (int k = 0; k < 50 && fabs(step) > 1e-15; k++) E[i] -= step = (E[i] - e * sin(E[i]) - M[i]) / (1 - e * cos(E[i]));
  }
  return AD_OK;
}
static void derive(void *context, const ad_var *x, ad_var E, ad_var w, ad_var *gx) {
  (void)context;
  gx[0] = ad_div(w, ad_sub(1.0, ad_mul(x[1], ad_cos(E))));
  gx[1] = ad_sum(ad_mul(gx[0], ad_sin(E)), AD_ALL, false);
}
static const ad_custom_tensor kepler = { "kepler", 2, shape, value, NULL, NULL, derive, NULL };

/* distances seen from the focus, of orbits with p: e and the time of the nearest point */
static ad_var distances(ad_tape *t, const double *time, const ad_var *p) {
  const size_t n = N;
  const ad_var x[2] = { ad_sub(ad_tensor_borrow(t, AD_F64, 1, &n, time), p[1]), p[0] };
  return ad_sub(1.0, ad_mul(p[0], ad_cos(ad_custom_apply(&kepler, x))));
}

int main(void) {
  double time[N], seen[N], p[2] = { 0.5, 0.2 };
  const double truth[2] = { 0.6, 0.3 };
  const size_t n = N;
  ad_tape *t = ad_tape_create(NULL);
  for (int i = 0; i < N; i++) time[i] = 6.28 * i / N;
  ad_var q[2] = { ad_variable(t, truth[0]), ad_variable(t, truth[1]) };
  const double *r = ad_data(distances(t, time, q));
  for (int i = 0; i < N; i++) seen[i] = r[i] + 0.001 * example_noise(7, (uint64_t)i);
  for (int step = 0; step < 6; step++) {
    double g[2], H[2][2];
    ad_var d[2], dd[2];
    ad_tape_reset(t);
    for (int k = 0; k < 2; k++) q[k] = ad_variable(t, p[k]);
    const ad_var misfit = ad_sumsq(ad_sub(distances(t, time, q), ad_tensor_borrow(t, AD_F64, 1, &n, seen)), AD_ALL, false);
    ad_differentiate(misfit, q, 2, d);
    for (int k = 0; k < 2; k++) {
      g[k] = ad_value(d[k]);
      ad_differentiate(d[k], q, 2, dd);
      for (int l = 0; l < 2; l++) H[k][l] = ad_value(dd[l]);
    }
    if (ad_tape_status(t) != AD_OK) example_fail("%s", ad_tape_message(t));
    printf("step %d  misfit %.6e  e = %.6f  time of the nearest point %.6f\n", step, ad_value(misfit), p[0], p[1]);
    const double det = H[0][0] * H[1][1] - H[0][1] * H[1][0];
    p[0] -= (H[1][1] * g[0] - H[0][1] * g[1]) / det;
    p[1] -= (H[0][0] * g[1] - H[1][0] * g[0]) / det;
  }
  ad_tape_destroy(t);
  return 0;
}
