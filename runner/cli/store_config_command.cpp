// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/commands.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/python/python_interpreter.hpp"

namespace trainyard {

namespace {

Result<std::optional<std::string>> python_of(const command::StoreConfigure& command) {
  if (command.unset) return std::optional<std::string>();
  const Path program = TRY(absolute_path(command.value));
  TRY(check_interpreter(program));
  return std::optional(program.string());
}

Result<void> check_words(const command::StoreConfigure& command) {
  if (command.key != "python")
    return fail(Errc::invalid, "there is nothing called '" + command.key + "' to configure; there is python");
  if (command.unset == command.value.empty()) return {};
  return fail(Errc::invalid, "give either a value for " + command.key + " or --unset");
}

}  // namespace

Result<ExitCode> perform(const command::StoreConfigure& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  StoreConfig config = TRY(store.config());
  if (!command.key.empty()) {
    TRY(check_words(command));
    config.python = TRY(python_of(command));
    TRY(store.set_config(config));
  }
  if (invocation.output == Output::json) {
    print_json(to_json(config));
  } else {
    print("python  " + config.python.value_or(std::string(kDefaultPython) + " (nobody decided)") + "\n");
  }
  return ExitCode::ok;
}

}  // namespace trainyard
