// Programs that the tape and its peers run, written once over the type of the numbers.
#ifndef BENCH_TAPE_H
#define BENCH_TAPE_H
#include <cstddef>

// y = y c + x, n times
template <class T> static T chain(T y, const T &c, const T &x, size_t n) {
  for (size_t i = 0; i < n; i++) y = y * c + x;
  return y;
}
template <class T> static T rosenbrock(const T *x, int n) {
  T s = 0 * x[0];
  for (int i = 0; i + 1 < n; i++) {
    const T a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
    s = s + (100 * (a * a) + b * b);
  }
  return s;
}
template <class T> static T product(const T *x, int n) {
  T p = x[0];
  for (int i = 1; i < n; i++) p = p * x[i];
  return p;
}
// n = 20: sums of sin(x_i x_j) along a ring, and a quadratic form
template <class T> static T ring(const T *x, int n) {
  using std::sin;
  T s = 0 * x[0];
  for (int i = 0; i < n; i++) s = s + sin(x[i] * x[(i + 1) % n]) + x[i] * x[i] * x[(i + 2) % n];
  return s;
}
#endif
