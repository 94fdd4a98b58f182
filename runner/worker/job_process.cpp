// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/job_process.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "runner/worker/exit_codes.hpp"
#include "runner/worker/job_enclosure.hpp"
#include "runner/worker/job_init.hpp"
#include "storage/values/number.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kMostWords = 4096;
// A job that needs more memory than there is ends before what others need does.
constexpr std::string_view kOutOfMemoryScore = "500";

Error refused_step(const std::string& what, int error) {
  return fail(Errc::io, "cannot " + what + ": " + std::strerror(error));
}

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;

  static Result<Pipe> make() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return refused_step("make a pipe", errno);
    return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
  }
};

// The same as fork(2), in new namespaces.
pid_t fork_into(unsigned long namespaces) {
  return static_cast<pid_t>(::syscall(SYS_clone, namespaces | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
}

// "mount\n4\nwhy": a StartFailure on its way through a pipe.
std::string words_of(const StartFailure& failure) {
  return (failure.layer ? std::string(name_of(*failure.layer)) : std::string()) + "\n" +
         std::to_string(static_cast<int>(failure.error.code)) + "\n" + failure.error.message;
}

StartFailure failure_in(const std::string& words) {
  const std::size_t first = words.find('\n');
  const std::size_t second = words.find('\n', first + 1);
  const auto layer = parse_layer(std::string_view(words).substr(0, first));
  const auto code = number_in<int>(std::string_view(words).substr(first + 1, second - first - 1));
  return {layer.ok() ? std::optional(*layer) : std::nullopt,
          fail(static_cast<Errc>(code.value_or(static_cast<int>(Errc::io))), words.substr(second + 1))};
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// All that happens in the child.
class Child {
 public:
  Child(const JobStart& start, const UserIds& ids, pid_t supervisor, Pipe failures, Pipe report)
      : start_(start),
        ids_(ids),
        supervisor_(supervisor),
        failures_(std::move(failures)),
        report_(std::move(report)),
        program_(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC)) {}

  [[noreturn]] void become() {
    failures_.read_end.reset();
    report_.read_end.reset();
    die_with_parent();
    if (!program_) give_up({std::nullopt, refused_step("open the worker", errno)});
    if (auto failure = furnish(start_, ids_)) give_up(*failure);
    if (start_.isolation.has(Layer::pid)) {
      const pid_t job = ::fork();
      if (job < 0) give_up({Layer::pid, refused_step("start a process in the job's namespace", errno)});
      if (job > 0) {
        give_up_privileges();
        failures_.write_end.reset();
        // A pipe of the job's that stays open here would never end.
        leave_streams();
        be_init(job, report_.write_end.get());
      }
      supervisor_ = 1;
      static_cast<void>(::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
    }
    execute();
  }

 private:
  // The tie is made after the fork, and the parent may have died in between; then nobody reads our failures.
  void die_with_parent() {
    static_cast<void>(::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
    pollfd end{failures_.write_end.get(), 0, 0};
    if (::poll(&end, 1, 0) > 0 && (end.revents & POLLERR) != 0) ::_exit(kTrouble);
  }

  [[noreturn]] void give_up(const StartFailure& failure) {
    const std::string words = words_of(failure).substr(0, kMostWords);
    static_cast<void>(::write(failures_.write_end.get(), words.data(), words.size()));
    ::_exit(kTrouble);
  }

  void leave_streams() {
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int stream : {0, 1, 2}) static_cast<void>(::dup2(null, stream));
    for (const int stream : {start_.out, start_.err}) static_cast<void>(::close(stream));
  }

  [[noreturn]] void execute() {
    static_cast<void>(::setpgid(0, 0));
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || ::dup2(null, 0) < 0 || ::dup2(start_.out, 1) < 0 || ::dup2(start_.err, 2) < 0)
      give_up({std::nullopt, refused_step("connect the job's streams", errno)});
    if (::chdir(start_.job.working_directory.c_str()) != 0) {
      give_up(
          {std::nullopt, refused_step("enter the working directory '" + start_.job.working_directory + "'", errno)});
    }
    write_out_of_memory_score();
    const UniqueFd program = keep_two_descriptors();
    if (auto failure = restrict(start_, program.get())) give_up(*failure);
    set_signals();
    std::vector<std::string> arguments = {"trainyard-worker", "run", start_.folder.channel_job().string(),
                                          start_.folder.channel_events().string(), std::to_string(supervisor_)};
    std::vector<std::string> variables;
    for (const auto& [name, value] : start_.environment) variables.push_back(name + "=" + value);
    ::syscall(SYS_execveat, program.get(), "", pointers(arguments).data(), pointers(variables).data(), AT_EMPTY_PATH);
    give_up({std::nullopt, refused_step("execute the worker", errno)});
  }

  // Everything that is open but the streams, the program and the way for failures is closed, whoever left it.
  UniqueFd keep_two_descriptors() {
    const int high_program = ::fcntl(program_.get(), F_DUPFD_CLOEXEC, 64);
    const int high_failures = ::fcntl(failures_.write_end.get(), F_DUPFD_CLOEXEC, 64);
    const int low = std::min(high_program, high_failures);
    const int high = std::max(high_program, high_failures);
    if (low < 0) give_up({std::nullopt, refused_step("keep a descriptor", errno)});
    const auto close_from_to = [](int from, unsigned to) {
      if (static_cast<unsigned>(from) <= to)
        static_cast<void>(::syscall(SYS_close_range, static_cast<unsigned>(from), to, 0));
    };
    close_from_to(3, static_cast<unsigned>(low - 1));
    close_from_to(low + 1, static_cast<unsigned>(high - 1));
    close_from_to(high + 1, ~0U);
    static_cast<void>(program_.release());
    static_cast<void>(failures_.write_end.release());
    failures_.write_end = UniqueFd(high_failures);
    return UniqueFd(high_program);
  }

  static void write_out_of_memory_score() {
    const UniqueFd file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
    if (file) static_cast<void>(::write(file.get(), kOutOfMemoryScore.data(), kOutOfMemoryScore.size()));
  }

  // As after posix_spawn: nothing ignored or handled; a stop that comes early waits until the worker can tell the package.
  static void set_signals() {
    for (int number = 1; number < NSIG; ++number) static_cast<void>(::signal(number, SIG_DFL));
    sigset_t blocked;
    ::sigemptyset(&blocked);
    ::sigaddset(&blocked, SIGTERM);
    ::sigprocmask(SIG_SETMASK, &blocked, nullptr);
  }

  const JobStart& start_;
  UserIds ids_;
  pid_t supervisor_;
  Pipe failures_;
  Pipe report_;
  UniqueFd program_;
};

// Which of several namespaces it is that cannot be made.
StartFailure name_the_missing(const Isolation& isolation, int error) {
  const bool user = isolation.has(Layer::user);
  for (const Layer layer : {Layer::user, Layer::mount, Layer::pid, Layer::ipc, Layer::network}) {
    if (!isolation.has(layer)) continue;
    Isolation one = isolation;
    one.layers = {layer};
    if (user) one.layers.insert(Layer::user);
    const pid_t child = fork_into(namespaces_of(one));
    if (child == 0) ::_exit(kDone);
    const int why = errno;
    if (child > 0) static_cast<void>(::waitpid(child, nullptr, 0));
    if (child < 0) {
      const char* const limit = why == ENOSPC || why == EUSERS ? " (the system allows no more of them)" : "";
      return {layer, fail(Errc::io, std::string("cannot make a namespace: ") + std::strerror(why) + limit)};
    }
  }
  return {std::nullopt, refused_step("start a process", error)};
}

std::string all_of(int fd) {
  std::string words;
  std::array<char, kMostWords> buffer{};
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return words;
    words.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

bool is_privileged() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  return ::syscall(SYS_capget, &header, data) == 0 && (data[0].effective >> CAP_SYS_ADMIN & 1U) != 0;
}

std::variant<JobProcess, StartFailure> JobProcess::start(const JobStart& start) {
  const UserIds ids{::geteuid(), ::getegid()};
  const pid_t supervisor = ::getpid();
  auto failures = Pipe::make();
  auto report = Pipe::make();
  if (!failures.ok()) return StartFailure{std::nullopt, failures.error()};
  if (!report.ok()) return StartFailure{std::nullopt, report.error()};
  const int heard = failures->read_end.get();
  const pid_t child = fork_into(namespaces_of(start.isolation));
  if (child < 0) return name_the_missing(start.isolation, errno);
  if (child == 0) Child(start, ids, supervisor, std::move(*failures), std::move(*report)).become();
  failures->write_end.reset();
  report->write_end.reset();
  const std::string words = all_of(heard);
  auto process = Process::own(child);
  if (!process.ok()) return StartFailure{std::nullopt, process.error()};
  if (!words.empty()) {
    static_cast<void>(process->wait());
    return failure_in(words);
  }
  return JobProcess(std::move(*process), start.isolation.has(Layer::pid), std::move(report->read_end));
}

Result<StartedJob> start_in_layers(JobStart start, const IsolationWish& wish, IsolationFacts& facts) {
  for (;;) {
    start.isolation = TRY(plan_isolation(wish, facts));
    auto started = JobProcess::start(start);
    if (auto* const process = std::get_if<JobProcess>(&started))
      return StartedJob{std::move(*process), std::move(start.isolation)};
    const auto& failure = std::get<StartFailure>(started);
    if (!failure.layer || !facts.missing.emplace(*failure.layer, failure.error.message).second) return failure.error;
  }
}

void JobProcess::ask_to_stop() {
  if (init_) return static_cast<void>(child_.signal(SIGTERM));
  static_cast<void>(::kill(-pid(), SIGTERM));
  // A package may have left its group; it is not told twice when it has not.
  if (::getpgid(pid()) != pid()) static_cast<void>(child_.signal(SIGTERM));
}

void JobProcess::kill() {
  if (!init_) static_cast<void>(::kill(-pid(), SIGKILL));
  static_cast<void>(child_.signal(SIGKILL));
}

Result<ExitStatus> JobProcess::status() {
  // Still the job's own group: its leader has not been waited for.
  if (!init_) static_cast<void>(::kill(-pid(), SIGKILL));
  ExitStatus status = *TRY(child_.wait());
  if (!init_) return status;
  int raw = SIGKILL;  // of an init that was killed, and everything with it
  static_cast<void>(::read(report_.get(), &raw, sizeof(raw)));
  status.code.reset();
  status.signal.reset();
  if (WIFSIGNALED(raw)) {
    status.signal = WTERMSIG(raw);
  } else {
    status.code = WEXITSTATUS(raw);
  }
  return status;
}

}  // namespace trainyard
