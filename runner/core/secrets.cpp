// SPDX-License-Identifier: Apache-2.0
#include "runner/core/secrets.hpp"

#include <algorithm>
#include <set>

#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kLowerDigits = "0123456789abcdef";
constexpr std::string_view kUpperDigits = "0123456789ABCDEF";

std::uint32_t byte_of(char c) { return static_cast<unsigned char>(c); }

// Of Base64 with `before` unknown bytes in front (0 to 2) and unknown ones behind: the letters that depend on the value
// alone.
std::string base64(std::string_view value, std::size_t before, std::string_view alphabet) {
  std::string letters;
  std::uint32_t bits = 0;
  std::size_t count = 0;
  const auto add = [&](std::uint32_t byte) {
    bits = (bits << 8U) | byte;
    for (count += 8; count >= 6; count -= 6) letters += alphabet[(bits >> (count - 6)) & 63U];
  };
  for (std::size_t i = 0; i < before; ++i) add(0);
  for (const char c : value) add(byte_of(c));
  // Those of which at least one bit belongs to a byte in front; what is incomplete behind was never added.
  return letters.substr(before == 0 ? 0 : before + 1);
}

std::string hex(std::string_view value, std::string_view digits) {
  std::string text;
  for (const char c : value) {
    text += digits[byte_of(c) >> 4U];
    text += digits[byte_of(c) & 15U];
  }
  return text;
}

std::string percent(std::string_view value, std::string_view digits, std::string_view kept, bool plus_for_space) {
  std::string text;
  for (const char c : value) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       kept.find(c) != std::string_view::npos;
    if (plain) {
      text += c;
    } else if (plus_for_space && c == ' ') {
      text += '+';
    } else {
      text += '%';
      text += digits[byte_of(c) >> 4U];
      text += digits[byte_of(c) & 15U];
    }
  }
  return text;
}

// As JSON has it between the quotes, with and without letters beyond ASCII escaped.
std::vector<std::string> json_forms(std::string_view value) {
  if (!is_utf8(value)) return {};
  std::vector<std::string> forms;
  for (const bool ascii : {false, true}) {
    const std::string quoted = Json(std::string(value)).dump(-1, ' ', ascii);
    forms.push_back(quoted.substr(1, quoted.size() - 2));
  }
  return forms;
}

std::set<std::string> forms_of(std::string_view value) {
  std::set<std::string> forms = {std::string(value), hex(value, kLowerDigits), hex(value, kUpperDigits)};
  for (std::size_t before = 0; before < 3; ++before) {
    forms.insert(base64(value, before, kBase64));
    forms.insert(base64(value, before, kBase64Url));
  }
  for (const std::string_view digits : {kLowerDigits, kUpperDigits}) {
    // What libraries leave as it is differs: RFC 3986, and the same with '/'.
    for (const std::string_view kept : {"-._~", "-._~/"}) {
      forms.insert(percent(value, digits, kept, false));
      forms.insert(percent(value, digits, kept, true));
    }
  }
  for (std::string& form : json_forms(value)) forms.insert(std::move(form));
  // As programs read it that cut blanks off.
  const std::size_t begin = value.find_first_not_of(" \t\r\n");
  const std::string_view trimmed =
      begin == std::string_view::npos ? "" : value.substr(begin, value.find_last_not_of(" \t\r\n") + 1 - begin);
  if (trimmed.size() >= kShortestSecret) forms.emplace(trimmed);
  return forms;
}

}  // namespace

Result<void> check_secret(const std::string& name, std::string_view value) {
  const auto refuse = [&](const std::string& why) { return fail(Errc::invalid, "the secret " + name + " " + why); };
  if (value.size() < kShortestSecret)
    return refuse("has fewer than " + std::to_string(kShortestSecret) +
                  " bytes, so few that outputs cannot be searched for it");
  if (value.size() > kLongestSecret)
    return refuse("has more than " + std::to_string(kLongestSecret) + " bytes, which a variable cannot hold");
  if (value.find('\0') != std::string_view::npos) return refuse("has a byte 0, which a variable cannot hold");
  if (!is_utf8(value)) return refuse("is not UTF-8; give it in Base64 and let the package decode it");
  return {};
}

std::string secrets_json(const Secrets& secrets) { return canonical(Json(secrets)); }

Result<Secrets> secrets_from_json(std::string_view text) {
  const Json json = TRY(parse_json(text, "the secrets"));
  if (!json.is_object()) return fail(Errc::invalid, "the secrets are not an object");
  Secrets secrets;
  for (const auto& [name, value] : json.items()) {
    if (!value.is_string()) return fail(Errc::invalid, "the secret " + name + " is not a text");
    secrets[name] = value.get<std::string>();
  }
  return secrets;
}

SecretForms::SecretForms(const Secrets& secrets) {
  for (const auto& [name, value] : secrets) {
    for (const std::string& form : forms_of(value)) forms_.push_back({form, name});
  }
  std::stable_sort(forms_.begin(), forms_.end(),
                   [](const Form& a, const Form& b) { return a.text.size() > b.text.size(); });
  for (std::uint32_t i = 0; i < forms_.size(); ++i) by_first_[byte_of(forms_[i].text.front())].push_back(i);
}

const SecretForms::Form* SecretForms::complete_at(std::string_view bytes, std::size_t at) const {
  for (const std::uint32_t number : by_first_[byte_of(bytes[at])]) {
    if (bytes.substr(at).starts_with(forms_[number].text)) return &forms_[number];
  }
  return nullptr;
}

std::optional<SecretForms::Found> SecretForms::find(std::string_view bytes, std::size_t from) const {
  for (std::size_t at = from; at < bytes.size(); ++at) {
    if (by_first_[byte_of(bytes[at])].empty()) continue;
    if (const Form* const form = complete_at(bytes, at)) return Found{at, form->text.size(), form->name};
  }
  return std::nullopt;
}

std::size_t SecretForms::possible_beginning(std::string_view bytes, std::size_t from) const {
  const std::size_t longest = forms_.empty() ? 0 : forms_.front().text.size() - 1;
  for (std::size_t at = std::max(from, bytes.size() - std::min(bytes.size(), longest)); at < bytes.size(); ++at) {
    const std::string_view end = bytes.substr(at);
    for (const std::uint32_t number : by_first_[byte_of(end.front())]) {
      const std::string_view form = forms_[number].text;
      if (form.size() > end.size() && form.starts_with(end)) return at;
    }
  }
  return bytes.size();
}

std::string SecretForms::redacted(std::string_view bytes) const {
  std::string text;
  std::size_t begin = 0;
  for (auto found = find(bytes); found; found = find(bytes, begin)) {
    text.append(bytes, begin, found->at - begin).append("[secret ").append(found->name).append("]");
    begin = found->at + found->size;
  }
  const std::size_t end = possible_beginning(bytes, begin);
  text.append(bytes, begin, end - begin);
  const std::string_view cut = bytes.substr(end);
  return cut.size() < kShortestSecret ? text.append(cut) : text.append("[secret]");
}

std::string SecretRedactor::pass(std::string_view bytes) {
  held_.append(bytes);
  std::string text;
  std::size_t begin = 0;
  for (;;) {
    // Where a secret is complete, or before that, a longer one may have begun that is not.
    const auto found = forms_->find(held_, begin);
    const std::size_t safe = forms_->possible_beginning(held_, begin);
    if (!found || safe <= found->at) {
      text.append(held_, begin, safe - begin);
      held_.erase(0, safe);
      return text;
    }
    text.append(held_, begin, found->at - begin).append("[secret ").append(found->name).append("]");
    begin = found->at + found->size;
  }
}

std::string SecretRedactor::rest() {
  std::string text = forms_->redacted(held_);
  held_.clear();
  return text;
}

std::optional<std::string> SecretSearch::feed(std::string_view bytes) {
  held_.append(bytes);
  if (const auto found = forms_->find(held_)) return std::string(found->name);
  held_.erase(0, forms_->possible_beginning(held_, 0));
  return std::nullopt;
}

}  // namespace trainyard
