// SPDX-License-Identifier: Apache-2.0
#include "storage/packages/zip_names.hpp"

#include <locale.h>
#include <wctype.h>

#include <algorithm>
#include <cstdint>

#include "storage/packages/zip_directory.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

char32_t decoded(std::string_view sequence) {
  const auto first = static_cast<std::uint8_t>(sequence.front());
  if (sequence.size() == 1) return first;
  char32_t character = first & (0xFFU >> (sequence.size() + 1));
  for (const char c : sequence.substr(1)) character = (character << 6U) | (static_cast<std::uint8_t>(c) & 0x3FU);
  return character;
}

void append(std::string& text, char32_t character) {
  const auto tail = [&](unsigned shift) { return static_cast<char>(0x80U | ((character >> shift) & 0x3FU)); };
  if (character < 0x80) {
    text += static_cast<char>(character);
  } else if (character < 0x800) {
    text += {static_cast<char>(0xC0U | (character >> 6U)), tail(0)};
  } else if (character < 0x10000) {
    text += {static_cast<char>(0xE0U | (character >> 12U)), tail(6), tail(0)};
  } else {
    text += {static_cast<char>(0xF0U | (character >> 18U)), tail(12), tail(6), tail(0)};
  }
}

// The text with the differences of case taken out, character by character. Where the C library has no Unicode tables,
// only ASCII's. REQUIRES: UTF-8
std::string folded(std::string_view text) {
  static const locale_t unicode = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_sequence(text);
    const char32_t character = decoded(text.substr(0, length));
    text.remove_prefix(length);
    if (character < 0x80) {
      out += static_cast<char>(character >= 'A' && character <= 'Z' ? character + ('a' - 'A') : character);
    } else if (unicode == nullptr) {
      append(out, character);
    } else {
      // By way of the upper case, so that letters with two lower forms become one.
      append(out, static_cast<char32_t>(::towlower_l(::towupper_l(static_cast<wint_t>(character), unicode), unicode)));
    }
  }
  return out;
}

bool has_control_character(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_sequence(text);
    const char32_t character = decoded(text.substr(0, length));
    if (character < 0x20 || (character >= 0x7F && character < 0xA0)) return true;
    text.remove_prefix(length);
  }
  return false;
}

Result<void> check_name(std::string_view name) {
  if (name.empty()) return refused_entry(name, "has an empty name");
  if (name.find('\0') != std::string_view::npos) return refused_entry(name, "has a NUL byte in its name");
  if (name.find('\\') != std::string_view::npos) {
    return refused_entry(name, "has a backslash in its name; folders are separated by '/'");
  }
  if (!is_utf8(name)) return refused_entry(name, "has a name that is not UTF-8");
  if (has_control_character(name)) return refused_entry(name, "has a control character in its name");
  if (name.front() == '/') return refused_entry(name, "has an absolute name");
  if (name.size() > 1 && name[1] == ':' && is_letter(name[0]))
    return refused_entry(name, "has a drive letter in its name");
  return {};
}

Result<void> check_parts(std::string_view name, std::string_view path) {
  std::size_t parts = 0;
  for (std::size_t begin = 0; begin <= path.size(); ++parts) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty()) return refused_entry(name, "has an empty part in its name");
    if (part == ".") return refused_entry(name, "has '.' as a part of its name");
    if (part == "..") return refused_entry(name, "has '..' as a part of its name, so it could leave its folder");
    if (part.size() > RelPath::kMaxNameBytes)
      return refused_entry(name, "has a part longer than 255 bytes in its name");
    begin = end + 1;
  }
  if (path.size() > RelPath::kMaxBytes) return refused_entry(name, "has a name longer than 4096 bytes");
  if (parts > limits::kFolderDepth) {
    return refused_entry(name, "lies more than " + std::to_string(limits::kFolderDepth) + " folders deep");
  }
  return {};
}

}  // namespace

Result<std::optional<RelPath>> ZipNames::add(std::string_view name) {
  TRY(check_name(name));
  const bool folder = name.ends_with('/');
  const std::string_view path = folder ? name.substr(0, name.size() - 1) : name;
  TRY(check_parts(name, path));
  const std::size_t slash = path.find('/');
  const std::string_view root = path.substr(0, slash);
  if (slash == std::string_view::npos && !folder) {
    return refused_entry(name, "lies outside a root folder; a package has one root folder and everything in it");
  }
  if (root_.empty()) root_ = root;
  if (root != root_) {
    const bool mac = root == "__MACOSX" || root_ == "__MACOSX";
    return refused_entry(name,
                         "is in a second root folder beside '" + root_ + "'; a package has one" +
                             (mac ? ", and __MACOSX is what the macOS Finder adds: zip the folder with 'zip -r'" : ""));
  }
  TRY(occupy(name, path, folder));
  if (slash == std::string_view::npos) return std::optional<RelPath>();
  filled_ = true;
  auto below = TRY(RelPath::parse(path.substr(slash + 1)));
  return std::optional<RelPath>(std::move(below));
}

Result<void> ZipNames::occupy(std::string_view entry, std::string_view path, bool folder) {
  std::string text = folded(path);
  std::string_view key = path;
  if (text != path) key = folded_.emplace_back(std::move(text));

  const auto [own, fresh] = places_.try_emplace(key, Place{path, folder, true});
  if (!fresh) {
    Place& before = own->second;
    if (before.name != path) {
      return refused_entry(entry, "differs only in case from '" + std::string(before.name) + "'");
    }
    if (before.folder != folder) return refused_entry(entry, "is both a file and a folder");
    if (before.listed) return refused_entry(entry, "occurs twice");
    before.listed = true;
    return {};
  }
  // The folders above it, from the inside out, until one is known: those above that one are known too.
  for (;;) {
    const std::size_t key_slash = key.rfind('/');
    if (key_slash == std::string_view::npos) break;
    key = key.substr(0, key_slash);
    path = path.substr(0, path.rfind('/'));
    const auto [place, unknown] = places_.try_emplace(key, Place{path, true, false});
    if (unknown) continue;
    if (place->second.name != path) {
      return refused_entry(
          entry, "lies in a folder whose name differs only in case from '" + std::string(place->second.name) + "'");
    }
    if (!place->second.folder) {
      return refused_entry(entry, "lies in '" + std::string(path) + "', which is both a file and a folder");
    }
    break;
  }
  if (places_.size() > limits::kZipEntries) {
    return refused_entry(entry,
                         "is one too many: more than " + std::to_string(limits::kZipEntries) + " files and folders");
  }
  return {};
}

Result<std::string> ZipNames::root() const {
  if (!filled_) return fail(Errc::invalid, "its root folder '" + root_ + "' is empty");
  return root_;
}

}  // namespace trainyard
