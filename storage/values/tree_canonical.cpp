// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "storage/values/tree.hpp"
#include "storage/values/tree_text.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kPieceBytes = std::size_t{64} << 10U;

// Everything of an entry but its path.
constexpr std::size_t kFixedBytes = 192;

constexpr auto kHexPairs = [] {
  constexpr char kDigits[] = "0123456789abcdef";
  std::array<std::array<char, 2>, 256> pairs{};
  for (std::size_t byte = 0; byte < pairs.size(); ++byte) pairs[byte] = {kDigits[byte >> 4U], kDigits[byte & 15U]};
  return pairs;
}();

char* put(char* at, std::string_view text) {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

char* put_hex(char* at, const Digest& digest) {
  for (const std::uint8_t byte : digest.bytes()) {
    std::memcpy(at, kHexPairs[byte].data(), 2);
    at += 2;
  }
  return at;
}

// The text of the canonical form in one buffer, handed on whenever it is full.
class PieceWriter {
 public:
  explicit PieceWriter(const std::function<void(std::string_view)>& sink) : sink_(sink), buffer_(kPieceBytes, '\0') {}

  void text(std::string_view text) { used_ += static_cast<std::size_t>(put(room(text.size()), text) - end()); }

  void entry(const Tree::View& view) {
    set_folder(view.folder);
    char* at = room(kFixedBytes + folder_text_.size() + kMostBytesOfText * view.name.size());
    if (view.digest == nullptr) {
      at = put(at, R"({"digest":null,"executable":false,"kind":"folder","path":")");
    } else {
      at = put_hex(put(at, R"({"digest":")"), *view.digest);
      at = view.executable ? put(at, R"(","executable":true,"kind":"file","path":")")
                           : put(at, R"(","executable":false,"kind":"file","path":")");
    }
    at = put_name(put(at, folder_text_), view.name);
    at = put(at, R"(","size":)");
    at = std::to_chars(at, at + 20, view.size).ptr;
    at = put(at, "}");
    used_ += static_cast<std::size_t>(at - end());
  }

  void flush() {
    if (used_ != 0) sink_(std::string_view(buffer_).substr(0, used_));
    used_ = 0;
  }

 private:
  char* end() { return buffer_.data() + used_; }

  char* room(std::size_t bytes) {
    if (buffer_.size() - used_ < bytes) flush();
    if (buffer_.size() < bytes) buffer_.resize(bytes);
    return end();
  }

  // The entries of a folder mostly stand together, so its text is made once for them.
  void set_folder(std::string_view folder) {
    if (folder.data() == folder_.data() && folder.size() == folder_.size()) return;
    folder_ = folder;
    folder_text_.clear();
    append_path_text(folder, folder_text_);
    if (!folder.empty()) folder_text_ += '/';
  }

  char* put_name(char* at, std::string_view name) {
    if (std::all_of(name.begin(), name.end(), is_plain)) return put(at, name);
    name_text_.clear();
    append_path_text(name, name_text_);
    return put(at, name_text_);
  }

  const std::function<void(std::string_view)>& sink_;
  std::string buffer_;
  std::size_t used_ = 0;
  std::string_view folder_;
  std::string folder_text_;
  std::string name_text_;
};

}  // namespace

void Tree::write_canonical(const std::function<void(std::string_view)>& sink) const {
  PieceWriter writer(sink);
  writer.text(kTreeStart);
  for (std::size_t i = 0; i < size(); ++i) {
    if (i != 0) writer.text(",");
    writer.entry(view(i));
  }
  writer.text(kTreeEnd);
  writer.flush();
}

std::string Tree::canonical() const {
  std::size_t bytes = 64 + names_.size();
  for (const Packed& packed : packed_) bytes += 150 + folders_[packed.folder].size();
  std::string text;
  text.reserve(bytes);
  write_canonical([&text](std::string_view piece) { text += piece; });
  return text;
}

Digest Tree::digest() const {
  Sha256 hash;
  write_canonical([&hash](std::string_view piece) { hash.update(piece); });
  return hash.finish();
}

}  // namespace trainyard
