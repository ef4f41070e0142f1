import re
decl=open('scratch/decl.h').read(); impl=open('scratch/impl.h').read()
# tracing: location is set before an operation, noted by the push
decl=decl.replace("AD_API ad_var ad__trace(ad_var x, const char *file, int line);\n",
"AD_API void ad__note(ad_tape *tape);\n")
decl=decl.replace("  size_t traced, place_capacity;\n","  size_t traced, place_capacity;\n  ad__place here;                   /* of the operation being recorded, where AD_TRACE is defined */\n")
decl=decl.replace("""AD_INLINE ad_var ad__push(""","""/* AD_TRACE: the generic names tell the tape their place in the program before they record (C only). */
#if defined(AD_TRACE) && !defined(__cplusplus)
#define AD__NOTE(t) ad__note(t)
#define AD__AT(x) ad__at(&(x), _Generic((x), ad_var: true, default: false), __FILE__, __LINE__)
AD_INLINE void ad__at_tape(ad_tape *t, const char *file, int line) { if (t) { t->here.file = file; t->here.line = line; } }
AD_INLINE void ad__at(const void *x, bool is_var, const char *file, int line) {
  if (is_var) ad__at_tape(((const ad_var *)x)->tape, file, line); }
#else
#define AD__NOTE(t) ((void)0)
#define AD__AT(x) ((void)0)
#endif

AD_INLINE ad_var ad__push(""")
decl=decl.replace("  t->count = i + 1;\n  return ad__handle(t, i);","  t->count = i + 1;\n  AD__NOTE(t);\n  return ad__handle(t, i);")
a=impl.index("AD_API ad_var ad__trace("); b=impl.index("AD_API double ad__value_apart")
impl=impl[:a]+'''/* the place of the nodes up to the last one; where there is no memory for places they stay unknown */
AD_API void ad__note(ad_tape *t) {
  if (t->options.no_trace || t->fixed) return;
  if (t->place_capacity < t->capacity) {
    ad__place *p = (ad__place *)ad__allocate(t, t->capacity * sizeof *p, "trace");
    if (!p) return;
    if (t->traced) memcpy(p, t->place, t->traced * sizeof *p);
    ad__release(t, t->place, t->place_capacity * sizeof *p);
    t->place = p;
    t->place_capacity = t->capacity;
  }
  for (; t->traced < t->count; t->traced++) t->place[t->traced] = t->here;
}

'''+impl[b:]
impl=impl.replace("    vsnprintf(t->message, sizeof t->message, format, list);\n    va_end(list);\n",
"""    n = vsnprintf(t->message, sizeof t->message, format, list);
    va_end(list);
    if (t->here.file && n >= 0 && (size_t)n < sizeof t->message)
      snprintf(t->message + n, sizeof t->message - (size_t)n, " (%s:%d)", t->here.file, t->here.line);
""").replace("    va_list list;\n","    va_list list;\n    int n;\n")
impl=impl.replace("  t->status = AD_OK;\n  t->message[0] = 0;","  t->status = AD_OK;\n  t->message[0] = 0;\n  t->here.file = NULL;")
s=open('ad.h').read()
s=s.replace("#include <stdlib.h>\n","#include <stdio.h>\n#include <stdlib.h>\n")
s=s.replace("     >>generic   ad_add,","     >>tape      ad_tape and ad_var: programs recorded as nodes\n     >>backward  the reverse sweep, gradients\n     >>tensor    what a tensor node is\n     >>generic   ad_add,")
g=s.index("/* >>generic ---")
s=s[:g]+decl+"typedef bool ad_var_mask;\nAD_CXX_TYPE(ad_var)\n\n"+s[g:]
s=s.replace("F(ad_dual2, __VA_ARGS__) AD_MORE","F(ad_dual2, __VA_ARGS__) F(ad_var, __VA_ARGS__) AD_MORE")
s=s.replace("AD__COPY(a, x); AD__PICK_1","AD__COPY(a, x); AD__AT(a); AD__PICK_1")
s=s.replace("AD__COPY(b, y); AD__PICK_2","AD__COPY(b, y); AD__AT(a); AD__AT(b); AD__PICK_2")
s=s.replace("AD__COPY(c, z); AD__PICK_3","AD__COPY(c, z); AD__AT(a); AD__AT(b); AD__AT(c); AD__PICK_3")
e=s.index("#endif /* AD_H */\n")+len("#endif /* AD_H */\n")
s=s[:e]+"\n"+impl.rstrip()+"\n"+s[e:]
open('ad.h','w').write(s)
