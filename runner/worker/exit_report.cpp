// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/exit_report.hpp"

#include <fcntl.h>

#include <cerrno>

namespace trainyard {

namespace {

constexpr off_t kReserved = 16 << 10;  // more than an exit takes with the longest failure

Result<UniqueFd> create(const Path& path) { return open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644); }

}  // namespace

ExitReport::ExitReport(const JobFolder& folder) : path_(folder.exit()), temporary_(path_.string() + ".tmp") {
  auto created = create(temporary_);
  if (!created.ok()) return;
  fd_ = std::move(*created);
  static_cast<void>(::posix_fallocate(fd_.get(), 0, kReserved));
}

Result<void> ExitReport::write(const JobExit& exit) {
  const std::string text = readable(to_json(exit));
  if (!fd_) fd_ = TRY(create(temporary_));
  TRY(write_all(fd_.get(), text, temporary_));
  if (::ftruncate(fd_.get(), static_cast<off_t>(text.size())) != 0) return system_error("cut", temporary_, errno);
  TRY(sync_file(fd_.get(), temporary_));
  TRY(rename_path(temporary_, path_));
  return sync_folder(path_.parent_path());
}

}  // namespace trainyard
