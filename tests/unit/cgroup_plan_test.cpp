// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/cgroup_plan.hpp"

#include <catch2/catch.hpp>

namespace trainyard::cgroup_plan_test {
namespace {

using Controllers = std::vector<std::string>;

const Controllers kAll = {"memory", "pids", "cpu"};

CgroupParent v1(std::string folder, Controllers controllers) {
  return {std::move(folder), std::move(controllers), {}, ""};
}

// A desktop or a server of today, logged in over SSH.
constexpr const char* kSessionMounts =
    "24 30 0:22 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw\n"
    "35 24 0:30 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,"
    "memory_recursiveprot\n"
    "30 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw,errors=remount-ro\n";

// systemd 2xx with both: the controllers are in v1.
constexpr const char* kHybridMounts =
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
    "33 31 0:30 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
    "37 31 0:34 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer\n"
    "39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n"
    "40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

constexpr const char* kDockerV1Mounts =
    "811 810 0:59 /docker/0123abcd /sys/fs/cgroup/systemd ro,nosuid,nodev,noexec,relatime master:11 - cgroup cgroup "
    "rw,xattr,name=systemd\n"
    "817 810 0:33 /docker/0123abcd /sys/fs/cgroup/cpu,cpuacct ro,nosuid,nodev,noexec,relatime master:17 - cgroup "
    "cgroup rw,cpu,cpuacct\n"
    "818 810 0:34 /docker/0123abcd /sys/fs/cgroup/memory ro,nosuid,nodev,noexec,relatime master:18 - cgroup cgroup "
    "rw,memory\n";

}  // namespace

TEST_CASE("where groups of v1 can be made is read from the mounts", "[cgroup_plan]") {
  struct Row {
    const char* what;
    std::string self;
    std::string mounts;
    std::vector<CgroupParent> parents;
  };
  const Row rows[] = {
      {"both versions, the controllers in v1",
       "9:name=systemd:/\n8:pids:/\n6:freezer:/\n4:memory:/worker_host/47758f\n2:cpuacct:/\n1:cpu:/\n0::/\n",
       kHybridMounts,
       {v1("/sys/fs/cgroup/memory/worker_host/47758f", {"memory"}), v1("/sys/fs/cgroup/pids", {"pids"}),
        v1("/sys/fs/cgroup/cpu", {"cpu"}), v1("/sys/fs/cgroup/freezer", {"freezer"})}},
      {"joined controllers, a user's session",
       "11:memory:/user.slice/user-1000.slice/session-3.scope\n5:pids:/user.slice/user-1000.slice/session-3.scope\n"
       "4:cpu,cpuacct:/user.slice\n1:name=systemd:/user.slice/user-1000.slice/session-3.scope\n",
       "30 20 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:11 - cgroup cgroup rw,cpu,cpuacct\n"
       "31 20 0:27 / /sys/fs/cgroup/pids rw,nosuid shared:12 - cgroup cgroup rw,pids\n"
       "32 20 0:28 / /sys/fs/cgroup/memory rw,nosuid shared:13 - cgroup cgroup rw,memory\n",
       {v1("/sys/fs/cgroup/memory/user.slice/user-1000.slice/session-3.scope", {"memory"}),
        v1("/sys/fs/cgroup/pids/user.slice/user-1000.slice/session-3.scope", {"pids"}),
        v1("/sys/fs/cgroup/cpu,cpuacct/user.slice", {"cpu"})}},
      {"all in one mount, at an odd place",
       "1:cpu,memory,pids,freezer:/a\n",
       "30 20 0:26 / /mnt/my\\040groups rw - cgroup none rw,cpu,memory,pids,freezer\n",
       {v1("/mnt/my groups/a", {"memory", "pids", "cpu", "freezer"})}},
      {"a container that sees its own group as the root of the mount",
       "7:memory:/docker/0123abcd\n4:cpu,cpuacct:/docker/0123abcd\n1:name=systemd:/docker/0123abcd\n",
       kDockerV1Mounts,
       {v1("/sys/fs/cgroup/memory", {"memory"}), v1("/sys/fs/cgroup/cpu,cpuacct", {"cpu"})}},
      {"below the root of the mount",
       "7:memory:/docker/0123abcd/inner\n",
       kDockerV1Mounts,
       {v1("/sys/fs/cgroup/memory/inner", {"memory"})}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const CgroupPlan plan = plan_cgroups(row.self, row.mounts);
    CHECK((plan.version == CgroupVersion::v1));
    CHECK((plan.parents == row.parents));
    CHECK(plan.why_not.empty());
  }
}

TEST_CASE("where groups of v2 can be made is a list to try", "[cgroup_plan]") {
  struct Row {
    const char* what;
    std::string self;
    std::string mounts;
    std::vector<CgroupParent> parents;
  };
  const std::string scope = "/sys/fs/cgroup/user.slice/user-1000.slice/session-3.scope";
  const std::string slice = "/sys/fs/cgroup/user.slice/user-1000.slice";
  const std::string service = "/sys/fs/cgroup/system.slice/trainyard.service";
  const CgroupParent top = {"/sys/fs/cgroup/trainyard", kAll, {"/sys/fs/cgroup", "/sys/fs/cgroup/trainyard"}, ""};
  const Row rows[] = {
      {"a session of systemd",
       "0::/user.slice/user-1000.slice/session-3.scope\n",
       kSessionMounts,
       {{scope, kAll, {scope}, ""},
        {scope, kAll, {scope}, scope + "/trainyard-supervisor"},
        top,
        {slice, kAll, {slice}, ""}}},
      {"a service of systemd",
       "0::/system.slice/trainyard.service\n",
       kSessionMounts,
       {{service, kAll, {service}, ""},
        {service, kAll, {service}, service + "/trainyard-supervisor"},
        top,
        {"/sys/fs/cgroup/system.slice", kAll, {"/sys/fs/cgroup/system.slice"}, ""}}},
      {"a container with a namespace of its own, read-only",
       "0::/\n",
       "1150 1149 0:30 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw,nsdelegate\n",
       {{"/sys/fs/cgroup", kAll, {"/sys/fs/cgroup"}, ""},
        {"/sys/fs/cgroup", kAll, {"/sys/fs/cgroup"}, "/sys/fs/cgroup/trainyard-supervisor"},
        top}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const CgroupPlan plan = plan_cgroups(row.self, row.mounts);
    CHECK((plan.version == CgroupVersion::v2));
    CHECK((plan.parents == row.parents));
    CHECK(plan.why_not.empty());
  }
}

TEST_CASE("where no group can be made it is said why", "[cgroup_plan]") {
  struct Row {
    const char* what;
    std::string self;
    std::string mounts;
    std::string why_not;
  };
  const Row rows[] = {
      {"nothing at all", "", "", "no control groups are mounted"},
      {"a kernel with groups that nobody mounted", "0::/\n",
       "60 1 8:32 / / rw,relatime - ext4 /dev/sdc rw\n61 60 0:20 / /sys rw - sysfs sysfs rw\n",
       "no control groups are mounted"},
      {"a group outside of the namespace", "0::/../../init.scope\n", kSessionMounts,
       "the own control group is not among the mounted"},
      {"a mount of another group", "7:memory:/docker/0123abcdef\n", kDockerV1Mounts,
       "the own control group is not among the mounted"},
      {"texts that make no sense", "memory\n:\n0:\n", "- \n - \n1 2 3 - cgroup2\n36 24 0:3 / - cgroup\n",
       "no control groups are mounted"},
      {"only the freezer", "6:freezer:/\n", "37 31 0:34 / /f rw - cgroup cgroup rw,freezer\n",
       "the own control group is not among the mounted"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const CgroupPlan plan = plan_cgroups(row.self, row.mounts);
    CHECK(plan.parents.empty());
    CHECK(plan.why_not == row.why_not);
  }
}

TEST_CASE("the limits are written as each version wants them", "[cgroup_plan]") {
  JobLimits limits;
  CHECK(settings_for(CgroupVersion::v1, limits).empty());
  CHECK(settings_for(CgroupVersion::v2, limits).empty());
  limits = {512 << 20U, 1500, 100, 1024, 1, 1};
  const std::vector<CgroupSetting> v1_settings = {{"memory", "memory.limit_in_bytes", "536870912", Needed::yes},
                                                  {"memory", "memory.memsw.limit_in_bytes", "536870912", Needed::no},
                                                  {"pids", "pids.max", "100", Needed::yes},
                                                  {"cpu", "cpu.cfs_period_us", "100000", Needed::yes},
                                                  {"cpu", "cpu.cfs_quota_us", "150000", Needed::yes}};
  CHECK((settings_for(CgroupVersion::v1, limits) == v1_settings));
  const std::vector<CgroupSetting> v2_settings = {{"memory", "memory.max", "536870912", Needed::yes},
                                                  {"memory", "memory.swap.max", "0", Needed::no},
                                                  {"pids", "pids.max", "100", Needed::yes},
                                                  {"cpu", "cpu.max", "150000 100000", Needed::yes}};
  CHECK((settings_for(CgroupVersion::v2, limits) == v2_settings));
  const auto cpu_max = [](std::int64_t thousandths) {
    JobLimits cpu;
    cpu.cpu_thousandths = thousandths;
    return settings_for(CgroupVersion::v2, cpu).front().text;
  };
  CHECK(cpu_max(1) == "1000 100000");
  CHECK(cpu_max(INT64_MAX) == "100000000000 100000");
}

}  // namespace trainyard::cgroup_plan_test
