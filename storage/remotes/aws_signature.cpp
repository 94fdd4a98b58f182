// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/aws_signature.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <map>

#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::string hmac(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> code{};
  unsigned size = 0;
  ::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
         text.size(), code.data(), &size);
  return {reinterpret_cast<const char*>(code.data()), size};
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    text += kDigits[static_cast<unsigned char>(byte) >> 4U];
    text += kDigits[static_cast<unsigned char>(byte) & 15U];
  }
  return text;
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Without blanks at the ends, and with one for each run of them.
std::string with_single_blanks(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (!is_blank(c)) {
      text += c;
    } else if (!text.empty() && text.back() != ' ') {
      text += ' ';
    }
  }
  if (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

std::string lower(std::string_view name) {
  std::string text(name);
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::string encoded(std::string_view text, std::string_view also_plain) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~' || also_plain.find(c) != std::string_view::npos;
    if (plain) {
      result += c;
      continue;
    }
    result += '%';
    result += kDigits[static_cast<unsigned char>(c) >> 4U];
    result += kDigits[static_cast<unsigned char>(c) & 15U];
  }
  return result;
}

}  // namespace

std::string aws_encoded(std::string_view text) { return encoded(text, ""); }

std::string aws_encoded_path(std::string_view path) { return encoded(path, "/"); }

std::string aws_query(const AwsQuery& query) {
  AwsQuery pairs;
  for (const auto& [name, value] : query) pairs.emplace_back(aws_encoded(name), aws_encoded(value));
  std::sort(pairs.begin(), pairs.end());
  std::string text;
  for (const auto& [name, value] : pairs) {
    if (!text.empty()) text += '&';
    text.append(name).append("=").append(value);
  }
  return text;
}

std::string aws_time(Instant now) {
  std::string text = now.text().substr(0, 19) + "Z";
  text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c == '-' || c == ':'; }), text.end());
  return text;
}

std::string aws_authorization(const AwsCredentials& credentials, std::string_view region, std::string_view service,
                              std::string_view time, const AwsRequest& request) {
  std::map<std::string, std::string> headers;
  for (const HttpHeader& each : request.headers) {
    auto [at, fresh] = headers.emplace(lower(each.name), with_single_blanks(each.value));
    if (!fresh) at->second += "," + with_single_blanks(each.value);
  }
  std::string lines;
  std::string names;
  for (const auto& [name, value] : headers) {
    lines.append(name).append(":").append(value).append("\n");
    if (!names.empty()) names += ';';
    names += name;
  }
  const std::string canonical = request.method + "\n" + request.path + "\n" + aws_query(request.query) + "\n" + lines +
                                "\n" + names + "\n" + request.payload;
  const std::string date(time.substr(0, 8));
  const std::string scope = date + "/" + std::string(region) + "/" + std::string(service) + "/aws4_request";
  const std::string to_sign =
      std::string(kAlgorithm) + "\n" + std::string(time) + "\n" + scope + "\n" + sha256(canonical).hex();
  const std::string key =
      hmac(hmac(hmac(hmac("AWS4" + credentials.secret_access_key, date), region), service), "aws4_request");
  return std::string(kAlgorithm) + " Credential=" + credentials.access_key_id + "/" + scope +
         ", SignedHeaders=" + names + ", Signature=" + hex(hmac(key, to_sign));
}

}  // namespace trainyard
