// SPDX-License-Identifier: Apache-2.0
// Classes that the kit takes, and which verbs their tables have. Compiling is the test.
#include <trainyard/package.hpp>

namespace {

using trainyard::Run;
using trainyard::border::table;
namespace fs = std::filesystem;

template <class Function>
constexpr bool has(Function function) {
  return function != nullptr;
}

struct TrainsOnly {
  explicit TrainsOnly(Run&) {}
  void train(const fs::path&) {}
  void save() {}
};
constexpr trainyard_package kTrainsOnly = table<TrainsOnly>();
static_assert(kTrainsOnly.struct_size == sizeof(trainyard_package));
static_assert(kTrainsOnly.minor == TRAINYARD_ABI_MINOR);
static_assert(has(kTrainsOnly.create) && has(kTrainsOnly.destroy) && has(kTrainsOnly.train) && has(kTrainsOnly.save));
static_assert(!has(kTrainsOnly.evaluate) && !has(kTrainsOnly.process_data) && !has(kTrainsOnly.predict));

struct EvaluatesOnly {
  explicit EvaluatesOnly(const Run&) {}
  double evaluate(const fs::path&) const { return 1; }
};
constexpr trainyard_package kEvaluatesOnly = table<EvaluatesOnly>();
static_assert(has(kEvaluatesOnly.evaluate) && !has(kEvaluatesOnly.train) && !has(kEvaluatesOnly.save) &&
              !has(kEvaluatesOnly.predict));

struct PredictsOnly {
  explicit PredictsOnly(Run&) {}
  std::string predict(std::string_view) { return {}; }
};
constexpr trainyard_package kPredictsOnly = table<PredictsOnly>();
static_assert(has(kPredictsOnly.predict) && !has(kPredictsOnly.train) && !has(kPredictsOnly.save) &&
              !has(kPredictsOnly.evaluate));

// Verbs may be inherited, virtual, overloaded and noexcept, take the folder by value or as text, and the class be
// final.
struct Base {
  virtual ~Base() = default;
  virtual void train(const fs::path&) = 0;
  void save() noexcept {}
};
struct Final final : Base {
  explicit Final(Run&) {}
  void train(const fs::path&) override {}
  void train(int) {}
  double evaluate(fs::path) { return 1; }
  void process_data(std::string) {}
};
constexpr trainyard_package kFinal = table<Final>();
static_assert(has(kFinal.train) && has(kFinal.save) && has(kFinal.evaluate) && has(kFinal.process_data) &&
              !has(kFinal.predict));

template <class T, int n>
struct Template : TrainsOnly {
  using TrainsOnly::TrainsOnly;
};

}  // namespace

TRAINYARD_PACKAGE(Template<double, 2>)
