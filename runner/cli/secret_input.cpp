// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/secret_input.hpp"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "runner/cli/interrupts.hpp"
#include "storage/files/files.hpp"
#include "storage/values/parameter.hpp"

namespace trainyard {

namespace {

// Keeps what is typed from being shown, for as long as it lives.
class Silence {
 public:
  explicit Silence(int terminal) : terminal_(terminal) {
    if (::tcgetattr(terminal_, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = ::tcsetattr(terminal_, TCSAFLUSH, &silent) == 0;
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  ~Silence() {
    if (changed_) static_cast<void>(::tcsetattr(terminal_, TCSAFLUSH, &before_));
  }

  [[nodiscard]] bool holds() const { return changed_; }

 private:
  int terminal_;
  termios before_{};
  bool changed_ = false;
};

// What is asked for, as the prompt and as errors have it, and how else it can be given.
struct SecretQuestion {
  std::string prompt;
  std::string what;
  std::string otherwise;
};

Result<std::string> ask(const SecretQuestion& question) {
  const auto terminal = open_file("/dev/tty", O_RDWR | O_NOCTTY);
  if (!terminal.ok()) {
    return fail(Errc::invalid,
                "there is no terminal to ask for " + question.what + " on; give it with " + question.otherwise);
  }
  // Ctrl-C ends the reading, and the terminal is as it was.
  count_interrupts();
  const Silence silence(terminal->get());
  if (!silence.holds()) return fail(Errc::io, "the terminal cannot be kept from showing " + question.what);
  TRY(write_all(terminal->get(), question.prompt + ": ", "/dev/tty"));
  std::string value;
  char c = 0;
  // A terminal gives a line at a time; at its end or at Ctrl-D there is nothing more.
  for (;;) {
    const ssize_t got = ::read(terminal->get(), &c, 1);
    if (interrupts() > 0) return fail(Errc::cancelled, question.what + " was not given");
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || c == '\n') break;
    value += c;
  }
  TRY(write_all(terminal->get(), "\n", "/dev/tty"));
  return value;
}

Result<std::string> ask_for(const std::string& name) {
  return ask({name, "the secret " + name, "--secret " + name + "=FILE"});
}

Result<std::string> read_value(const std::string& name, const std::string& file) {
  auto value = read_file(file, kLongestSecret + 2);
  if (!value.ok() && value.error().code != Errc::invalid) {
    return fail(Errc::invalid, "the file for the secret " + name +
                                   " cannot be read; --secret takes NAME=FILE, and never the value itself");
  }
  if (value->ends_with('\n')) value->pop_back();
  if (value->ends_with('\r')) value->pop_back();
  return value;
}

Result<std::string> ask_for_password(const std::string& prompt) {
  return ask({prompt, "the password", "--password-file FILE"});
}

}  // namespace

Result<Secrets> take_secrets(RunRequest& request, const std::vector<std::string>& given) {
  Secrets secrets;
  for (const std::string& item : given) {
    const std::size_t equals = item.find('=');
    const std::string name = item.substr(0, equals);
    if (!is_variable_name(name))
      return fail(Errc::invalid, "--secret must be NAME or NAME=FILE, with a name of letters, digits and '_'");
    if (!request.secrets.insert(name).second) return fail(Errc::invalid, "--secret gives " + name + " twice");
    std::string value =
        equals == std::string::npos ? TRY(ask_for(name)) : TRY(read_value(name, item.substr(equals + 1)));
    TRY(check_secret(name, value));
    secrets.emplace(name, std::move(value));
  }
  return secrets;
}

Result<std::optional<std::string>> take_password(const command::PasswordWords& given, PasswordUse use) {
  if (given.ask && !given.file.empty()) return fail(Errc::invalid, "--password and --password-file exclude each other");
  if (!given.file.empty()) {
    const std::string text = TRY(read_file(given.file, kLongestSecret));
    return std::optional(text.substr(0, text.find_first_of("\r\n")));
  }
  if (!given.ask) return std::optional<std::string>();
  std::string password = TRY(ask_for_password("password"));
  if (use == PasswordUse::choose && TRY(ask_for_password("the same again")) != password)
    return fail(Errc::invalid, "the two passwords differ");
  return std::optional(std::move(password));
}

}  // namespace trainyard
