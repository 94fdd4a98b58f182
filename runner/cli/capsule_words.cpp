// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/grammar.hpp"

namespace trainyard {

CommandWords capsule_words() {
  return command_words<command::Capsule>(
      "capsule",
      "Write a version, its story and its signatures as one zip, with a page that tells how to check them without "
      "Trainyard",
      "trainyard capsule digits@1.2 -o digits-1.2-capsule.zip\n  trainyard capsule digits@production -o digits.zip "
      "--data",
      [](auto& capsule) {
        return std::vector<Word>{
            {"package", &capsule.reference, "PACKAGE", "NAME@VERSION, NAME@LABEL, or NAME for the newest",
             Word::Need::required},
            {"-o,--output", &capsule.file, "ZIP", "A new file to write it to", Word::Need::required},
            {"--data", &capsule.data, "", "With the files of the data of its run, and not only their list"}};
      });
}

}  // namespace trainyard
