// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/job_cgroup.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <sstream>

#include "runner/processes/cgroup_end.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kMostFileBytes = std::size_t{16} << 20U;

Result<void> set(const Path& file, std::string_view text) {
  const UniqueFd fd = TRY(open_file(file, O_WRONLY));
  return write_all(fd.get(), text, file);
}

std::set<std::string> words_of(const Path& file) {
  std::set<std::string> words;
  const auto text = read_file(file, kMostFileBytes);
  if (!text.ok()) return words;
  std::istringstream stream(*text);
  for (std::string word; stream >> word;) words.insert(word);
  return words;
}

// Which of the controllers the groups below `folder` have, once it has been told to hand them down.
std::vector<std::string> handed_down(const Path& folder, const std::vector<std::string>& wanted) {
  const Path file = folder / "cgroup.subtree_control";
  // One by one: the kernel refuses all for the sake of one.
  for (const std::string& controller : wanted) {
    if (!words_of(file).contains(controller)) static_cast<void>(set(file, "+" + controller));
  }
  const std::set<std::string> there = words_of(file);
  std::vector<std::string> got;
  std::copy_if(wanted.begin(), wanted.end(), std::back_inserter(got),
               [&](const std::string& controller) { return there.contains(controller); });
  return got;
}

// Where this process is alone in its group, it goes to the leaf.
bool moved_to(const Path& leaf) {
  const auto alone = words_of(leaf.parent_path() / "cgroup.procs");
  if (alone != std::set<std::string>{std::to_string(::getpid())}) return false;
  const auto made = make_folder(leaf);
  if (!made.ok() && made.error().code != Errc::exists) return false;
  return set(leaf / "cgroup.procs", "0").ok();
}

Result<void> try_joining(const JobCgroup& group) {
  const pid_t child = ::fork();
  if (child < 0) return fail(Errc::io, "cannot start a process to try it");
  if (child == 0) ::_exit(group.join().ok() ? 0 : 1);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return fail(Errc::unavailable, "no process can be moved to '" + group.folders().front().string() + "'");
}

}  // namespace

Result<JobCgroup::Group> JobCgroup::make_group(const CgroupParent& parent, const std::string& name) {
  const Path folder = Path(parent.folder) / (std::string(kCgroupPrefix) + name);
  if (is_there(folder)) TRY(remove_cgroups({folder}));
  TRY(make_folder(folder, 0755));
  auto entrance = open_file(folder / "cgroup.procs", O_WRONLY);
  if (!entrance.ok()) {
    static_cast<void>(remove_cgroups({folder}));
    return std::move(entrance).error();
  }
  return Group{folder, parent.controllers, std::move(*entrance)};
}

Result<void> JobCgroup::make_v1(const CgroupPlan& plan, const std::string& name) {
  for (const CgroupParent& parent : plan.parents) {
    auto group = make_group(parent, name);
    if (group.ok()) {
      groups_.push_back(std::move(*group));
    } else if (facts_.why_not.empty() && parent.controllers.front() != "freezer") {
      facts_.why_not = group.error().message;
    }
  }
  if (groups_.empty()) return fail(Errc::unavailable, facts_.why_not);
  return {};
}

// One that has no controllers is kept for want of a better one: it can be killed as a whole.
Result<void> JobCgroup::make_v2(const CgroupPlan& plan, const std::string& name) {
  for (CgroupParent parent : plan.parents) {
    if (!parent.own_leaf.empty() && !moved_to(parent.own_leaf)) continue;
    for (const std::string& above : parent.handing_down) {
      if (parent.controllers.empty()) break;
      if (!is_there(above)) static_cast<void>(make_folder(above, 0755));
      parent.controllers = handed_down(above, parent.controllers);
    }
    if (!groups_.empty() && parent.controllers.empty()) continue;
    auto group = make_group(parent, name);
    if (!group.ok()) {
      if (facts_.why_not.empty()) facts_.why_not = group.error().message;
      continue;
    }
    if (!groups_.empty()) static_cast<void>(remove_cgroups(folders()));
    groups_.clear();
    groups_.push_back(std::move(*group));
    if (!parent.controllers.empty()) return {};
  }
  if (groups_.empty()) return fail(Errc::unavailable, facts_.why_not);
  return {};
}

void JobCgroup::bound(CgroupVersion version, const JobLimits& limits) {
  facts_.memory = group_with("memory") != nullptr;
  facts_.processes = group_with("pids") != nullptr;
  facts_.cpu = group_with("cpu") != nullptr;
  for (const CgroupSetting& setting : settings_for(version, limits)) {
    const Group* const group = group_with(setting.controller);
    if (group == nullptr) continue;
    const auto written = set(group->folder / setting.file, setting.text);
    if (written.ok() || setting.needed == Needed::no) continue;
    (setting.controller == "memory" ? facts_.memory
     : setting.controller == "pids" ? facts_.processes
                                    : facts_.cpu) = false;
    if (facts_.why_not.empty()) facts_.why_not = written.error().message;
  }
  if (facts_.memory && facts_.processes && facts_.cpu) {
    facts_.why_not.clear();
  } else if (facts_.why_not.empty()) {
    std::string missing;
    for (const auto& [kept, controller] :
         {std::pair(facts_.memory, "memory"), {facts_.processes, "pids"}, {facts_.cpu, "cpu"}}) {
      if (!kept) missing += (missing.empty() ? "" : ", ") + std::string(controller);
    }
    facts_.why_not = "'" + groups_.front().folder.parent_path().string() + "' has no controller for " + missing;
  }
}

Result<JobCgroup> JobCgroup::make(const std::string& name, const JobLimits& limits, const CgroupFiles& files) {
  const std::string self = TRY(read_file(files.self, kMostFileBytes));
  const std::string mounts = TRY(read_file(files.mounts, kMostFileBytes));
  const CgroupPlan plan = plan_cgroups(self, mounts);
  if (plan.parents.empty()) return fail(Errc::unavailable, plan.why_not);
  JobCgroup made;
  TRY(plan.version == CgroupVersion::v1 ? made.make_v1(plan, name) : made.make_v2(plan, name));
  made.bound(plan.version, limits);
  return made;
}

Result<void> JobCgroup::join() const {
  for (const Group& group : groups_) TRY(write_all(group.entrance.get(), "0", group.folder / "cgroup.procs"));
  return {};
}

const JobCgroup::Group* JobCgroup::group_with(const std::string& controller) const {
  for (const Group& group : groups_) {
    if (std::find(group.controllers.begin(), group.controllers.end(), controller) != group.controllers.end())
      return &group;
  }
  return nullptr;
}

// The number after `key`, or that the file consists of.
std::optional<std::int64_t> JobCgroup::figure(const std::string& controller, const char* file,
                                              std::string_view key) const {
  const Group* const group = group_with(controller);
  if (group == nullptr) return std::nullopt;
  const auto text = read_file(group->folder / file, kMostFileBytes);
  if (!text.ok()) return std::nullopt;
  std::istringstream words(*text);
  std::string word;
  while (!key.empty() && words >> word && word != key) {
  }
  std::int64_t value = 0;
  if (!(words >> value)) return std::nullopt;
  return value;
}

JobCgroup::Usage JobCgroup::usage() const {
  const auto of = [this](const char* controller, const char* v1_file, const char* v2_file, std::string_view key) {
    const auto value = figure(controller, v1_file, key);
    return value ? value : figure(controller, v2_file, key);
  };
  return {of("memory", "memory.max_usage_in_bytes", "memory.peak", ""),
          of("memory", "memory.oom_control", "memory.events", "oom_kill").value_or(0),
          figure("pids", "pids.events", "max").value_or(0)};
}

std::vector<std::int64_t> JobCgroup::pids() const { return processes_in(folders()); }

void JobCgroup::kill_all() const { end_processes_in(folders()); }

Result<void> JobCgroup::remove() {
  TRY(remove_cgroups(folders()));
  groups_.clear();
  return {};
}

std::vector<Path> JobCgroup::folders() const {
  std::vector<Path> folders;
  for (const Group& group : groups_) folders.push_back(group.folder);
  return folders;
}

CgroupFacts probe_cgroups(const CgroupFiles& files) {
  // Bounds that any machine can keep.
  const JobLimits limits{std::int64_t{1} << 30U, 1000, 1000, std::nullopt, std::nullopt, std::nullopt};
  auto group = JobCgroup::make("probe-" + std::to_string(::getpid()), limits, files);
  if (!group.ok()) return {false, false, false, group.error().message};
  CgroupFacts facts = group->facts();
  if (const auto tried = try_joining(*group); !tried.ok()) facts = {false, false, false, tried.error().message};
  static_cast<void>(group->remove());
  return facts;
}

}  // namespace trainyard
