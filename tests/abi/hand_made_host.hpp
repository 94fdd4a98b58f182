// SPDX-License-Identifier: Apache-2.0
//
// A host table written by hand, which remembers what a package told it. Not a mock of the worker's host: it is the
// other side of the C contract, as small as the contract allows.
#pragma once

#include <trainyard/abi.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace trainyard::test {

class HandMadeHost {
 public:
  HandMadeHost() = default;
  HandMadeHost(const HandMadeHost&) = delete;  // the table points here
  HandMadeHost& operator=(const HandMadeHost&) = delete;

  /// What the package said, in order, such as "log 1 hello", "metric loss 3 0.5", "explain train: ...".
  std::vector<std::string> heard;
  std::map<std::string, std::string, std::less<>> directories;
  bool cancelled = false;

  void set(const std::string& name, bool value) {
    put(name, value ? "true" : "false", {TRAINYARD_BOOLEAN, value ? 1U : 0U, 0, 0, {}});
  }
  void set(const std::string& name, std::int64_t value) {
    put(name, std::to_string(value), {TRAINYARD_INTEGER, 0, value, static_cast<double>(value), {}});
  }
  void set(const std::string& name, double value) {
    put(name, std::to_string(value), {TRAINYARD_FLOAT, 0, 0, value, {}});
  }
  void set(const std::string& name, const char* value) { put(name, value, {TRAINYARD_STRING, 0, 0, 0, {}}); }

  trainyard_host table = {
      sizeof(trainyard_host),
      TRAINYARD_ABI_MINOR,
      this,
      [](void* self, trainyard_level level, trainyard_text text) noexcept {
        of(self).heard.push_back("log " + std::to_string(level) + " " + string(text));
      },
      [](void* self, trainyard_text name, std::int64_t step, double value) noexcept {
        of(self).heard.push_back("metric " + string(name) + " " + std::to_string(step) + " " + std::to_string(value));
      },
      [](void* self, double fraction, trainyard_text note) noexcept {
        of(self).heard.push_back("progress " + std::to_string(fraction) + " " + string(note));
      },
      [](void* self) noexcept -> std::uint32_t { return of(self).cancelled ? 1 : 0; },
      [](void* self, trainyard_text reason) noexcept { of(self).heard.push_back("explain " + string(reason)); },
      [](void* self, trainyard_text name, trainyard_value* value) noexcept -> std::uint32_t {
        const auto found = of(self).parameters_.find(string(name));
        if (found == of(self).parameters_.end()) return 0;
        *value = found->second.value;
        value->text = {found->second.text.data(), found->second.text.size()};
        return 1;
      },
      [](void* self, trainyard_text name, trainyard_text* path) noexcept -> std::uint32_t {
        const auto found = of(self).directories.find(string(name));
        if (found == of(self).directories.end()) return 0;
        *path = {found->second.data(), found->second.size()};
        return 1;
      },
      [](void*, trainyard_text) noexcept -> const void* { return nullptr; },
  };

 private:
  struct Parameter {
    std::string text;
    trainyard_value value;
  };

  static HandMadeHost& of(void* self) { return *static_cast<HandMadeHost*>(self); }
  static std::string string(trainyard_text text) { return {text.data ? text.data : "", text.size}; }
  void put(const std::string& name, std::string text, trainyard_value value) {
    parameters_[name] = {std::move(text), value};
  }

  std::map<std::string, Parameter, std::less<>> parameters_;
};

}  // namespace trainyard::test
