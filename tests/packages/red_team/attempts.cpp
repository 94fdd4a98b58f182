// SPDX-License-Identifier: Apache-2.0
#include "attempts.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>

namespace red_team {

namespace {

namespace fs = std::filesystem;

std::string aim(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string("no aim ") + name);
  return value;
}

[[noreturn]] void failed(const char* what) {
  throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

void require(bool done, const char* what) {
  if (!done) failed(what);
}

struct Descriptor {
  int fd;
  Descriptor(int opened, const char* what) : fd(opened) { require(fd >= 0, what); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { ::close(fd); }
};

void read_file(const fs::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC), "open");
  char byte = 0;
  require(::read(file.fd, &byte, 1) == 1, "read");
}

void find(const fs::path& folder, const fs::path& name) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().filename() == name) return;
  }
  throw std::runtime_error(error ? "list: " + error.message() : "it is not there");
}

void append(const fs::path& path, const char* text) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC), "open");
  require(::write(file.fd, text, std::strlen(text)) >= 0, "write");
}

void create(const fs::path& path, const char* text) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), "create");
  require(::write(file.fd, text, std::strlen(text)) > 0, "write");
}

// The same, gone again at once, so that nothing is spoilt where it succeeds.
void touch(const fs::path& path) {
  create(path, "x");
  ::unlink(path.c_str());
}

fs::path first_below(const fs::path& folder) {
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->is_regular_file(error)) return entry->path();
  }
  throw std::runtime_error("list: nothing is there");
}

sockaddr_in loopback(const char* port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(aim(port))));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void connect_by_tcp() {
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  const sockaddr_in address = loopback("tcp_port");
  require(::connect(socket.fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0, "connect");
}

// What is sent comes back where somebody is there.
void ask_by_udp() {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
  const sockaddr_in address = loopback("udp_port");
  require(::connect(socket.fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0, "connect");
  const timeval patience{1, 0};
  ::setsockopt(socket.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  require(::send(socket.fd, "?", 1, MSG_NOSIGNAL) == 1, "send");
  char answer = 0;
  require(::recv(socket.fd, &answer, 1, 0) == 1, "receive");
}

void connect_to_abstract_socket() {
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = aim("abstract_socket");
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  require(::connect(socket.fd, reinterpret_cast<const sockaddr*>(&address), size) == 0, "connect");
}

void connect_to_socket_by_path() {
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, aim("socket_path").c_str(), sizeof(address.sun_path) - 1);
  require(::connect(socket.fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0, "connect");
}

pid_t host_pid() { return std::stoi(aim("host_pid")); }

// The process above the whole job: its supervisor, as far as that can be seen.
pid_t supervisor() {
  const pid_t parent = ::getppid();
  if (parent > 1) return parent;
  throw std::runtime_error("the supervisor cannot be seen");
}

void trace(pid_t process) {
  require(::ptrace(PTRACE_SEIZE, process, nullptr, nullptr) == 0, "ptrace");
  ::ptrace(PTRACE_INTERRUPT, process, nullptr, nullptr);
  ::waitpid(process, nullptr, __WALL);
  ::ptrace(PTRACE_DETACH, process, nullptr, nullptr);
}

void read_memory(pid_t process) {
  char byte = 0;
  iovec local{&byte, 1};
  // The address is wrong where the call is allowed, which is what is to be found out.
  iovec remote{reinterpret_cast<void*>(0x10), 1};
  const ssize_t got = ::process_vm_readv(process, &local, 1, &remote, 1, 0);
  require(got >= 0 || errno == EFAULT, "process_vm_readv");
}

// In a child, which alone is changed where it succeeds.
void in_child(const std::function<void()>& act) {
  int ends[2];
  require(::pipe2(ends, O_CLOEXEC) == 0, "pipe");
  const pid_t child = ::fork();
  require(child >= 0, "fork");
  if (child == 0) {
    std::string why;
    try {
      act();
    } catch (const std::exception& error) {
      why = error.what();
    }
    static_cast<void>(!::write(ends[1], why.data(), why.size()));
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string why(512, '\0');
  const ssize_t got = ::read(ends[0], why.data(), why.size());
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  if (got > 0) throw std::runtime_error(why.substr(0, static_cast<std::size_t>(got)));
}

// The way of an ordinary user to any mount; root needs no namespace of users.
void mount_something() {
  in_child([] {
    const int kinds = ::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER;
    require(::unshare(kinds) == 0, "unshare");
    require(::mount("tmpfs", "/usr", "tmpfs", 0, nullptr) == 0, "mount");
  });
}

void open_device(unsigned major_number, unsigned minor_number) {
  const fs::path device = fs::current_path() / "device";
  require(::mknod(device.c_str(), S_IFCHR | 0600, makedev(major_number, minor_number)) == 0, "mknod");
  const int fd = ::open(device.c_str(), O_RDONLY | O_CLOEXEC);
  const int error = errno;
  ::unlink(device.c_str());
  errno = error;
  require(fd >= 0, "open");
  ::close(fd);
}

void make_setuid_file() {
  const fs::path file = fs::current_path() / "artifacts" / "setuid";
  create(file, "#!/bin/sh\n");
  const bool done = ::chmod(file.c_str(), 04755) == 0;
  const int error = errno;
  ::unlink(file.c_str());
  errno = error;
  require(done, "chmod");
}

void set_host_name() {
  char name[256] = {};
  ::gethostname(name, sizeof(name) - 1);
  require(::sethostname(name, std::strlen(name)) == 0, "sethostname");
}

void make_ring() {
  io_uring_params parameters{};
  const Descriptor ring(static_cast<int>(::syscall(SYS_io_uring_setup, 2, &parameters)), "io_uring_setup");
}

void load_program() {
  bpf_attr attributes{};
  attributes.map_type = BPF_MAP_TYPE_ARRAY;
  attributes.key_size = 4;
  attributes.value_size = 4;
  attributes.max_entries = 1;
  const Descriptor map(static_cast<int>(::syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes))), "bpf");
}

void watch_the_kernel() {
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.size = sizeof(attributes);
  attributes.config = PERF_COUNT_SW_TASK_CLOCK;
  attributes.exclude_kernel = 1;
  const Descriptor event(static_cast<int>(::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0)),
                         "perf_event_open");
}

void look_at_session_keys() {
  constexpr int kGetKeyring = 0;
  constexpr int kSession = -3;
  require(::syscall(SYS_keyctl, kGetKeyring, kSession, 1) >= 0, "keyctl");
}

void attach_shared_memory() {
  const int id = ::shmget(static_cast<key_t>(std::stol(aim("shm_key"))), 0, 0);
  require(id >= 0, "shmget");
  void* const memory = ::shmat(id, nullptr, SHM_RDONLY);
  require(memory != reinterpret_cast<void*>(-1), "shmat");
  ::shmdt(memory);
}

void raise_its_limits() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit more{limit.rlim_max + 1, limit.rlim_max + 1};
  require(::setrlimit(RLIMIT_NOFILE, &more) == 0, "setrlimit");
}

void open_by_handle() {
  alignas(file_handle) char bytes[sizeof(file_handle) + MAX_HANDLE_SZ] = {};
  auto* const handle = reinterpret_cast<file_handle*>(bytes);
  handle->handle_bytes = MAX_HANDLE_SZ;
  int mount = 0;
  require(::name_to_handle_at(AT_FDCWD, ".", handle, &mount, 0) == 0, "name_to_handle_at");
  const Descriptor folder(::open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open");
  const Descriptor opened(::open_by_handle_at(folder.fd, handle, O_RDONLY), "open_by_handle_at");
}

void leave_its_cgroup() {
  for (const char* const file : {"/sys/fs/cgroup/pids/cgroup.procs", "/sys/fs/cgroup/cgroup.procs"}) {
    const int fd = ::open(file, O_WRONLY | O_CLOEXEC);
    if (fd < 0) continue;
    const bool done = ::write(fd, "0", 1) == 1;
    ::close(fd);
    if (done) return;
  }
  failed("open");
}

void climb_out_by_root() {
  in_child([] {
    const Descriptor above(::open("..", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open");
    require(::chroot(".") == 0, "chroot");
  });
}

}  // namespace

std::vector<Attempt> attempts(const fs::path& own_run) {
  const fs::path store = aim("store");
  const fs::path other = aim("other_run");
  return {
      {"read the store's format", [=] { read_file(store / "format"); }},
      {"find another run", [=] { find(store / "runs", other.filename()); }},
      {"read a stored object", [=] { read_file(first_below(store / "objects" / "packs")); }},
      {"write beside the stored objects", [=] { touch(store / "objects" / "planted"); }},
      {"change a stored version's record", [=] { append(store / "packages" / "red_team" / "1.0.json", ""); }},
      {"plant a version", [=] { touch(store / "packages" / "red_team" / "1.77.json"); }},
      {"read another run's plan", [=] { read_file(other / "plan.json"); }},
      {"write into another run", [=] { touch(other / "artifacts" / "planted"); }},
      {"read its own plan", [=] { read_file(own_run / "plan.json"); }},
      {"forge its journal", [=] { append(own_run / "journal.jsonl", ""); }},
      {"write its own results", [=] { touch(own_run / "_results.json.forged"); }},
      {"write its own exit", [=] { touch(own_run / "exit.json.forged"); }},
      {"cut its events short", [=] { require(::truncate((own_run / "events.jsonl").c_str(), 0) == 0, "truncate"); }},
      {"write lines into its events", [=] { append(own_run / "events.jsonl", ""); }},
      {"change the mode of a stored file", [=] { require(::chmod((store / "format").c_str(), 0444) == 0, "chmod"); }},
      {"change the mode of /dev/null", [] { require(::chmod("/dev/null", 0666) == 0, "chmod"); }},
      {"read /etc/shadow", [] { read_file("/etc/shadow"); }},
      {"read a file in the user's home", [] { read_file(aim("home_file")); }},
      {"write into the user's home", [] { touch(fs::path(aim("home_file")).parent_path() / "planted"); }},
      {"read a file in the host's /tmp", [] { read_file(aim("tmp_file")); }},
      {"write the user's dataset", [] { append(aim("dataset_file"), ""); }},
      {"read its supervisor's variables", [] { read_file("/proc/" + std::to_string(supervisor()) + "/environ"); }},
      {"signal its supervisor", [] { require(::kill(supervisor(), SIGCONT) == 0, "kill"); }},
      {"signal a process of the host", [] { require(::kill(host_pid(), SIGCONT) == 0, "kill"); }},
      {"see a process of the host",
       [] { require(::access(("/proc/" + aim("host_pid") + "/stat").c_str(), R_OK) == 0, "access"); }},
      {"trace a process of the host", [] { trace(host_pid()); }},
      {"read the memory of a process of the host", [] { read_memory(host_pid()); }},
      {"reach the host's files through /proc",
       [] { read_file("/proc/" + aim("host_pid") + "/root" + aim("home_file")); }},
      {"connect by TCP", connect_by_tcp},
      {"ask by UDP", ask_by_udp},
      {"connect to an abstract socket", connect_to_abstract_socket},
      {"connect to a socket by its path", connect_to_socket_by_path},
      {"open a packet socket",
       [] { const Descriptor socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), "socket"); }},
      {"attach the host's shared memory", attach_shared_memory},
      {"mount over /usr", mount_something},
      {"make a user namespace", [] { in_child([] { require(::unshare(CLONE_NEWUSER) == 0, "unshare"); }); }},
      {"change its root", climb_out_by_root},
      {"open the kernel's messages as a device", [] { open_device(1, 11); }},
      {"make a setuid file", make_setuid_file},
      {"set the host's name", set_host_name},
      {"read the kernel's log",
       [] {
         char text[64];
         require(::klogctl(3, text, sizeof(text)) >= 0, "syslog");
       }},
      {"load a program into the kernel", load_program},
      {"watch the kernel's events", watch_the_kernel},
      {"look at the keys of the session", look_at_session_keys},
      {"make an io_uring", make_ring},
      {"open a file by its handle", open_by_handle},
      {"leave its control group", leave_its_cgroup},
      {"raise its limits", raise_its_limits},
      {"write a setting of the kernel", [] { append("/proc/sys/kernel/core_pattern", ""); }},
  };
}

}  // namespace red_team
