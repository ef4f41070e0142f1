/* Handwritten digits for the examples: IDX files (plain, or .gz: link with -lz), digits drawn from strokes with seeded distortions,
   and a picture. */
#ifndef DIGITS_H
#define DIGITS_H

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>
#include <math.h>
#include <zlib.h>

enum { SIDE = 28, PIXELS = SIDE * SIDE, CLASSES = 10 };
typedef struct digits {
  size_t n;
  double *pixel;  /* (n, 28, 28), 0 to 1 */
  int32_t *label; /* (n) */
} digits;

static inline void digits_free(digits *d) {
  free(d->pixel);
  free(d->label);
}

/* the bytes of an IDX file, its counts in size[0 .. rank-1]; NULL and a sentence on stderr if it is none */
static inline unsigned char *digits_idx(const char *path, int rank, size_t *size) {
  unsigned char head[16], *data = NULL;
  size_t bytes = 1, want = 4 + 4 * (size_t)rank, got;
  gzFile f = gzopen(path, "rb"); /* plain files too */
  if (!f) {
    fprintf(stderr, "%s: cannot be opened\n", path);
    return NULL;
  }
  got = (size_t)gzread(f, head, (unsigned)want);
  if (got == want && head[0] == 0 && head[1] == 0 && head[2] == 8 && head[3] == rank) {
    for (int i = 0; i < rank; i++) {
      const unsigned char *p = head + 4 + 4 * i;
      size[i] = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
      bytes *= size[i] < 1 << 20 ? size[i] : 0;
    }
    data = bytes ? (unsigned char *)malloc(bytes) : NULL;
  }
  if (!data) fprintf(stderr, "%s: not an IDX file of bytes with %d dimensions\n", path, rank);
  else if (bytes > INT_MAX || gzread(f, data, (unsigned)bytes) != (int)bytes) {
    fprintf(stderr, "%s: ends early\n", path);
    free(data);
    data = NULL;
  }
  gzclose(f);
  return data;
}
static inline int digits_read(digits *d, const char *images, const char *labels) {
  size_t size[3] = { 0, 0, 0 }, count = 0;
  unsigned char *image = digits_idx(images, 3, size), *label = image ? digits_idx(labels, 1, &count) : NULL;
  int fine = image && label && size[0] == count && size[1] == SIDE && size[2] == SIDE;
  if (image && label && !fine) fprintf(stderr, "%s, %s: %zu images of %zu x %zu, %zu labels\n", images, labels, size[0], size[1], size[2], count);
  d->n = count;
  d->pixel = fine ? (double *)malloc(count * PIXELS * sizeof(double)) : NULL;
  d->label = fine ? (int32_t *)malloc(count * sizeof(int32_t)) : NULL;
  fine = fine && d->pixel && d->label;
  for (size_t i = 0; fine && i < count * PIXELS; i++) d->pixel[i] = image[i] / 255.0;
  for (size_t i = 0; fine && i < count; i++) fine = (d->label[i] = label[i]) < CLASSES;
  free(image);
  free(label);
  return fine;
}

/* numbers in [-1, 1) that depend on the seed alone */
static inline double digits_noise(uint64_t *seed) {
  *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (double)(*seed >> 11) * 0x1p-52 - 1;
}
/* Each digit is strokes between points of a 3 x 5 grid (a letter a point, row by row from 'a'), turned, sheared, scaled, moved. */
static inline int digits_draw(digits *d, size_t n, uint64_t seed) {
  static const char *const strokes[CLASSES] = { "acomea", "dbn mo", "dbfhmo", "acgio hg", "kgb gi", "cagilnm", "cdjoni jg", "acm",
                                                "acomea gi", "igaco" };
  d->n = n;
  d->pixel = (double *)calloc(n * PIXELS, sizeof(double));
  d->label = (int32_t *)malloc(n * sizeof(int32_t));
  if (!d->pixel || !d->label) return 0;
  for (size_t i = 0; i < n; i++) {
    const int digit = d->label[i] = (int32_t)((i * 7 + i / CLASSES) % CLASSES);
    const double turn = 0.25 * digits_noise(&seed), shear = 0.2 * digits_noise(&seed), size = 4.2 + 0.6 * digits_noise(&seed);
    const double left = 13.5 + 2 * digits_noise(&seed), top = 13.5 + 2 * digits_noise(&seed), width = 1.3 + 0.5 * digits_noise(&seed);
    double bend[15][2];
    for (int k = 0; k < 15; k++) {
      const double x = k % 3 - 1 + 0.15 * digits_noise(&seed), y = k / 3 - 2 + 0.15 * digits_noise(&seed), u = 1.3 * x + shear * y;
      bend[k][0] = left + size * (u * cos(turn) - y * sin(turn));
      bend[k][1] = top + size * (u * sin(turn) + y * cos(turn));
    }
    for (const char *s = strokes[digit]; s[1]; s++) {
      if (s[0] == ' ' || s[1] == ' ') continue;
      const double *a = bend[s[0] - 'a'], *b = bend[s[1] - 'a'], dx = b[0] - a[0], dy = b[1] - a[1], length = dx * dx + dy * dy + 1e-9;
      for (int p = 0; p < PIXELS; p++) {
        const double x = p % SIDE - a[0], y = p / SIDE - a[1], t = fmin(1, fmax(0, (x * dx + y * dy) / length));
        const double ink = width + 0.5 - hypot(x - t * dx, y - t * dy);
        double *to = &d->pixel[i * PIXELS + (size_t)p];
        *to = fmax(*to, fmin(1, fmax(0, ink)));
      }
    }
  }
  return 1;
}

/* from the files path[0] (images) and path[1] (labels), or n drawn ones */
static inline int digits_of(digits *d, size_t n, char **path) { return path ? digits_read(d, path[0], path[1]) : digits_draw(d, n, n); }

/* PROGRAM.pgm: the loss curve, and below it twenty digits; a bar under a digit says that it was classified wrongly */
static inline int digits_picture(const char *program, size_t n, const double *loss, const digits *d, const int32_t *found) {
  enum { WIDE = 10 * (SIDE + 2), CURVE = 100, HIGH = CURVE + 2 * (SIDE + 4) };
  static unsigned char canvas[HIGH][WIDE];
  char path[600];
  double most = 1e-12;
  memset(canvas, 255, sizeof canvas);
  for (size_t i = 0; i < n; i++) most = fmax(most, loss[i]);
  for (int x = 0; n && x < WIDE; x++) {
    const int y = (int)((CURVE - 1) * (1 - loss[(size_t)x * n / WIDE] / most));
    for (int k = y; k < CURVE; k++) canvas[k][x] = k == y ? 0 : 200;
  }
  for (size_t i = 0; i < 20 && i < d->n; i++)
    for (int p = 0; p < SIDE * (SIDE + 2); p++) {
      const size_t y = CURVE + 2 + i / 10 * (SIDE + 4) + (size_t)(p / SIDE), x = i % 10 * (SIDE + 2) + (size_t)(p % SIDE);
      if (p < PIXELS) canvas[y][x] = (unsigned char)(255 - 255 * d->pixel[i * PIXELS + (size_t)p]);
      else canvas[y][x] = found[i] == d->label[i] ? 255 : 0;
    }
  snprintf(path, sizeof path, "%s.pgm", program);
  FILE *f = fopen(path, "wb");
  if (!f) return 0;
  fprintf(f, "P5 %d %d 255\n", WIDE, HIGH);
  fwrite(canvas, 1, sizeof canvas, f);
  return fclose(f) == 0;
}

#endif
