// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/values/result.hpp"

// JSON at the project's own borders: strict to read, one byte form to write.
namespace trainyard {

using Json = nlohmann::json;

// Refuses duplicate keys, more than limits::kJsonDepth levels, and anything that is not one complete document. `what`
// names the text in errors.
Result<Json> parse_json(std::string_view text, std::string_view what);

// The canonical bytes: keys sorted, no spaces, UTF-8. Used for everything that is hashed; then only integers and
// strings occur in it.
std::string canonical(const Json& value);

// For files that people read: sorted keys, two spaces of indent, a newline at the end.
std::string readable(const Json& value);

enum class UnknownKeys { refuse, ignore };

template <class Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

// The texts of an object by their names.
Result<std::map<std::string, std::string>> texts_from(const Json& json);

// Reads the fields of one JSON object. The first mistake is kept and everything after it yields empty values, so a
// reader lists its fields plainly and asks once, with `finish`, whether all was well.
class Fields {
 public:
  // `what` names the object in errors: "the manifest package.json". REQUIRES: `object` outlives this.
  Fields(const Json& object, std::string what, UnknownKeys unknown = UnknownKeys::refuse);

  // The value of `schema` must be `name`, a text like "trainyard.version/1"; another number of the same schema is
  // `incompatible`.
  void schema(std::string_view name);

  std::string text(const char* key);
  std::int64_t integer(const char* key, std::int64_t least, std::int64_t most);
  std::uint64_t count(const char* key);
  double number(const char* key);
  bool boolean(const char* key);
  const Json& object(const char* key);
  const Json& array(const char* key);
  const Json& any(const char* key);
  std::optional<std::string> optional_text(const char* key);  // null or text
  const Json* nullable(const char* key);                      // null pointer for null

  // Runs `parse` on the text of `key`, e.g. Digest::parse.
  template <class Parse>
  auto parsed(const char* key, Parse parse) -> std::optional<typename decltype(parse(std::string_view()))::Value> {
    const std::string value = text(key);
    if (error_) return std::nullopt;
    auto result = parse(std::string_view(value));
    if (result.ok()) return std::move(*result);
    note(key, result.error().message);
    return std::nullopt;
  }
  // Null, or as `parsed`.
  template <class Parse>
  auto parsed_or_null(const char* key, Parse parse)
      -> std::optional<typename decltype(parse(std::string_view()))::Value> {
    if (!optional_text(key)) return std::nullopt;
    return parsed(key, parse);
  }
  // Runs `read` on the value of `key`, e.g. a from_json.
  template <class Read>
  auto nested(const char* key, Read read)
      -> std::optional<typename decltype(read(std::declval<const Json&>()))::Value> {
    const Json& value = any(key);
    if (error_) return std::nullopt;
    auto result = read(value);
    if (result.ok()) return std::move(*result);
    note(key, result.error().message);
    return std::nullopt;
  }

  // For keys that older documents lack.
  [[nodiscard]] bool has(const char* key) const { return object_.is_object() && object_.contains(key); }

  // Marks a key as known without reading it.
  void skip(const char* key) { known_.emplace_back(key); }
  void note(const char* key, const std::string& why);
  [[nodiscard]] bool good() const { return !error_.has_value(); }

  // The first mistake, or an unknown key when those are refused.
  Result<void> finish();

 private:
  const Json& field(const char* key, const char* wanted, bool (Json::*is)() const noexcept);

  const Json& object_;
  std::string what_;
  UnknownKeys unknown_;
  std::vector<std::string> known_;
  std::optional<Error> error_;
};

}  // namespace trainyard
