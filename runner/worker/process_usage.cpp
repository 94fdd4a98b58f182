// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/process_usage.hpp"

#include <string>
#include <string_view>

#include "storage/files/files.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kMostProcBytes = std::size_t{1} << 20U;

Path proc(pid_t pid, const char* file) { return "/proc/" + std::to_string(pid) + "/" + file; }

// "RssAnon:\t    1234 kB". 0 where the text has no such line.
std::int64_t figure_in(std::string_view text, std::string_view key) {
  std::size_t at = text.starts_with(key) ? 0 : text.find("\n" + std::string(key));
  if (at == std::string_view::npos) return 0;
  at = text.find_first_of("0123456789", at + key.size());
  std::int64_t value = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) value = value * 10 + (text[at] - '0');
  return value;
}

}  // namespace

ProcessUse use_of_process(pid_t pid) {
  const auto text = read_file(proc(pid, "status"), kMostProcBytes);
  if (!text.ok()) return {};
  return {(figure_in(*text, "RssAnon:") + figure_in(*text, "RssShmem:")) * 1024, figure_in(*text, "Threads:")};
}

std::int64_t shared_out_memory_of(pid_t pid) {
  const auto text = read_file(proc(pid, "smaps_rollup"), kMostProcBytes);
  // One that may not be looked into, as of a program with the rights of somebody else.
  if (!text.ok()) return use_of_process(pid).most_memory_bytes;
  return (figure_in(*text, "Pss_Anon:") + figure_in(*text, "Pss_Shmem:")) * 1024;
}

std::int64_t open_files_of(pid_t pid) {
  const auto status = status_of(proc(pid, "fd"));
  if (!status.ok() || !*status) return 0;
  // Since Linux 6.2; before, it is 0.
  if ((*status)->st_size > 0) return (*status)->st_size;
  const auto names = list_folder(proc(pid, "fd"));
  return names.ok() ? static_cast<std::int64_t>(names->size()) : 0;
}

}  // namespace trainyard
