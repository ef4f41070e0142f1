// Training steps beside libtorch, one thread each, floats: networks 784-50-10 and 784-512-512-10 with SGD, the convolutional network
// of examples/12 with Adam; and the dense steps written by hand with Eigen. NEEDS: torch/torch.h libtorch-dev
// WITH: Eigen/Dense libeigen3-dev
// LIBS: -ltorch -ltorch_cpu -lc10
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized" // gcc's own intrinsics, inlined by Eigen
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wextra"
#include <torch/torch.h>
#if __has_include(<Eigen/Dense>)
#include <Eigen/Dense>
#define HAVE_EIGEN
#endif
#pragma GCC diagnostic pop
#include <benchmark/benchmark.h>
#define AD_IMPLEMENTATION
#include "ad.h"
#include "net.h"

static torch::Tensor random_tensor(at::IntArrayRef shape, double scale) { return (torch::randn(shape) * scale).set_requires_grad(true); }
static torch::Tensor label_tensor(size_t n) {
  const std::vector<int32_t> l = labels(n);
  torch::Tensor t = torch::empty({(int64_t)n}, torch::kInt64);
  for (size_t i = 0; i < n; i++) t[(int64_t)i] = (int64_t)l[i];
  return t;
}
static void by_torch(benchmark::State &state, const Net &net) {
  const int64_t b = (int64_t)net.batch;
  std::vector<torch::Tensor> p;
  for (size_t l = 0; l < net.layers; l++) {
    p.push_back(random_tensor({(int64_t)net.width[l], (int64_t)net.width[l + 1]}, 0.01));
    p.push_back(random_tensor({(int64_t)net.width[l + 1]}, 0));
  }
  const torch::Tensor x = torch::randn({b, (int64_t)net.width[0]}), label = label_tensor(net.batch);
  torch::optim::SGD sgd(p, torch::optim::SGDOptions(0.1));
  for (auto _ : state) {
    torch::Tensor y = x;
    sgd.zero_grad();
    for (size_t l = 0; l < net.layers; l++) {
      y = torch::addmm(p[2 * l + 1], y, p[2 * l]);
      if (l + 1 < net.layers) y = torch::relu(y);
    }
    torch::nn::functional::cross_entropy(y, label).backward();
    sgd.step();
  }
}
static void conv_by_torch(benchmark::State &state) {
  const std::vector<torch::Tensor> p = { random_tensor({8, 1, 5, 5}, 0.1), random_tensor({8}, 0), random_tensor({16, 8, 3, 3}, 0.1),
                                         random_tensor({16}, 0), random_tensor({784, 10}, 0.1), random_tensor({10}, 0) };
  const torch::Tensor x = torch::randn({100, 1, 28, 28}), label = label_tensor(100);
  torch::optim::Adam adam(p, torch::optim::AdamOptions(0.003));
  for (auto _ : state) {
    adam.zero_grad();
    torch::Tensor y = torch::max_pool2d(torch::relu(torch::conv2d(x, p[0], p[1], 1, 2)), 2);
    y = torch::max_pool2d(torch::relu(torch::conv2d(y, p[2], p[3], 1, 1)), 2).reshape({100, 784});
    torch::nn::functional::cross_entropy(torch::addmm(p[5], y, p[4]), label).backward();
    adam.step();
  }
}
#ifdef HAVE_EIGEN
static void by_eigen(benchmark::State &state, const Net &net) {
  typedef Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> Matrix;
  const Eigen::Index b = (Eigen::Index)net.batch;
  const size_t n = net.layers;
  std::vector<Matrix> w(n), a(n + 1), g(n + 1), gw(n);
  std::vector<Eigen::RowVectorXf> bias(n);
  const std::vector<int32_t> label = labels(net.batch);
  a[0] = Matrix::Random(b, (Eigen::Index)net.width[0]);
  for (size_t l = 0; l < n; l++) {
    w[l] = 0.01f * Matrix::Random((Eigen::Index)net.width[l], (Eigen::Index)net.width[l + 1]);
    bias[l] = Eigen::RowVectorXf::Zero((Eigen::Index)net.width[l + 1]);
  }
  for (auto _ : state) {
    for (size_t l = 0; l < n; l++) {
      a[l + 1].noalias() = a[l] * w[l];
      a[l + 1].rowwise() += bias[l];
      if (l + 1 < n) a[l + 1] = a[l + 1].cwiseMax(0.0f);
    }
    g[n] = (a[n].colwise() - a[n].rowwise().maxCoeff()).array().exp().matrix();
    g[n] = (g[n].array().colwise() / g[n].rowwise().sum().array()).matrix();
    for (Eigen::Index i = 0; i < b; i++) g[n](i, label[(size_t)i]) -= 1;
    g[n] /= (float)b;
    for (size_t l = n; l-- > 0;) {
      gw[l].noalias() = a[l].transpose() * g[l + 1];
      if (l) {
        g[l].noalias() = g[l + 1] * w[l].transpose();
        g[l] = (a[l].array() > 0).select(g[l], 0.0f);
      }
      w[l] -= 0.1f * gw[l];
      bias[l] -= 0.1f * g[l + 1].colwise().sum();
    }
    benchmark::DoNotOptimize(w[0].data());
  }
}
#endif
static void dense(const char *work, const Net &net) {
  const std::string name = work;
  benchmark::RegisterBenchmark((name + "/ad_tape").c_str(), [&net](benchmark::State &s) { on_tape(s, net); });
  benchmark::RegisterBenchmark((name + "/libtorch").c_str(), [&net](benchmark::State &s) { by_torch(s, net); });
#ifdef HAVE_EIGEN
  benchmark::RegisterBenchmark((name + "/eigen_by_hand").c_str(), [&net](benchmark::State &s) { by_eigen(s, net); });
#endif
}
int main(int argc, char **argv) {
  at::set_num_threads(1);
  dense("step_784_50_10", small_net);
  dense("step_784_512_512_10", large_net);
  benchmark::RegisterBenchmark("conv_step_100/ad_tape", [](benchmark::State &s) { conv_on_tape(s, AD_F32); });
  benchmark::RegisterBenchmark("conv_step_100/libtorch", conv_by_torch);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
