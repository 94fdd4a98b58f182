// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/cgroup_plan.hpp"

#include <algorithm>
#include <optional>

namespace trainyard {

namespace {

constexpr std::string_view kLimiting[] = {"memory", "pids", "cpu"};
constexpr std::int64_t kPeriodUs = 100'000;
constexpr std::int64_t kLeastQuotaUs = 1000;  // of the kernel

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(at), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

template <class Texts, class Text>
bool contains(const Texts& texts, const Text& text) {
  return std::find(std::begin(texts), std::end(texts), text) != std::end(texts);
}

// mountinfo writes blanks and the like as \040.
std::string unescaped(std::string_view text) {
  std::string plain;
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  while (!text.empty()) {
    const bool escape = text.size() >= 4 && text[0] == '\\' && std::all_of(&text[1], &text[1] + 3, octal);
    plain += escape ? static_cast<char>((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0')) : text[0];
    text.remove_prefix(escape ? 4 : 1);
  }
  return plain;
}

struct Mount {
  std::string root;   // the group that it shows
  std::string point;  // where it shows it
  std::string_view type;
  std::vector<std::string_view> options;  // of v1: the controllers among them
};

// "36 31 0:33 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory"
std::vector<Mount> cgroup_mounts(std::string_view mountinfo) {
  std::vector<Mount> mounts;
  for (const std::string_view line : split(mountinfo, '\n')) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    const auto place = split(line.substr(0, dash), ' ');
    const auto kind = split(line.substr(dash + 3), ' ');
    if (place.size() < 5 || kind.empty() || !kind[0].starts_with("cgroup")) continue;
    mounts.push_back({unescaped(place[3]), unescaped(place[4]), kind[0], split(kind.back(), ',')});
  }
  return mounts;
}

// Where the mount shows the group, if it does.
std::optional<std::string> folder_of(const Mount& mount, std::string_view group) {
  const std::string_view root = mount.root == "/" ? std::string_view() : mount.root;
  // A group outside of this process's cgroup namespace is told as "/../..".
  if (!group.starts_with(root) || group.find("/..") != std::string_view::npos) return std::nullopt;
  group.remove_prefix(root.size());
  if (group.empty() || group == "/") return mount.point;
  if (group.front() != '/') return std::nullopt;
  return (mount.point == "/" ? "" : mount.point) + std::string(group);
}

struct Membership {
  std::vector<std::string_view> controllers;  // none: of v2
  std::string_view group;
};

// "4:memory:/user.slice", "0::/user.slice"
std::vector<Membership> memberships(std::string_view self) {
  std::vector<Membership> all;
  for (const std::string_view line : split(self, '\n')) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    all.push_back({split(line.substr(first + 1, second - first - 1), ','), line.substr(second + 1)});
  }
  return all;
}

std::optional<std::string> v1_folder(std::string_view controller, const std::vector<Membership>& own,
                                     const std::vector<Mount>& mounts) {
  for (const Membership& membership : own) {
    if (!contains(membership.controllers, controller)) continue;
    for (const Mount& mount : mounts) {
      if (mount.type != "cgroup" || !contains(mount.options, controller)) continue;
      if (auto folder = folder_of(mount, membership.group)) return folder;
    }
  }
  return std::nullopt;
}

std::vector<CgroupParent> v1_parents(const std::vector<Membership>& own, const std::vector<Mount>& mounts) {
  std::vector<CgroupParent> parents;
  // The freezer bounds nothing, but ends what multiplies.
  for (const char* const controller : {"memory", "pids", "cpu", "freezer"}) {
    const auto folder = v1_folder(controller, own, mounts);
    if (!folder || (parents.empty() && controller == std::string_view("freezer"))) continue;
    const auto known = std::find_if(parents.begin(), parents.end(),
                                    [&](const CgroupParent& parent) { return parent.folder == *folder; });
    if (known != parents.end()) {
      known->controllers.emplace_back(controller);
    } else {
      parents.push_back({*folder, {controller}, {}, ""});
    }
  }
  return parents;
}

std::vector<CgroupParent> v2_parents(const std::vector<Membership>& own, const std::vector<Mount>& mounts) {
  for (const Membership& membership : own) {
    if (!membership.controllers.empty()) continue;
    for (const Mount& mount : mounts) {
      const auto folder = mount.type == "cgroup2" ? folder_of(mount, membership.group) : std::nullopt;
      if (!folder) continue;
      const std::vector<std::string> wanted(std::begin(kLimiting), std::end(kLimiting));
      const std::string top = mount.point + "/trainyard";
      std::vector<CgroupParent> parents = {{*folder, wanted, {*folder}, ""},
                                           {*folder, wanted, {*folder}, *folder + "/trainyard-supervisor"},
                                           {top, wanted, {mount.point, top}, ""}};
      if (*folder != mount.point) {
        const std::string above = folder->substr(0, folder->rfind('/'));
        parents.push_back({above, wanted, {above}, ""});
      }
      return parents;
    }
  }
  return {};
}

}  // namespace

CgroupPlan plan_cgroups(std::string_view self, std::string_view mounts_text) {
  const std::vector<Membership> own = memberships(self);
  const std::vector<Mount> mounts = cgroup_mounts(mounts_text);
  CgroupPlan plan;
  plan.parents = v1_parents(own, mounts);
  if (!plan.parents.empty()) {
    plan.version = CgroupVersion::v1;
    return plan;
  }
  plan.parents = v2_parents(own, mounts);
  if (plan.parents.empty())
    plan.why_not = mounts.empty() ? "no control groups are mounted" : "the own control group is not among the mounted";
  return plan;
}

std::vector<CgroupSetting> settings_for(CgroupVersion version, const JobLimits& limits) {
  const bool v1 = version == CgroupVersion::v1;
  std::vector<CgroupSetting> settings;
  if (limits.memory_bytes) {
    const std::string bytes = std::to_string(*limits.memory_bytes);
    settings.push_back({"memory", v1 ? "memory.limit_in_bytes" : "memory.max", bytes, Needed::yes});
    // No swap: of v1 the sum of both is bounded, of v2 swap alone.
    settings.push_back(
        {"memory", v1 ? "memory.memsw.limit_in_bytes" : "memory.swap.max", v1 ? bytes : "0", Needed::no});
  }
  if (limits.processes) settings.push_back({"pids", "pids.max", std::to_string(*limits.processes), Needed::yes});
  if (limits.cpu_thousandths) {
    // Up to a million processors, so that no product is too large.
    const std::int64_t thousandths = std::min<std::int64_t>(*limits.cpu_thousandths, 1'000'000'000);
    const std::string quota = std::to_string(std::max(thousandths * (kPeriodUs / 1000), kLeastQuotaUs));
    const std::string period = std::to_string(kPeriodUs);
    if (v1) {
      settings.push_back({"cpu", "cpu.cfs_period_us", period, Needed::yes});
      settings.push_back({"cpu", "cpu.cfs_quota_us", quota, Needed::yes});
    } else {
      settings.push_back({"cpu", "cpu.max", quota + " " + period, Needed::yes});
    }
  }
  return settings;
}

}  // namespace trainyard
