/* ======================================================================================================================
   Implementation: in the one file that defines AD_IMPLEMENTATION. */

#if defined(AD_IMPLEMENTATION) && !defined(AD_IMPLEMENTED) && !defined(AD__TEMPLATE)
#define AD_IMPLEMENTED

#include <stdarg.h>

/* >>memory --------------------------------------------------------------------------------------------------------------
   All memory of a tape comes through ad__allocate, which knows the limits and turns failure into the sticky status of the tape.
   A tape in the caller's memory has its arrays of nodes at the front and one arena chunk in the rest; it cannot grow.
   Growth is transactional: new block first, then the switch. Sizes are checked before they are added or multiplied. */

#define AD__ALIGN 64u
#define AD__NODE_BYTES (2 * sizeof(double) + sizeof(ad__code))

/* What went wrong first stays. Returns an invalid handle. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static ad_var ad__fail(ad_tape *t, ad_status status, const char *format, ...) {
  ad_var none;
  none.tape = t; none.node = 0; none.kind = 0;
  if (t && t->status == AD_OK) {
    va_list list;
    va_start(list, format);
    t->status = status;
    vsnprintf(t->message, sizeof t->message, format, list);
    va_end(list);
  }
  return none;
}

static void *ad__allocate(ad_tape *t, size_t bytes, const char *what) {
  void *p = NULL;
  if (t->fixed)
    ad__fail(t, AD_ERROR_MEMORY, "%s: %zu bytes more than the memory given to the tape (%zu bytes)", what, bytes, t->options.memory_size);
  else if (t->options.max_bytes && (bytes > t->options.max_bytes || t->bytes > t->options.max_bytes - bytes))
    ad__fail(t, AD_ERROR_LIMIT, "%s: %zu bytes beyond the limit of %zu bytes, %zu are in use", what, bytes, t->options.max_bytes, t->bytes);
  else if (!(p = t->options.allocate ? t->options.allocate(bytes, t->options.context) : AD_MALLOC(bytes)))
    ad__fail(t, AD_ERROR_MEMORY, "%s: out of memory for %zu bytes, %zu are in use", what, bytes, t->bytes);
  else
    t->bytes += bytes;
  return p;
}
static void ad__release(ad_tape *t, void *p, size_t bytes) {
  if (!p || t->fixed) return;
  t->bytes -= bytes;
  if (t->options.allocate) { if (t->options.release) t->options.release(p, t->options.context); }
  else AD_FREE(p);
}
AD_INLINE char *ad__aligned(void *p) {              /* the next multiple of 64 */
  char *c = (char *)p;
  return c + ((AD__ALIGN - ((uintptr_t)c & (AD__ALIGN - 1))) & (AD__ALIGN - 1));
}

/* bytes of the arena, 64-byte aligned; null with the status set when there are none */
static void *ad__take(ad_tape *t, ad__arena *a, size_t bytes, const char *what) {
  ad__chunk *c = a->current, *next;
  char *piece;
  if (bytes > SIZE_MAX / 4) { ad__fail(t, AD_ERROR_LIMIT, "%s: %zu bytes are more than memory can hold", what, bytes); return NULL; }
  bytes = (bytes + AD__ALIGN - 1) & ~(size_t)(AD__ALIGN - 1);
  if (!c || c->size - a->used < bytes) {
    next = c ? c->next : a->first;
    if (!next || next->size < bytes) {
      size_t size = c && c->size > 32768 ? c->size < ((size_t)1 << 26) ? 2 * c->size : c->size : 65536;
      if (size < bytes) size = bytes;
      c = (ad__chunk *)ad__allocate(t, size + 2 * AD__ALIGN, what);
      if (!c && t->status != AD_OK && size > bytes) return NULL;
      if (!c) return NULL;
      c->size = size;
      c->next = next;
      if (a->current) a->current->next = c; else a->first = c;
      next = c;
    }
    a->current = c = next;
    a->used = 0;
  }
  piece = ad__aligned((char *)c + sizeof *c) + a->used;
  a->used += bytes;
  return piece;
}
static void ad__arena_free(ad_tape *t, ad__arena *a) {
  for (ad__chunk *c = a->first, *next; c; c = next) {
    next = c->next;
    ad__release(t, c, c->size + 2 * AD__ALIGN);
  }
}
/* a chunk made of memory that is there */
static void ad__arena_on(ad__arena *a, char *memory, size_t bytes) {
  if (bytes < 3 * AD__ALIGN) return;
  a->first = (ad__chunk *)(void *)memory;
  a->first->next = NULL;
  a->first->size = (bytes - 2 * AD__ALIGN) & ~(size_t)(AD__ALIGN - 1);
}

static void ad__nodes_on(ad_tape *t, char *memory, size_t capacity) {
  t->value = (double *)(void *)memory;
  t->adjoint = t->value + capacity;
  t->code = (ad__code *)(void *)(t->adjoint + capacity);
  t->capacity = capacity;
}
static bool ad__grow(ad_tape *t, const char *what) {
  const size_t limit = t->options.max_nodes && t->options.max_nodes < UINT32_MAX ? t->options.max_nodes : UINT32_MAX;
  size_t capacity = t->capacity ? t->capacity < limit / 2 ? 2 * t->capacity : limit : t->options.nodes ? t->options.nodes : 1024;
  ad_tape old = *t;
  void *block;
  if (capacity > limit) capacity = limit;
  if (t->count >= limit) { ad__fail(t, AD_ERROR_LIMIT, "%s: node %zu is beyond the limit of %zu nodes", what, t->count, limit); return false; }
  if (capacity > (SIZE_MAX - AD__ALIGN) / AD__NODE_BYTES) {
    ad__fail(t, AD_ERROR_MEMORY, "%s: %zu nodes are more than memory can hold", what, capacity);
    return false;
  }
  block = ad__allocate(t, capacity * AD__NODE_BYTES + AD__ALIGN, what);
  if (!block) return false;
  ad__nodes_on(t, ad__aligned(block), capacity);
  if (old.count) {
    memcpy(t->value, old.value, old.count * sizeof *t->value);
    memcpy(t->code, old.code, old.count * sizeof *t->code);
    if (old.swept) memcpy(t->adjoint, old.adjoint, old.swept * sizeof *t->adjoint);
  }
  t->block = block;
  ad__release(t, old.block, old.capacity * AD__NODE_BYTES + AD__ALIGN);
  return true;
}

/* >>tape ---------------------------------------------------------------------------------------------------------------- */

static void ad__tape_start(ad_tape *t, const ad_tape_options *options) {
  memset(t, 0, sizeof *t);
  if (options) t->options = *options;
  t->kind = 2;
  t->sweep = 1;
}

AD_API ad_tape *ad_tape_create(const ad_tape_options *options) {
  ad_tape *t;
  if (options && options->memory) {
    char *p = ad__aligned(options->memory), *end = (char *)options->memory + options->memory_size;
    size_t nodes, room;
    if (options->memory_size < sizeof *t + 4 * AD__ALIGN + AD__NODE_BYTES) return NULL;
    t = (ad_tape *)(void *)p;
    ad__tape_start(t, options);
    t->fixed = true;
    t->bytes = options->memory_size;
    p = ad__aligned(p + sizeof *t);
    room = (size_t)(end - p);
    nodes = options->nodes ? options->nodes : room / AD__NODE_BYTES / 2;
    if (nodes > room / AD__NODE_BYTES) nodes = room / AD__NODE_BYTES;
    if (nodes > UINT32_MAX) nodes = UINT32_MAX;
    if (options->max_nodes && nodes > options->max_nodes) nodes = options->max_nodes;
    ad__nodes_on(t, p, nodes);
    p += nodes * AD__NODE_BYTES;
    /* what is left: two thirds for contents, one for adjoints */
    room = (size_t)(end - p);
    ad__arena_on(&t->storage, ad__aligned(p), room > AD__ALIGN ? room / 3 * 2 : 0);
    if (t->storage.first) {
      p = (char *)t->storage.first + t->storage.first->size + 2 * AD__ALIGN;
      ad__arena_on(&t->adjoints, ad__aligned(p), (size_t)(end - p) > AD__ALIGN ? (size_t)(end - p) - AD__ALIGN : 0);
    }
    return t;
  }
  t = (ad_tape *)(options && options->allocate ? options->allocate(sizeof *t, options->context) : AD_MALLOC(sizeof *t));
  if (!t) return NULL;
  ad__tape_start(t, options);
  t->owned = true;
  t->bytes = sizeof *t;
  return t;
}

AD_API void ad_tape_destroy(ad_tape *t) {
  if (!t || t->fixed) return;
  ad__arena_free(t, &t->storage);
  ad__arena_free(t, &t->adjoints);
  ad__release(t, t->place, t->place_capacity * sizeof *t->place);
  if (t->block) ad__release(t, t->block, t->capacity * AD__NODE_BYTES + AD__ALIGN);
  t->kind = 0;
  if (t->owned) ad__release(t, t, sizeof *t);
}

AD_API void ad_tape_reset(ad_tape *t) {
  if (!t) return;
  t->count = t->swept = t->traced = 0;
  t->kind = t->kind < UINT32_MAX - 3 ? t->kind + 2 : 2;
  t->storage.current = t->adjoints.current = NULL;
  t->sweep++;
  t->status = AD_OK;
  t->message[0] = 0;
}

AD_API ad_mark ad_tape_mark(const ad_tape *t) {
  ad_mark m;
  memset(&m, 0, sizeof m);
  if (!t) return m;
  m.tape = (ad_tape *)(uintptr_t)t;
  m.nodes = t->count;
  m.kind = t->kind;
  m.chunk = t->storage.current;
  m.used = t->storage.used;
  return m;
}
AD_API void ad_tape_rewind(ad_tape *t, ad_mark m) {
  if (!t) return;
  if (m.tape != t || m.kind != t->kind || m.nodes > t->count) {
    ad__fail(t, AD_ERROR_TAPE, "ad_tape_rewind: the mark at node %zu is %s", m.nodes,
             m.tape != t ? "of another tape" : m.kind != t->kind ? "older than the last reset" : "beyond the end: a rewind has passed it");
    return;
  }
  t->count = m.nodes;
  if (t->swept > m.nodes) t->swept = m.nodes;
  if (t->traced > m.nodes) t->traced = m.nodes;
  t->storage.current = m.chunk;
  t->storage.used = m.used;
}

AD_API ad_status ad_tape_status(const ad_tape *t) { return t ? t->status : AD_ERROR_TAPE; }
AD_API const char *ad_tape_message(const ad_tape *t) { return t ? t->message : "no tape"; }
AD_API size_t ad_tape_nodes(const ad_tape *t) { return t ? t->count : 0; }
AD_API size_t ad_tape_bytes(const ad_tape *t) { return t ? t->bytes : 0; }

static const char *ad__op_name(uint32_t op) {
  static const char *const other[] = { "constant", "variable", "guard", "call" };
  const int k = AD_NODE_OP(op);
  return k < AD_OP_COUNT_ ? ad_ops[k].name : k < AD_OP_END_ ? other[k - AD_OP_COUNT_] : "?";
}

/* Can x be an operand on tape t? An invalid handle is passed over in silence: its error has been reported. */
static bool ad__operand(ad_tape *t, ad_var x, const char *name, const char *which) {
  if (x.kind == 0) return false;
  if (x.tape != t)
    ad__fail(t, AD_ERROR_TAPE, "ad_%s: operand %s (node %u) is of another tape", name, which, (unsigned)x.node);
  else if ((x.kind | 1) != (t->kind | 1))
    ad__fail(t, AD_ERROR_TAPE, "ad_%s: operand %s (node %u) is older than the last reset of its tape", name, which, (unsigned)x.node);
  else if (x.node >= t->count)
    ad__fail(t, AD_ERROR_TAPE, "ad_%s: operand %s is node %u, but after a rewind the tape has %zu nodes", name, which, (unsigned)x.node, t->count);
  else
    return true;
  return false;
}

/* the value of a row, by opcode */
#define AD__VALUE_1(N, D, op, ...) case AD_OP_##op: return N##_##op(x);
#define AD__VALUE_2(N, D, op, ...) case AD_OP_##op: return N##_##op(x, y);
#define AD__VALUE_3(N, D, op, ...) case AD_OP_##op: return N##_##op(x, y, z);
static double ad__value(int opcode, double x, double y, double z) {
  switch (opcode) {
    AD_UNARY(AD__VALUE_1, ad_f64, ) AD_BINARY(AD__VALUE_2, ad_f64, ) AD_TERNARY(AD__VALUE_3, ad_f64, )
    default: return x;
  }
}

AD_API ad_var ad__leaf(ad_tape *t, uint32_t opcode, double v) {
  if (!t) return ad__fail(t, AD_ERROR_TAPE, "no tape");
  if (!ad__grow(t, opcode == AD_OP_VARIABLE_ ? "ad_variable" : "ad_constant")) return ad__fail(t, t->status, "ad_variable");
  return ad__push(t, AD_NODE(opcode, AD_PLAIN), 0, 0, v);
}

/* all that the inline paths leave: full arrays, tensors, invalid and foreign handles */
static ad_var ad__record_tensors(uint32_t op, ad_var x, ad_var y, ad_var z, double k) {
  (void)y; (void)z; (void)k;
  return ad__fail(x.tape, AD_ERROR_UNSUPPORTED, "ad_%s: tensors", ad__op_name(op));
}
AD_API ad_var ad__record(uint32_t op, ad_var x, ad_var y, ad_var z, double k) {
  const int form = AD_NODE_FORM(op), opcode = AD_NODE_OP(op), arity = form == AD_PLAIN ? ad_ops[opcode].arity : 1;
  const char *name = ad__op_name(op);
  ad_tape *t = x.tape ? x.tape : arity > 1 && y.tape ? y.tape : arity > 2 ? z.tape : NULL;
  double a, b, c;
  if (!t || !ad__operand(t, x, name, form == AD_X_NUMBER ? "y" : "x") || (arity > 1 && !ad__operand(t, y, name, "y")) ||
      (arity > 2 && !ad__operand(t, z, name, "z"))) {
    ad_var none;
    none.tape = t; none.node = 0; none.kind = 0;
    return none;
  }
  if ((x.kind & 1) || (arity > 1 && (y.kind & 1)) || (arity > 2 && (z.kind & 1))) return ad__record_tensors(op, x, y, z, k);
  if (t->count >= t->capacity && !ad__grow(t, name)) return ad__fail(t, t->status, "%s", name);
  a = t->value[x.node];
  if (form == AD_Y_NUMBER) return ad__push_k(t, op, x.node, k, ad__value(opcode, a, k, 0));
  if (form == AD_X_NUMBER) return ad__push_k(t, op, x.node, k, ad__value(opcode, k, a, 0));
  b = arity > 1 ? t->value[y.node] : 0;
  c = arity > 2 ? t->value[z.node] : 0;
  if (arity > 2) t->code[t->count].u.yz[1] = z.node;
  return ad__push(t, op, x.node, arity > 1 ? y.node : 0, ad__value(opcode, a, b, c));
}

AD_API bool ad__guard(int opcode, ad_var x, ad_var y, double k, int form) {
  ad_var r = ad__record(AD_NODE(opcode, form), x, y, x, k);
  if (!r.kind) return false;
  if (r.kind & 1) {
    ad__fail(r.tape, AD_ERROR_SHAPE, "ad_%s: a comparison that steers the program needs numbers, not tensors", ad_ops[opcode].name);
    return false;
  }
  if (r.tape->count < r.tape->capacity || ad__grow(r.tape, "guard")) ad__push(r.tape, AD_NODE(AD_OP_GUARD_, AD_PLAIN), r.node, 0, ad_value(r));
  return ad_value(r) != 0;
}

AD_API ad_var ad__trace(ad_var x, const char *file, int line) {
  ad_tape *t = x.tape;
  if (!t || t->options.no_trace) return x;
  if (t->status != AD_OK && !strstr(t->message, " at ")) {
    const size_t n = strlen(t->message);
    snprintf(t->message + n, sizeof t->message - n, " at %s:%d", file, line);
  }
  if (t->place_capacity < t->capacity && !t->fixed) {
    ad__place *p = (ad__place *)ad__allocate(t, t->capacity * sizeof *p, "trace");
    if (!p) return x;
    if (t->traced) memcpy(p, t->place, t->traced * sizeof *p);
    ad__release(t, t->place, t->place_capacity * sizeof *p);
    t->place = p;
    t->place_capacity = t->capacity;
  }
  if (x.kind && t->place)
    for (; t->traced <= x.node; t->traced++) {
      t->place[t->traced].file = file;
      t->place[t->traced].line = line;
    }
  return x;
}

AD_API double ad__value_apart(ad_var x) {
  if (!x.tape || !ad__operand(x.tape, x, "value", "x")) return (double)NAN;
  if (ad_rank(x) != 0) {
    ad__fail(x.tape, AD_ERROR_SHAPE, "ad_value: the variable has rank %d, a number has rank 0 (see ad_data)", ad_rank(x));
    return (double)NAN;
  }
  return ad_type(x) == AD_F32 ? (double)*(const float *)ad_data(x) : *(const double *)ad_data(x);
}

/* >>tensor -------------------------------------------------------------------------------------------------------------- */

static const size_t ad__no_shape[AD_MAX_RANK] = { 0 };
static const ad__tensor *ad__record_of(ad_var x) { return ad_is_valid(x) && (x.kind & 1) ? ad__tensor_at(x.tape, x.node) : NULL; }

AD_API int ad_rank(ad_var x) { const ad__tensor *r = ad__record_of(x); return r ? r->rank : ad_is_valid(x) ? 0 : -1; }
AD_API const size_t *ad_shape(ad_var x) {
  const ad__tensor *r = ad__record_of(x); return r ? r->shape : ad_is_valid(x) ? ad__no_shape : NULL; }
AD_API size_t ad_size(ad_var x) { const ad__tensor *r = ad__record_of(x); return r ? r->size : ad_is_valid(x) ? 1 : 0; }
AD_API ad_dtype ad_type(ad_var x) { const ad__tensor *r = ad__record_of(x); return r ? (ad_dtype)r->dtype : AD_F64; }
AD_API const void *ad_data(ad_var x) {
  const ad__tensor *r = ad__record_of(x); return r ? r->data : ad_is_valid(x) ? x.tape->value + x.node : NULL; }
AD_API const void *ad_grad_data(ad_var x) {
  const ad__tensor *r = ad__record_of(x);
  if (r) return r->adjoint;
  return ad_is_valid(x) && x.node < x.tape->swept ? x.tape->adjoint + x.node : NULL;
}

/* >>backward ------------------------------------------------------------------------------------------------------------ */

static void ad__sweep_tensor(ad_tape *t, size_t i) { (void)t; (void)i; }

/* adjoints of the operands of node i += adjoint g of i times the partials */
#define AD__SWEEP_1(N, D, op, ...)                                                                                            \
  case AD_NODE(AD_OP_##op, AD_PLAIN): adjoint[c->x] += g * N##_##op##_dx(value[c->x], value[i]); break;
#define AD__SWEEP_2(N, D, op, ...)                                                                                            \
  case AD_NODE(AD_OP_##op, AD_PLAIN): {                                                                                       \
    const double x = value[c->x], y = value[c->u.yz[0]];                                                                      \
    adjoint[c->x] += g * N##_##op##_dx(x, y, value[i]); adjoint[c->u.yz[0]] += g * N##_##op##_dy(x, y, value[i]); break; }    \
  case AD_NODE(AD_OP_##op, AD_Y_NUMBER): adjoint[c->x] += g * N##_##op##_dx(value[c->x], c->u.k, value[i]); break;            \
  case AD_NODE(AD_OP_##op, AD_X_NUMBER): adjoint[c->x] += g * N##_##op##_dy(c->u.k, value[c->x], value[i]); break;
#define AD__SWEEP_3(N, D, op, ...)                                                                                            \
  case AD_NODE(AD_OP_##op, AD_PLAIN): {                                                                                       \
    const double x = value[c->x], y = value[c->u.yz[0]], z = value[c->u.yz[1]];                                               \
    adjoint[c->x] += g * N##_##op##_dx(x, y, z, value[i]);                                                                    \
    adjoint[c->u.yz[0]] += g * N##_##op##_dy(x, y, z, value[i]); adjoint[c->u.yz[1]] += g * N##_##op##_dz(x, y, z, value[i]); break; }

static void ad__sweep(ad_tape *t, size_t from) {
  double *const adjoint = t->adjoint;
  const double *const value = t->value;
  const ad__code *const code = t->code;
  for (size_t i = from + 1; i-- > 0;) {
    const double g = adjoint[i];
    const ad__code *const c = code + i;
    if (g == 0) continue;
    switch (c->op) {
      AD_UNARY(AD__SWEEP_1, ad_f64, ) AD_BINARY(AD__SWEEP_2, ad_f64, ) AD_TERNARY(AD__SWEEP_3, ad_f64, )
      case AD_NODE(AD_OP_CONSTANT_, AD_PLAIN): case AD_NODE(AD_OP_VARIABLE_, AD_PLAIN): case AD_NODE(AD_OP_GUARD_, AD_PLAIN): break;
      default: ad__sweep_tensor(t, i);
    }
  }
}

/* clears the adjoints up to y and starts a sweep */
static bool ad__begin_sweep(ad_var y, const char *name) {
  ad_tape *t = y.tape;
  if (!t || !ad__operand(t, y, name, "y")) return false;
  t->swept = (size_t)y.node + 1;
  t->sweep++;
  t->adjoints.current = NULL;
  memset(t->adjoint, 0, t->swept * sizeof *t->adjoint);
  return true;
}

AD_API ad_status ad_backward(ad_var y) {
  ad_tape *t = y.tape;
  if (AD_LIKELY(t && ad__is_scalar(t, y))) {
    ad__begin_sweep(y, "backward");
    t->adjoint[y.node] = 1;
    ad__sweep(t, y.node);
    return t->status;
  }
  if (!t) return AD_ERROR_TAPE;
  if (y.kind == 0) return t->status != AD_OK ? t->status : AD_ERROR_TAPE;
  if (!ad__operand(t, y, "backward", "y")) return t->status;
  ad__fail(t, AD_ERROR_SHAPE, "ad_backward: y has rank %d; a tensor needs a seed (ad_backward_from)", ad_rank(y));
  return t->status;
}

AD_API ad_status ad_backward_from(ad_var y, const void *seed) {
  ad_tape *t = y.tape;
  if (!t) return AD_ERROR_TAPE;
  if (!seed) { ad__fail(t, AD_ERROR_ARGUMENT, "ad_backward_from: the seed is null"); return t->status; }
  if (y.kind == 0) return t->status != AD_OK ? t->status : AD_ERROR_TAPE;
  if (!ad__begin_sweep(y, "backward_from")) return t->status;
  memcpy(t->adjoint + y.node, seed, sizeof(double));
  ad__sweep(t, y.node);
  return t->status;
}

AD_API double ad__grad_apart(ad_var x) {
  ad_tape *t = x.tape;
  if (!t || !ad__operand(t, x, "grad", "x")) return (double)NAN;
  if (t->swept == 0) {
    ad__fail(t, AD_ERROR_TAPE, "ad_grad: there is no gradient of node %u: no ad_backward since the tape was reset", (unsigned)x.node);
    return (double)NAN;
  }
  if (ad_rank(x) != 0) {
    ad__fail(t, AD_ERROR_SHAPE, "ad_grad: the variable has rank %d, a number has rank 0 (see ad_grad_data)", ad_rank(x));
    return (double)NAN;
  }
  return 0;
}

#endif /* AD_IMPLEMENTED */

