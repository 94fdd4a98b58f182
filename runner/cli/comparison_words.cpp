// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/grammar.hpp"

namespace trainyard {

namespace {

constexpr const char* kVersion = "NAME@VERSION or NAME@LABEL; NAME is its newest version";

}  // namespace

CommandWords diff_words(const char* example) {
  return command_words<command::Diff>(
      "diff",
      "Show how two versions differ: data, parameters, code, model, manifest, ABI, environment, metrics, score; exit "
      "code 1 where they are not equal",
      example, [](auto& diff) {
        return std::vector<Word>{{"before", &diff.before, "VERSION", kVersion, Word::Need::required},
                                 {"after", &diff.after, "VERSION", kVersion, Word::Need::required}};
      });
}

}  // namespace trainyard
