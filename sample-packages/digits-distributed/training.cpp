// SPDX-License-Identifier: Apache-2.0
#include "training.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

namespace distributed {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random random(seed);
  for (std::size_t left = count; left > 1; --left) std::swap(order[left - 1], order[random.below(left)]);
  return order;
}

/// Which images of its own a worker takes in which step.
class Steps {
 public:
  Steps(const Share& share, std::size_t batch_size, trainyard::World& world) : own_files_(share.own_files) {
    own_ = share.training.size();
    std::vector<double> all = {static_cast<double>(own_)};
    if (own_files_) world.all_reduce(std::span<double>(all));
    count_ = (static_cast<std::size_t>(all.front()) + batch_size - 1) / batch_size;
    rank_ = world.rank();
    size_ = world.size();
    batch_size_ = batch_size;
  }

  std::size_t count() const { return count_; }

  template <class Take>
  void in_step(std::size_t step, const std::vector<std::size_t>& order, Take take) const {
    if (own_files_) {
      for (std::size_t i = own_ * step / count_; i < own_ * (step + 1) / count_; ++i) take(order[i]);
    } else {
      const std::size_t end = std::min((step + 1) * batch_size_, own_);
      for (std::size_t i = step * batch_size_ + rank_; i < end; i += size_) take(order[i]);
    }
  }

 private:
  bool own_files_;
  std::size_t own_ = 0;
  std::size_t count_ = 0;
  std::size_t rank_ = 0;
  std::size_t size_ = 1;
  std::size_t batch_size_ = 1;
};

/// Each worker looks at its part of the images that were held out.
double accuracy(const Classifier& classifier, const Share& share, trainyard::World& world) {
  std::vector<double> right_and_all = {0.0, 0.0};
  const std::size_t step = share.own_files ? 1 : world.size();
  for (std::size_t i = share.own_files ? 0 : world.rank(); i < share.held_out.size(); i += step) {
    const Example& example = share.held_out[i];
    right_and_all[0] += classifier.most_likely(example.pixels) == example.digit ? 1.0 : 0.0;
    right_and_all[1] += 1.0;
  }
  world.all_reduce(std::span<double>(right_and_all));
  return right_and_all[0] / std::max(right_and_all[1], 1.0);
}

}  // namespace

void train(Classifier& classifier, const Share& share, const Settings& settings, trainyard::World& world,
           const std::function<void(const Epoch&)>& after_epoch) {
  const std::span<double> parameters = classifier.parameters();
  // Whatever the workers began with, they go on with the same.
  world.broadcast(parameters);
  const Steps steps(share, settings.batch_size, world);
  // One message for each step: the gradient, the loss, and of how many images.
  std::vector<double> sums(parameters.size() + 2);
  for (std::int64_t number = 1; number <= settings.epochs; ++number) {
    const auto begin = Clock::now();
    const std::uint64_t seed = settings.seed + static_cast<std::uint64_t>(number) * 1'000'003U;
    const auto order = shuffled(share.training.size(), share.own_files ? seed + world.rank() : seed);
    double loss = 0.0;
    double seen = 0.0;
    for (std::size_t step = 0; step < steps.count(); ++step) {
      std::fill(sums.begin(), sums.end(), 0.0);
      const std::span<double> gradient(sums.data(), parameters.size());
      steps.in_step(step, order, [&](std::size_t image) {
        sums[sums.size() - 2] += classifier.add_gradient(share.training[image], gradient);
        sums.back() += 1.0;
      });
      world.all_reduce(std::span<double>(sums));
      const double rate = settings.learning_rate / std::max(sums.back(), 1.0);
      for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i] -= rate * gradient[i];
      loss += sums[sums.size() - 2];
      seen += sums.back();
    }
    // All workers have the same sums, so all of them say this, or none.
    if (!std::isfinite(loss)) throw trainyard::InvalidInput("the training diverged; learning_rate is too large");
    const double right = accuracy(classifier, share, world);
    after_epoch(
        {number, loss / std::max(seen, 1.0), right, std::chrono::duration<double>(Clock::now() - begin).count()});
  }
}

}  // namespace distributed
