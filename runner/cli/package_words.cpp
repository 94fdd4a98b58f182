// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/grammar.hpp"

namespace trainyard {

GroupWords package_words() {
  constexpr const char* kPackage = "A zip, or a folder with package.json, train.py or main.py";
  constexpr const char* kWhy = "Why, for whoever asks later";
  constexpr const char* kName = "The name of a package without package.json (that of its root folder)";
  return {
      "package",
      "Check, pack, add and look at packages",
      {command_words<command::PackageValidate>(
           "validate", "Check a package without running any of its code", "trainyard package validate digits.zip",
           [&](auto& validate) {
             return std::vector<Word>{{"package", &validate.package, "ZIP|DIR", kPackage, Word::Need::required},
                                      {"--name", &validate.name, "NAME", kName}};
           }),
       command_words<command::PackagePack>(
           "pack", "Make the zip of a package folder; the same folder always gives the same bytes",
           "trainyard package pack ./digits --output digits.zip",
           [&](auto& pack) {
             return std::vector<Word>{
                 {"folder", &pack.folder, "DIR", kPackage, Word::Need::required},
                 {"-o,--output", &pack.zip, "ZIP", "The zip to make; NAME.zip here when not given"},
                 {"--name", &pack.name, "NAME", kName}};
           }),
       command_words<command::PackageAdd>("add", "Upload a package: version 1.0, or the next major of one that exists",
                                          "trainyard package add digits.zip --change-log 'first upload'\n  trainyard "
                                          "package add ./ai-center-export --name invoices",
                                          [&](auto& add) {
                                            return std::vector<Word>{
                                                {"package", &add.package, "ZIP|DIR", kPackage, Word::Need::required},
                                                {"--change-log", &add.change_log, "TEXT", "What is new, in a sentence"},
                                                {"--name", &add.name, "NAME", kName}};
                                          }),
       command_words<command::PackageList>("list", "List all versions of all packages",
                                           "trainyard package list --json"),
       command_words<command::PackageShow>(
           "show", "Show one version of a package", "trainyard package show digits@1.1",
           [&](auto& show) {
             return std::vector<Word>{{"package", &show.reference, "PACKAGE", kPackageWord, Word::Need::required}};
           }),
       diff_words("trainyard package diff digits@1.0 digits@production"),
       command_words<command::PackageLabel>(
           "label", "Give a version a label, which it takes from the version that had it",
           "trainyard package label digits@1.4 production --why 'better on the hard ones'",
           [&](auto& label) {
             return std::vector<Word>{{"package", &label.reference, "PACKAGE", kPackageWord, Word::Need::required},
                                      {"label", &label.label, "LABEL", "Such as production", Word::Need::required},
                                      {"--why", &label.why, "TEXT", kWhy}};
           }),
       command_words<command::PackageUnlabel>(
           "unlabel", "Take a label away", "trainyard package unlabel digits production",
           [&](auto& unlabel) {
             return std::vector<Word>{
                 {"package", &unlabel.package, "NAME", "The name of the package", Word::Need::required},
                 {"label", &unlabel.label, "LABEL", "Such as production", Word::Need::required},
                 {"--why", &unlabel.why, "TEXT", kWhy}};
           }),
       command_words<command::PackageApprove>(
           "approve", "Note that a version may be used",
           "trainyard package approve digits@1.4 --why 'reviewed on 2026-11-20'",
           [&](auto& approve) {
             return std::vector<Word>{{"package", &approve.reference, "PACKAGE", kPackageWord, Word::Need::required},
                                      {"--why", &approve.why, "TEXT", kWhy, Word::Need::required}};
           }),
       command_words<command::PackageReject>(
           "reject", "Note that a version may not be used", "trainyard package reject digits@1.4 --why 'biased data'",
           [&](auto& reject) {
             return std::vector<Word>{{"package", &reject.reference, "PACKAGE", kPackageWord, Word::Need::required},
                                      {"--why", &reject.why, "TEXT", kWhy, Word::Need::required}};
           }),
       command_words<command::PackageDelete>("delete", "Delete a version; its number is never given again",
                                             "trainyard package delete digits@1.2 --why 'trained on the wrong data'",
                                             [&](auto& doomed) {
                                               return std::vector<Word>{
                                                   {"package", &doomed.reference, "NAME@VERSION", "One version",
                                                    Word::Need::required},
                                                   {"--why", &doomed.why, "TEXT", kWhy, Word::Need::required}};
                                             }),
       command_words<command::PackageExport>(
           "export", "Write a version as NAME_vX.Y.zip and NAME_vX.Y_metadata.json",
           "trainyard package export digits@production --output ./out",
           [&](auto& exported) {
             return std::vector<Word>{{"package", &exported.reference, "PACKAGE", kPackageWord, Word::Need::required},
                                      {"-o,--output", &exported.folder, "DIR", "Where to (.)"}};
           }),
       command_words<command::PackageImport>(
           "import", "Take in what was exported: a new package, the next minor of its major, or the next major",
           "trainyard package import digits_v1.4.zip", [](auto& imported) {
             return std::vector<Word>{
                 {"zip", &imported.zip, "ZIP", "The zip", Word::Need::required},
                 {"--metadata", &imported.metadata, "JSON", "Its metadata (ZIP's name with _metadata.json)"}};
           })}};
}

}  // namespace trainyard
