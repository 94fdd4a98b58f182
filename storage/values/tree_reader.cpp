// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>

#include "storage/values/tree.hpp"
#include "storage/values/tree_text.hpp"

namespace trainyard {

namespace {

constexpr auto kHexValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(0xFF);
  for (std::uint8_t i = 0; i < 10; ++i) values[static_cast<std::size_t>('0' + i)] = i;
  for (std::uint8_t i = 0; i < 6; ++i) values[static_cast<std::size_t>('a' + i)] = static_cast<std::uint8_t>(10 + i);
  return values;
}();

std::optional<Digest> digest_from(std::string_view hex) {
  std::array<std::uint8_t, Digest::kBytes> bytes{};
  unsigned seen = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const unsigned high = kHexValues[static_cast<std::uint8_t>(hex[2 * i])];
    const unsigned low = kHexValues[static_cast<std::uint8_t>(hex[2 * i + 1])];
    seen |= high | low;
    bytes[i] = static_cast<std::uint8_t>(high << 4U | (low & 15U));
  }
  if (seen > 15) return std::nullopt;
  return Digest(bytes);
}

}  // namespace

// Takes text from the front. Where the text ends before the thing looked for does, `cut` says so: then it is neither
// there nor missing.
class TreeReader::Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  [[nodiscard]] bool cut() const { return cut_; }
  [[nodiscard]] std::size_t taken() const { return at_; }

  bool take(std::string_view wanted) {
    const std::string_view found = text_.substr(at_, wanted.size());
    if (found == wanted) {
      at_ += wanted.size();
      return true;
    }
    cut_ = cut_ || wanted.starts_with(found);
    return false;
  }

  // True for the first, false for the second.
  std::optional<bool> take_either(std::string_view first, std::string_view second) {
    if (take(first)) return true;
    if (!cut_ && take(second)) return false;
    return std::nullopt;
  }

  std::optional<Digest> take_digest() {
    const std::string_view hex = text_.substr(at_, 2 * Digest::kBytes);
    cut_ = cut_ || hex.size() < 2 * Digest::kBytes;
    at_ += hex.size();
    return cut_ ? std::nullopt : digest_from(hex);
  }

  std::string_view take_digits() {
    std::size_t end = at_;
    while (end < text_.size() && text_[end] >= '0' && text_[end] <= '9') ++end;
    cut_ = cut_ || end == text_.size();
    const std::string_view found = text_.substr(at_, end - at_);
    at_ = end;
    return found;
  }

  // What stands before the '"' that ends a JSON string, and takes that too.
  std::string_view take_string() {
    std::size_t end = at_;
    while (end < text_.size() && text_[end] != '"') end += text_[end] == '\\' ? 2U : 1U;
    cut_ = cut_ || end >= text_.size();
    if (cut_) return {};
    const std::string_view found = text_.substr(at_, end - at_);
    at_ = end + 1;
    return found;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  bool cut_ = false;
};

Result<void> TreeReader::feed(std::string_view piece) {
  auto taken = take(piece);
  if (!taken.ok()) stage_ = Stage::refused;
  return taken;
}

Result<Tree> TreeReader::finish() && {
  if (stage_ != Stage::end) {
    return fail(Errc::invalid, "the text of a tree ends early, after " + std::to_string(builder_.size()) + " entries");
  }
  return std::move(builder_).finish();
}

// Whole entries are read where they stand; only one that two pieces share is copied. Each ends with a '}'.
Result<void> TreeReader::take(std::string_view piece) {
  while (!rest_.empty() && !piece.empty()) {
    const std::size_t brace = piece.find('}');
    const std::size_t more = brace == std::string_view::npos ? piece.size() : brace + 1;
    rest_ += piece.substr(0, more);
    piece.remove_prefix(more);
    if (brace != std::string_view::npos || rest_.size() > kLongestTreeEntry) rest_.erase(0, TRY(read(rest_)));
  }
  if (!piece.empty()) rest_ = piece.substr(TRY(read(piece)));
  return {};
}

Result<std::size_t> TreeReader::read(std::string_view text) {
  std::size_t done = 0;
  while (done < text.size()) {
    Cursor cursor(text.substr(done));
    const auto part = read_part(cursor, text[done]);
    if (cursor.cut() && text.size() - done > kLongestTreeEntry) return wrong("is longer than an entry can be");
    if (cursor.cut()) break;
    if (!part.ok()) return part.error();
    done += cursor.taken();
  }
  return done;
}

Result<void> TreeReader::read_part(Cursor& cursor, char first) {
  switch (stage_) {
    case Stage::start:
      if (!cursor.take(kTreeStart)) {
        return fail(Errc::invalid, "the text of a tree does not begin with '" + std::string(kTreeStart) + "'");
      }
      stage_ = Stage::entries;
      return {};
    case Stage::entries:
      if (first != ']') return read_entry(cursor);
      if (!cursor.take(kTreeEnd)) {
        return fail(Errc::invalid, "the text of a tree does not end with '" + std::string(kTreeEnd) + "'");
      }
      stage_ = Stage::end;
      return {};
    case Stage::end: return fail(Errc::invalid, "the text of a tree goes on after its end");
    case Stage::refused: break;
  }
  return fail(Errc::invalid, "the text of a tree goes on after it was refused");
}

Result<void> TreeReader::read_entry(Cursor& cursor) {
  if (builder_.size() != 0 && !cursor.take(",")) return wrong("does not begin with ','");
  if (!cursor.take(R"({"digest":)")) return misses(R"({"digest":)");
  const auto no_digest = cursor.take_either("null", "\"");
  if (!no_digest) return wrong("has a digest that is neither a text nor null");
  const auto digest = *no_digest ? std::nullopt : cursor.take_digest();
  if (!*no_digest && (!digest || !cursor.take("\"")))
    return wrong("has a digest that is not a SHA-256 of 64 lowercase hexadecimal digits");
  if (!cursor.take(R"(,"executable":)")) return misses(R"(,"executable":)");
  const auto executable = cursor.take_either("true", "false");
  if (!executable) return wrong("is executable neither true nor false");
  if (!cursor.take(R"(,"kind":)")) return misses(R"(,"kind":)");
  const auto file = cursor.take_either(R"("file")", R"("folder")");
  if (!file) return wrong("is of a kind that is neither 'file' nor 'folder'");
  if (!cursor.take(R"(,"path":")")) return misses(R"(,"path":")");
  const std::string_view text = cursor.take_string();
  if (!cursor.take(R"(,"size":)")) return misses(R"(,"size":)");
  const std::string_view digits = cursor.take_digits();
  if (digits.empty() || (digits.size() > 1 && digits.front() == '0'))
    return wrong("has a size that is not a whole number in its shortest form");
  std::uint64_t size = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), size).ec != std::errc() || size > kMostFileBytes)
    return wrong("has a size above " + std::to_string(kMostFileBytes));
  if (!cursor.take("}")) return misses("}");
  if (*file && *no_digest) return wrong("is a file without a digest");
  if (!*file && !*no_digest) return wrong("is a folder with a digest");
  if (!*file && (size != 0 || *executable)) return wrong("is a folder with a size or an executable bit");
  return add(TRY(path_from(text)), size, *executable, digest);
}

Result<std::string_view> TreeReader::path_from(std::string_view text) {
  std::string_view path = text;
  if (!std::all_of(text.begin(), text.end(), is_plain)) {
    path_.clear();
    text_.clear();
    if (append_path_bytes(text, path_)) append_path_text(path_, text_);
    if (text_ != text) return wrong("has a path that is not in its one escaped form");
    path = path_;
  }
  const auto valid = RelPath::check(path);
  if (!valid.ok()) return wrong("is refused: " + valid.error().message);
  return path;
}

Result<void> TreeReader::add(std::string_view path, std::uint64_t size, bool executable,
                             const std::optional<Digest>& digest) {
  const std::size_t slash = path.rfind('/');
  const std::size_t folder_bytes = slash == std::string_view::npos ? 0 : slash;
  const std::string_view name = path.substr(slash == std::string_view::npos ? 0 : slash + 1);
  const std::uint32_t folder = builder_.open_folder(path.substr(0, folder_bytes));
  if (digest) {
    builder_.set_digest(builder_.add_file(folder, name, size, executable), *digest);
  } else {
    builder_.add_empty_folder(folder, name);
  }
  return {};
}

Error TreeReader::wrong(const std::string& why) const {
  return fail(Errc::invalid, "entry " + std::to_string(builder_.size() + 1) + " of a tree " + why);
}

Error TreeReader::misses(const std::string& part) const {
  return wrong("is not in the canonical form: '" + part + "' is not where it belongs");
}

}  // namespace trainyard
