/* Read after ad.h: a row of the table by its number, recorded on a tape. */
static ad_var row_on_tape(int op, const ad_var *x) {
  switch (op) {
#define ROW_1(N, D, name, ...) case AD_OP_##name: return ad_var_##name(x[0]);
#define ROW_2(N, D, name, ...) case AD_OP_##name: return ad_var_##name(x[0], x[1]);
#define ROW_3(N, D, name, ...) case AD_OP_##name: return ad_var_##name(x[0], x[1], x[2]);
    AD_UNARY(ROW_1, , ) AD_BINARY(ROW_2, , ) AD_TERNARY(ROW_3, , )
#undef ROW_1
#undef ROW_2
#undef ROW_3
  }
  return x[0];
}
