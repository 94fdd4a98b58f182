// SPDX-License-Identifier: Apache-2.0
// A package tries what it must not be able to do. The table that is printed shows each attempt and what became of it, for
// root and for an ordinary user, with all layers, with those that most containers leave, and with none. Where nothing
// stands around the package the attempts succeed: so the table can fail.
#include <arpa/inet.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <map>
#include <set>
#include <thread>

#include "runner/processes/process.hpp"
#include "tests/isolation/person.hpp"

using namespace trainyard;

namespace {

// What the package aims at outside of its run.
class Aims {
 public:
  explicit Aims(const Person& person)
      : victim_(Process::spawn(person.spawning({"/bin/sleep", "1000"})).value()),
        tcp_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        udp_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)),
        abstract_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        named_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        key_(0x54590000 + ::getpid() % 0x10000),
        memory_(::shmget(key_, 4096, IPC_CREAT | 0666)) {
    variables_["tcp_port"] = std::to_string(bound(tcp_.get()));
    variables_["udp_port"] = std::to_string(bound(udp_.get()));
    ::listen(tcp_.get(), 100);
    const std::string name = "trainyard-red-team-" + std::to_string(::getpid());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name.data(), name.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    if (::bind(abstract_.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0)
      throw std::runtime_error("no abstract socket");
    ::listen(abstract_.get(), 100);
    variables_["abstract_socket"] = name;
    const std::string path = (person.home() / "socket").string();
    sockaddr_un named{};
    named.sun_family = AF_UNIX;
    std::memcpy(named.sun_path, path.data(), path.size());
    if (::bind(named_.get(), reinterpret_cast<const sockaddr*>(&named), sizeof(named)) != 0 ||
        ::chmod(path.c_str(), 0777) != 0)
      throw std::runtime_error("no socket " + path);
    ::listen(named_.get(), 100);
    variables_["socket_path"] = path;
    variables_["host_pid"] = std::to_string(victim_.pid());
    variables_["shm_key"] = std::to_string(key_);
    variables_["store"] = person.store().string();
    variables_["home_file"] = person.own_file("home/.ssh_key", "secret\n").string();
    variables_["tmp_file"] = person.own_file("tmp_file", "secret\n").string();
    variables_["dataset_file"] = (person.data() / "data.csv").string();
    echo_ = std::jthread([fd = udp_.get()](const std::stop_token& stop) {
      const timeval patience{0, 100'000};
      ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
      while (!stop.stop_requested()) {
        char byte = 0;
        sockaddr_in from{};
        socklen_t from_size = sizeof(from);
        if (::recvfrom(fd, &byte, 1, 0, reinterpret_cast<sockaddr*>(&from), &from_size) == 1)
          ::sendto(fd, &byte, 1, 0, reinterpret_cast<sockaddr*>(&from), from_size);
      }
    });
  }
  Aims(const Aims&) = delete;
  Aims& operator=(const Aims&) = delete;
  ~Aims() {
    ::shmctl(memory_, IPC_RMID, nullptr);
    ::unlink(variables_["socket_path"].c_str());
  }

  void set(const std::string& name, const std::string& value) { variables_[name] = value; }
  [[nodiscard]] std::vector<std::string> options() const {
    std::vector<std::string> words;
    for (const auto& [name, value] : variables_) {
      words.emplace_back("--env");
      words.push_back(name + "=" + value);
    }
    return words;
  }

 private:
  static int bound(int fd) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0) throw std::runtime_error("no port");
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
  }

  Process victim_;
  UniqueFd tcp_;
  UniqueFd udp_;
  UniqueFd abstract_;
  UniqueFd named_;
  key_t key_;
  int memory_;
  std::map<std::string, std::string> variables_;
  std::jthread echo_;
};

struct Tried {
  bool done = false;
  std::string why;
};

// In the order of the attempts.
using Table = std::vector<std::pair<std::string, Tried>>;

Table table_of(const PersonsRun& run) {
  Table table;
  const std::string text = read_file(run.folder / "artifacts" / "attempts.tsv", SIZE_MAX / 4).value();
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    const std::string line = text.substr(begin, end - begin);
    const std::size_t first = line.find('\t');
    const std::size_t second = line.find('\t', first + 1);
    table.push_back(
        {line.substr(0, first), {line.substr(first + 1, second - first - 1) == "done", line.substr(second + 1)}});
    begin = end + 1;
  }
  return table;
}

std::set<std::string> done_in(const Table& table) {
  std::set<std::string> names;
  for (const auto& [name, tried] : table) {
    if (tried.done) names.insert(name);
  }
  return names;
}

Table attack(Person& person, const std::vector<std::string>& options) {
  const PersonsRun other = person.train("counts", {});
  Aims aims(person);
  aims.set("other_run", other.folder.string());
  std::vector<std::string> all = aims.options();
  all.insert(all.end(), options.begin(), options.end());
  const PersonsRun run = person.train("red_team", all);
  INFO(run.output.err);
  CHECK(run.reason() == "ok");
  return table_of(run);
}

// Whether this machine has all layers for that person, as an ordinary one has; else less can be asked of it.
bool has_namespaces(Person& person) {
  const Json missing = person.train("counts", {}).attempt().at("isolation").at("missing");
  for (const char* const layer : {"landlock", "seccomp", "user", "mount", "pid", "ipc", "network"}) {
    if (!missing.contains(layer)) continue;
    WARN("this machine lacks the layer " << layer << ": " << missing.at(layer).get<std::string>());
    return false;
  }
  return true;
}

void print(const char* who, const std::vector<std::pair<const char*, Table>>& columns) {
  std::printf("\n%s\n%-46s", who, "");
  for (const auto& [name, table] : columns) std::printf(" %-14s", name);
  std::printf("\n");
  for (std::size_t row = 0; row < columns.front().second.size(); ++row) {
    std::printf("%-46s", columns.front().second[row].first.c_str());
    for (const auto& [name, table] : columns) std::printf(" %-14s", table.at(row).second.done ? "DONE" : "kept");
    std::printf(" %s\n", columns.front().second[row].second.why.c_str());
  }
}

// Of what most containers leave, Landlock and seccomp, these are the gaps: what can be seen of other processes, memory that
// others have left open to all, sockets by their paths, and the modes of files that the user owns.
const std::set<std::string> kGapsWithoutNamespaces = {
    "see a process of the host", "attach the host's shared memory", "connect to a socket by its path",
    "change the mode of a stored file", "change the mode of /dev/null"};
// Without the filter of system calls, what concerns the job alone or the kernel's own checks.
const std::set<std::string> kGapsWithoutSeccomp = {"make a user namespace", "make a setuid file", "make an io_uring",
                                                   "watch the kernel's events", "look at the keys of the session"};

const std::vector<std::string> kAsInAContainer = {"--without", "user", "--without", "mount",   "--without", "pid",
                                                  "--without", "ipc",  "--without", "network", "--without", "cgroup"};

// What root and an ordinary user can do alike where nothing is in the way.
const std::set<std::string> kOpenToAll = {"read the store's format",
                                          "find another run",
                                          "read a stored object",
                                          "write beside the stored objects",
                                          "plant a version",
                                          "read another run's plan",
                                          "write into another run",
                                          "read its own plan",
                                          "forge its journal",
                                          "write its own results",
                                          "write its own exit",
                                          "cut its events short",
                                          "write lines into its events",
                                          "read a file in the user's home",
                                          "write into the user's home",
                                          "read a file in the host's /tmp",
                                          "write the user's dataset",
                                          "signal its supervisor",
                                          "signal a process of the host",
                                          "see a process of the host",
                                          "connect by TCP",
                                          "ask by UDP",
                                          "connect to an abstract socket",
                                          "connect to a socket by its path",
                                          "change the mode of a stored file",
                                          "attach the host's shared memory",
                                          "make a setuid file",
                                          "look at the keys of the session"};
const std::set<std::string> kOpenToRoot = {"change a stored version's record",
                                           "change the mode of /dev/null",
                                           "read /etc/shadow",
                                           "read its supervisor's variables",
                                           "trace a process of the host",
                                           "read the memory of a process of the host",
                                           "reach the host's files through /proc",
                                           "open a packet socket",
                                           "mount over /usr",
                                           "change its root",
                                           "open the kernel's messages as a device",
                                           "set the host's name",
                                           "open a file by its handle",
                                           "write a setting of the kernel"};

// Those of `wanted` that `done` lacks.
std::vector<std::string> lacking(const std::set<std::string>& wanted, const std::set<std::string>& done) {
  std::vector<std::string> names;
  std::set_difference(wanted.begin(), wanted.end(), done.begin(), done.end(), std::back_inserter(names));
  return names;
}

}  // namespace

TEST_CASE("the red team is kept from everything, and from little where nothing stands around it") {
  const auto kind = GENERATE(Person::Kind::myself, Person::Kind::ordinary);
  if (!Person::can_be(kind)) return;
  const bool root = kind == Person::Kind::myself && ::geteuid() == 0;
  Person person(kind);
  const Table all = attack(person, {});
  const Table contained = attack(person, kAsInAContainer);
  const Table none = attack(person, {"--isolation", "none"});
  const Table no_landlock = attack(person, {"--without", "landlock"});
  const Table no_seccomp = attack(person, {"--without", "seccomp"});
  print(root ? "As root" : "As an ordinary user", {{"all layers", all},
                                                   {"no landlock", no_landlock},
                                                   {"no seccomp", no_seccomp},
                                                   {"as a container", contained},
                                                   {"none", none}});
  CHECK(all.size() >= 30);
  if (has_namespaces(person)) {
    CHECK(done_in(all).empty());
    CHECK(done_in(no_landlock).empty());
    CHECK(lacking(done_in(no_seccomp), kGapsWithoutSeccomp).empty());
  } else {
    CHECK(lacking(done_in(all), kGapsWithoutNamespaces).empty());
  }
  CHECK(lacking(done_in(contained), kGapsWithoutNamespaces).empty());
  CHECK(lacking(kOpenToAll, done_in(none)).empty());
  if (root) CHECK(lacking(kOpenToRoot, done_in(none)).empty());
  const bool groups =
      ::access("/sys/fs/cgroup/pids/cgroup.procs", W_OK) == 0 || ::access("/sys/fs/cgroup/cgroup.procs", W_OK) == 0;
  if (root && groups) CHECK(done_in(none).contains("leave its control group"));
  // With all layers nothing is left behind that was not there before.
  CHECK(person.trainyard({"store", "fsck"}).status.code == 0);
}
