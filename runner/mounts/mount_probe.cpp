// SPDX-License-Identifier: Apache-2.0
#include "runner/mounts/mount_probe.hpp"

#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ctime>

#include "runner/mounts/dataset_folder.hpp"
#include "runner/mounts/reflink_dataset_mount.hpp"
#include "runner/processes/process_identity.hpp"
#include "runner/processes/run_program.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kMountProbeSchema = "trainyard.mount-probe/1";
constexpr std::chrono::seconds kProbeTime{10};
constexpr std::time_t kBelievedSeconds = 3600;

// What is asked by doing, and remembered.
struct Answers {
  bool overlay_works = false;
  std::string overlay_why_not;
  bool all_ids_mapped = false;
  bool reflink_works = false;
};

Json to_json(const Answers& answers) {
  return {{"schema", kMountProbeSchema},
          {"overlay_works", answers.overlay_works},
          {"overlay_why_not", answers.overlay_why_not},
          {"all_ids_mapped", answers.all_ids_mapped},
          {"reflink_works", answers.reflink_works}};
}

Result<Answers> answers_from(const Json& json) {
  Fields fields(json, "the mount probe");
  fields.schema(kMountProbeSchema);
  Answers answers;
  answers.overlay_works = fields.boolean("overlay_works");
  answers.overlay_why_not = fields.text("overlay_why_not");
  answers.all_ids_mapped = fields.boolean("all_ids_mapped");
  answers.reflink_works = fields.boolean("reflink_works");
  TRY(fields.finish());
  return answers;
}

Result<struct stat> followed_status(const Path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return system_error("look at", path, errno);
  return status;
}

// Everything that an answer depends on.
Result<std::string> key_of(const Path& dataset, const Path& scratch) {
  struct statfs file_system {};
  if (::statfs(dataset.c_str(), &file_system) != 0) return system_error("look at", dataset, errno);
  std::string key = TRY(ProcessIdentity::of(::getpid())).boot + "-" + std::to_string(::geteuid());
  key += "-" + std::to_string(TRY(followed_status("/proc/self/ns/user")).st_ino);
  key += "-" + std::to_string(TRY(followed_status("/proc/self/ns/mnt")).st_ino);
  key += "-" + std::to_string(TRY(followed_status(dataset)).st_dev);
  key += "-" + std::to_string(file_system.f_type);
  key += "-" + std::to_string(TRY(followed_status(scratch)).st_dev);
  return key;
}

Result<Answers> remembered(const Path& file) {
  const struct stat status = TRY(followed_status(file));
  const std::time_t age = std::time(nullptr) - status.st_mtim.tv_sec;
  // time() lags a tick behind the clock of the file system, so a new file can be from the next second.
  if (age < -1 || age > kBelievedSeconds)
    return fail(Errc::not_found, "the answer in '" + file.string() + "' is too old");
  return answers_from(TRY(parse_json(TRY(read_file(file, limits::kRecordBytes)), file.string())));
}

std::string_view without_newline(std::string_view text) {
  return text.ends_with('\n') ? text.substr(0, text.size() - 1) : text;
}

Result<Answers> ask(const Path& worker_program, const Path& dataset, const Path& scratch) {
  const Path folder = scratch_name(scratch, "mount-probe");
  TRY(make_folder(folder));
  const auto output = run_program({worker_program.string(), "probe-overlay", dataset.string(), folder.string()}, {},
                                  "/", "", kProbeTime);
  const auto removed = remove_tree(folder);
  const ProgramOutput& ended = TRY(output);
  TRY(removed);
  Answers answers;
  answers.overlay_works = ended.status.code == 0;
  answers.all_ids_mapped = ended.out == "all\n";
  if (!answers.overlay_works) {
    answers.overlay_why_not =
        ended.err.empty() ? "its probe ended without an answer" : utf8_cleaned(without_newline(ended.err));
  }
  answers.reflink_works = can_reflink(dataset, scratch);
  return answers;
}

}  // namespace

Result<MountFacts> probe_mounts(const Path& worker_program, const Path& dataset, const Path& scratch) {
  const Path resolved = TRY(resolve_dataset(dataset));
  const Path file = scratch / ("mount-probe-" + TRY(key_of(resolved, scratch)) + ".json");
  auto answers = remembered(file);
  if (!answers.ok()) {
    answers = ask(worker_program, resolved, scratch);
    // Without the cache the next run asks again, and nothing else is lost.
    if (answers.ok()) static_cast<void>(replace_file(scratch, file, readable(to_json(*answers)), 0644, Durable::no));
  }
  const Answers& known = TRY(answers);
  const struct stat owner = TRY(followed_status(resolved));
  MountFacts facts;
  facts.overlay_works = known.overlay_works;
  facts.overlay_why_not = known.overlay_why_not;
  facts.owner_mapped = known.all_ids_mapped || (owner.st_uid == ::geteuid() && owner.st_gid == ::getegid());
  if (const auto point = TRY(mounted_below(resolved))) facts.mounted_below = point->string();
  facts.reflink_works = known.reflink_works;
  return facts;
}

}  // namespace trainyard
