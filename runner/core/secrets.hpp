// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/values/json.hpp"

namespace trainyard {

// Values that a run's code is given and that are recorded nowhere, by the names of their variables.
using Secrets = std::map<std::string, std::string>;

// A shorter one would be found wherever its letters happen to stand; a longer one does not fit a variable.
inline constexpr std::size_t kShortestSecret = 6;
inline constexpr std::size_t kLongestSecret = std::size_t{64} << 10U;
// `invalid` names the variable and not the value.
Result<void> check_secret(const std::string& name, std::string_view value);

// {"NAME": "value"}: how they go from the runner to the worker, which keeps them nowhere.
std::string secrets_json(const Secrets& secrets);
Result<Secrets> secrets_from_json(std::string_view text);

// Finds secrets in bytes: as they are, as JSON writes them, in Base64 (RFC 4648, both alphabets, at any offset in what
// was encoded), percent-encoded (RFC 3986, as forms do with '+' too) and in hexadecimal digits.
class SecretForms {
 public:
  explicit SecretForms(const Secrets& secrets);

  [[nodiscard]] bool empty() const { return forms_.empty(); }

  struct Found {
    std::size_t at = 0;
    std::size_t size = 0;
    std::string_view name;  // of the variable
  };
  // The first that is complete in `bytes` at or after `from`.
  [[nodiscard]] std::optional<Found> find(std::string_view bytes, std::size_t from = 0) const;
  // Where the end of `bytes` begins that may be the beginning of one that is longer; bytes.size() when there is none.
  [[nodiscard]] std::size_t possible_beginning(std::string_view bytes, std::size_t from) const;

  // With "[secret NAME]" in place of each, and of what may be the beginning of one at the end: a text may have been cut.
  [[nodiscard]] std::string redacted(std::string_view bytes) const;

 private:
  struct Form {
    std::string text;
    std::string name;
  };
  [[nodiscard]] const Form* complete_at(std::string_view bytes, std::size_t at) const;

  std::vector<Form> forms_;                               // the longest first
  std::array<std::vector<std::uint32_t>, 256> by_first_;  // numbers of forms, by their first byte
};

// The same for bytes that come in pieces, such as a log.
class SecretRedactor {
 public:
  // REQUIRES: `forms` outlives this.
  explicit SecretRedactor(const SecretForms& forms) : forms_(&forms) {}

  // What can be shown of all that came. The end is held back as long as it may be the beginning of a secret.
  std::string pass(std::string_view bytes);
  // What was held back, when nothing more comes.
  std::string rest();

 private:
  const SecretForms* forms_;
  std::string held_;
};

// Tells whether a secret is in bytes that come in pieces, such as a file.
class SecretSearch {
 public:
  // REQUIRES: `forms` outlives this.
  explicit SecretSearch(const SecretForms& forms) : forms_(&forms) {}

  // The name of a secret that is complete by now.
  std::optional<std::string> feed(std::string_view bytes);

 private:
  const SecretForms* forms_;
  std::string held_;
};

}  // namespace trainyard
