// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>

#include <trainyard/package.hpp>

#include "booster.hpp"
#include "table.hpp"

namespace {

namespace fs = std::filesystem;

/// The package: tells benign tumours from malignant ones. The learning is XGBoost's; this class carries values between
/// that and the run.
class Tumours {
 public:
  explicit Tumours(trainyard::Run& run) : run_(run) {
    if (fs::exists(model_file())) model_ = tumours::Booster::load(model_file());
  }

  /// Puts every fifth tumour of each kind aside for the test. A dataset that comes divided stays as it is.
  void process_data(const fs::path& data) {
    const fs::path training = folder("training_data");
    const fs::path test = folder("test_data");
    if (tumours::has_tables(training)) {
      run_.info("the dataset comes with its own training table");
      return;
    }
    const tumours::Table table = tumours::read_tables(data);
    if (tumours::has_tables(test)) {
      tumours::write_table(training / "tumours.csv", table);
      return;
    }
    const auto [kept, held_out] = tumours::hold_out_every(5, table);
    tumours::write_table(training / "tumours.csv", kept);
    tumours::write_table(test / "tumours.csv", held_out);
    run_.info(std::to_string(kept.rows()) + " tumours are for training, " + std::to_string(held_out.rows()) +
              " for the test");
  }

  void train(const fs::path& data) {
    const tumours::Settings settings{run_.parameter<int>("rounds", 50), run_.parameter<int>("depth", 3),
                                     run_.parameter<double>("learning_rate", 0.3), run_.parameter<int>("seed", 1)};
    const tumours::Table table = tumours::read_tables(data);
    model_ = tumours::Booster::learn(table, settings, [&](int round, double loss) {
      run_.throw_if_cancelled();
      run_.metric("loss", loss, round);
      run_.progress(static_cast<double>(round) / settings.rounds, "round " + std::to_string(round));
    });
  }

  void save() { model().save(model_file()); }

  /// The share of tumours that are told right. Which of them are not is in an artifact.
  double evaluate(const fs::path& data) {
    const tumours::Table table = tumours::read_tables(data);
    const std::vector<float> benign = model().predict(table);
    std::ofstream wrong(run_.artifacts_directory() / "told_wrong.csv");
    wrong << "row,benign,probability\n";
    std::size_t right = 0;
    for (std::size_t row = 0; row < table.rows(); ++row) {
      const bool told = benign[row] >= 0.5F;
      if (told == (table.labels[row] == 1)) {
        ++right;
      } else {
        wrong << row + 1 << ',' << table.labels[row] << ',' << benign[row] << '\n';
      }
    }
    wrong.close();
    if (!wrong) throw std::runtime_error("told_wrong.csv cannot be written");
    return static_cast<double>(right) / static_cast<double>(table.rows());
  }

 private:
  [[nodiscard]] fs::path model_file() const { return run_.package_directory() / "model.json"; }

  [[nodiscard]] const tumours::Booster& model() const {
    if (!model_) throw trainyard::InvalidInput("this version has learned nothing yet; train it first");
    return *model_;
  }

  [[nodiscard]] fs::path folder(std::string_view name) const {
    if (auto path = run_.directory(name)) return *path;
    throw std::logic_error("the run has no folder " + std::string(name));
  }

  trainyard::Run& run_;
  std::optional<tumours::Booster> model_;
};

}  // namespace

TRAINYARD_PACKAGE(Tumours)
