// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/yaml_text.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>

namespace trainyard {

namespace {

// What readers of YAML 1.1 take for null or a truth value, in lower case.
constexpr std::array<std::string_view, 9> kWords = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"};

// A word that begins like one and has no mark but those of paths, names and addresses.
bool is_plain_word(const std::string& text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (text.empty() || !(letter(text.front()) || text.front() == '/')) return false;
  const auto plain = [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || std::string_view("._/@-").find(c) != std::string_view::npos;
  };
  if (!std::all_of(text.begin(), text.end(), plain)) return false;
  std::string lower = text;
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return std::find(kWords.begin(), kWords.end(), lower) == kWords.end();
}

// Printable lines of which none begins or ends with a space that a block would lose.
bool is_block(const std::string& text) {
  if (text.size() < 2 || text.front() == ' ' || !text.ends_with('\n') || text.ends_with("\n\n")) return false;
  if (text.front() == '\n' || text.find(" \n") != std::string::npos) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '\n' || (c >= 0x20 && c <= 0x7E); });
}

// What needs escapes in double quotes and none in single ones.
bool is_better_in_single_quotes(const std::string& text) {
  return text.find_first_of("\\\"") != std::string::npos &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7E; });
}

void write_text(const std::string& text, YAML::Emitter& out) {
  if (is_block(text)) {
    // A block gives its last line break back.
    out << YAML::Literal << text.substr(0, text.size() - 1);
  } else if (is_plain_word(text)) {
    out << text;
  } else if (is_better_in_single_quotes(text)) {
    out << YAML::SingleQuoted << text;
  } else {
    out << YAML::DoubleQuoted << text;
  }
}

class YamlWriter {
 public:
  YamlWriter(const std::vector<std::string_view>& order, YAML::Emitter& out) : order_(order), out_(out) {}

  void write(const Json& value) {
    if (value.is_object()) {
      write_object(value);
    } else if (value.is_array()) {
      if (value.empty()) out_ << YAML::Flow;
      out_ << YAML::BeginSeq;
      for (const Json& item : value) write(item);
      out_ << YAML::EndSeq;
    } else if (value.is_string()) {
      write_text(value.get<std::string>(), out_);
    } else if (value.is_null()) {
      out_ << YAML::Null;
    } else {
      // Numbers and truth values are the same words in both.
      out_ << value.dump();
    }
  }

 private:
  void write_object(const Json& object) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : object.items()) keys.push_back(key);
    std::stable_sort(keys.begin(), keys.end(),
                     [&](const std::string& a, const std::string& b) { return place_of(a) < place_of(b); });
    if (keys.empty()) out_ << YAML::Flow;
    out_ << YAML::BeginMap;
    for (const std::string& key : keys) {
      out_ << YAML::Key;
      write_text(key, out_);
      out_ << YAML::Value;
      write(object.at(key));
    }
    out_ << YAML::EndMap;
  }

  [[nodiscard]] std::size_t place_of(std::string_view key) const {
    return static_cast<std::size_t>(std::find(order_.begin(), order_.end(), key) - order_.begin());
  }

  const std::vector<std::string_view>& order_;
  YAML::Emitter& out_;
};

}  // namespace

std::string yaml_text(const Json& document, const std::vector<std::string_view>& order) {
  YAML::Emitter out;
  YamlWriter(order, out).write(document);
  return std::string(out.c_str(), out.size()) + "\n";
}

}  // namespace trainyard
