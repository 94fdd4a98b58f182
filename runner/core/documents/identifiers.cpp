// SPDX-License-Identifier: Apache-2.0
#include "runner/core/documents/identifiers.hpp"

#include "storage/values/parameter.hpp"

namespace trainyard {

namespace {

// RFC 3986: what stands in a path as it is.
bool stands_plainly(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         std::string_view("/-._~").find(c) != std::string_view::npos;
}

std::string url_escaped(std::string_view path) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  for (const char c : path) {
    if (stands_plainly(c)) {
      text += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      text += '%';
      text += kDigits[byte >> 4U];
      text += kDigits[byte & 15U];
    }
  }
  return text;
}

}  // namespace

std::string file_url(std::string_view path) { return "file://" + url_escaped(path); }

std::string object_urn(const Digest& digest) { return "urn:trainyard:object:" + digest.hex(); }

std::string uuid_urn(const Digest& digest) {
  std::array<std::uint8_t, Digest::kBytes> bytes = digest.bytes();
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0FU) | 0x80U);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3FU) | 0x80U);
  const std::string hex = Digest(bytes).hex();
  return "urn:uuid:" + hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) +
         "-" + hex.substr(20, 12);
}

std::string package_url(const PackageName& package, const PackageVersion& version) {
  return "pkg:generic/" + package.text() + "@" + version.text();
}

std::string runner_version(const std::string& runner) { return runner.substr(runner.find(' ') + 1); }

std::string runner_uri(const std::string& runner) {
  return "urn:trainyard:runner:" + url_escaped(runner_version(runner));
}

std::string exact_text(double value) { return text_of(ParameterValue(value)); }

std::string exact_text(const Json& metric_value) {
  return metric_value.is_string() ? metric_value.get<std::string>() : exact_text(metric_value.get<double>());
}

std::string name_of(const RecordedInput& input) {
  if (input.dataset) return input.dataset->text();
  // Of an address, without its options.
  const std::string source =
      input.source.substr(0, names_bucket(input.source) ? input.source.find('?') : std::string::npos);
  const std::size_t slash = source.find_last_of('/');
  const std::string last = slash == std::string::npos ? source : source.substr(slash + 1);
  return last.empty() ? source : last;
}

}  // namespace trainyard
