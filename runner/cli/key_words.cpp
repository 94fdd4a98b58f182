// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/grammar.hpp"

namespace trainyard {

namespace {

constexpr const char* kPasswordFile = "Read the password of the private key from the first line of this file";
constexpr const char* kPassword = "Ask for the password of the private key on the terminal";

}  // namespace

GroupWords key_words() {
  return {
      "keys",
      "Look after the keys that sign, and those whose signatures are known",
      {command_words<command::KeysGenerate>(
           "generate", "Make a key of your own beside that of the store",
           "trainyard keys generate release --password\n  trainyard keys generate robot --type ed25519 "
           "--password-file robot.txt",
           [](auto& generate) {
             return std::vector<Word>{
                 {"name", &generate.name, "NAME", "What the key is called here", Word::Need::required},
                 {"--type", &generate.type, "TYPE",
                  "ecdsa-p256, which all programs for signed models take, or ed25519 (ecdsa-p256)"},
                 {"--password-file", &generate.password.file, "FILE", kPasswordFile},
                 {"--password", &generate.password.ask, "", kPassword}};
           }),
       command_words<command::KeysList>("list", "List all keys that are known here", "trainyard keys list --json"),
       command_words<command::KeysExport>(
           "export", "Write a public key, for whoever is to check signatures",
           "trainyard keys export store > store.pub.pem\n  trainyard keys export release -o release.pub.pem",
           [](auto& exported) {
             return std::vector<Word>{
                 {"name", &exported.name, "NAME|ID", "The key", Word::Need::required},
                 {"-o,--output", &exported.file, "FILE", "A new file; standard output when not given"}};
           }),
       command_words<command::KeysImport>(
           "import", "Take in the public key of somebody else", "trainyard keys import anna.pub.pem anna",
           [](auto& imported) {
             return std::vector<Word>{
                 {"file", &imported.file, "FILE", "A public key in PEM form", Word::Need::required},
                 {"name", &imported.name, "NAME", "What the key is called here (the file's name without its endings)"}};
           })}};
}

std::vector<CommandWords> attestation_words() {
  return {
      command_words<command::Sign>("sign", "Attest a version: make what is missing, and sign with a key what is there",
                                   "trainyard sign digits@1.4\n  trainyard sign digits@1.4 --key release --password",
                                   [](auto& sign) {
                                     return std::vector<Word>{
                                         {"package", &sign.reference, "PACKAGE", kPackageWord, Word::Need::required},
                                         {"--key", &sign.key, "NAME|ID", "The key (the store's own)"},
                                         {"--password-file", &sign.password.file, "FILE", kPasswordFile},
                                         {"--password", &sign.password.ask, "", kPassword}};
                                   }),
      command_words<command::ShowAttestations>(
          "attestations",
          "Check what is attested of a version and who signed it, or write it for other programs; exit code 1 where "
          "something is wrong",
          "trainyard attestations digits@1.4\n  trainyard attestations digits@1.4 --format intoto -o "
          "digits.intoto.jsonl\n  trainyard attestations digits@1.4 --format model-signing -o model.sig",
          [](auto& shown) {
            return std::vector<Word>{
                {"package", &shown.reference, "PACKAGE", kPackageWord, Word::Need::required},
                {"--format", &shown.format, "FORMAT",
                 "intoto: all envelopes as a bundle of in-toto attestations; model-signing: the model signature as a "
                 "Sigstore bundle"},
                {"--key", &shown.key, "NAME|ID", "Whose model signature (the store's, else any)"},
                {"-o,--output", &shown.file, "FILE", "A new file; standard output when not given"}};
          })};
}

}  // namespace trainyard
