// SPDX-License-Identifier: Apache-2.0
#include "storage/values/dataset_reference.hpp"

#include <algorithm>

#include "storage/values/names.hpp"
#include "storage/values/number.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kMaxNameBytes = 64;

bool is_name_character(char c) {
  return is_ascii_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

Result<std::uint32_t> parse_dataset_number(std::string_view text) {
  const auto number = number_in<std::uint32_t>(text);
  if (!number || text.starts_with('0')) {
    return fail(Errc::invalid, "'" + std::string(text.substr(0, 80)) +
                                   "' is not the number of a dataset's version: a whole number from 1, such as 3");
  }
  return *number;
}

}  // namespace

Result<DatasetName> DatasetName::parse(std::string_view text) {
  if (text.empty() || text.size() > kMaxNameBytes || !is_ascii_letter(text.front()) ||
      !std::all_of(text.begin(), text.end(), is_name_character)) {
    return fail(Errc::invalid,
                "'" + std::string(text.substr(0, 80)) +
                    "' is not a dataset name: 1 to 64 letters, digits, '.', '_' or '-', beginning with a letter");
  }
  return DatasetName(std::string(text));
}

std::string DatasetName::folded() const { return folded_case(text_); }

Result<DatasetReference> DatasetReference::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view version = text.substr(0, slash);
  const std::size_t at = version.find('@');
  auto name = TRY(DatasetName::parse(version.substr(0, at)));
  DatasetReference reference{std::move(name), std::nullopt, std::nullopt};
  if (at != std::string_view::npos) reference.number = TRY(parse_dataset_number(version.substr(at + 1)));
  if (slash != std::string_view::npos) {
    auto folder = RelPath::from_text(text.substr(slash + 1));
    if (!folder.ok()) return within("the folder in '" + std::string(text.substr(0, 200)) + "'", folder.error());
    reference.folder = std::move(*folder);
  }
  return reference;
}

std::string DatasetReference::text() const {
  return name.text() + (number ? "@" + std::to_string(*number) : "") + (folder ? "/" + folder->text() : "");
}

}  // namespace trainyard
