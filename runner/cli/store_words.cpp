// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/grammar.hpp"

namespace trainyard {

GroupWords store_words() {
  return {
      "store",
      "Look after the store itself: what takes its space, whether it is whole, what can go",
      {command_words<command::StoreConfigure>(
           "config", "Show what is decided for all who use the store, or decide it",
           "trainyard store config\n  trainyard store config python /opt/python3.12/bin/python3\n"
           "  trainyard store config slots 4\n  trainyard store config python --unset",
           [](auto& config) {
             return std::vector<Word>{
                 {"key", &config.key, "KEY",
                  "python: the interpreter of Python packages; slots: how many runs without a GPU "
                  "may run at once; gpus: how many of the machine's GPUs runs may use; openlineage: "
                  "who is told of runs, as http://HOST:PORT or file:///PATH; executor: where runs run that do "
                  "not say so, local or slurm"},
                 {"value", &config.value, "VALUE", "What it shall be"},
                 {"--unset", &config.unset, "", "Go back to what it is when nobody decides"}};
           }),
       command_words<command::StoreDu>("du", "Tell how many bytes on the disk belong to whom",
                                       "trainyard store du\n  trainyard store du --by snapshot",
                                       [](auto& du) {
                                         return std::vector<Word>{
                                             {"--by", &du.by, "WHAT",
                                              "kind, version, snapshot, dataset or run: one line for each (kind)"}};
                                       }),
       command_words<command::StoreVerify>(
           "verify", "Read every byte that anything in the store needs, and compare it with its digest",
           "trainyard store verify\n  trainyard store verify --sample 5%",
           [](auto& verify) {
             return std::vector<Word>{
                 {"--sample", &verify.sample, "SHARE", "Read only this part of the objects, chosen by chance, as 5%"},
                 {"--seed", &verify.seed, "N", "Choose the same part as the last time that this number was given"}};
           }),
       command_words<command::StoreFsck>(
           "fsck", "Look for damage in the store's files, and name what needs each damaged object",
           "trainyard store fsck\n  trainyard store fsck --deep --repair",
           [](auto& fsck) {
             return std::vector<Word>{
                 {"--deep", &fsck.deep, "", "Read every byte, not only what holds the objects together"},
                 {"--repair", &fsck.repair, "",
                  "Make the index anew from the packs, and move corrupt objects out of them into quarantine"}};
           }),
       command_words<command::StoreGc>(
           "gc", "Show what nothing in the store needs any more, or remove it",
           "trainyard store gc\n  trainyard store gc --plan gc.json && trainyard store gc --apply gc.json\n"
           "  trainyard store gc --apply-now",
           [](auto& gc) {
             return std::vector<Word>{
                 {"--plan", &gc.plan, "FILE", "Write what would be removed to this new file"},
                 {"--apply", &gc.apply, "FILE", "Remove what this plan names, as far as it still is not needed"},
                 {"--apply-now", &gc.apply_now, "", "Remove it without a plan"},
                 {"--no-wait", &gc.no_wait, "", "Fail when another command is writing, instead of waiting"},
                 {"--despite-damage", &gc.despite_damage, "",
                  "Go on although objects are missing that the store has to keep"}};
           }),
       command_words<command::StorePurge>(
           "purge", "Show where a file is in the store, or take its bytes out for good",
           "trainyard store purge --sha256 $(sha256sum < names.csv | cut -c -64) --reason 'asked to be forgotten'",
           [](auto& purge) {
             return std::vector<Word>{
                 {"--sha256", &purge.sha256, "DIGEST", "The SHA-256 of the file's bytes", Word::Need::required},
                 {"--reason", &purge.reason, "TEXT", "Why, for whoever misses the file", Word::Need::required},
                 {"--yes", &purge.yes, "", "Do it; without this nothing is changed"},
                 {"--no-wait", &purge.no_wait, "", "Fail when another command is writing, instead of waiting"}};
           })}};
}

}  // namespace trainyard
