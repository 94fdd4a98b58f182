// SPDX-License-Identifier: Apache-2.0
#include "booster.hpp"

#include <xgboost/c_api.h>

#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace tumours {

namespace {

void must(int code, const char* what) {
  if (code != 0) throw std::runtime_error(std::string("XGBoost cannot ") + what + ": " + XGBGetLastError());
}

// A table in the library's own form.
class Matrix {
 public:
  explicit Matrix(const Table& table) {
    must(XGDMatrixCreateFromMat(table.values.data(), table.rows(), table.columns(),
                                std::numeric_limits<float>::quiet_NaN(), &handle_),
         "take the table");
    try {
      must(XGDMatrixSetFloatInfo(handle_, "label", table.labels.data(), table.rows()), "take the labels");
    } catch (...) {
      XGDMatrixFree(handle_);
      throw;
    }
  }
  Matrix(const Matrix&) = delete;
  Matrix& operator=(const Matrix&) = delete;
  ~Matrix() { XGDMatrixFree(handle_); }

  [[nodiscard]] DMatrixHandle handle() const { return handle_; }

 private:
  DMatrixHandle handle_ = nullptr;
};

BoosterHandle make(const DMatrixHandle* matrices, bst_ulong count) {
  BoosterHandle handle = nullptr;
  must(XGBoosterCreate(matrices, count, &handle), "make a model");
  return handle;
}

}  // namespace

Booster::Booster(void* handle) : handle_(handle, [](void* booster) { XGBoosterFree(booster); }) {}

Booster Booster::learn(const Table& table, const Settings& settings,
                       const std::function<void(int round, double loss)>& after_round) {
  const Matrix matrix(table);
  const DMatrixHandle data = matrix.handle();
  Booster booster(make(&data, 1));
  // One thread adds in one order, so the same data gives the same model on every machine.
  const std::pair<const char*, std::string> parameters[] = {{"objective", "binary:logistic"},
                                                            {"eval_metric", "logloss"},
                                                            {"tree_method", "exact"},
                                                            {"nthread", "1"},
                                                            {"max_depth", std::to_string(settings.depth)},
                                                            {"eta", std::to_string(settings.learning_rate)},
                                                            {"seed", std::to_string(settings.seed)}};
  for (const auto& [name, value] : parameters)
    must(XGBoosterSetParam(booster.handle_.get(), name, value.c_str()), "take its settings");
  for (int round = 1; round <= settings.rounds; ++round) {
    must(XGBoosterUpdateOneIter(booster.handle_.get(), round - 1, data), "learn");
    const char* name = "training";
    const char* told = nullptr;
    must(XGBoosterEvalOneIter(booster.handle_.get(), round - 1, const_cast<DMatrixHandle*>(&data), &name, 1, &told),
         "tell how good it is");
    // "[0]\ttraining-logloss:0.4321"
    const std::string_view text = told;
    after_round(round, std::strtod(std::string(text.substr(text.rfind(':') + 1)).c_str(), nullptr));
  }
  return booster;
}

Booster Booster::load(const std::filesystem::path& file) {
  Booster booster(make(nullptr, 0));
  must(XGBoosterLoadModel(booster.handle_.get(), file.c_str()), "load the model");
  return booster;
}

void Booster::save(const std::filesystem::path& file) const {
  must(XGBoosterSaveModel(handle_.get(), file.c_str()), "save the model");
}

std::vector<float> Booster::predict(const Table& table) const {
  const Matrix matrix(table);
  bst_ulong count = 0;
  const float* out = nullptr;
  must(XGBoosterPredict(handle_.get(), matrix.handle(), 0, 0, 0, &count, &out), "predict");
  return {out, out + count};
}

}  // namespace tumours
