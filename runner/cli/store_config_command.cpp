// SPDX-License-Identifier: Apache-2.0

#include "runner/cli/commands.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/core/event_target.hpp"
#include "runner/executors/local_machine.hpp"
#include "runner/python/python_interpreter.hpp"
#include "storage/values/number.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

Result<std::string> parse_python(const std::string& text) {
  const Path program = TRY(absolute_path(text));
  TRY(check_interpreter(program));
  return program.string();
}

Result<std::uint32_t> parse_count(const std::string& key, const std::string& text, std::uint32_t least) {
  const auto value = number_in<std::uint32_t>(text);
  if (value && *value >= least && *value <= StoreConfig::kMostSlots) return *value;
  return fail(Errc::invalid, key + " is '" + text + "' but must be a whole number from " + std::to_string(least) +
                                 " to " + std::to_string(StoreConfig::kMostSlots));
}

Result<std::string> parse_openlineage(const std::string& url) {
  TRY(EventTarget::parse(url));
  return url;
}

Result<void> change(StoreConfig& config, const command::StoreConfigure& command) {
  const std::string& key = command.key;
  if (key != "python" && key != "slots" && key != "gpus" && key != "openlineage" && key != "executor")
    return fail(Errc::invalid, "there is nothing called '" + key +
                                   "' to configure; there are python, slots, gpus, openlineage and executor");
  if (command.unset != command.value.empty())
    return fail(Errc::invalid, "give either a value for " + key + " or --unset");
  if (command.unset) {
    if (key == "python") config.python.reset();
    if (key == "slots") config.slots.reset();
    if (key == "gpus") config.gpus.reset();
    if (key == "openlineage") config.openlineage.reset();
    if (key == "executor") config.executor.reset();
    return {};
  }
  if (key == "python") config.python = TRY(parse_python(command.value));
  if (key == "slots") config.slots = TRY(parse_count(key, command.value, 1));
  if (key == "gpus") config.gpus = TRY(parse_count(key, command.value, 0));
  if (key == "openlineage") config.openlineage = TRY(parse_openlineage(command.value));
  if (key == "executor") {
    const auto executor = parse_executor_kind(command.value);
    if (!executor.ok()) return within("executor", executor.error());
    config.executor = *executor;
  }
  return {};
}

std::string shown(const std::optional<std::uint32_t>& decided, std::size_t otherwise) {
  return decided ? std::to_string(*decided) : std::to_string(otherwise) + " (nobody decided)";
}

}  // namespace

Result<ExitCode> perform(const command::StoreConfigure& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  StoreConfig config = TRY(store.config());
  if (!command.key.empty()) {
    TRY(change(config, command));
    TRY(store.set_config(config));
  }
  if (invocation.output == Output::json) {
    print_json(to_json(config));
    return ExitCode::ok;
  }
  const Machine machine = local_machine();
  print(table({{"python", config.python.value_or(std::string(kDefaultPython) + " (nobody decided)")},
               {"slots", shown(config.slots, machine.cores)},
               {"gpus", shown(config.gpus, machine.gpus.size())},
               {"openlineage", printable(config.openlineage.value_or("nobody (nobody decided)"))},
               {"executor", config.executor ? std::string(name_of(*config.executor)) : "local (nobody decided)"}}));
  return ExitCode::ok;
}

}  // namespace trainyard
