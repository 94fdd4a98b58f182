// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "table.hpp"

namespace tumours {

struct Settings {
  int rounds = 50;
  int depth = 3;
  double learning_rate = 0.3;
  int seed = 1;
};

// Boosted trees of XGBoost that tell benign tumours from malignant ones. What goes wrong in the library is a
// std::runtime_error with its own words.
class Booster {
 public:
  // Learns from `table`; `after_round` is told the round, from 1 on, and the log loss on the same table.
  static Booster learn(const Table& table, const Settings& settings,
                       const std::function<void(int round, double loss)>& after_round);
  static Booster load(const std::filesystem::path& file);
  // JSON, as XGBoost writes it.
  void save(const std::filesystem::path& file) const;

  // The probability that each tumour is benign.
  [[nodiscard]] std::vector<float> predict(const Table& table) const;

 private:
  explicit Booster(void* handle);

  std::shared_ptr<void> handle_;
};

}  // namespace tumours
