// SPDX-License-Identifier: Apache-2.0
#include "storage/values/json.hpp"

#include <algorithm>
#include <set>

#include "storage/values/limits.hpp"
#include "storage/values/names.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

const Json& nothing() {
  static const Json null;
  return null;
}

}  // namespace

Result<Json> parse_json(std::string_view text, std::string_view what) {
  std::vector<std::set<std::string>> keys;
  std::string refusal;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    const bool opens = event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
    if (opens && static_cast<std::size_t>(depth) >= limits::kJsonDepth && refusal.empty())
      refusal = "is nested too deeply";
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end && !keys.empty()) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.empty() && !keys.back().insert(parsed.get<std::string>()).second &&
        refusal.empty()) {
      refusal = "has the key '" + parsed.get<std::string>() + "' twice";
    }
    return refusal.empty();
  };
  try {
    Json value = Json::parse(text, watch);
    if (!refusal.empty()) return fail(Errc::invalid, std::string(what) + " " + refusal);
    return value;
  } catch (const Json::parse_error& error) {
    const std::size_t at = std::min(error.byte, text.size());
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    return fail(Errc::invalid, std::string(what) + " is not valid JSON near line " + std::to_string(line));
  } catch (const Json::exception& error) {
    return fail(Errc::invalid, std::string(what) + " is not usable JSON: " + utf8_cleaned(error.what()));
  }
}

std::string canonical(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string readable(const Json& value) { return value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

Fields::Fields(const Json& object, std::string what, UnknownKeys unknown)
    : object_(object), what_(std::move(what)), unknown_(unknown) {
  if (!object_.is_object()) error_ = fail(Errc::invalid, what_ + " is not a JSON object");
}

void Fields::note(const char* key, const std::string& why) {
  if (!error_) error_ = fail(Errc::invalid, what_ + ", key '" + key + "': " + why);
}

const Json& Fields::field(const char* key, const char* wanted, bool (Json::*is)() const noexcept) {
  known_.emplace_back(key);
  if (error_) return nothing();
  const auto found = object_.find(key);
  if (found == object_.end()) {
    error_ = fail(Errc::invalid, what_ + " has no key '" + key + "'");
    return nothing();
  }
  if (is != nullptr && !((*found).*is)()) {
    note(key, std::string("is not ") + wanted);
    return nothing();
  }
  return *found;
}

void Fields::schema(std::string_view name) {
  const std::string found = text("schema");
  if (error_ || found == name) return;
  const std::string_view kind = name.substr(0, name.find('/'));
  if (found.starts_with(std::string(kind) + "/")) {
    error_ = fail(Errc::incompatible,
                  what_ + " has schema '" + found + "' but this Trainyard reads '" + std::string(name) + "'");
  } else {
    note("schema", "is '" + found + "' where '" + std::string(name) + "' is wanted");
  }
}

std::string Fields::text(const char* key) {
  const Json& value = field(key, "a text", &Json::is_string);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::int64_t Fields::integer(const char* key, std::int64_t least, std::int64_t most) {
  const Json& value = field(key, "a whole number", &Json::is_number_integer);
  if (error_) return least;
  const bool too_large =
      value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX);
  if (too_large || value.get<std::int64_t>() < least || value.get<std::int64_t>() > most) {
    note(key, "is not between " + std::to_string(least) + " and " + std::to_string(most));
    return least;
  }
  return value.get<std::int64_t>();
}

std::uint64_t Fields::count(const char* key) { return static_cast<std::uint64_t>(integer(key, 0, INT64_MAX)); }

double Fields::number(const char* key) {
  const Json& value = field(key, "a number", &Json::is_number);
  return value.is_number() ? value.get<double>() : 0.0;
}

bool Fields::boolean(const char* key) {
  const Json& value = field(key, "true or false", &Json::is_boolean);
  return value.is_boolean() && value.get<bool>();
}

const Json& Fields::object(const char* key) { return field(key, "an object", &Json::is_object); }

const Json& Fields::array(const char* key) { return field(key, "a list", &Json::is_array); }

const Json& Fields::any(const char* key) { return field(key, "", nullptr); }

std::optional<std::string> Fields::optional_text(const char* key) {
  const Json& value = any(key);
  if (error_ || value.is_null()) return std::nullopt;
  return text(key);
}

const Json* Fields::nullable(const char* key) {
  const Json& value = any(key);
  return error_ || value.is_null() ? nullptr : &value;
}

Result<void> Fields::finish() {
  if (!error_ && unknown_ == UnknownKeys::refuse) {
    for (const auto& [key, value] : object_.items()) {
      if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
        error_ =
            fail(Errc::invalid, what_ + " has an unknown key '" + utf8_cleaned(key) + "'" + did_you_mean(key, known_));
        break;
      }
    }
  }
  if (error_) return *error_;
  return {};
}

Result<std::map<std::string, std::string>> texts_from(const Json& json) {
  if (!json.is_object()) return fail(Errc::invalid, "is not an object");
  std::map<std::string, std::string> texts;
  for (const auto& [name, value] : json.items()) {
    if (!value.is_string()) return fail(Errc::invalid, "the value of '" + name + "' is not a text");
    texts.emplace(name, value.get<std::string>());
  }
  return texts;
}

}  // namespace trainyard
