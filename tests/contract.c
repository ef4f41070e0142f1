/* The names, argument orders and types that programs are written against. Compiled only: a changed signature is an error here. */
#include "ad.h"
#include <stdio.h>

const char *(*status_name)(ad_status) = ad_status_name;
int statuses[] = {AD_OK, AD_ERROR_MEMORY, AD_ERROR_SHAPE, AD_ERROR_DTYPE, AD_ERROR_ARGUMENT, AD_ERROR_TAPE, AD_ERROR_LIMIT, AD_ERROR_BRANCH,
                        AD_ERROR_UNSUPPORTED};
int types[] = {AD_F32, AD_F64, AD_I32};

ad_dual (*dual_constant)(double) = ad_dual_constant;
ad_dual (*dual_variable)(double, int) = ad_dual_variable;
ad_status (*jacobian_forward)(ad_dual_map *, void *, size_t, const double *, size_t, double *, double *) = ad_jacobian_forward;

ad_tape *(*create)(const ad_tape_options *) = ad_tape_create;
void (*destroy_reset[])(ad_tape *) = {ad_tape_destroy, ad_tape_reset};
ad_mark (*mark)(const ad_tape *) = ad_tape_mark;
void (*rewind_to)(ad_tape *, ad_mark) = ad_tape_rewind;
ad_status (*status)(const ad_tape *) = ad_tape_status;
const char *(*message)(const ad_tape *) = ad_tape_message;
ad_var (*leaves[])(ad_tape *, double) = {ad_variable, ad_constant};
ad_var (*tensors[])(ad_tape *, ad_dtype, int, const size_t *, const void *) = {ad_tensor_variable, ad_tensor_constant};
int (*rank)(ad_var) = ad_rank;
const size_t *(*shape)(ad_var) = ad_shape;
size_t (*size)(ad_var) = ad_size;
ad_dtype (*type)(ad_var) = ad_type;
double (*numbers[])(ad_var) = {ad_value, ad_grad};
const void *(*contents[])(ad_var) = {ad_data, ad_grad_data};
ad_status (*backward)(ad_var) = ad_backward;
ad_status (*backward_from)(ad_var, const void *) = ad_backward_from;
ad_status (*differentiate)(ad_var, const ad_var *, size_t, ad_var *) = ad_differentiate;

ad_status (*gradient)(ad_var_map *, void *, size_t, const double *, double *, double *) = ad_gradient;
ad_status (*jacobian_reverse)(ad_var_map *, void *, size_t, const double *, size_t, double *, double *) = ad_jacobian_reverse;
ad_status (*hessian)(ad_var_map *, void *, size_t, const double *, double *, double *, double *) = ad_hessian;
ad_status (*hessian_vector)(ad_var_map *, void *, size_t, const double *, const double *, double *, double *, double *) = ad_hessian_vector;
ad_status (*check_gradient)(ad_var_map *, void *, size_t, const double *, double, double *) = ad_check_gradient;
ad_status (*write_dot)(const ad_tape *, FILE *) = ad_tape_write_dot;

ad_function *(*record)(ad_var_map *, void *, size_t, const double *, size_t) = ad_function_record;
ad_function *(*function_create)(const ad_var *, size_t, const ad_var *, size_t) = ad_function_create;
void (*function_destroy)(ad_function *) = ad_function_destroy;
ad_status (*evaluate)(const ad_function *, const double *, double *) = ad_function_evaluate;
ad_status (*products[])(const ad_function *, const double *, const double *, double *, double *) = {ad_function_jvp, ad_function_vjp};
ad_status (*function_jacobian)(const ad_function *, const double *, double *, double *) = ad_function_jacobian;
ad_status (*function_hessian)(const ad_function *, const double *, const double *, double *) = ad_function_hessian;
ad_status (*evaluate_many)(const ad_function *, size_t, const double *, double *) = ad_function_evaluate_many;
ad_status (*many[])(const ad_function *, size_t, const double *, double *, double *) = {ad_function_jacobian_many, ad_function_gradient_many};
ad_status (*run)(const ad_function *, const void *const *, void *const *) = ad_function_run;
ad_status (*run_vjp)(const ad_function *, const void *const *, const void *const *, void *const *, void *const *) = ad_function_run_vjp;
ad_status (*write_c)(const ad_function *, const char *, FILE *) = ad_function_write_c;

ad_var (*binary[])(ad_var, ad_var) = {ad_matmul, ad_cross_entropy, ad_mse, ad_solve, ad_dot, ad_outer, ad_prelu};
ad_var (*unary[])(ad_var) = {ad_transpose, ad_trace, ad_diag, ad_inverse, ad_det, ad_logdet, ad_cholesky};
ad_var (*reductions[])(ad_var, int, bool) = {ad_sum, ad_mean, ad_prod, ad_reduce_max, ad_reduce_min, ad_logsumexp, ad_norm};
ad_var (*along[])(ad_var, int) = {ad_softmax, ad_log_softmax};
ad_var (*shaped[])(ad_var, int, const size_t *) = {ad_reshape, ad_broadcast_to};
ad_var (*permute)(ad_var, const int *) = ad_permute;
ad_var (*joined[])(const ad_var *, size_t, int) = {ad_concat, ad_stack};
ad_var (*gather)(ad_var, ad_var, int) = ad_gather;
ad_var (*linear)(ad_var, ad_var, ad_var) = ad_linear;

/* Generic names on each kind of operand, and mixed with numbers. */
#define EVERY_NAME(T, x, m) \
  T a = ad_add(x, ad_sub(x, ad_mul(x, ad_div(x, ad_pow(x, 2.0))))), b = ad_atan2(a, ad_hypot(1.0, ad_min(x, ad_max(x, 0)))); \
  T c = ad_select(m, ad_fma(x, 2.0, x), ad_neg(ad_abs(ad_sqrt(x)))), d = ad_exp(ad_log(ad_sin(ad_tanh(b)))); \
  if (ad_lt(x, 1.0) + ad_le(x, a) + ad_gt(x, 1.0) + ad_ge(1.0, x) + ad_eq(x, x) > 2) c = ad_add(c, ad_relu(d)); \
  c = ad_add(c, ad_sigmoid(ad_elu(ad_gelu(ad_silu(ad_softplus(ad_leaky_relu(ad_elu(c), 0.1)))), 1.0)))
double on_numbers(double x);
double on_numbers(double x) { EVERY_NAME(double, x, x); return c; }
ad_dual on_duals(ad_dual x);
ad_dual on_duals(ad_dual x) { EVERY_NAME(ad_dual, x, x); return c; }
ad_var on_variables(ad_var x);
ad_var on_variables(ad_var x) { EVERY_NAME(ad_var, x, x); return c; }
