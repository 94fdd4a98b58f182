// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/grammar.hpp"

namespace trainyard {

GroupWords runs_words() {
  constexpr const char* kRun = "The run's name, its id, or the beginning or end of its id";
  return {
      "runs",
      "Look at runs",
      {command_words<command::RunsList>("list", "List all runs, oldest first", "trainyard runs list"),
       command_words<command::RunsShow>(
           "show", "Show one run and how it went", "trainyard runs show digits-5f0c1a2b",
           [&](auto& show) {
             return std::vector<Word>{{"run", &show.run, "RUN", kRun, Word::Need::required}};
           }),
       command_words<command::RunsLogs>(
           "logs", "Print what the package printed", "trainyard runs logs digits-5f0c1a2b --timestamps",
           [&](auto& logs) {
             return std::vector<Word>{{"run", &logs.run, "RUN", kRun, Word::Need::required},
                                      {"--stream", &logs.stream, "STREAM", "all, stdout or stderr (all)"},
                                      {"--timestamps", &logs.timestamps, "", "Begin each line with its time"}};
           }),
       command_words<command::RunsArtifacts>(
           "artifacts", "List what a run made for people, or write it as a tar",
           "trainyard runs artifacts digits-5f0c1a2b --tar charts.tar.zst", [&](auto& artifacts) {
             return std::vector<Word>{
                 {"run", &artifacts.run, "RUN", kRun, Word::Need::required},
                 {"--tar", &artifacts.tar, "FILE", "The tar to make, or - for standard output"},
                 {"--compression", &artifacts.compression, "HOW", "none or zstd (zstd for names that end in .zst)"}};
           })}};
}

}  // namespace trainyard
