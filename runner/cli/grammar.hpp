// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runner/cli/command.hpp"

// The words of the command line as data: what can be typed, and which field of a command's value it fills. How words
// are split, checked and explained is no business of these; arguments.cpp does that.
namespace trainyard {

inline constexpr const char* kPackageWord = "NAME, NAME@VERSION or NAME@LABEL";

// One argument or option of a command.
struct Word {
  enum class Need { required, optional };

  std::string name;  // "folder" for an argument, which has a place; "--name" or "-o,--output" for an option
  // A text is given once, a list by repeating the option, a bool by the option's mere presence.
  std::variant<std::string*, std::vector<std::string>*, bool*> value;
  std::string type;  // as the help shows it: "DIR"; empty for a bool
  std::string help;
  Need need = Need::optional;
};

struct CommandWords {
  std::string name;
  std::string description;
  std::string example;
  std::vector<Word> words;
  std::function<Command()> command;  // the value, once the words have been filled in
};

struct GroupWords {
  std::string name;
  std::string description;
  std::vector<CommandWords> commands;
};

// `words` is called once, with the value that they are to fill, and yields them in the order of their places.
template <class T, class Words>
CommandWords command_words(std::string name, std::string description, std::string example, Words words) {
  auto value = std::make_shared<T>();
  std::vector<Word> declared = words(*value);
  return {std::move(name), std::move(description), std::move(example), std::move(declared),
          [value] { return Command(*value); }};
}

template <class T>
CommandWords command_words(std::string name, std::string description, std::string example) {
  return command_words<T>(std::move(name), std::move(description), std::move(example),
                          [](T&) { return std::vector<Word>(); });
}

// What is said of versions as a whole, in comparison_words.cpp. `diff` can be said in two ways.
CommandWords diff_words(const char* example);
CommandWords reproduce_words();

// One function for each group, in a file of its own: package_words.cpp and so on.
GroupWords package_words();
GroupWords dataset_words();
GroupWords run_words();
GroupWords sweeps_words();
GroupWords runs_words();
GroupWords snapshot_words();
GroupWords proof_words();
GroupWords store_words();
GroupWords journal_words();
GroupWords outbox_words();
GroupWords remote_words();
GroupWords plan_words();
GroupWords export_words();
// Commands without a group.
CommandWords audit_words();
GroupWords key_words();
// Commands that stand alone.
std::vector<CommandWords> attestation_words();

// Commands that stand alone: publish, pull, promote.
std::vector<CommandWords> publish_words();

// What all types of runs take, with what is special to one in the middle.
std::vector<Word> words_of(command::RunOptions& run, std::vector<Word> special);

// A command that stands alone.
CommandWords sweep_words();
CommandWords uses_words();
CommandWords trace_words();
CommandWords capsule_words();

}  // namespace trainyard
