// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/package_host.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "runner/worker/inner_process.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

std::string_view view(trainyard_text text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, static_cast<std::size_t>(text.size));
}

trainyard_text borrowed(const std::string& text) { return {text.data(), text.size()}; }

// Cut first by bytes, so that a gigabyte is not cleaned for the sake of its beginning.
std::string cleaned(std::string_view text, std::size_t characters) {
  const std::string clean = utf8_cleaned(text.substr(0, 4 * characters));
  return std::string(utf8_prefix(clean, characters));
}

std::string_view level_name(trainyard_level level) {
  switch (level) {
    case TRAINYARD_DEBUG: return "debug";
    case TRAINYARD_WARNING: return "warning";
    case TRAINYARD_ERROR: return "error";
    default: return "info";
  }
}

trainyard_value value_of(const ParameterValue& value, const std::string& text) {
  trainyard_value result{};
  result.text = borrowed(text);
  switch (type_of(value)) {
    case ParameterType::text: result.type = TRAINYARD_STRING; break;
    case ParameterType::integer:
      result.type = TRAINYARD_INTEGER;
      result.integer = std::get<std::int64_t>(value);
      result.number = static_cast<double>(result.integer);
      break;
    case ParameterType::number:
      result.type = TRAINYARD_FLOAT;
      result.number = std::get<double>(value);
      break;
    case ParameterType::boolean:
      result.type = TRAINYARD_BOOLEAN;
      result.boolean = std::get<bool>(value) ? 1 : 0;
      break;
  }
  return result;
}

// Host functions cannot fail: without memory, what was told is lost.
template <class Body>
void quietly(Body body) noexcept {
  try {
    body();
  } catch (...) {
  }
}

}  // namespace

struct PackageHost::Calls {
  static PackageHost& host(void* self) { return *static_cast<PackageHost*>(self); }

  static void warn(PackageHost& host, const std::string& text) {
    static_cast<void>(host.events_.write(event::Logged{"warning", text}));
  }

  static void log(void* self, trainyard_level level, trainyard_text text) noexcept {
    quietly([&] {
      static_cast<void>(
          host(self).events_.write(event::Logged{std::string(level_name(level)), cleaned(view(text), kLogCharacters)}));
    });
  }

  static void metric(void* self, trainyard_text name, std::int64_t step, double value) noexcept {
    quietly([&] {
      const std::string shown = host(self).events_.redacted(view(name));
      if (is_metric_name(shown) && step >= 0) {
        static_cast<void>(host(self).events_.write(event::Measured{std::string(view(name)), step, value}));
      } else {
        warn(host(self), "dropped the metric '" + cleaned(shown, limits::kMetricNameBytes) + "' of step " +
                             std::to_string(step) +
                             ": a name is 1 to 64 letters, digits, '_' or '-', and a step is 0 or more");
      }
    });
  }

  static void progress(void* self, double fraction, trainyard_text note) noexcept {
    quietly([&] {
      if (std::isnan(fraction)) return warn(host(self), "dropped a progress that is not a number");
      static_cast<void>(host(self).events_.write(
          event::Progressed{std::clamp(fraction, 0.0, 1.0), cleaned(view(note), kNoteCharacters)}));
    });
  }

  static std::uint32_t cancelled(void*) noexcept { return stop_asked() ? 1 : 0; }

  static void explain(void* self, trainyard_text text) noexcept {
    quietly([&] {
      std::string reason = cleaned(view(text), limits::kReasonCharacters);
      const std::lock_guard lock(host(self).mutex_);
      host(self).explanation_ = std::move(reason);
    });
  }

  static std::uint32_t parameter(void* self, trainyard_text name, trainyard_value* value) noexcept {
    for (const Parameter& parameter : host(self).job_.parameters) {
      if (parameter.name != view(name)) continue;
      *value = value_of(parameter.value, host(self).parameter_texts_.find(parameter.name)->second);
      return 1;
    }
    return 0;
  }

  static std::uint32_t directory(void* self, trainyard_text name, trainyard_text* path) noexcept {
    for (const auto& [known, folder] : host(self).job_.directories) {
      if (known != view(name)) continue;
      *path = borrowed(folder);
      return 1;
    }
    return 0;
  }

  static const void* extension(void*, trainyard_text) noexcept { return nullptr; }
};

PackageHost::PackageHost(const JobSpec& job, EventLog& events) : job_(job), events_(events) {
  for (const Parameter& parameter : job.parameters) parameter_texts_.emplace(parameter.name, text_of(parameter.value));
  table_.struct_size = sizeof(trainyard_host);
  table_.minor = TRAINYARD_ABI_MINOR;
  table_.self = this;
  table_.log = Calls::log;
  table_.metric = Calls::metric;
  table_.progress = Calls::progress;
  table_.cancelled = Calls::cancelled;
  table_.explain = Calls::explain;
  table_.parameter = Calls::parameter;
  table_.directory = Calls::directory;
  table_.extension = Calls::extension;
}

std::string PackageHost::take_explanation() {
  const std::lock_guard lock(mutex_);
  return std::exchange(explanation_, {});
}

}  // namespace trainyard
