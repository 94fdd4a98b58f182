// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/grammar.hpp"

namespace trainyard {

namespace {

constexpr const char* kRemote = "What 'remote add' called it";

Word remote_word(std::string* value) { return {"remote", value, "NAME", kRemote, Word::Need::required}; }

Word package_word(std::string* value, Word::Need need, std::string help) {
  return {"package", value, "PACKAGE", std::move(help), need};
}

Word rate_word(std::string* value) {
  return {"--limit-rate", value, "RATE", "Send and receive no more than this in a second: 500K, 10M, 1G"};
}

}  // namespace

GroupWords remote_words() {
  return {
      "remote",
      "Places where versions are published to: shared folders, S3 buckets, OCI registries",
      {command_words<command::RemoteAdd>(
           "add", "Try a remote out and make it known under a name",
           "trainyard remote add models file:///srv/models\n  trainyard remote add bucket "
           "'s3://models/team?endpoint=https://s3.example.com'\n  trainyard remote add registry "
           "oci://registry.example.com/models --require-approval\n  trainyard remote add theirs "
           "oci://ghcr.io/team/models --read-only",
           [](auto& add) {
             return std::vector<Word>{
                 {"name", &add.name, "NAME", "What to call it", Word::Need::required},
                 {"url", &add.address, "URL",
                  "file:///folder, s3://bucket/prefix, oci://registry/prefix; credentials come from the environment or "
                  "the ecosystem's own files",
                  Word::Need::required},
                 {"--require-approval", &add.require_approval, "", "Publish approved versions to it, and no others"},
                 {"--read-only", &add.read_only, "", "Pull from it, and never write to it: not even to try it out"}};
           }),
       command_words<command::RemoteRemove>("remove", "Forget a remote; what was published there stays",
                                            "trainyard remote remove models",
                                            [](auto& remove) { return std::vector<Word>{remote_word(&remove.name)}; }),
       command_words<command::RemoteLists>("list", "List the remotes that the store knows",
                                           "trainyard remote list --json"),
       command_words<command::RemoteShow>(
           "show", "Tell what a remote has", "trainyard remote show models\n  trainyard remote show models digits@1.1",
           [](auto& show) {
             return std::vector<Word>{remote_word(&show.name),
                                      package_word(&show.reference, Word::Need::optional,
                                                   "NAME, NAME@VERSION or NAME@LABEL; else all packages")};
           }),
       command_words<command::RemoteVerify>(
           "verify", "Read everything that is published, and hold every byte against its digest",
           "trainyard remote verify models\n  trainyard remote verify models digits@production",
           [](auto& verify) {
             return std::vector<Word>{remote_word(&verify.name),
                                      package_word(&verify.reference, Word::Need::optional,
                                                   "NAME, NAME@VERSION or NAME@LABEL; else everything")};
           }),
       command_words<command::RemoteCollect>(
           "gc", "Tell what a remote has no use for, and with --apply remove it",
           "trainyard remote gc models\n  trainyard remote gc models --older-than 1h --apply", [](auto& collect) {
             return std::vector<Word>{
                 remote_word(&collect.name),
                 {"--older-than", &collect.older_than, "TIME",
                  "Spare what is younger, because somebody may be about to use it: 30m, 12h, 2d; 1d when not given"},
                 {"--apply", &collect.apply, "", "Remove it"}};
           })}};
}

std::vector<CommandWords> publish_words() {
  return {
      command_words<command::Publish>(
          "publish",
          "Publish a version with its whole lineage to remotes, on all of them or on none. What they have already is "
          "not "
          "sent again; after an interruption, the same command goes on",
          "trainyard publish digits@1.1 --to models\n  trainyard publish digits --to models --to registry --label "
          "production --capsule\n  trainyard publish --resume",
          [](auto& publish) {
            return std::vector<Word>{
                package_word(&publish.reference, Word::Need::optional,
                             "NAME@VERSION, NAME@LABEL, or NAME for the newest"),
                {"--to", &publish.to, "REMOTE",
                 "A remote that the store knows, or mlflow:URL; may be repeated; the only "
                 "remote there is, when not given"},
                {"--label", &publish.label, "LABEL", "What the remotes shall call this version from now on"},
                {"--data", &publish.data, "", "With the data of its runs, as far as the store has kept it"},
                {"--capsule", &publish.capsule, "", "With a zip that can be checked without Trainyard"},
                rate_word(&publish.rate),
                {"--resume", &publish.resume, "",
                 "Finish, or take back, what a publish that was killed had begun to make visible"}};
          }),
      command_words<command::Pull>(
          "pull", "Bring a published version with its whole lineage into the store, byte for byte",
          "trainyard pull digits@1.1 --from models\n  trainyard pull digits@production --from registry --data "
          "--trust-keys\n  trainyard pull digits@1.0 --newest-minor",
          [](auto& pull) {
            return std::vector<Word>{
                package_word(&pull.reference, Word::Need::required, "NAME@VERSION, NAME@LABEL, or NAME for the newest"),
                {"--from", &pull.from, "REMOTE",
                 "A remote that the store knows; the only one there is, when not given"},
                {"--data", &pull.data, "", "With the data of its runs, where that was published"},
                {"--trust-keys", &pull.trust_keys, "",
                 "Count what is signed by the publisher's keys as signed; without it, 'trainyard keys' tells how"},
                {"--newest-minor", &pull.newest_minor, "",
                 "Bring the newest version of that major instead, so that what is trained here gets the next number"},
                rate_word(&pull.rate)};
          }),
      command_words<command::Promote>(
          "promote", "Publish on one remote what another one has: the same bytes, and all that is attached to them",
          "trainyard promote digits@1.1 staging production --label production", [](auto& promote) {
            return std::vector<Word>{
                package_word(&promote.reference, Word::Need::required,
                             "NAME@VERSION, NAME@LABEL, or NAME for the newest"),
                {"from", &promote.from, "REMOTE", "Where it is published", Word::Need::required},
                {"to", &promote.to, "REMOTE", "Where to publish it", Word::Need::required},
                {"--label", &promote.label, "LABEL", "What the other remote shall call this version from now on"}};
          })};
}

}  // namespace trainyard
