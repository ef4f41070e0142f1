// Training steps on the tape, for bench_tensor.cc and its peers: dense networks, and the convolutional network of examples/12.
#ifndef BENCH_NET_H
#define BENCH_NET_H
#include "ad.h"
#include <benchmark/benchmark.h>
#include <vector>

struct Net {
  size_t batch, layers, width[5];
};
static const Net small_net = { 100, 2, { 784, 50, 10, 0, 0 } }, large_net = { 128, 3, { 784, 512, 512, 10, 0 } };

static std::vector<float> noise(size_t n, double scale) {
  std::vector<float> x(n);
  ad_f32_random_normal(n, 1, 0, n, x.data());
  for (float &v : x) v = (float)(scale * (double)v);
  return x;
}
static std::vector<int32_t> labels(size_t n) {
  std::vector<int32_t> l(n);
  for (size_t i = 0; i < n; i++) l[i] = (int32_t)(i * 7 % 10);
  return l;
}
static void on_tape(benchmark::State &state, const Net &net) {
  const size_t b = net.batch, n = net.layers, size[2] = { b, net.width[0] };
  const std::vector<float> x = noise(b * net.width[0], 1);
  const std::vector<int32_t> label = labels(b);
  ad_tape *t = ad_tape_create(nullptr);
  std::vector<ad_var> p;
  for (size_t l = 0; l < n; l++) {
    p.push_back(ad_tensor_normal(t, AD_F32, 2, &net.width[l], 0.01, l));
    p.push_back(ad_tensor_variable(t, AD_F32, 1, &net.width[l + 1], nullptr));
  }
  const ad_mark mark = ad_tape_mark(t);
  for (auto _ : state) {
    ad_var y = ad_tensor_borrow(t, AD_F32, 2, size, x.data());
    for (size_t l = 0; l < n; l++) y = l + 1 < n ? ad_relu(ad_linear(y, p[2 * l], p[2 * l + 1])) : ad_linear(y, p[2 * l], p[2 * l + 1]);
    y = ad_cross_entropy(y, ad_tensor_borrow(t, AD_I32, 1, &b, label.data()));
    if (ad_backward(y) != AD_OK || ad_sgd(p.data(), p.size(), nullptr, 0.1, 0, 0) != AD_OK) state.SkipWithError(ad_tape_message(t));
    ad_tape_rewind(t, mark);
  }
  ad_tape_destroy(t);
}
// conv 5x5 1 -> 8, conv 3x3 8 -> 16, each with bias, relu and pooling by 2, then 784 -> 10; batch 100, Adam
static void conv_on_tape(benchmark::State &state, ad_dtype type) {
  static const struct { int rank; size_t shape[4]; } parameter[6] = { { 4, { 8, 1, 5, 5 } }, { 3, { 8, 1, 1, 0 } }, { 4, { 16, 8, 3, 3 } },
                                                                      { 3, { 16, 1, 1, 0 } }, { 2, { 784, 10, 0, 0 } }, { 1, { 10, 0, 0, 0 } } };
  const size_t batch = 100, images[4] = { batch, 1, 28, 28 }, flat[2] = { batch, 784 };
  const std::vector<float> x32 = noise(batch * 784, 1);
  const std::vector<double> x64(x32.begin(), x32.end());
  const std::vector<int32_t> label = labels(batch);
  ad_tape *t = ad_tape_create(nullptr);
  ad_var p[6], moment[6], square[6];
  uint64_t step = 0;
  for (int k = 0; k < 6; k++) {
    p[k] = ad_tensor_normal(t, type, parameter[k].rank, parameter[k].shape, k % 2 ? 0 : 0.1, (uint64_t)k);
    moment[k] = ad_tensor_constant(t, type, parameter[k].rank, parameter[k].shape, nullptr);
    square[k] = ad_tensor_constant(t, type, parameter[k].rank, parameter[k].shape, nullptr);
  }
  const ad_mark mark = ad_tape_mark(t);
  for (auto _ : state) {
    ad_var y = ad_tensor_borrow(t, type, 4, images, type == AD_F32 ? (const void *)x32.data() : x64.data());
    y = ad_max_pool2d(ad_relu(ad_conv2d(y, p[0], 1, 2, 1, 1) + p[1]), 2, 2, 0);
    y = ad_max_pool2d(ad_relu(ad_conv2d(y, p[2], 1, 1, 1, 1) + p[3]), 2, 2, 0);
    y = ad_cross_entropy(ad_linear(ad_reshape(y, 2, flat), p[4], p[5]), ad_tensor_borrow(t, AD_I32, 1, &batch, label.data()));
    if (ad_backward(y) != AD_OK || ad_adam(p, 6, moment, square, ++step, 0.003, 0.9, 0.999, 1e-8, 0) != AD_OK) state.SkipWithError(ad_tape_message(t));
    ad_tape_rewind(t, mark);
  }
  ad_tape_destroy(t);
}
#endif
