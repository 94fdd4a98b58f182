// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/grammar.hpp"

namespace trainyard {

CommandWords trace_words() {
  return command_words<command::Trace>(
      "trace", "Tell where a version comes from: the versions before it, the runs, the data, the scores",
      "trainyard trace digits@1.2\n  trainyard trace digits --format svg -o digits.svg\n"
      "  trainyard trace digits@production --format cyclonedx -o bom.json",
      [](auto& trace) {
        return std::vector<Word>{{"package", &trace.reference, "PACKAGE",
                                  "NAME@VERSION, NAME@LABEL, or NAME for the newest", Word::Need::required},
                                 {"--format", &trace.format, "FORMAT",
                                  "text; json; dot or svg to look at; openlineage, prov, cyclonedx, croissant or slsa "
                                  "for other tools (text)"},
                                 {"-o,--output", &trace.file, "FILE", "A new file to write it to (standard output)"}};
      });
}

}  // namespace trainyard
