// SPDX-License-Identifier: Apache-2.0
#include "model_file.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace digits {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFormat = "digits-model";
constexpr std::string_view kVersion = "1";
constexpr std::int64_t kMostHiddenUnits = 4096;

fs::path model_in(const fs::path& folder) { return folder / "model.txt"; }

class Reader {
 public:
  explicit Reader(const fs::path& file) : file_(file), in_(file) {
    if (!in_) refuse("cannot be opened for reading");
  }

  [[noreturn]] void refuse(const std::string& what) const { throw std::runtime_error(file_.string() + " " + what); }

  std::string line() {
    std::string text;
    if (!std::getline(in_, text)) refuse("ends in the middle; the model is incomplete");
    return text;
  }

  void format() {
    const std::string text = line();
    const std::size_t space = text.find(' ');
    if (text.substr(0, space) != kFormat || space == std::string::npos) {
      refuse("is not a model of this package: its first line is not '" + std::string(kFormat) + " " +
             std::string(kVersion) + "'");
    }
    if (text.substr(space + 1) != kVersion) {
      refuse("has version '" + text.substr(space + 1) + "' of the model format; this package reads version " +
             std::string(kVersion));
    }
  }

  std::int64_t integer(const std::string& key, std::int64_t lowest, std::int64_t highest) {
    const std::string text = line();
    std::int64_t value = 0;
    const char* first = text.data() + std::min(key.size() + 1, text.size());
    const char* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(first, last, value);
    if (!text.starts_with(key + " ") || error != std::errc() || end != last || value < lowest || value > highest) {
      refuse("is damaged: '" + text.substr(0, 60) + "' stands where '" + key + "' and a number should");
    }
    return value;
  }

  float number() {
    const std::string text = line();
    float value = 0.0F;
    const char* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, value, std::chars_format::hex);
    if (error != std::errc() || end != last || !std::isfinite(value)) {
      refuse("is damaged: '" + text.substr(0, 60) + "' is not a parameter");
    }
    return value;
  }

 private:
  const fs::path& file_;
  std::ifstream in_;
};

}  // namespace

std::optional<Model> load_model(const fs::path& folder) {
  const fs::path file = model_in(folder);
  if (!fs::exists(file)) return std::nullopt;
  Reader reader(file);
  reader.format();
  const auto hidden_units = static_cast<std::size_t>(reader.integer("hidden_units", 1, kMostHiddenUnits));
  const std::int64_t epochs = reader.integer("epochs", 0, INT64_MAX);
  const auto count = static_cast<std::int64_t>(Network::parameter_count(hidden_units));
  reader.integer("parameters", count, count);
  std::vector<float> parameters(static_cast<std::size_t>(count));
  for (float& parameter : parameters) parameter = reader.number();
  if (reader.line() != "end") reader.refuse("is damaged: it holds more parameters than it says");
  return Model{Network(hidden_units, std::move(parameters)), epochs};
}

void save_model(const fs::path& folder, const Model& model) {
  const fs::path file = model_in(folder);
  const fs::path unfinished = folder / "model.txt.unfinished";
  {
    std::ofstream out(unfinished);
    out << kFormat << ' ' << kVersion << "\nhidden_units " << model.network.hidden_units() << "\nepochs "
        << model.epochs << "\nparameters " << model.network.parameters().size() << '\n';
    for (const float parameter : model.network.parameters()) {
      char text[32];
      const auto [end, error] = std::to_chars(text, text + sizeof(text), parameter, std::chars_format::hex);
      if (error != std::errc()) throw std::runtime_error(file.string() + " cannot hold the parameters");
      out.write(text, end - text) << '\n';
    }
    out << "end\n";
    out.close();
    if (!out) throw std::runtime_error(unfinished.string() + " could not be written");
  }
  fs::rename(unfinished, file);
}

}  // namespace digits
