// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/grammar.hpp"

namespace trainyard {

namespace {
constexpr const char* kHead = "A head of the journal that 'journal head' wrote and somebody kept elsewhere";
}

CommandWords audit_words() {
  return command_words<command::Audit>(
      "audit",
      "Hold a version, a run or a results file with all that it comes from against what was recorded of it, or the "
      "whole "
      "store; exit code 1 when something is broken",
      "trainyard audit digits@1.1\n  trainyard audit runs/01a1feca-9598-77ff-9a11-ba2d9853d8ce/_results.json\n"
      "  trainyard audit digits-nightly --json\n  trainyard audit --head head-of-may.json",
      [](auto& audit) {
        return std::vector<Word>{
            {"subject", &audit.subject, "WHAT",
             "A results file, a version as NAME@1.1, or a run by its name or id; nothing for the whole store"},
            {"--head", &audit.head, "FILE", kHead}};
      });
}

GroupWords journal_words() {
  return {
      "journal",
      "Look at the journal of the store: what came and went, when and by whom",
      {command_words<command::JournalList>(
           "list", "Show what happened, the latest last",
           "trainyard journal list --limit 20\n  trainyard journal list --subject digits@1.1",
           [](auto& list) {
             return std::vector<Word>{
                 {"--subject", &list.subject, "WHAT", "Only what happened to this version, snapshot, dataset or run"},
                 {"--limit", &list.limit, "N", "Only the last ones"}};
           }),
       command_words<command::JournalVerify>(
           "verify",
           "Check that no line of the journal was changed, taken out or put in since it was written; exit code 1 when "
           "one was",
           "trainyard journal verify\n  trainyard journal verify --head head-of-may.json",
           [](auto& verify) {
             return std::vector<Word>{{"--head", &verify.head, "FILE", kHead}};
           }),
       command_words<command::JournalHead>(
           "head",
           "Print the signed head of the journal: kept elsewhere, it shows later on that nothing before it has changed",
           "trainyard journal head -o head-of-may.json", [](auto& head) {
             return std::vector<Word>{{"-o,--output", &head.file, "FILE", "Write it to a new file"}};
           })}};
}

}  // namespace trainyard
