/* Numbers at which test_ops.c looks at every row, and mutate.c too. S_INF and S_NAN stand for infinity and NaN (initialisers that any C
   compiler takes), TINY for the least normal number of the type. */
#ifndef OPS_POINTS_H
#define OPS_POINTS_H
#define S_INF 1e306
#define S_NAN 1e305
/* forty numbers that are special to some row */
static const double specials_1[] = { 0.0, -0.0, 1, -1, 0.5, -0.5, 2, -2, 3, -3, 0.25, 0.75, 1.5, -1.5, 4, -4, 6, 10, -10, 20, -20, 88, -88, 89.2, -104, 709.5,
  710.2, -745, 1e10, -1e10, 1e30, -1e30, 3e38, -3e38, 1e-30, -1e-30, TINY, -TINY, S_INF, -S_INF, S_NAN };
static const double grid[] = { 0.0, -0.0, 0.5, -0.5, 1, -1, 2, -2, 3, -3, TINY, -TINY, 3e38, -3e38, S_INF, -S_INF, S_NAN };
static double ops_number(double x, bool single) {
  static const double tiny = TINY, inf = S_INF, nan_ = S_NAN;      /* rounded to double, whatever FLT_EVAL_METHOD is */
  double a = fabs(x);
  a = a == tiny ? (single ? (double)FLT_MIN : DBL_MIN) : a == nan_ ? (double)NAN : a == inf ? (double)INFINITY : a;
  return single ? (double)(float)copysign(a, x) : copysign(a, x);
}
/* where some row takes another formula, or stops following its operand: these, with what is just beside them, of both signs */
static const double switches[] = { 0.25, 0.47, 0.5, 1, 1.5, 2, 2.5, 3, 6, 10, 16, 20, 24, 40, 50, 64, 80, 88, 128, 700, 709, 1000, 1024, 2000, 0x1p22, 0x1p28, 1e9, 0x1p51,
  1e-10, 1e15, 1e30, 1e150, 0x1p126, 0x1p-126, 0x1p-1022, 0x1p1022 };
enum { SWITCHES = sizeof switches / sizeof *switches, SWITCHED = 12 * SWITCHES };
static double switched(int i, bool single) {
  double x = switches[i / 12];
  x = single ? (double)(float)x : x;
  switch (i / 2 % 6) {
    case 1: x = single ? (double)nextafterf((float)x, INFINITY) : nextafter(x, (double)INFINITY); break;
    case 2: x = single ? (double)nextafterf((float)x, 0) : nextafter(x, 0); break;
    case 3: x *= 1 + 0x1p-31; break;
    case 4: x *= 1 - 0x1p-31; break;
    case 5: x += 0.5; break;
  }
  x = i % 2 ? -x : x;
  return single ? (double)(float)x : x;
}

/* point i of those whose results are stored as hashes (test_ops_bits.h): of the domain, special ones, where formulas take turns */
enum { POINTS_1 = sizeof specials_1 / sizeof *specials_1, POINTS_GRID = sizeof grid / sizeof *grid, STORED_POINTS = 640 + SWITCHED };
static void stored_point(int op, int i, bool single, uint64_t *seed, double x[3]) {
  for (int k = 0; k < 3; k++) {
    x[k] = ad_ops[op].lo[k] + (ad_ops[op].hi[k] - ad_ops[op].lo[k]) * bits_uniform(seed);
    if ((op == AD_OP_powi && k == 1) || (op == AD_OP_polygamma && k == 0)) x[k] = rint(x[k]);
    if (i >= 640) { if (ad_ops[op].arity == 1 || (i + k) % 3) x[k] = switched(i - 640, single); }
    else if (i >= 320) x[k] = ops_number(ad_ops[op].arity == 1 ? specials_1[i % POINTS_1] : grid[(i / 16 * 16 * (k + 1) + i % 16 * (2 * k + 1)) % POINTS_GRID], single);
  }
}
#endif
