// Matrix products against other libraries in one process. NEEDS: libxsmm.h libxsmm-dev
// LIBS: -lxsmm -lxsmmnoblas -ldl
// OpenBLAS and BLIS are opened at run time where they are installed (libopenblas0, libblis4), so that neither takes the other's
// names; OpenBLAS twice, with the kernels it chooses itself and, on AVX-512 machines, with those for SkylakeX, which are faster.
// Eigen is compiled in where its headers are found; oneDNN is opened too (libdnnl2), it has no f64. libxsmm has no transposed products.
#include <benchmark/benchmark.h>
#include <dlfcn.h>
#include <cstdio>
#include <cstring>
#include <libxsmm.h>
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized" // in Eigen, with AVX-512 and gcc 12
#if __has_include(<eigen3/Eigen/Core>)
#include <eigen3/Eigen/Core>
#define HAVE_EIGEN
#endif
#include "gemm_bench.h"

#define DECLARE(variant) extern "C" const gemm_kernels gemm_##variant;
BENCH_VARIANTS(DECLARE)

typedef void sgemm_function(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *, int);
typedef int dnnl_function(char, char, int64_t, int64_t, int64_t, float, const float *, int64_t, const float *, int64_t, float, float *, int64_t);
typedef void dgemm_function(int, int, int, int, int, int, double, const double *, int, const double *, int, double, double *, int);
struct blas {
  sgemm_function *sgemm;
  dgemm_function *dgemm;
};

// A BLAS in a name space of its own. Settings are read while it is loaded, or by its first call; BLIS crashes there where it finds
// one, since numbers cannot be read in a further name space.
static bool open_blas(const char *file, const char *core, blas *b) {
  unsetenv("OPENBLAS_CORETYPE");
  unsetenv("OPENBLAS_L2_SIZE");
  if (core) setenv("OPENBLAS_CORETYPE", core, 1);
  unsetenv("OMP_NUM_THREADS");
  unsetenv("BLIS_NUM_THREADS");
  setenv("OPENBLAS_NUM_THREADS", "1", 1);
  void *library = dlmopen(LM_ID_NEWLM, file, RTLD_NOW);
  if (!library) {
    printf("left out: %s (%s)\n", file, dlerror());
    return false;
  }
  b->sgemm = reinterpret_cast<sgemm_function *>(dlsym(library, "cblas_sgemm"));
  b->dgemm = reinterpret_cast<dgemm_function *>(dlsym(library, "cblas_dgemm"));
  if (!b->sgemm || !b->dgemm) return false;
  const float x = 1;
  float y;
  b->sgemm(101, 111, 111, 1, 1, 1, 1, &x, 1, &x, 1, 0, &y, 1);
  return true;
}
static void run_blas(const blas &b, int size, const gemm_shape *p, const void *x, const void *y, void *z) {
  const int row_major = 101, ta = p->ta ? 112 : 111, tb = p->tb ? 112 : 111, m = (int)p->m, n = (int)p->n, k = (int)p->k;
  const int lda = p->ta ? m : k, ldb = p->tb ? k : n;
  if (size == 4) b.sgemm(row_major, ta, tb, m, n, k, 1, static_cast<const float *>(x), lda, static_cast<const float *>(y), ldb, 0, static_cast<float *>(z), n);
  else b.dgemm(row_major, ta, tb, m, n, k, 1, static_cast<const double *>(x), lda, static_cast<const double *>(y), ldb, 0, static_cast<double *>(z), n);
}

static dnnl_function *open_dnnl(void) {
  setenv("OMP_NUM_THREADS", "1", 1);
  for (const char *file : {"libdnnl.so.3", "libdnnl.so.2"})
    if (void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL)) return reinterpret_cast<dnnl_function *>(dlsym(library, "dnnl_sgemm"));
  printf("left out: oneDNN (%s)\n", dlerror());
  return nullptr;
}

static void peak(benchmark::State &state, int size, const gemm_kernels *k) {
  const size_t steps = 10000;
  for (auto _ : state) benchmark::DoNotOptimize(k->peak((size_t)size, steps));
  state.counters["flops"] = benchmark::Counter((double)steps * 24 * k->lanes[size == 8], benchmark::Counter::kIsIterationInvariantRate);
}

#ifdef HAVE_EIGEN
template <class T> static void run_eigen(const gemm_shape *p, const void *x, const void *y, void *z) {
  typedef Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> matrix;
  typedef Eigen::Map<const matrix> operand;
  const auto m = (Eigen::Index)p->m, n = (Eigen::Index)p->n, k = (Eigen::Index)p->k;
  const operand a(static_cast<const T *>(x), p->ta ? k : m, p->ta ? m : k), b(static_cast<const T *>(y), p->tb ? n : k, p->tb ? k : n);
  Eigen::Map<matrix> c(static_cast<T *>(z), m, n);
  if (p->ta) c.noalias() = a.transpose() * b;
  else if (p->tb) c.noalias() = a * b.transpose();
  else c.noalias() = a * b;
}
#endif

int main(int argc, char **argv) {
  blas own, skylake, blis;
  const bool have_own = open_blas("libopenblas.so.0", nullptr, &own), have_blis = open_blas("libblis.so.4", nullptr, &blis);
  const bool have_skylake = have_own && __builtin_cpu_supports("avx512f") && open_blas("libopenblas.so.0", "SkylakeX", &skylake);
  dnnl_function *const dnnl = open_dnnl();
  unsetenv("OPENBLAS_CORETYPE");
  libxsmm_init();
  for (int size = 4; size <= 8; size += 4) {
#define PEAK(variant) benchmark::RegisterBenchmark((type_name(size) + "/fma in registers/" #variant).c_str(), peak, size, &gemm_##variant);
    BENCH_VARIANTS(PEAK)
  }
  for (int size = 4; size <= 8; size += 4)
    for (const gemm_shape &shape : shapes) {
#define ROW(variant) \
  if (strcmp(#variant, "novec") != 0 && strcmp(#variant, "scalar") != 0) \
    add(shape, size, #variant, gemm_##variant.work(size, &shape), gemm_##variant.run);
      BENCH_VARIANTS(ROW)
      if (have_own) add(shape, size, "OpenBLAS", 0, [=](int s, const gemm_shape *p, const void *a, const void *b, void *c, void *) { run_blas(own, s, p, a, b, c); });
      if (have_skylake) add(shape, size, "OpenBLAS-SkylakeX", 0, [=](int s, const gemm_shape *p, const void *a, const void *b, void *c, void *) { run_blas(skylake, s, p, a, b, c); });
      if (have_blis) add(shape, size, "BLIS", 0, [=](int s, const gemm_shape *p, const void *a, const void *b, void *c, void *) { run_blas(blis, s, p, a, b, c); });
#ifdef HAVE_EIGEN
      add(shape, size, "Eigen", 0, [](int s, const gemm_shape *p, const void *a, const void *b, void *c, void *) { s == 4 ? run_eigen<float>(p, a, b, c) : run_eigen<double>(p, a, b, c); });
#endif
      if (dnnl && size == 4)
        add(shape, size, "oneDNN", 0, [=](int, const gemm_shape *p, const void *a, const void *b, void *c, void *) {
          const int64_t m = (int64_t)p->m, n = (int64_t)p->n, k = (int64_t)p->k;
          dnnl(p->ta ? 'T' : 'N', p->tb ? 'T' : 'N', m, n, k, 1, static_cast<const float *>(a), p->ta ? m : k, static_cast<const float *>(b), p->tb ? k : n, 0, static_cast<float *>(c), n);
        });
      if (shape.ta || shape.tb) continue;
      // libxsmm has columns first: C' = B' A'
      const int m = (int)shape.n, n = (int)shape.m, k = (int)shape.k;
      if (size == 4) {
        const float one = 1, zero = 0;
        libxsmm_smmfunction f = libxsmm_smmdispatch(m, n, k, &m, &k, &m, &one, &zero, nullptr, nullptr);
        if (f) add(shape, size, "libxsmm", 0, [=](int, const gemm_shape *, const void *a, const void *b, void *c, void *) { f(static_cast<const float *>(b), static_cast<const float *>(a), static_cast<float *>(c)); });
      } else {
        const double one = 1, zero = 0;
        libxsmm_dmmfunction f = libxsmm_dmmdispatch(m, n, k, &m, &k, &m, &one, &zero, nullptr, nullptr);
        if (f) add(shape, size, "libxsmm", 0, [=](int, const gemm_shape *, const void *a, const void *b, void *c, void *) { f(static_cast<const double *>(b), static_cast<const double *>(a), static_cast<double *>(c)); });
      }
    }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
