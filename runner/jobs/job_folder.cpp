// SPDX-License-Identifier: Apache-2.0
#include "runner/jobs/job_folder.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "storage/values/limits.hpp"
#include "storage/values/number.hpp"

namespace trainyard {

namespace {

constexpr off_t kExitRoom = 16 << 10;  // more than an exit takes with the longest failure

}  // namespace

Result<JobSpec> read_job_spec(const Path& file) {
  const std::string text = TRY(read_file(file, limits::kRecordBytes));
  const Json json = TRY(parse_json(text, "the file '" + file.string() + "'"));
  return job_spec_from(json);
}

Result<std::vector<int>> JobFolder::ranks() const {
  std::vector<int> ranks;
  const auto names = list_folder(path_ / "ranks");
  if (!names.ok() && names.error().code == Errc::not_found) return ranks;
  for (const std::string& name : TRY(names)) {
    if (const auto rank = number_in<int>(name); rank && std::to_string(*rank) == name) ranks.push_back(*rank);
  }
  std::sort(ranks.begin(), ranks.end());
  return ranks;
}

Result<JobSpec> JobFolder::read_job() const { return read_job_spec(job()); }

Result<void> JobFolder::reserve_exit() const {
  const UniqueFd fd = TRY(open_file(exit_draft(), O_WRONLY | O_CREAT, 0644));
  int refused = EINTR;
  while (refused == EINTR) refused = ::posix_fallocate(fd.get(), 0, kExitRoom);
  if (refused != 0) return system_error("take room for", exit_draft(), refused);
  return {};
}

Result<std::optional<JobExit>> JobFolder::read_exit() const {
  const auto text = read_file(exit(), limits::kRecordBytes);
  if (!text.ok()) {
    if (text.error().code == Errc::not_found) return std::optional<JobExit>();
    return text.error();
  }
  const auto json = parse_json(*text, "the file '" + exit().string() + "'");
  if (!json.ok()) return fail(Errc::corrupt, json.error().message);
  auto read = job_exit_from(*json);
  if (!read.ok()) return fail(Errc::corrupt, "'" + exit().string() + "': " + read.error().message);
  return std::optional(std::move(*read));
}

Result<std::optional<std::string>> JobFolder::read_claim() const {
  auto text = read_file(claim(), limits::kRecordBytes);
  if (!text.ok() && text.error().code == Errc::not_found) return std::optional<std::string>();
  if (!text.ok()) return text.error();
  if (!text->empty() && text->back() == '\n') text->pop_back();
  return std::optional(std::move(*text));
}

Result<std::string> claim_job(const JobFolder& folder, std::string_view claimant) {
  const auto claimed =
      publish_file(folder.claim().parent_path(), folder.claim(), std::string(claimant) + "\n", 0444, Durable::no);
  if (claimed.ok()) return std::string(claimant);
  if (claimed.error().code != Errc::exists) return claimed.error();
  auto claim = TRY(folder.read_claim());
  if (!claim) return fail(Errc::io, "the claim '" + folder.claim().string() + "' was there and is gone");
  return std::move(*claim);
}

}  // namespace trainyard
