/* The residual of bundle adjustment: where a camera sees a point, minus where it was seen. Written once for numbers of type REAL
   as the function BUNDLE; include the file once per type.
   x: camera (rotation 3, centre 3, focal length, principal point 2, distortion 2), point 3, weight. feature: 2. r: 3. */

static inline void BUNDLE(const REAL *x, const double *feature, REAL *r) {
  const REAL *camera = x, *point = x + 11, weight = x[14];
  const REAL a = camera[0], b = camera[1], c = camera[2];
  const REAL p = ad_sub(point[0], camera[3]), q = ad_sub(point[1], camera[4]), s = ad_sub(point[2], camera[5]);
  const REAL square = ad_add(ad_add(ad_mul(a, a), ad_mul(b, b)), ad_mul(c, c));
  REAL u, v, w; /* the point in the system of the camera, by the formula of Rodrigues */
  if (ad_gt(square, 0)) {
    const REAL angle = ad_sqrt(square), cosine = ad_cos(angle), sine = ad_sin(angle), inverse = ad_div(1, angle);
    const REAL i = ad_mul(a, inverse), j = ad_mul(b, inverse), k = ad_mul(c, inverse);
    const REAL t = ad_mul(ad_add(ad_add(ad_mul(i, p), ad_mul(j, q)), ad_mul(k, s)), ad_sub(1, cosine));
    u = ad_add(ad_add(ad_mul(p, cosine), ad_mul(ad_sub(ad_mul(j, s), ad_mul(k, q)), sine)), ad_mul(i, t));
    v = ad_add(ad_add(ad_mul(q, cosine), ad_mul(ad_sub(ad_mul(k, p), ad_mul(i, s)), sine)), ad_mul(j, t));
    w = ad_add(ad_add(ad_mul(s, cosine), ad_mul(ad_sub(ad_mul(i, q), ad_mul(j, p)), sine)), ad_mul(k, t));
  } else {
    u = ad_add(p, ad_sub(ad_mul(b, s), ad_mul(c, q)));
    v = ad_add(q, ad_sub(ad_mul(c, p), ad_mul(a, s)));
    w = ad_add(s, ad_sub(ad_mul(a, q), ad_mul(b, p)));
  }
  u = ad_div(u, w);
  v = ad_div(v, w);
  const REAL radius = ad_add(ad_mul(u, u), ad_mul(v, v));
  const REAL lens = ad_add(ad_add(1, ad_mul(camera[9], radius)), ad_mul(ad_mul(camera[10], radius), radius));
  r[0] = ad_mul(weight, ad_sub(ad_add(ad_mul(camera[6], ad_mul(u, lens)), camera[7]), feature[0]));
  r[1] = ad_mul(weight, ad_sub(ad_add(ad_mul(camera[6], ad_mul(v, lens)), camera[8]), feature[1]));
  r[2] = ad_sub(1, ad_mul(weight, weight));
}

#undef REAL
#undef BUNDLE
