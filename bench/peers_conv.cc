// Convolutions against oneDNN in one process. NEEDS: dnnl.hpp libdnnl-dev
// LIBS: -ldnnl
// oneDNN runs with tensors in the layouts that it chooses, their conversion not measured (oneDNN-blocked), and with tensors N C H W as
// ours, which it converts (oneDNN). It has no convolutions of f64.
#include <benchmark/benchmark.h>
#include <dnnl.hpp>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>
#include "kernels_conv.h"

#define DECLARE(variant) extern "C" const conv_kernels conv_##variant;
BENCH_VARIANTS(DECLARE)

static const struct {
  const char *name;
  ad_conv p;
} shapes[] = {
    {"32x16x28x28 to 32, 3x3", {32, 16, 28, 28, 32, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1}},
    {"32x1x28x28 to 20, 5x5", {32, 1, 28, 28, 20, {5, 5}, {1, 1}, {0, 0}, {1, 1}, 1}},
    {"8x64x28x28 to 64, 3x3 stride 2", {8, 64, 28, 28, 64, {3, 3}, {2, 2}, {1, 1}, {1, 1}, 1}},
    {"8x64x28x28 to 128, 1x1", {8, 64, 28, 28, 128, {1, 1}, {1, 1}, {0, 0}, {1, 1}, 1}},
};
static const char *const parts[] = {"forward", "backward", "forward + backward"};

struct problem {
  ad_conv p;
  size_t h = 0, w = 0, nx, nw, ny;
  explicit problem(const ad_conv &q) : p(q) {
    if (!ad_conv_shape(&p, &h, &w)) abort();
    nx = p.batch * p.channels * p.height * p.width, nw = p.filters * p.channels / p.groups * p.kernel[0] * p.kernel[1], ny = p.batch * p.filters * h * w;
  }
};
static float *numbers(size_t n) {
  float *a = static_cast<float *>(aligned_alloc(64, (n * sizeof(float) + 127) / 64 * 64));
  for (size_t i = 0; i < n; i++) a[i] = (float)(i * 7 % 17) / 8 - 1;
  return a;
}
static void count(benchmark::State &state, const problem &q, int which) {
  const double flops = 2.0 * (double)q.ny * (double)(q.nw / q.p.filters) * (which == CONV_FORWARD ? 1 : which == CONV_BACKWARD ? 2 : 3);
  state.counters["flops"] = benchmark::Counter(flops, benchmark::Counter::kIsIterationInvariantRate);
}
static void run(benchmark::State &state, int which, const problem *q, const conv_kernels *k) {
  float *x = numbers(q->nx), *f = numbers(q->nw), *y = numbers(q->ny), *gx = numbers(q->nx), *gw = numbers(q->nw);
  void *work = aligned_alloc(64, (k->work(&q->p) + 63) / 64 * 64);
  for (auto _ : state) {
    k->run(which, &q->p, x, f, y, gx, gw, work);
    benchmark::ClobberMemory();
  }
  count(state, *q, which);
  free(x), free(f), free(y), free(gx), free(gw), free(work);
}

using dnnl::memory;
typedef std::unordered_map<int, memory> arguments;
static dnnl::engine &engine() {
  static dnnl::engine e(dnnl::engine::kind::cpu, 0);
  return e;
}
static dnnl::stream &stream() {
  static dnnl::stream s(engine());
  return s;
}
// one primitive with its operands, in N C H W and, where it wants others, converted
struct step {
  dnnl::primitive primitive;
  arguments operands;
  std::vector<std::pair<dnnl::reorder, arguments>> before, after;
  void operand(int name, const memory &plain, const memory::desc &wanted, bool result) {
    memory own = wanted == plain.get_desc() ? plain : memory(wanted, engine());
    operands[name] = own;
    if (own == plain) return;
    const memory &from = result ? own : plain, &to = result ? plain : own;
    (result ? after : before).push_back({dnnl::reorder(from, to), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}}});
    dnnl::reorder(plain, own).execute(stream(), {{DNNL_ARG_FROM, plain}, {DNNL_ARG_TO, own}});
  }
  void run(bool convert) {
    if (convert) for (auto &r : before) r.first.execute(stream(), r.second);
    primitive.execute(stream(), operands);
    if (convert) for (auto &r : after) r.first.execute(stream(), r.second);
  }
};
static void run_dnnl(benchmark::State &state, int which, const problem *q, bool convert) {
  const ad_conv &p = q->p;
  const auto dim = [](size_t n) { return (memory::dim)n; };
  const memory::dims dx = {dim(p.batch), dim(p.channels), dim(p.height), dim(p.width)}, dw = {dim(p.filters), dim(p.channels), dim(p.kernel[0]), dim(p.kernel[1])},
                     dy = {dim(p.batch), dim(p.filters), dim(q->h), dim(q->w)}, strides = {dim(p.stride[0]), dim(p.stride[1])}, padding = {dim(p.padding[0]), dim(p.padding[1])};
  const auto plain = [](const memory::dims &d) {
    memory m({d, memory::data_type::f32, memory::format_tag::abcd}, engine());
    float *a = static_cast<float *>(m.get_data_handle());
    for (size_t i = 0; i < m.get_desc().get_size() / sizeof(float); i++) a[i] = (float)(i * 7 % 17) / 8 - 1;
    return m;
  };
  const auto any = [](const memory::dims &d) { return memory::desc(d, memory::data_type::f32, memory::format_tag::any); };
  memory x = plain(dx), w = plain(dw), y = plain(dy), gx = plain(dx), gw = plain(dw);
  const auto kind = dnnl::algorithm::convolution_direct;
  const dnnl::convolution_forward::primitive_desc forward({dnnl::prop_kind::forward_training, kind, any(dx), any(dw), any(dy), strides, padding, padding}, engine());
  const dnnl::convolution_backward_data::primitive_desc data({kind, any(dx), any(dw), any(dy), strides, padding, padding}, engine(), forward);
  const dnnl::convolution_backward_weights::primitive_desc filter({kind, any(dx), any(dw), any(dy), strides, padding, padding}, engine(), forward);
  std::vector<step> steps(3);
  steps[0].primitive = dnnl::convolution_forward(forward);
  steps[0].operand(DNNL_ARG_SRC, x, forward.src_desc(), false);
  steps[0].operand(DNNL_ARG_WEIGHTS, w, forward.weights_desc(), false);
  steps[0].operand(DNNL_ARG_DST, y, forward.dst_desc(), true);
  steps[1].primitive = dnnl::convolution_backward_data(data);
  steps[1].operand(DNNL_ARG_DIFF_DST, y, data.diff_dst_desc(), false);
  steps[1].operand(DNNL_ARG_WEIGHTS, w, data.weights_desc(), false);
  steps[1].operand(DNNL_ARG_DIFF_SRC, gx, data.diff_src_desc(), true);
  steps[2].primitive = dnnl::convolution_backward_weights(filter);
  steps[2].operand(DNNL_ARG_DIFF_DST, y, filter.diff_dst_desc(), false);
  steps[2].operand(DNNL_ARG_SRC, x, filter.src_desc(), false);
  steps[2].operand(DNNL_ARG_DIFF_WEIGHTS, gw, filter.diff_weights_desc(), true);
  for (auto _ : state) {
    if (which != CONV_BACKWARD) steps[0].run(convert);
    if (which != CONV_FORWARD) steps[1].run(convert), steps[2].run(convert);
    stream().wait();
    benchmark::ClobberMemory();
  }
  count(state, *q, which);
}

int main(int argc, char **argv) {
  static const std::vector<problem> problems = [] {
    std::vector<problem> all;
    for (auto &shape : shapes) all.emplace_back(shape.p);
    return all;
  }();
  for (size_t i = 0; i < problems.size(); i++)
    for (int which = 0; which < 3; which++) {
      const std::string name = std::string(shapes[i].name) + " " + parts[which];
#define ROW(variant) \
  if (strcmp(#variant, "novec") != 0 && strcmp(#variant, "scalar") != 0) \
    benchmark::RegisterBenchmark((name + "/" #variant).c_str(), run, which, &problems[i], &conv_##variant);
      BENCH_VARIANTS(ROW)
      benchmark::RegisterBenchmark((name + "/oneDNN").c_str(), run_dnnl, which, &problems[i], true);
      benchmark::RegisterBenchmark((name + "/oneDNN-blocked").c_str(), run_dnnl, which, &problems[i], false);
    }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
