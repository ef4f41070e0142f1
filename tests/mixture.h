/* The Gaussian mixture of ADBench with tensors, for the test of training and for the benchmark. */
#ifndef MIXTURE_H
#define MIXTURE_H
#include <math.h>
#include <stdlib.h>
#include "ad.h"

/* the log posterior (a number): n points in d dimensions, k components; gamma and m of the prior; in: weights (k), means (k, d), and
   the inverse covariance factors (k, d (d + 1) / 2): logarithms of the diagonal, then the lower triangle by columns */
static inline ad_var mixture(ad_tape *t, size_t d, size_t k, size_t n, const double *points, double gamma, double m, const ad_var *in) {
  const size_t columns = d * (d + 1) / 2, low = columns - d, nd[] = { n, d }, kd1[] = { k, d, 1 }, flat[] = { k * d, d }, nkd[] = { n, k, d }, kk[] = { k };
  const size_t all[] = { k * d };
  int32_t *index = (int32_t *)malloc(d * d * sizeof *index);
  const ad_var q = ad_slice(in[2], 1, 0, (ptrdiff_t)d, 1), l = ad_slice(in[2], 1, (ptrdiff_t)d, (ptrdiff_t)columns, 1), eq = ad_exp(q);
  const size_t k1[] = { k, 1 };
  const ad_var parts[] = { ad_tensor_constant(t, AD_F64, 2, k1, NULL), eq, l }, zero_q_l = ad_concat(parts, 3, 1);
  for (size_t i = 0; i < d; i++)                              /* the matrix Q from zero, diagonal, lower triangle by columns */
    for (size_t j = 0; j < d; j++) index[i * d + j] = (int32_t)(i < j ? 0 : i == j ? 1 + i : 1 + d + j * d - j * (j + 1) / 2 + (i - j - 1));
  const size_t dd = d * d, kdd[] = { k, d, d };
  const ad_var f = ad_reshape(ad_gather(zero_q_l, ad_tensor_constant(t, AD_I32, 1, &dd, index), 1), 3, kdd);
  free(index);
  const ad_var shift = ad_reshape(ad_matmul(f, ad_reshape(in[1], 3, kd1)), 1, all);
  const ad_var y = ad_linear(ad_tensor_borrow(t, AD_F64, 2, nd, points), ad_transpose(ad_reshape(f, 2, flat)), ad_neg(shift));
  const ad_var inner = ad_mul(ad_sumsq(ad_reshape(y, 3, nkd), 2, false), -0.5), sum_q = ad_sum(q, 1, false);
  const ad_var terms = ad_logsumexp(ad_add(inner, ad_add(ad_reshape(in[0], 1, kk), sum_q)), 1, false);
  const double pi = 3.14159265358979323846, big = (double)d + m + 1;
  double c = (double)d * ((double)d - 1) / 4 * log(pi);
  for (size_t j = 1; j <= d; j++) c += lgamma(big / 2 + (1 - (double)j) / 2);
  c = big * (double)d * (log(gamma) - log(2) / 2) - c;
  const ad_var squares = low ? ad_add(ad_sumsq(eq, AD_ALL, false), ad_sumsq(l, AD_ALL, false)) : ad_sumsq(eq, AD_ALL, false);
  const ad_var prior = ad_sub(ad_mul(squares, 0.5 * gamma * gamma), ad_mul(ad_sum(q, AD_ALL, false), m));
  const ad_var fit = ad_sub(ad_sum(terms, AD_ALL, false), ad_mul(ad_logsumexp(in[0], AD_ALL, false), (double)n));
  return ad_add(ad_add(fit, prior), -(double)n * (double)d / 2 * log(2 * pi) - (double)k * c);
}

#endif
