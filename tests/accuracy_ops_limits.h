/* The judge of every row: MPFR function of its value, how often that is differentiated to give the row; limits in ULP for the
   value, first and second partial (0: not judged: no derivative, or a jump within the step), and floors (see accuracy_ops.c). */
#define STEPS(name) { #name, o_##name, 0, { 1.1, 0, 0 }, { 0, 0, 0 } }
#define OWN(name, v, d, dd) { #name, o_##name, 0, { v, d, dd }, { 0, 0, 0 } }
#define ROOT(name, v, d, dd, fv, fd, fdd) { #name, o_##name, 0, { v, d, dd }, { fv, fd, fdd } }
#define SLOPE(name, of, order, v, d, fv, fd) { #name, o_##of, order, { v, d, 0 }, { fv, fd, 0 } }
static const judge judges[] = {
  ROW(neg), ROW(abs), ROW(sqrt), ROW(cbrt), ROW(exp), ROW(exp2), ROW(exp10), ROW(expm1), ROW(log), ROW(log2), ROW(log10), ROW(log1p),
  ROW(sin), ROW(cos), ROW(tan), ROW(sinpi), ROW(cospi), ROW(asin), ROW(acos), ROW(atan), ROW(sinh), ROW(cosh), ROW(tanh), ROW(asinh),
  ROW(acosh), ROW(atanh), ROW(erf), OWN(erfc, 2.5, 4, 6), OWN(erfcx, 4, 4, 6), SLOPE(erfcx_slope, erfcx, 1, 4, 6, 0, 0),
  SLOPE(erfcx_curve, erfcx, 2, 6.5, 0, 0, 0),
  ROOT(gauss, 2.5, 4, 6, 0, 0, 0.5), ROOT(normal_pdf, 3, 4, 6, 0, 0, 0.1), ROOT(ndtr, 2.5, 4, 6, 0, 0, 0), OWN(log_ndtr, 3, 5, 8),
  SLOPE(log_ndtr_slope, log_ndtr, 1, 5, 8, 0, 0), ROW(lgamma), OWN(digamma, 3, 4, 6), SLOPE(trigamma, digamma, 1, 2.5, 4, 0, 0),
  SLOPE(tetragamma, digamma, 2, 3, 4, 0, 0), OWN(tgamma, 1.1, 4, 8), OWN(sigmoid, 2.5, 4, 6), SLOPE(sigmoid_slope, sigmoid, 1, 4, 6, 0, 0),
  SLOPE(tanh_slope, tanh, 1, 4, 6, 0, 0), OWN(softplus, 2, 4, 6), OWN(logsigmoid, 2, 4, 6), OWN(logit, 2, 4, 6),
  ROOT(silu, 3, 4, 6, 0, 0.25, 0.25), SLOPE(silu_slope, silu, 1, 4, 6, 0.25, 0.25), ROOT(gelu, 3.5, 5, 6, 0, 0.25, 0.25),
  SLOPE(gelu_slope, gelu, 1, 5, 6, 0.25, 0.25), ROOT(mish, 4, 5, 8, 0, 0.25, 0.25), SLOPE(mish_slope, mish, 1, 5, 8, 0.25, 0.25),
  OWN(softsign, 1.5, 4, 6), OWN(logcosh, 3.5, 4, 6), OWN(versin, 2.5, 4, 6), ROOT(sinc, 3, 4, 8, 0, 0.5, 2),
  SLOPE(sinc_slope, sinc, 1, 4, 8, 0.5, 2), SLOPE(sinc_curve, sinc, 2, 8, 8, 2, 8),
  STEPS(floor), STEPS(ceil), STEPS(trunc), STEPS(rint), STEPS(round), STEPS(sign), STEPS(step), STEPS(frac), STEPS(wrap),
  ROW(square), ROW(recip), OWN(rsqrt, 1.6, 4, 6), OWN(one_minus_square, 1.6, 4, 6), ROW(one_plus_square), OWN(times_complement, 1.6, 4, 6),
  ROOT(xlogx, 1.6, 4, 6, 0, 1, 0), ROOT(entropy, 1.6, 4, 6, 0, 1, 0), ROW(relu), ROW(relu6), ROW(hardtanh), ROOT(smoothstep, 3, 4, 6, 0, 0, 1),
  ROW(add), ROW(sub), ROW(mul), ROW(div), OWN(pow, 1.1, 4, 8), SLOPE(pow_slope, pow, 1, 4, 8, 0, 1), ROOT(atan2, 1.1, 5, 8, 0, 0, 0),
  ROW(hypot), SLOPE(hypot_share, hypot, 1, 4, 6, 0, 0), ROW(max), ROW(min), ROW(fmax), ROW(fmin), STEPS(fmod), STEPS(remainder), STEPS(copysign), ROOT(logaddexp, 1.6, 4, 6, 1, 0, 0),
  OWN(logaddexp_share, 4, 6, 0), { "powi", o_powi, 0, { 1.1, 4, 6 }, { 0, 0, 0 } }, OWN(xlogy, 1.6, 4, 6), OWN(xlog1py, 1.6, 4, 6),
  ROW(leaky_relu), OWN(elu, 1.6, 4, 6), OWN(huber, 1.6, 4, 6), STEPS(less), STEPS(less_equal), STEPS(equal), STEPS(not_equal), ROW(chain),
  ROOT(mish_gate, 4, 6, 8, 0, 0, 0.25), SLOPE(mish_gate_slope, mish_gate, 1, 7, 8, 0, 0.25), OWN(polygamma, 4, 5, 0),
  ROW(fma), STEPS(where), ROW(clamp), ROOT(lerp, 1.1, 4, 6, 16, 0, 0),
};
static const judge *judge_of(const char *name) {
  for (size_t i = 0; i < sizeof judges / sizeof *judges; i++)
    if (!strcmp(judges[i].name, name)) return &judges[i];
  return NULL;
}
