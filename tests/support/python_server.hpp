// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "storage/files/unique_fd.hpp"

namespace trainyard {

// A server in Python that prints one line when it is ready, and ends when its standard input does. For tests: what fails
// throws.
class PythonServer {
 public:
  // The script and its arguments.
  explicit PythonServer(std::vector<std::string> words) {
    words.insert(words.begin(), {TRAINYARD_SYSTEM_PYTHON, "-B"});
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    stdin_ = UniqueFd(in[1]);
    const UniqueFd told(out[0]);
    for (char c = 0; ::read(told.get(), &c, 1) == 1 && c != '\n';) line_ += c;
  }
  ~PythonServer() {
    stdin_.reset();
    ::kill(child_, SIGTERM);
    ::waitpid(child_, nullptr, 0);
  }
  PythonServer(const PythonServer&) = delete;
  PythonServer& operator=(const PythonServer&) = delete;

  [[nodiscard]] const std::string& line() const { return line_; }

 private:
  pid_t child_ = -1;
  UniqueFd stdin_;
  std::string line_;
};

}  // namespace trainyard
