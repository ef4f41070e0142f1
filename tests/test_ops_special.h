/* Special values as data. Names say which tools differ (in order: PyTorch, CppAD, CoDiPack, ADOL-C). */
/* {name, row, x, y, z, value, partials}, of one and of two operands, named and not */
#define ANY 1.25e-77                     /* not looked at */
#define U(op, x, v, dx) { "", AD_OP_##op, x, 0, 0, v, { dx, ANY, ANY } }
#define UN(name, op, x, v, dx) { name, AD_OP_##op, x, 0, 0, v, { dx, ANY, ANY } }
#define B(op, x, y, v, dx, dy) { "", AD_OP_##op, x, y, 0, v, { dx, dy, ANY } }
#define BN(name, op, x, y, v, dx, dy) { name, AD_OP_##op, x, y, 0, v, { dx, dy, ANY } }
/* #1, #37: one-sided infinite slopes, from inside the domain */
U(sqrt, 0, 0, INF), UN("sqrt'(-0): PyTorch and CppAD -inf, CoDiPack and ADOL-C 0", sqrt, -0.0, -0.0, INF), U(sqrt, -1, NONE, NONE), U(sqrt, INF, INF, 0),
U(sqrt, -INF, NONE, NONE), U(sqrt, 4, 2, 0.25), U(rsqrt, 0, INF, -INF), U(rsqrt, INF, 0, 0), U(rsqrt, -1, NONE, NONE), U(rsqrt, 4, 0.5, -0.0625),
U(cbrt, 0, 0, INF), U(cbrt, -0.0, -0.0, INF), U(cbrt, INF, INF, 0), U(cbrt, -INF, -INF, 0), U(cbrt, -8, -2, 0x1.5555555555555p-4), U(cbrt, NONE, NONE, NONE),
U(log, 0, -INF, INF), U(log, -0.0, -INF, INF), UN("log'(-1): PyTorch, CppAD, CoDiPack -1", log, -1, NONE, NONE), U(log, INF, INF, 0), U(log, 1, 0, 1),
U(log, -INF, NONE, NONE), U(log2, 0, -INF, INF), U(log2, -0.0, -INF, INF), U(log2, -2, NONE, NONE), U(log2, 8, 3, 0x1.71547652b82fep-3), U(log10, 0, -INF, INF),
U(log10, -1, NONE, NONE), U(log10, 1000, 3, 0x1.c764098bb48c3p-12), U(log1p, -1, -INF, INF), U(log1p, -2, NONE, NONE), U(log1p, -0.0, -0.0, 1), U(log1p, 0, 0, 1),
U(log1p, INF, INF, 0), U(log1p, 3e38, 0x1.62632b8d20916p+6, 0x1.225fd13c6fb43p-128),
/* exponentials */
U(exp, 0, 1, 1), U(exp, -0.0, 1, 1), U(exp, INF, INF, INF), U(exp, -INF, 0, 0), U(exp, 1000, INF, INF), U(exp, -1000, 0, 0), U(exp, NONE, NONE, NONE),
U(exp2, 10, 1024, 0x1.62e42fefa39efp+9), U(exp2, -INF, 0, 0), U(exp2, INF, INF, INF), U(exp10, 2, 100, 0x1.cc845b54b54f2p+7), U(exp10, -INF, 0, 0),
U(expm1, 0, 0, 1), U(expm1, -0.0, -0.0, 1), U(expm1, -INF, -1, 0), U(expm1, INF, INF, INF), U(expm1, -50, -1, 0x1.d257d547e083fp-73),
/* trigonometric */
U(sin, 0, 0, 1), U(sin, -0.0, -0.0, 1), U(sin, INF, NONE, NONE), U(sin, -INF, NONE, NONE), U(cos, 0, 1, ANY), U(cos, INF, NONE, NONE), U(tan, 0, 0, 1),
U(tan, -0.0, -0.0, 1), U(tan, INF, NONE, NONE), U(sinpi, 1, 0, -0x1.921fb54442d18p+1), U(sinpi, -1, -0.0, -0x1.921fb54442d18p+1), U(sinpi, 2, 0, 0x1.921fb54442d18p+1),
U(sinpi, 0.5, 1, 0), U(sinpi, -0.0, -0.0, 0x1.921fb54442d18p+1), U(sinpi, INF, NONE, NONE), U(sinpi, 1e30, 0, 0x1.921fb54442d18p+1), U(cospi, 0.5, 0, -0x1.921fb54442d18p+1),
U(cospi, 1.5, 0, 0x1.921fb54442d18p+1), U(cospi, 1, -1, 0), U(cospi, 1e30, 1, 0), U(cospi, INF, NONE, NONE), U(asin, 1, 0x1.921fb54442d18p+0, INF),
U(asin, -1, -0x1.921fb54442d18p+0, INF), U(asin, 2, NONE, NONE), U(asin, -2, NONE, NONE), U(asin, -0.0, -0.0, 1), U(acos, 1, 0, -INF),
U(acos, -1, 0x1.921fb54442d18p+1, -INF), U(acos, 1.5, NONE, NONE), U(acos, INF, NONE, NONE), U(atan, INF, 0x1.921fb54442d18p+0, 0), U(atan, -INF, -0x1.921fb54442d18p+0, 0),
U(atan, -0.0, -0.0, 1), U(atan, 1e30, 0x1.921fb54442d18p+0, 1e-60), U(versin, 0, 0, 0), U(versin, INF, NONE, NONE),
/* hyperbolic: #36, #39 */
U(sinh, 0, 0, 1), U(sinh, -0.0, -0.0, 1), U(sinh, INF, INF, INF), U(sinh, -INF, -INF, INF), U(sinh, -1e30, -INF, INF), U(cosh, INF, INF, INF), U(cosh, -INF, INF, -INF),
U(cosh, 1e30, INF, INF), U(cosh, 0, 1, 0), U(sinh, 89, 0x1.51c2cc3433801p+127, 0x1.51c2cc3433801p+127), U(cosh, 89, ANY, ANY), U(tanh, INF, 1, 0), U(tanh, -INF, -1, 0),
UN("tanh'(20): PyTorch, CppAD, CoDiPack 0", tanh, 20, 1, 0x1.39792499b1a24p-56), U(tanh, -20, -1, 0x1.39792499b1a24p-56), U(tanh, 0, 0, 1), U(tanh, -0.0, -0.0, 1),
U(asinh, 0, 0, 1), U(asinh, -0.0, -0.0, 1), U(asinh, INF, INF, 0), U(asinh, -INF, -INF, 0), U(asinh, 1e30, 0x1.1715325f7f438p+6, 1e-30), U(acosh, 1, 0, INF),
U(acosh, 0.5, NONE, NONE), UN("acosh'(-1): PyTorch inf, CppAD -1/3", acosh, -1, NONE, NONE), U(acosh, INF, INF, 0), U(acosh, 1e30, 0x1.1715325f7f438p+6, 1e-30), U(acosh, -INF, NONE, NONE),
U(atanh, 1, INF, INF), U(atanh, -1, -INF, INF), UN("atanh'(2): PyTorch, CppAD, CoDiPack -1/3", atanh, 2, NONE, NONE), U(atanh, INF, NONE, NONE), U(atanh, -0.0, -0.0, 1),
/* error functions */
U(erf, INF, 1, 0), U(erf, -INF, -1, 0), U(erf, 0, 0, 0x1.20dd750429b6dp+0), U(erf, -0.0, -0.0, 0x1.20dd750429b6dp+0), U(erfc, INF, 0, 0), U(erfc, -INF, 2, 0), U(erfc, 0, 1, -0x1.20dd750429b6dp+0),
U(erfcx, 0, 1, -0x1.20dd750429b6dp+0), U(erfcx, INF, 0, 0), U(erfcx, -INF, INF, -INF), U(gauss, INF, 0, 0), U(gauss, -INF, 0, 0), U(gauss, 0, 1, 0), U(normal_pdf, INF, 0, 0),
U(ndtr, INF, 1, 0), U(ndtr, -INF, 0, 0), U(ndtr, 0, 0.5, 0x1.9884533d43651p-2), U(log_ndtr, INF, -0.0, 0), U(log_ndtr, -INF, -INF, INF), U(log_ndtr, 0, -0x1.62e42fefa39efp-1, 0x1.9884533d43651p-1),
/* gamma: #33 */
U(lgamma, 1, 0, -0x1.2788cfc6fb619p-1), U(lgamma, 2, 0, 0x1.b0ee6072093cep-2), U(lgamma, 0, INF, -INF), U(lgamma, -1, INF, NONE), U(lgamma, INF, INF, INF), U(lgamma, NONE, NONE, NONE),
U(digamma, 0, -INF, INF), U(digamma, -0.0, INF, INF), U(digamma, -1, NONE, NONE), U(digamma, -7, NONE, NONE), U(digamma, INF, INF, 0), U(digamma, -INF, NONE, NONE),
U(digamma, 1, -0x1.2788cfc6fb619p-1, 0x1.a51a6625307d3p+0), U(digamma, 0x1.762d88p+0, 0x1.bbc0f38bb578dp-24, ANY), U(trigamma, 0, INF, -INF), U(trigamma, -2, INF, NONE), U(trigamma, INF, 0, 0), U(tgamma, 1, 1, -0x1.2788cfc6fb619p-1),
U(tgamma, -1, NONE, NONE), U(tgamma, INF, INF, INF), U(tgamma, 5, 24, 0x1.212cb21561bb7p+5), U(tgamma, -INF, NONE, NONE), U(tgamma, 0, INF, -INF), U(tgamma, -0.0, -INF, -INF),
/* the logistic family: #20, #21 */
U(sigmoid, 0, 0.5, 0.25), U(sigmoid, INF, 1, 0), U(sigmoid, -INF, 0, 0), U(sigmoid, 40, 1, 0x1.39792499b1a24p-58), U(sigmoid, -40, 0x1.39792499b1a24p-58, 0x1.39792499b1a24p-58),
U(softplus, INF, INF, 1), U(softplus, -INF, 0, 0), U(softplus, 0, 0x1.62e42fefa39efp-1, 0.5), U(softplus, -40, 0x1.39792499b1a24p-58, 0x1.39792499b1a24p-58),
U(logsigmoid, INF, -0.0, 0), U(logsigmoid, -INF, -INF, 1), U(logit, 0, -INF, INF), U(logit, -0.0, -INF, INF), U(logit, 1, INF, INF), U(logit, 0.5, 0, 4), U(logit, 2, NONE, NONE), U(logit, -1, NONE, NONE),
U(silu, INF, INF, 1), U(silu, -INF, -0.0, 0), U(silu, 0, 0, 0.5), U(gelu, INF, INF, 1), U(gelu, -INF, -0.0, 0), U(gelu, 0, 0, 0.5), U(mish, INF, INF, 1), U(mish, -INF, -0.0, 0),
U(mish, 0, 0, 0x1.3333333333333p-1), U(softsign, INF, 1, 0), U(softsign, -INF, -1, 0), U(softsign, 0, 0, 1), U(logcosh, INF, INF, 1), U(logcosh, -INF, INF, -1), U(logcosh, 0, 0, 0),
U(sinc, 0, 1, 0), U(sinc, INF, 0, 0), U(sinc, 1, 0, -1), U(xlogx, 0, 0, -INF), U(xlogx, -0.0, 0, -INF), U(xlogx, 1, 0, 1), U(xlogx, -1, NONE, NONE), U(xlogx, INF, INF, INF), U(entropy, 1, -0.0, -1), U(entropy, 0, -0.0, INF),
/* kinks: #8, #9, #13 */
UN("abs'(0)", abs, 0, 0, 0), U(abs, -0.0, 0, 0), UN("abs'(NaN): PyTorch 0, CppAD -1", abs, NONE, NONE, NONE), U(abs, -INF, INF, -1), U(sign, 0, 0, 0), U(sign, -3, -1, 0), U(sign, NONE, NONE, NONE),
U(relu, 0, 0, 0), U(relu, -0.0, 0, 0), U(relu, NONE, NONE, NONE), U(relu, INF, INF, 1), U(relu, -INF, 0, 0), U(relu6, 0, 0, 1), U(relu6, 6, 6, 1), U(relu6, 7, 6, 0), U(relu6, NONE, NONE, NONE),
U(hardtanh, 1, 1, 1), U(hardtanh, -1, -1, 1), U(hardtanh, 2, 1, 0), U(hardtanh, NONE, NONE, NONE), U(smoothstep, 0, 0, 0), U(smoothstep, 1, 1, 0), U(smoothstep, 0.5, 0.5, 1.5),
/* steps: #29 */
U(floor, -0.5, -1, 0), U(floor, NONE, NONE, NONE), U(floor, INF, INF, 0), U(ceil, -0.5, -0.0, 0), U(ceil, NONE, NONE, NONE), U(trunc, -1.5, -1, 0), U(rint, 2.5, 2, 0), U(rint, 3.5, 4, 0), U(rint, NONE, NONE, NONE),
U(round, 2.5, 3, 0), U(round, -2.5, -3, 0), U(round, -0.25, -0.0, 0), U(round, 0.5, 1, 0), U(round, 0x1.fffffep-2, 0, 0), U(round, NONE, NONE, NONE), U(step, 0, 0, 0), U(step, 2, 1, 0), U(step, NONE, ANY, NONE),
U(frac, -1.25, -0.25, 1), U(frac, INF, NONE, NONE), U(wrap, 1.75, -0.25, 1), U(recip, 0, INF, -INF), U(recip, -0.0, -INF, -INF), U(recip, INF, 0, 0), U(square, -INF, INF, -INF),
/* powers: #3 - #5 */
BN("pow(0,0): CppAD 0, -inf; CoDiPack NaN, 0", pow, 0, 0, 1, 0, 0), BN("pow(0,1)' = 1: CppAD, ADOL-C 0", pow, 0, 1, 0, 1, 0), BN("pow(-2,2) d/dy: CoDiPack, ADOL-C 0", pow, -2, 2, 4, -4, NONE),
B(pow, 0, 2, 0, 0, 0), B(pow, 0, -1, INF, -INF, -INF), B(pow, NONE, 0, 1, 0, NONE), B(pow, 1, NONE, 1, NONE, 0), B(pow, INF, 0, 1, 0, INF), B(pow, -2, 3, -8, 12, NONE), B(pow, -2, -1, -0.5, -0.25, NONE),
B(pow, -2, 0.5, NONE, NONE, NONE), B(pow, 2, 3, 8, 12, 0x1.62e42fefa39efp+2), B(pow, INF, -1, 0, 0, 0), B(pow, 2, INF, INF, INF, INF), B(pow, 0.5, INF, 0, 0, 0), B(pow, 1e20, 1.5, 1e30, 1.5e10, ANY),
B(pow, -0.0, 3, -0.0, 0, 0), B(pow, 0, 0.5, 0, INF, 0), B(powi, -2, 3, -8, 12, 0), B(powi, -2, 2, 4, -4, 0), B(powi, 0, 0, 1, 0, 0), B(powi, 0, 1, 0, 1, 0), B(powi, 3, 0.5, NONE, NONE, NONE), B(powi, -2, -1, -0.5, -0.25, 0),
B(powi, 1, -2147483648.0, 1, -2147483648.0, 0),
/* quotients: #24, #25 */
B(div, 1, 0, INF, INF, -INF), B(div, -1, 0, -INF, INF, INF), B(div, 0, 0, NONE, NONE, NONE), B(div, INF, INF, NONE, NONE, NONE), B(div, 1, INF, 0, 0, 0), B(div, 1, 1e30, 1e-30, 1e-30, ANY), B(mul, 0, INF, NONE, INF, 0),
B(fmod, 7, 3, 1, 1, -2), B(fmod, -7, 3, -1, 1, 2), B(fmod, 1, 0, NONE, NONE, NONE), B(fmod, INF, 3, NONE, NONE, NONE), B(fmod, 2, INF, 2, 1, 0), B(fmod, 1e30, 1, 0, 1, ANY), B(fmod, -6, 3, -0.0, 1, 2),
B(remainder, 7, 4, -1, 1, -2), B(remainder, 6, 4, -2, 1, -2), B(remainder, 2, 4, 2, 1, 0), B(remainder, 1, 0, NONE, NONE, NONE), B(remainder, -5, INF, -5, 1, 0), B(remainder, -8, 4, -0.0, 1, 2), B(remainder, 5, 0.0, NONE, NONE, NONE),
/* #14, #16 - #18 */
BN("hypot(0,0): PyTorch NaN", hypot, 0, 0, 0, 0, 0), B(hypot, INF, 1, INF, 1, 0), B(hypot, -INF, 1, INF, -1, 0), B(hypot, INF, INF, INF, 0x1.6a09e667f3bcdp-1, 0x1.6a09e667f3bcdp-1), B(hypot, INF, NONE, INF, 1, ANY),
B(hypot, NONE, 1, NONE, NONE, NONE), B(hypot, 3, 4, 5, 0.6, 0.8), B(hypot, 2e38, 2e38, 0x1.a9930cc655267p+127, 0x1.6a09e667f3bcdp-1, 0x1.6a09e667f3bcdp-1), B(hypot, 3e-30, 4e-30, 5e-30, 0.6, 0.8),
BN("atan2(0,0): ADOL-C 0, 0", atan2, 0, 0, 0, NONE, NONE), B(atan2, 0, -0.0, 0x1.921fb54442d18p+1, NONE, NONE), B(atan2, 1, 0, 0x1.921fb54442d18p+0, 0, -1), B(atan2, INF, INF, 0x1.921fb54442d18p-1, 0, 0),
B(atan2, 1, INF, 0, 0, 0), B(atan2, NONE, INF, NONE, NONE, NONE), B(atan2, 3e30, 4e30, ANY, 1.6e-31, -1.2e-31), B(atan2, -0.0, 1, -0.0, 1, 0),
/* #10 - #12 */
BN("max(1,1): CoDiPack 1, 0", max, 1, 1, 1, 0.5, 0.5), BN("max(NaN,1): PyTorch 1, 1", max, NONE, 1, NONE, 1, 0), B(max, 1, NONE, NONE, 0, 1), B(max, 0, -0.0, 0, 0.5, 0.5), B(max, -0.0, 0, 0, 0.5, 0.5), B(max, 2, 1, 2, 1, 0), B(max, 1, 2, 2, 0, 1),
B(max, -INF, -INF, -INF, 0.5, 0.5), B(min, 1, 1, 1, 0.5, 0.5), B(min, 0, -0.0, -0.0, 0.5, 0.5), B(min, -0.0, 0, -0.0, 0.5, 0.5), B(min, 2, 1, 1, 0, 1), B(min, NONE, 1, NONE, 1, 0), B(min, 1, NONE, NONE, 0, 1), B(fmax, NONE, 1, 1, 0, 1),
B(fmax, 1, NONE, 1, 1, 0), B(fmax, NONE, NONE, NONE, NONE, NONE), B(fmax, 1, 1, 1, 0.5, 0.5), B(fmin, NONE, 1, 1, 0, 1), B(fmin, 1, NONE, 1, 1, 0), B(fmin, 1, 2, 1, 1, 0),
/* the rest of 4.3 */
B(copysign, 3, -2, -3, -1, 0), B(copysign, -3, -0.0, -3, 1, 0), B(copysign, 0, 1, 0, 0, 0), B(copysign, NONE, 1, NONE, NONE, NONE), B(copysign, 2, NONE, ANY, ANY, 0), B(logaddexp, -INF, -INF, -INF, 0, 0), B(logaddexp, INF, INF, INF, 0.5, 0.5),
B(logaddexp, 0, 0, 0x1.62e42fefa39efp-1, 0.5, 0.5), B(logaddexp, -INF, 1, 1, 0, 1), B(logaddexp, INF, 1, INF, 1, 0), B(logaddexp, 1, NONE, NONE, NONE, NONE), B(xlogy, 0, 0, 0, -INF, 0), B(xlogy, 0, 2, 0, 0x1.62e42fefa39efp-1, 0), B(xlogy, 1, 0, -INF, -INF, INF),
B(xlogy, 0, NONE, NONE, NONE, NONE), B(xlog1py, 0, -1, 0, -INF, 0), B(xlog1py, 2, 0, 0, 0, 2), B(leaky_relu, 0, 0.25, 0, 0.25, 0), B(leaky_relu, -2, 0.25, -0.5, 0.25, -2), B(leaky_relu, NONE, 0.25, NONE, NONE, NONE), B(elu, 0, 0.5, 0, 0.5, 0),
B(elu, 0, 2, 0, 1, 0), B(elu, -INF, 1, -1, 0, -1), B(elu, INF, 1, INF, 1, 0), B(huber, 0.5, 1, 0.125, 0.5, 0), B(huber, -3, 1, 2.5, -1, 2), B(huber, 1, 1, 0.5, 1, 0), B(huber, 1, -1, NONE, NONE, NONE), B(huber, INF, 1, INF, 1, INF),
B(polygamma, 1, 1, 0x1.a51a6625307d3p+0, 0, -0x1.33ba004f00621p+1), B(polygamma, 0.5, 1, NONE, NONE, NONE), B(less, 1, 2, 1, 0, 0), B(less, 2, 1, 0, 0, 0), B(less, NONE, 1, 0, 0, 0), B(less_equal, 1, 1, 1, 0, 0), B(equal, 0, -0.0, 1, 0, 0), B(not_equal, NONE, NONE, 1, 0, 0),
B(chain, 0, INF, 0, INF, 0), B(chain, -0.0, NONE, 0, NONE, -0.0), B(chain, 2, INF, INF, INF, 2), B(chain, INF, 0, NONE, 0, INF), B(chain, NONE, 1, NONE, 1, NONE),
{ "where(x > 0, ..): the branch not taken leaves no trace", AD_OP_where, 0, INF, 2, 2, { 0, 0, 1 } }, { "", AD_OP_where, 1, 2, NONE, 2, { 0, 1, 0 } }, { "", AD_OP_where, NONE, 2, 3, 2, { 0, 1, 0 } }, { "", AD_OP_where, -0.0, 2, 3, 3, { 0, 0, 1 } },
{ "", AD_OP_clamp, 1, 1, 2, 1, { 1, 0, 0 } }, { "", AD_OP_clamp, 2, 1, 2, 2, { 1, 0, 0 } }, { "", AD_OP_clamp, 3, 1, 2, 2, { 0, 0, 1 } }, { "", AD_OP_clamp, 0, 1, 2, 1, { 0, 1, 0 } }, { "", AD_OP_clamp, 0, 2, 1, NONE, { NONE, NONE, NONE } },
{ "", AD_OP_clamp, NONE, 1, 2, NONE, { NONE, NONE, NONE } }, { "", AD_OP_lerp, 3, 3, 0.3, 3, { 0.7, 0.3, 0 } }, { "", AD_OP_lerp, 3, 7, 0, 3, { 1, 0, 4 } }, { "", AD_OP_lerp, 3, 7, 1, 7, { 0, 1, 4 } }, { "", AD_OP_fma, 2, 3, 4, 10, { 3, 2, 1 } },
/* far from the domains: large orders, where e^x has lost its digits */
B(polygamma, 8, 0.75, -0x1.06558c123cae8p+19, 0, 0x1.8963992a11cfep+22), B(polygamma, 16, 3.0, -0x1.3edf616563752p+17, 0, 0x1.c2dc8ae945b00p+19),
B(polygamma, 24, 8.0, -0x1.15b1d501edce1p+4, 0, 0x1.af243746cc54ep+5), B(polygamma, 40, 20.0, -0x1.20aaa38744b8ep-18, 0, 0x1.25a23ec25ff3ep-17),
B(polygamma, 60, 20.0, -0x1.7c6b5637d11acp+8, 0, 0x1.2151af4feccc0p+10), U(silu, -85, -0x1.b7ae43a594676p-117, -0x1.b2820ca3a1b77p-117),
U(mish, -85, -0x1.b7ae43a594676p-117, -0x1.b2820ca3a1b77p-117), U(silu, -705, -0x1.48e4ac7fdcbddp-1008, -0x1.486d3ef49b111p-1008),
U(mish, -705, -0x1.48e4ac7fdcbddp-1008, -0x1.486d3ef49b111p-1008), U(mish_gate, 50, 1, 0x1.a8c1f14e2af5dp-143),
U(mish_gate, 100, 1, 0x1.6061812054cfap-287),
B(polygamma, 1.5, 1, NONE, NONE, NONE),
U(tgamma, -700.5, -0.0, ANY), U(tgamma, -1001.5, 0, ANY),
