// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/grammar.hpp"

namespace trainyard {

GroupWords runs_words() {
  constexpr const char* kRun = "The run's name, its id, or the beginning or end of its id";
  return {
      "runs",
      "Look at runs, stop them, repeat and compare them",
      {command_words<command::RunsList>(
           "list", "List runs, the newest last",
           "trainyard runs list\n  trainyard runs list --package digits --status Successful --sort score --limit 5\n"
           "  trainyard runs list --experiment learning-rates --tag machine=big",
           [](auto& list) {
             return std::vector<Word>{
                 {"--package", &list.package, "NAME", "Only runs of this package, or of NAME@VERSION"},
                 {"--status", &list.status, "STATUS", "Only those that are Running, Successful, Failed, Killed …"},
                 {"--type", &list.type, "TYPE", "Only those that are training, evaluation or full"},
                 {"--experiment", &list.experiment, "NAME", "Only those of this experiment"},
                 {"--tag", &list.tags, "NAME[=VALUE]", "Only those with this tag; may be repeated"},
                 {"--sort", &list.sort, "KEY", "started, took, score or name; the greatest last (started)"},
                 {"--reverse", &list.reverse, "", "The greatest first"},
                 {"--limit", &list.limit, "N", "Only the last N of them; 0 for all (100)"}};
           }),
       command_words<command::RunsStop>(
           "stop", "Ask a run to stop, and wait until it has", "trainyard runs stop digits-5f0c1a2b",
           [&](auto& stop) {
             return std::vector<Word>{{"run", &stop.run, "RUN", kRun, Word::Need::required},
                                      {"--now", &stop.now, "", "Do not give it its grace to end by itself"},
                                      {"--no-wait", &stop.no_wait, "", "Only ask"}};
           }),
       command_words<command::RunsSend>(
           "send",
           "Send what a run has left to a remote: its artifacts, and its data where that was kept; as 'run "
           "--output-remote' does at its end",
           "trainyard runs send digits-5f0c1a2b --to bucket",
           [&](auto& send) {
             return std::vector<Word>{
                 {"run", &send.run, "RUN", kRun, Word::Need::required},
                 {"--to", &send.to, "REMOTE", "A remote that the store knows; the only one there is, when not given"}};
           }),
       command_words<command::RunsDelete>(
           "delete", "Delete runs that are over, with their logs and artifacts; the versions that they made stay",
           "trainyard runs delete digits-5f0c1a2b digits-77aa0c31",
           [&](auto& doomed) {
             return std::vector<Word>{{"runs", &doomed.runs, "RUN…", kRun, Word::Need::required}};
           }),
       command_words<command::RunsRerun>(
           "rerun", "Run the same again: package version, data, variables; what is given here is changed",
           "trainyard runs rerun digits-5f0c1a2b --env epochs=60",
           [&](auto& rerun) {
             return std::vector<Word>{
                 {"run", &rerun.run, "RUN", kRun, Word::Need::required},
                 {"-e,--env", &rerun.environment, "NAME=VALUE", "Another value; may be repeated"},
                 {"--secret", &rerun.secrets, "NAME[=FILE]", "A secret of the run again, or another; may be repeated"},
                 {"--package", &rerun.package, "PACKAGE", "Another version: NAME@VERSION, or NAME for the newest"},
                 {"--dataset", &rerun.dataset, "DATA", "Other data"},
                 {"--name", &rerun.name, "NAME", "A name for the run"},
                 {"--detach", &rerun.detach, "", "Print the run's id at once; it goes on when the terminal is closed"}};
           }),
       command_words<command::RunsCompare>(
           "compare", "Show runs side by side; the best of each number is marked with *",
           "trainyard runs compare digits-5f0c1a2b digits-77aa0c31\n  trainyard runs compare --experiment "
           "learning-rates",
           [&](auto& compare) {
             return std::vector<Word>{{"runs", &compare.runs, "RUN…", kRun},
                                      {"--experiment", &compare.experiment, "NAME", "All runs of this experiment"}};
           }),
       command_words<command::RunsMetrics>(
           "metrics", "Draw what a run measured, or write it as CSV",
           "trainyard runs metrics digits-5f0c1a2b --metric loss\n  trainyard runs "
           "metrics digits-5f0c1a2b --csv > metrics.csv",
           [&](auto& metrics) {
             return std::vector<Word>{{"run", &metrics.run, "RUN", kRun, Word::Need::required},
                                      {"--metric", &metrics.metric, "NAME", "Only this one"},
                                      {"--rank", &metrics.rank, "K", "Of this worker of a run on several nodes (0)"},
                                      {"--csv", &metrics.csv, "", "All values as CSV"}};
           }),
       command_words<command::RunsShow>(
           "show", "Show one run and how it went", "trainyard runs show digits-5f0c1a2b",
           [&](auto& show) {
             return std::vector<Word>{{"run", &show.run, "RUN", kRun, Word::Need::required}};
           }),
       command_words<command::RunsLogs>(
           "logs", "Print what the package printed",
           "trainyard runs logs digits-5f0c1a2b --timestamps\n  trainyard runs logs digits-5f0c1a2b --rank 3",
           [&](auto& logs) {
             return std::vector<Word>{{"run", &logs.run, "RUN", kRun, Word::Need::required},
                                      {"--stream", &logs.stream, "STREAM", "all, stdout or stderr (all)"},
                                      {"--attempt", &logs.attempt, "N", "Of this attempt, 1 for the first (the last)"},
                                      {"--rank", &logs.rank, "K", "Of this worker of a run on several nodes (0)"},
                                      {"--timestamps", &logs.timestamps, "", "Begin each line with its time"},
                                      {"--follow", &logs.follow, "", "Go on until the run is over"}};
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
