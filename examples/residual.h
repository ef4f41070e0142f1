/* The residual of bundle adjustment with its data among the inputs, written once for numbers of type REAL as the function BUNDLE.
   x: camera (rotation 3, centre 3, focal length, principal point 2, distortion 2), point 3, weight, where it was seen 2. r: 2. */
static inline void BUNDLE(const REAL *x, REAL *r, void *context) {
  REAL axis[3], p[3], q[3];
  const REAL square = ad_add(ad_add(ad_mul(x[0], x[0]), ad_mul(x[1], x[1])), ad_mul(x[2], x[2]));
  const REAL angle = ad_sqrt(square), cosine = ad_cos(angle), sine = ad_sin(angle), inverse = ad_div(1.0, angle);
  (void)context;
  for (int i = 0; i < 3; i++) axis[i] = ad_mul(x[i], inverse), p[i] = ad_sub(x[11 + i], x[3 + i]);
  const REAL t = ad_mul(ad_add(ad_add(ad_mul(axis[0], p[0]), ad_mul(axis[1], p[1])), ad_mul(axis[2], p[2])), ad_sub(1.0, cosine));
  for (int i = 0; i < 3; i++) { /* turned by the formula of Rodrigues */
    const int j = (i + 1) % 3, k = (i + 2) % 3;
    q[i] = ad_add(ad_add(ad_mul(p[i], cosine), ad_mul(ad_sub(ad_mul(axis[j], p[k]), ad_mul(axis[k], p[j])), sine)), ad_mul(axis[i], t));
  }
  const REAL u = ad_div(q[0], q[2]), v = ad_div(q[1], q[2]), radius = ad_add(ad_mul(u, u), ad_mul(v, v));
  const REAL lens = ad_add(ad_add(1.0, ad_mul(x[9], radius)), ad_mul(x[10], ad_mul(radius, radius)));
  r[0] = ad_mul(x[14], ad_sub(ad_add(ad_mul(ad_mul(u, lens), x[6]), x[7]), x[15]));
  r[1] = ad_mul(x[14], ad_sub(ad_add(ad_mul(ad_mul(v, lens), x[6]), x[8]), x[16]));
}

#undef REAL
#undef BUNDLE
