// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/grammar.hpp"

namespace trainyard {

namespace {

constexpr const char* kNewestWord = "NAME@VERSION or NAME@LABEL; NAME is its newest version";

}  // namespace

CommandWords diff_words(const char* example) {
  return command_words<command::Diff>(
      "diff",
      "Show how two versions differ: data, parameters, code, model, manifest, ABI, environment, metrics, score; exit "
      "code 1 where they are not equal",
      example, [](auto& diff) {
        return std::vector<Word>{{"before", &diff.before, "VERSION", kNewestWord, Word::Need::required},
                                 {"after", &diff.after, "VERSION", kNewestWord, Word::Need::required}};
      });
}

CommandWords reproduce_words() {
  return command_words<command::Reproduce>(
      "reproduce",
      "Do again what made a version, on its data and from its parent as the store has them, and judge every file and "
      "metric that comes out; makes no version. Exit code 0 where all is identical or within the tolerance, 1 where "
      "something drifts or the run fails, 2 where it cannot be done, which says what is missing",
      "trainyard reproduce digits@1.1\n  trainyard reproduce digits@production --tolerance 1e-6 --json",
      [](auto& reproduce) {
        return std::vector<Word>{
            {"version", &reproduce.reference, "VERSION", kNewestWord, Word::Need::required},
            {"--tolerance", &reproduce.tolerance, "NUMBER",
             "How far a metric or the score may be from what it was, relative to the greater of the two (0)"},
            {"--secret", &reproduce.secrets, "NAME[=FILE]", "A secret of the run, again; may be repeated"}};
      });
}

}  // namespace trainyard
