// SPDX-License-Identifier: Apache-2.0
// One class per mistake that an author can make; CMakeLists.txt has the sentence that the compiler must say for each.
#include <trainyard/package.hpp>

namespace fs = std::filesystem;

struct Package {
#if !defined(constructor_takes_no_run)
  explicit Package(trainyard::Run& r) : run(&r) {}
#endif
  trainyard::Run* run = nullptr;

#if defined(train_takes_nothing)
  void train() {}
  void save() {}
#elif defined(train_returns_something)
  bool train(const fs::path&) { return true; }
  void save() {}
#elif defined(train_changes_its_argument)
  void train(fs::path&) {}
  void save() {}
#elif defined(train_is_private)
 private:
  void train(const fs::path&) {}

 public:
  void save() {}
#elif defined(train_is_overloaded_wrongly)
  void train(int) {}
  void train(double) {}
  void save() {}
#elif defined(train_without_save)
  void train(const fs::path&) {}
#elif defined(save_without_train)
  void save() {}
  double evaluate(const fs::path&) { return 1; }
#elif defined(save_takes_a_path)
  void train(const fs::path&) {}
  void save(const fs::path&) {}
#elif defined(evaluate_returns_text)
  std::string evaluate(const fs::path&) { return {}; }
#elif defined(evaluate_returns_nothing)
  void evaluate(const fs::path&) {}
#elif defined(process_data_takes_two)
  void train(const fs::path&) {}
  void save() {}
  void process_data(const fs::path&, const fs::path&) {}
#elif defined(predict_takes_a_string)
  std::string predict(const std::string& input) { return input; }
#elif defined(predict_returns_a_view)
  std::string_view predict(std::string_view input) { return input; }
#elif defined(predict_is_a_variable)
  int predict = 0;
#elif defined(verbs_are_misspelt)
  void Train(const fs::path&) {}
  void Save() {}
#elif defined(only_processes_data)
  void process_data(const fs::path&) {}
#elif defined(parameter_as_a_pointer)
  double evaluate(const fs::path&) { return *run->parameter<const char*>("name"); }
#else
  double evaluate(const fs::path&) { return 1; }
#endif
};

TRAINYARD_PACKAGE(Package)
