// SPDX-License-Identifier: Apache-2.0
#include "storage/archives/tar_writer.hpp"

#include <fcntl.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "storage/files/name_once.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kPaddingBlock = 512;
constexpr std::size_t kTarBuffer = std::size_t{1} << 20U;
constexpr int kLevel = 3;

// The tar's bytes on their way to the file. They are compressed in pieces of one size, whatever the pieces they came
// in, so that these leave no trace.
class TarOutput {
 public:
  TarOutput(int fd, const Path& shown, TarCompression compression)
      : fd_(fd), shown_(shown), compressed_(compression == TarCompression::zstd) {
    buffer_.reserve(kTarBuffer);
  }

  Result<void> write(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t part = std::min(bytes.size(), kTarBuffer - buffer_.size());
      buffer_ += bytes.substr(0, part);
      bytes.remove_prefix(part);
      if (buffer_.size() == kTarBuffer) TRY(flush(ZSTD_e_continue));
    }
    return {};
  }
  Result<void> finish() { return flush(ZSTD_e_end); }
  [[nodiscard]] std::uint64_t written() const { return written_; }

 private:
  struct Free {
    void operator()(ZSTD_CCtx* zstd) const { ::ZSTD_freeCCtx(zstd); }
  };

  Result<void> flush(ZSTD_EndDirective end) {
    if (!compressed_) {
      TRY(put(buffer_));
      buffer_.clear();
      return {};
    }
    if (!zstd_) TRY(open());
    ZSTD_inBuffer in = {buffer_.data(), buffer_.size(), 0};
    for (bool done = false; !done;) {
      ZSTD_outBuffer out = {packed_.data(), packed_.size(), 0};
      const std::size_t left = ::ZSTD_compressStream2(zstd_.get(), &out, &in, end);
      if (::ZSTD_isError(left) != 0) {
        return fail(Errc::unavailable, std::string("cannot compress by Zstandard: ") + ::ZSTD_getErrorName(left));
      }
      TRY(put(std::string_view(packed_.data(), out.pos)));
      done = end == ZSTD_e_end ? left == 0 : in.pos == in.size;
    }
    buffer_.clear();
    return {};
  }

  Result<void> open() {
    zstd_.reset(::ZSTD_createCCtx());
    if (!zstd_) return fail(Errc::unavailable, "there is not enough memory to compress by Zstandard");
    ::ZSTD_CCtx_setParameter(zstd_.get(), ZSTD_c_compressionLevel, kLevel);
    ::ZSTD_CCtx_setParameter(zstd_.get(), ZSTD_c_checksumFlag, 1);
    packed_.resize(::ZSTD_CStreamOutSize());
    return {};
  }

  Result<void> put(std::string_view bytes) {
    written_ += bytes.size();
    return write_all(fd_, bytes, shown_);
  }

  int fd_;
  const Path& shown_;
  bool compressed_;
  std::string buffer_;
  std::string packed_;
  std::unique_ptr<ZSTD_CCtx, Free> zstd_;
  std::uint64_t written_ = 0;
};

class TarWriting {
 public:
  TarWriting(const Tree& tree, ObjectStore& objects, TarOutput& output, const TarOptions& options)
      : tree_(tree), objects_(objects), output_(output), options_(options), now_{0, tree.files(), 0, tree.bytes()} {}

  Result<TarSummary> write() {
    for (std::size_t i = 0; i < tree_.size(); ++i) {
      const TreeEntry entry = tree_.entry(i);
      TRY(look_up());
      TRY(output_.write(tar_header(entry)));
      if (entry.digest) TRY(write_file(entry));
    }
    TRY(output_.write(std::string(2 * kPaddingBlock, '\0')));
    TRY(output_.finish());
    return TarSummary{now_.files, now_.bytes, output_.written()};
  }

 private:
  Result<void> write_file(const TreeEntry& entry) {
    std::uint64_t written = 0;
    const auto streamed = objects_.stream(*entry.digest, [&](std::string_view piece) -> Result<void> {
      // The header has told the size already.
      if (piece.size() > entry.size - written) return wrong_size();
      written += piece.size();
      now_.bytes_done += piece.size();
      TRY(look_up());
      return output_.write(piece);
    });
    if (!streamed.ok()) return within("the file '" + entry.path.text() + "'", streamed.error());
    if (written != entry.size) return within("the file '" + entry.path.text() + "'", wrong_size());
    ++now_.files_done;
    return output_.write(std::string((kPaddingBlock - written % kPaddingBlock) % kPaddingBlock, '\0'));
  }

  Result<void> look_up() {
    if (options_.cancelled && options_.cancelled()) return fail(Errc::cancelled, "stopped by a user");
    if (options_.progress) options_.progress(now_);
    return {};
  }

  static Error wrong_size() { return fail(Errc::corrupt, "its object has another size than the tree says"); }

  const Tree& tree_;
  ObjectStore& objects_;
  TarOutput& output_;
  const TarOptions& options_;
  TarProgress now_;
};

Result<TarSummary> write_durably(const Tree& tree, ObjectStore& objects, const Path& made, const Path& shown,
                                 const TarOptions& options) {
  const UniqueFd fd = TRY(open_file(made, O_WRONLY | O_CREAT | O_EXCL, 0666));
  const TarSummary summary = TRY(write_tar(tree, objects, fd.get(), shown, options));
  TRY(sync_file(fd.get(), shown));
  return summary;
}

}  // namespace

Result<TarSummary> write_tar(const Tree& tree, ObjectStore& objects, int fd, const Path& shown,
                             const TarOptions& options) {
  TarOutput output(fd, shown, options.compression);
  return TarWriting(tree, objects, output, options).write();
}

Result<TarSummary> write_tar(const Tree& tree, ObjectStore& objects, const Path& archive, const TarOptions& options) {
  if (archive == "-") return write_tar(tree, objects, STDOUT_FILENO, "standard output", options);
  const Path whole = TRY(absolute_path(archive));
  if (is_there(whole)) return system_error("create", archive, EEXIST);
  const Path made = scratch_name(whole.parent_path(), ".trainyard-tar");
  auto written = write_durably(tree, objects, made, archive, options);
  auto published = written.ok() ? name_once(made, whole) : Result<void>(written.error());
  if (!published.ok()) {
    static_cast<void>(::unlink(made.c_str()));
    return published.error();
  }
  TRY(sync_folder(whole.parent_path()));
  return written;
}

}  // namespace trainyard
