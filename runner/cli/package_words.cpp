// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/grammar.hpp"

namespace trainyard {

GroupWords package_words() {
  constexpr const char* kPackage = "A zip, or a folder with package.json, train.py or main.py";
  constexpr const char* kName = "The name of a package without package.json (that of its root folder)";
  return {"package",
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
           command_words<command::PackageAdd>(
               "add", "Upload a package: version 1.0, or the next major of one that exists",
               "trainyard package add digits.zip --change-log 'first upload'\n  trainyard package add ./ai-center-export --name invoices",
               [&](auto& add) {
                 return std::vector<Word>{{"package", &add.package, "ZIP|DIR", kPackage, Word::Need::required},
                                          {"--change-log", &add.change_log, "TEXT", "What is new, in a sentence"},
                                          {"--name", &add.name, "NAME", kName}};
               }),
           command_words<command::PackageList>("list", "List all versions of all packages",
                                               "trainyard package list --json"),
           command_words<command::PackageShow>(
               "show", "Show one version of a package", "trainyard package show digits@1.1", [](auto& show) {
                 return std::vector<Word>{
                     {"package", &show.reference, "PACKAGE", "NAME or NAME@VERSION", Word::Need::required}};
               })}};
}

}  // namespace trainyard
