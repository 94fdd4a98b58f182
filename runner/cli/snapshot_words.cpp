// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/grammar.hpp"

namespace trainyard {

GroupWords snapshot_words() {
  constexpr const char* kSnapshot = "The snapshot's id, or its beginning";
  constexpr const char* kTree = "A snapshot's id or its beginning, a package as NAME@1.0, or a dataset as NAME@1";
  return {
      "snapshot",
      "Keep the content of folders, and get it back",
      {command_words<command::SnapshotCreate>(
           "create", "Keep a folder as it is now", "trainyard snapshot create ./data/training",
           [](auto& create) {
             return std::vector<Word>{{"folder", &create.folder, "DIR", "The folder", Word::Need::required}};
           }),
       command_words<command::SnapshotList>("list", "List all snapshots, oldest first", "trainyard snapshot list"),
       command_words<command::SnapshotCheckout>(
           "checkout", "Write a snapshot to a new folder", "trainyard snapshot checkout 3f2a91 ./data-as-it-was",
           [&](auto& checkout) {
             return std::vector<Word>{{"snapshot", &checkout.id, "SNAPSHOT", kSnapshot, Word::Need::required},
                                      {"folder", &checkout.folder, "DIR", "The folder to make", Word::Need::required}};
           }),
       command_words<command::SnapshotVerify>(
           "verify", "Read every byte of a snapshot and compare it with its digest", "trainyard snapshot verify 3f2a91",
           [&](auto& verify) {
             return std::vector<Word>{
                 {"snapshot", &verify.id, "SNAPSHOT", kSnapshot, Word::Need::required},
                 {"--sample", &verify.sample, "SHARE", "Read only this part of the files, chosen by chance, as 5%"},
                 {"--seed", &verify.seed, "N", "Choose the same part as the last time that this number was given"}};
           }),
       command_words<command::SnapshotDiff>(
           "diff", "Tell which files of two snapshots differ; exit code 1 when any does",
           "trainyard snapshot diff 3f2a91 8c2b86\n  trainyard snapshot diff digits@1.0 digits@1.1",
           [&](auto& diff) {
             return std::vector<Word>{{"before", &diff.before, "BEFORE", kTree, Word::Need::required},
                                      {"after", &diff.after, "AFTER", kTree, Word::Need::required}};
           }),
       command_words<command::SnapshotCat>(
           "cat", "Print one file of a snapshot", "trainyard snapshot cat 3f2a91 labels/train.csv",
           [&](auto& cat) {
             return std::vector<Word>{
                 {"snapshot", &cat.id, "SNAPSHOT", kTree, Word::Need::required},
                 {"path", &cat.path, "PATH", "The file, as 'snapshot diff' shows it", Word::Need::required}};
           }),
       command_words<command::SnapshotExport>(
           "export", "Write a snapshot as a tar; the same content gives the same bytes",
           "trainyard snapshot export 3f2a91 data.tar.zst\n  trainyard snapshot export weather@2 - | tar -t",
           [&](auto& wanted) {
             return std::vector<Word>{
                 {"snapshot", &wanted.id, "SNAPSHOT", kTree, Word::Need::required},
                 {"file", &wanted.file, "FILE", "The tar to make, or - for standard output", Word::Need::required},
                 {"--compression", &wanted.compression, "HOW", "none or zstd (zstd for names that end in .zst)"}};
           }),
       command_words<command::SnapshotRemove>(
           "remove", "Forget a snapshot; 'trainyard store gc' then frees what nothing else needs",
           "trainyard snapshot remove 3f2a91", [&](auto& remove) {
             return std::vector<Word>{
                 {"snapshot", &remove.id, "SNAPSHOT", kSnapshot, Word::Need::required},
                 {"--despite-versions", &remove.despite_versions, "",
                  "Remove it although versions of packages were trained on it"},
                 {"--no-wait", &remove.no_wait, "", "Fail when another command is writing, instead of waiting"}};
           })}};
}

}  // namespace trainyard
