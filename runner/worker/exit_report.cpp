// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/exit_report.hpp"

#include <fcntl.h>

#include <cerrno>

namespace trainyard {

Result<void> report_exit(const JobFolder& folder, const JobExit& exit) {
  const std::string text = readable(to_json(exit));
  const Path draft = folder.exit_draft();
  const UniqueFd fd = TRY(open_file(draft, O_WRONLY | O_CREAT, 0644));
  TRY(write_all(fd.get(), text, draft));
  if (::ftruncate(fd.get(), static_cast<off_t>(text.size())) != 0) return system_error("cut", draft, errno);
  TRY(sync_file(fd.get(), draft));
  TRY(rename_path(draft, folder.exit()));
  return sync_folder(folder.exit().parent_path());
}

}  // namespace trainyard
