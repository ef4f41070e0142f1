/* >>tape ----------------------------------------------------------------------------------------------------------------
   The tape is three arrays indexed by the node: value[i], adjoint[i], code[i]. A code is 16 bytes: what was done, and to which
   nodes. Operands come before their node, so the reverse sweep is one loop downwards. Partials are not stored: the sweep computes
   them from the values by the rows of the table, which keeps a node at 32 bytes with its adjoint, lets derivatives be recorded as
   nodes in turn, and lets a function replay the codes at other points.

     code.op = AD_NODE(opcode, form)    opcode: a row of the table, or one of those below (AD_OP_CONSTANT_, ...)
       form AD_PLAIN      operands x, u.yz[0], u.yz[1], as many as the row has
       form AD_Y_NUMBER   of a binary row: operand x is node x, operand y is the number u.k
       form AD_X_NUMBER   of a binary row: operand y is node x, operand x is the number u.k
       form AD_ON_TENSORS some operand or the result is a tensor: value[i] holds the pointer of its record (ad__tensor_at)

   A handle carries what the inline path must know: tape, node, kind. kind is the generation of the tape times 2, plus 1 for a
   tensor; a reset starts a new generation, so stale handles are told from valid ones; kind 0 is an invalid handle. Recording
   is inline: tests of the operands and of the capacity, two stores, no call; everything unusual goes to ad__record.
   One array of 32-byte structures was rejected: the sweep would write back all of a node to change its adjoint. Handles that
   hold pointers were rejected: arrays move when they grow. Stored partials were rejected: 8 to 24 bytes more a node.

   Tensor records, their contents, and what operations need to remember lie in an arena (chunks that never move, 64-byte
   aligned pieces); adjoints of tensors in a second one, so that rewinding the first leaves gradients readable. */

typedef struct ad_tape ad_tape;
typedef struct ad_var { ad_tape *tape; uint32_t node; uint32_t kind; } ad_var;

typedef enum ad_dtype { AD_F32, AD_F64, AD_I32 } ad_dtype;      /* AD_I32: labels and indices, never differentiated */
#define AD_MAX_RANK 8

/* opcodes that are no rows */
enum {
  AD_OP_CONSTANT_ = AD_OP_COUNT_,   /* value[i]; not differentiated */
  AD_OP_VARIABLE_,
  AD_OP_GUARD_,                     /* the comparison at node x steered the program: a replay must find the same */
  AD_OP_CALL_,                      /* a structural operation: its ad__call is found by ad__call_at */
  AD_OP_END_
};
enum { AD_PLAIN, AD_Y_NUMBER, AD_X_NUMBER, AD_ON_TENSORS };
#define AD_NODE(opcode, form) ((uint32_t)(opcode) * 4u + (uint32_t)(form))
#define AD_NODE_OP(node) ((int)((node) >> 2))
#define AD_NODE_FORM(node) ((int)((node) & 3u))

typedef struct ad__code {
  uint32_t op, x;
  union { uint32_t yz[2]; double k; } u;
} ad__code;

typedef struct ad__chunk { struct ad__chunk *next; size_t size; } ad__chunk;    /* size bytes follow at offset 64 */
typedef struct ad__arena { ad__chunk *first, *current; size_t used; } ad__arena;
typedef struct ad__place { const char *file; int line; } ad__place;

/* All options may be 0. Memory given here holds the whole tape, which then never allocates. */
typedef struct ad_tape_options {
  void *(*allocate)(size_t bytes, void *context);               /* 0: malloc and free; aligned as malloc does */
  void (*release)(void *block, void *context);
  void *context;
  void *memory;                                                 /* any alignment */
  size_t memory_size;
  size_t nodes;                                                 /* room for nodes: at the start (1024), or of memory for good (half of it) */
  size_t max_nodes, max_bytes;                                  /* limits: AD_ERROR_LIMIT beyond them */
  bool no_trace;                                                /* keep no file and line even where AD_TRACE is defined */
} ad_tape_options;

struct ad_tape {                    /* size_t, pointers: stores to nodes cannot alias them */
  size_t count, capacity;           /* nodes */
  size_t kind;                      /* of valid scalar handles */
  double *value, *adjoint;
  ad__code *code;
  size_t swept;                     /* adjoints below this are those of the last sweep */
  ad__arena storage, adjoints;
  size_t sweep;                     /* number of the last sweep: tensor adjoints of an older one are 0 */
  ad_tape_options options;
  void *block;                      /* where the node arrays lie */
  ad__place *place;                 /* file and line by node, below traced; allocated when first told */
  size_t traced, place_capacity;
  size_t bytes;                     /* allocated now */
  ad_status status;
  bool fixed, owned;                /* no allocation; the tape itself was allocated */
  char message[256];
};

typedef struct ad_mark { ad_tape *tape; size_t nodes, used, kind; ad__chunk *chunk; } ad_mark;

AD_API ad_tape *ad_tape_create(const ad_tape_options *options);         /* null: out of memory, or memory_size too small */
AD_API void ad_tape_destroy(ad_tape *tape);
AD_API void ad_tape_reset(ad_tape *tape);           /* forgets all nodes and the error, keeps the memory; handles become invalid; O(1) */
AD_API ad_mark ad_tape_mark(const ad_tape *tape);
AD_API void ad_tape_rewind(ad_tape *tape, ad_mark mark);                /* forgets the nodes recorded since; older ones keep gradients */
AD_API ad_status ad_tape_status(const ad_tape *tape);                   /* the first error since the tape was created or reset */
AD_API const char *ad_tape_message(const ad_tape *tape);                /* what it was: operation, numbers; "" without error */
AD_API size_t ad_tape_nodes(const ad_tape *tape);
AD_API size_t ad_tape_bytes(const ad_tape *tape);                       /* allocated now, or given and in use */
AD_API ad_var ad__record(uint32_t op, ad_var x, ad_var y, ad_var z, double k);
AD_API ad_var ad__leaf(ad_tape *tape, uint32_t opcode, double value);
AD_API bool ad__guard(int opcode, ad_var x, ad_var y, double k, int form);
AD_API double ad__value_apart(ad_var x);
AD_API ad_var ad__trace(ad_var x, const char *file, int line);

AD_INLINE bool ad__is_scalar(const ad_tape *t, ad_var x) { return x.kind == t->kind && x.node < t->count; }

AD_INLINE ad_var ad__handle(ad_tape *t, size_t node) {
  ad_var r; r.tape = t; r.node = (uint32_t)node; r.kind = (uint32_t)t->kind; return r; }

AD_INLINE ad_var ad__push(ad_tape *t, uint32_t op, uint32_t x, uint32_t y, double v) {
  const size_t i = t->count;
  ad__code *c = t->code + i;
  c->op = op; c->x = x; c->u.yz[0] = y;
  t->value[i] = v;
  t->count = i + 1;
  return ad__handle(t, i);
}
AD_INLINE ad_var ad__push_k(ad_tape *t, uint32_t op, uint32_t x, double k, double v) {
  const size_t i = t->count;
  ad__code *c = t->code + i;
  c->op = op; c->x = x; c->u.k = k;
  t->value[i] = v;
  t->count = i + 1;
  return ad__handle(t, i);
}

/* A scalar that is differentiated, and one that is not (its gradient is 0). */
AD_INLINE ad_var ad_variable(ad_tape *t, double v) {
  if (AD_LIKELY(t && t->count < t->capacity)) return ad__push(t, AD_NODE(AD_OP_VARIABLE_, AD_PLAIN), 0, 0, v);
  return ad__leaf(t, AD_OP_VARIABLE_, v);
}
AD_INLINE ad_var ad_constant(ad_tape *t, double v) {
  if (AD_LIKELY(t && t->count < t->capacity)) return ad__push(t, AD_NODE(AD_OP_CONSTANT_, AD_PLAIN), 0, 0, v);
  return ad__leaf(t, AD_OP_CONSTANT_, v);
}

/* The number of a rank-0 variable; NaN of anything else (and AD_ERROR_SHAPE if it is a tensor of other rank). */
AD_INLINE double ad_value(ad_var x) {
  return AD_LIKELY(x.tape && ad__is_scalar(x.tape, x)) ? x.tape->value[x.node] : ad__value_apart(x);
}
AD_INLINE bool ad_is_valid(ad_var x) { return x.tape && (x.kind | 1) == (x.tape->kind | 1) && x.node < x.tape->count; }

/* rows on variables: ad_var_op(x), ad_var_op(x, y), with numbers ad_var_op_xk(x, number), ad_var_op_ky(number, y), ... */
#define AD__READY(t, x) ((t) && (t)->count < (t)->capacity && ad__is_scalar(t, x))
#define AD__VAR_1(N, D, op, ...)                                                                                              \
  AD_INLINE ad_var ad_var_##op(ad_var x) {                                                                                    \
    ad_tape *t = x.tape;                                                                                                      \
    if (AD_LIKELY(AD__READY(t, x))) return ad__push(t, AD_NODE(AD_OP_##op, AD_PLAIN), x.node, 0, ad_f64_##op(t->value[x.node])); \
    return ad__record(AD_NODE(AD_OP_##op, AD_PLAIN), x, x, x, 0); }
#define AD__VAR_2(N, D, op, ...)                                                                                              \
  AD_INLINE ad_var ad_var_##op(ad_var x, ad_var y) {                                                                          \
    ad_tape *t = x.tape;                                                                                                      \
    if (AD_LIKELY(AD__READY(t, x) && y.tape == t && ad__is_scalar(t, y)))                                                     \
      return ad__push(t, AD_NODE(AD_OP_##op, AD_PLAIN), x.node, y.node, ad_f64_##op(t->value[x.node], t->value[y.node]));     \
    return ad__record(AD_NODE(AD_OP_##op, AD_PLAIN), x, y, x, 0); }                                                           \
  AD__VAR_2K(op, xk, AD_Y_NUMBER, ad_var x AD__COMMA double k, ad_f64_##op(t->value[x.node], k))                              \
  AD__VAR_2K(op, ky, AD_X_NUMBER, double k AD__COMMA ad_var x, ad_f64_##op(k, t->value[x.node]))
#define AD__COMMA ,
#define AD__VAR_2K(op, mix, form, operands, v)                                                                                \
  AD_INLINE ad_var ad_var_##op##_##mix(operands) {                                                                            \
    ad_tape *t = x.tape;                                                                                                      \
    if (AD_LIKELY(AD__READY(t, x))) return ad__push_k(t, AD_NODE(AD_OP_##op, form), x.node, k, v);                            \
    return ad__record(AD_NODE(AD_OP_##op, form), x, x, x, k); }
#define AD__VAR_3(N, D, op, ...)                                                                                              \
  AD_INLINE ad_var ad_var_##op(ad_var x, ad_var y, ad_var z) {                                                                \
    ad_tape *t = x.tape;                                                                                                      \
    if (AD_LIKELY(AD__READY(t, x) && y.tape == t && ad__is_scalar(t, y) && z.tape == t && ad__is_scalar(t, z))) {             \
      t->code[t->count].u.yz[1] = z.node;                                                                                     \
      return ad__push(t, AD_NODE(AD_OP_##op, AD_PLAIN), x.node, y.node,                                                       \
                      ad_f64_##op(t->value[x.node], t->value[y.node], t->value[z.node])); }                                   \
    return ad__record(AD_NODE(AD_OP_##op, AD_PLAIN), x, y, z, 0); }                                                           \
  AD__VAR_3K(op)
#define AD__VAR_3K(op)                                                                                                        \
  AD_INLINE ad_var ad_var_##op##_xyk(ad_var x, ad_var y, double z) { return ad_var_##op(x, y, ad_constant(x.tape, z)); }      \
  AD_INLINE ad_var ad_var_##op##_xkz(ad_var x, double y, ad_var z) { return ad_var_##op(x, ad_constant(x.tape, y), z); }      \
  AD_INLINE ad_var ad_var_##op##_kyz(double x, ad_var y, ad_var z) { return ad_var_##op(ad_constant(y.tape, x), y, z); }      \
  AD__VAR_3KK(op)
#define AD__VAR_3KK(op)                                                                                                       \
  AD_INLINE ad_var ad_var_##op##_xkk(ad_var x, double y, double z) { return ad_var_##op##_xyk(x, ad_constant(x.tape, y), z); } \
  AD_INLINE ad_var ad_var_##op##_kyk(double x, ad_var y, double z) { return ad_var_##op##_xyk(ad_constant(y.tape, x), y, z); } \
  AD_INLINE ad_var ad_var_##op##_kkz(double x, double y, ad_var z) {                                                          \
    return ad_var_##op(ad_constant(z.tape, x), ad_constant(z.tape, y), z); }
AD_UNARY(AD__VAR_1, , ) AD_BINARY(AD__VAR_2, , ) AD_TERNARY(AD__VAR_3, , )

/* comparisons: an int now, and a guard for replays */
#define AD__VAR_COMPARE(op, row, back)                                                                                        \
  AD_INLINE bool ad_var_##op(ad_var x, ad_var y) { return ad__guard(AD_OP_##row, x, y, 0, AD_PLAIN); }                        \
  AD_INLINE bool ad_var_##op##_xk(ad_var x, double k) { return ad__guard(AD_OP_##row, x, x, k, AD_Y_NUMBER); }                \
  AD_INLINE bool ad_var_##op##_ky(double k, ad_var y) { return ad__guard(AD_OP_##row, y, y, k, AD_X_NUMBER); }
#define AD__VAR_COMPARE_BACK(op, back)                                                                                        \
  AD_INLINE bool ad_var_##op(ad_var x, ad_var y) { return ad_var_##back(y, x); }                                              \
  AD_INLINE bool ad_var_##op##_xk(ad_var x, double k) { return ad_var_##back##_ky(k, x); }                                    \
  AD_INLINE bool ad_var_##op##_ky(double k, ad_var y) { return ad_var_##back##_xk(y, k); }
AD__VAR_COMPARE(lt, less, gt) AD__VAR_COMPARE(le, less_equal, ge) AD__VAR_COMPARE(eq, equal, eq) AD__VAR_COMPARE(ne, not_equal, ne)
AD__VAR_COMPARE_BACK(gt, lt) AD__VAR_COMPARE_BACK(ge, le)

/* >>backward ------------------------------------------------------------------------------------------------------------
   One loop downwards from y. A node whose adjoint is exactly 0 is skipped: that is the zero seed rule (R6) and saves what does
   not lead to y. Adjoints are cleared before each sweep, so that it gives the same bits each time. */

AD_API ad_status ad_backward(ad_var y);             /* y of rank 0; adjoints of all nodes. An earlier error of the tape is returned too */
AD_API ad_status ad_backward_from(ad_var y, const void *seed);          /* seed: an array of the shape and type of y */
AD_API double ad__grad_apart(ad_var x);

/* dy/dx of the last ad_backward; exactly 0 where x was not used or is a constant. NaN of an invalid handle. */
AD_INLINE double ad_grad(ad_var x) {
  const ad_tape *t = x.tape;
  return AD_LIKELY(t && ad__is_scalar(t, x) && x.node < t->swept && t->code[x.node].op != AD_NODE(AD_OP_CONSTANT_, AD_PLAIN))
    ? t->adjoint[x.node] : ad__grad_apart(x);
}

/* >>tensor --------------------------------------------------------------------------------------------------------------
   What a tensor node is. The record lies in the arena of the tape and never moves. */

typedef struct ad__tensor {
  void *data;                       /* row-major from here, unless strided */
  void *adjoint;                    /* same layout as row-major contents; of sweep number sweep, older: all 0 */
  size_t sweep, size;               /* size: number of elements */
  size_t shape[AD_MAX_RANK];
  uint8_t dtype, rank, active;      /* active: some variable leads to it */
} ad__tensor;

AD_INLINE ad__tensor *ad__tensor_at(const ad_tape *t, size_t node) {
  ad__tensor *r; memcpy(&r, t->value + node, sizeof r); return r; }

AD_API int ad_rank(ad_var x);                       /* of an invalid handle -1, null, 0, AD_F64, null */
AD_API const size_t *ad_shape(ad_var x);
AD_API size_t ad_size(ad_var x);
AD_API ad_dtype ad_type(ad_var x);
AD_API const void *ad_data(ad_var x);
AD_API const void *ad_grad_data(ad_var x);

