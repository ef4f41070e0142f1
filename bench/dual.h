/* The functions that bench_dual.cc and peers_dual.cc differentiate, as plain C for numbers of type REAL (double, or in C++ any type
   that has the operators): bundle adjustment (15 inputs, 3 outputs), Rosenbrock's function, a mix of sin, cos, exp and products. */

static inline void NAME(bundle)(const REAL *x, const double *feature, REAL *r) {
  const REAL *camera = x, *point = x + 11, weight = x[14];
  const REAL p = point[0] - camera[3], q = point[1] - camera[4], s = point[2] - camera[5];
  const REAL square = camera[0] * camera[0] + camera[1] * camera[1] + camera[2] * camera[2];
  REAL u, v, w;
  if (square > 0.0) {
    const REAL angle = sqrt(square), cosine = cos(angle), sine = sin(angle), inverse = 1.0 / angle;
    const REAL i = camera[0] * inverse, j = camera[1] * inverse, k = camera[2] * inverse;
    const REAL t = (i * p + j * q + k * s) * (1.0 - cosine);
    u = p * cosine + (j * s - k * q) * sine + i * t;
    v = q * cosine + (k * p - i * s) * sine + j * t;
    w = s * cosine + (i * q - j * p) * sine + k * t;
  } else {
    u = p + (camera[1] * s - camera[2] * q);
    v = q + (camera[2] * p - camera[0] * s);
    w = s + (camera[0] * q - camera[1] * p);
  }
  u = u / w;
  v = v / w;
  const REAL radius = u * u + v * v, lens = 1.0 + camera[9] * radius + camera[10] * radius * radius;
  r[0] = weight * (camera[6] * (u * lens) + camera[7] - feature[0]);
  r[1] = weight * (camera[6] * (v * lens) + camera[8] - feature[1]);
  r[2] = 1.0 - weight * weight;
}

static inline REAL NAME(rosenbrock)(const REAL *x, int n) {
  REAL sum = x[0] * 0.0;
  for (int i = 0; i + 1 < n; i++) {
    const REAL a = x[i + 1] - x[i] * x[i], b = 1.0 - x[i];
    sum = sum + (100.0 * (a * a) + b * b);
  }
  return sum;
}

static inline void NAME(mix)(const REAL *x, REAL *y) {
  for (int i = 0; i < 10; i++) {
    const int j = i < 9 ? i + 1 : 0, k = i < 8 ? i + 2 : i - 8;
    y[i] = sin(x[i]) * cos(x[j]) + exp(x[i] * x[k]);
  }
}

#undef REAL
#undef NAME
