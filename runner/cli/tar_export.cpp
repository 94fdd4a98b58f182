// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/tar_export.hpp"

#include "runner/cli/interrupts.hpp"
#include "runner/cli/progress.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/engine/named_tree.hpp"
#include "storage/archives/tar_writer.hpp"

namespace trainyard {

namespace {

Result<TarCompression> compression_of(const TarWish& wish) {
  if (wish.compression == "none") return TarCompression::none;
  if (wish.compression == "zstd") return TarCompression::zstd;
  if (!wish.compression.empty())
    return fail(Errc::invalid, "the compression '" + wish.compression + "' is neither none nor zstd");
  const bool zstd = wish.file.ends_with(".zst") || wish.file.ends_with(".tzst");
  return zstd ? TarCompression::zstd : TarCompression::none;
}

}  // namespace

Result<ExitCode> export_tar(const std::string& what, const Tree& tree, ObjectStore& objects, const TarWish& wish,
                            Output output) {
  const bool to_stdout = wish.file == "-";
  if (to_stdout && output == Output::json)
    return fail(Errc::invalid, "the tar and the JSON cannot both go to standard output; name a file for the tar");
  const Path above = TRY(absolute_path(wish.file)).parent_path();
  if (!to_stdout && !is_folder(above))
    return fail(Errc::not_found, "there is no folder '" + above.string() + "' to write the tar to");
  StatusLine line;
  TarOptions options;
  options.compression = TRY(compression_of(wish));
  count_interrupts();
  options.cancelled = [] { return interrupts() > 0; };
  const TreeProgress show = progress_on(line, "wrote");
  options.progress = [&](const TarProgress& progress) { show(progress.files_done, progress.files); };
  const auto tar = write_tar(tree, objects, wish.file, options);
  line.clear();
  if (!tar.ok()) return error_of_kept_tree(tar.error(), tree, objects);
  const TarSummary& written = *tar;
  if (output == Output::json) {
    const Path file = TRY(absolute_path(wish.file));
    print_json({{"tree", tree.digest().hex()},
                {"file", file.string()},
                {"files", written.files},
                {"bytes", written.bytes},
                {"archive_bytes", written.archive_bytes}});
  } else if (!to_stdout) {
    print("wrote " + what + " to " + wish.file + " (" + plural(written.files, "file") + ", " +
          size_text(written.archive_bytes) + ")\n");
  }
  return ExitCode::ok;
}

}  // namespace trainyard
