// SPDX-License-Identifier: Apache-2.0
#include "storage/archives/byte_stream.hpp"

#include <zlib.h>
#include <zstd.h>

#include <cstdint>
#include <string>

namespace trainyard {

namespace {

constexpr std::size_t kStreamBuffer = std::size_t{512} << 10U;
constexpr char kGzipMember = '\x1F';  // its first byte

Error refused_stream(std::string rule) { return fail(Errc::invalid, std::move(rule)); }

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(ArchiveFile& file) : file_(file) {}

  Result<std::string_view> next() override {
    const std::string_view piece = TRY(file_.read(offset_));
    offset_ += piece.size();
    return piece;
  }

 private:
  ArchiveFile& file_;
  std::uint64_t offset_ = 0;
};

// What a decompressor takes from and puts into.
class Unpacking : public ByteStream {
 public:
  explicit Unpacking(ArchiveFile& file) : file_(file), buffer_(new char[kStreamBuffer]) {}

 protected:
  // More packed bytes when there are none left; still none at the end of the file.
  Result<void> refill() {
    if (!packed_.empty()) return {};
    packed_ = TRY(file_.read(offset_));
    offset_ += packed_.size();
    return {};
  }
  Result<std::string_view> yield(std::size_t bytes) {
    unpacked_ += bytes;
    TRY(check_unpacked(unpacked_, file_.size()));
    return std::string_view(buffer_.get(), bytes);
  }
  [[nodiscard]] char* buffer() { return buffer_.get(); }
  [[nodiscard]] std::string_view packed() const { return packed_; }
  void took(std::size_t bytes) { packed_.remove_prefix(bytes); }

 private:
  ArchiveFile& file_;
  std::string_view packed_;  // read and not yet taken
  std::unique_ptr<char[]> buffer_;
  std::uint64_t offset_ = 0;
  std::uint64_t unpacked_ = 0;
};

class GzipStream final : public Unpacking {
 public:
  explicit GzipStream(ArchiveFile& file) : Unpacking(file) {}
  ~GzipStream() override {
    if (open_) ::inflateEnd(&zlib_);
  }

  Result<std::string_view> next() override {
    if (!open_) TRY(open());
    zlib_.next_out = reinterpret_cast<Bytef*>(buffer());
    zlib_.avail_out = kStreamBuffer;
    while (zlib_.avail_out > 0) {
      TRY(refill());
      if (packed().empty()) {
        if (inside_) return refused_stream("it is cut short: its gzip stream has no end");
        break;
      }
      if (!inside_) TRY(begin_member());
      TRY(take());
    }
    return yield(kStreamBuffer - zlib_.avail_out);
  }

 private:
  static constexpr int kOnlyGzip = 16;

  Result<void> open() {
    if (::inflateInit2(&zlib_, MAX_WBITS + kOnlyGzip) != Z_OK) return no_memory();
    open_ = true;
    return {};
  }

  // zlib compares the whole header; its first byte tells a member from rubbish.
  Result<void> begin_member() {
    if (packed().front() != kGzipMember) return refused_stream("it has something after the end of its gzip stream");
    if (::inflateReset(&zlib_) != Z_OK) return no_memory();
    inside_ = true;
    return {};
  }

  Result<void> take() {
    zlib_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed().data()));
    zlib_.avail_in = static_cast<uInt>(packed().size());
    const int result = ::inflate(&zlib_, Z_NO_FLUSH);
    took(packed().size() - zlib_.avail_in);
    if (result == Z_STREAM_END) {
      inside_ = false;
    } else if (result == Z_MEM_ERROR) {
      return no_memory();
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      return refused_stream(std::string("its gzip stream is damaged: ") +
                            (zlib_.msg != nullptr ? zlib_.msg : "no reason given"));
    }
    return {};
  }

  static Error no_memory() { return fail(Errc::unavailable, "there is not enough memory to unpack the archive"); }

  z_stream zlib_{};
  bool open_ = false;
  bool inside_ = false;  // a member
};

class ZstandardStream final : public Unpacking {
 public:
  explicit ZstandardStream(ArchiveFile& file) : Unpacking(file), zstd_(::ZSTD_createDCtx()) {}
  ~ZstandardStream() override { ::ZSTD_freeDCtx(zstd_); }

  Result<std::string_view> next() override {
    if (zstd_ == nullptr) return fail(Errc::unavailable, "there is not enough memory to unpack the archive");
    ZSTD_outBuffer out = {buffer(), kStreamBuffer, 0};
    while (out.pos < out.size) {
      TRY(refill());
      if (packed().empty() && !inside_) break;
      ZSTD_inBuffer in = {packed().data(), packed().size(), 0};
      const std::size_t before = out.pos;
      const std::size_t result = ::ZSTD_decompressStream(zstd_, &out, &in);
      if (::ZSTD_isError(result) != 0) {
        return refused_stream(std::string("its Zstandard stream is damaged: ") + ::ZSTD_getErrorName(result));
      }
      // At the end of the file it may still hold bytes that found no room before.
      if (packed().empty() && result != 0 && out.pos == before) {
        return refused_stream("it is cut short: its Zstandard stream has no end");
      }
      inside_ = result != 0;
      took(in.pos);
    }
    return yield(out.pos);
  }

 private:
  ZSTD_DCtx* zstd_;
  bool inside_ = false;  // a frame
};

}  // namespace

std::unique_ptr<ByteStream> open_stream(ArchiveFile& file, ArchiveKind kind) {
  switch (kind) {
    case ArchiveKind::gzip: return std::make_unique<GzipStream>(file);
    case ArchiveKind::zstandard: return std::make_unique<ZstandardStream>(file);
    default: return std::make_unique<PlainStream>(file);
  }
}

}  // namespace trainyard
