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
#endif
