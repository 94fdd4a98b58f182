// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "runner/cli/grammar.hpp"

namespace trainyard {

namespace {

// Those of a run, less its name: many runs cannot have one. What a new sweep needs, one that is resumed has.
std::vector<Word> words_of_sweep(command::Sweep& sweep) {
  std::vector<Word> words = words_of(
      sweep,
      {{"-p,--param", &sweep.parameters, "NAME=VALUES",
        "A hyperparameter and its values: a list as 0.01,0.1, steps as 10:50:10, or for --random any number of a "
        "range, "
        "as 0.1..0.9 or log:0.0001..0.1; may be repeated"},
       {"--random", &sweep.random, "N", "A random sample of N points, in place of all combinations"},
       {"--seed", &sweep.seed, "N", "Makes the same sample again (made up)"},
       {"--halving", &sweep.halving, "NAME=LEAST:MOST",
        "Successive halving: run all points with the least of this hyperparameter, such as epochs=10:90, the best of "
        "them "
        "with more, and so on; needs --metric"},
       {"--eta", &sweep.eta, "N", "With --halving: one of N goes on, with N times the budget (3)"},
       {"--metric", &sweep.metric, "NAME",
        "What the best run is found by: the last value of a metric, or score (score, of full runs)"},
       {"--goal", &sweep.goal, "GOAL", "Whether the metric shall be max or min (min for loss, error and the like)"},
       {"--max-parallel", &sweep.at_once, "N", "So many runs at once; on this machine they wait for slots (the store's slots; on a cluster 100)"},
       {"--type", &sweep.type, "TYPE", "training or full (training)"},
       {"--evaluation-dataset", &sweep.evaluation_dataset, "DATA", "What full runs evaluate on"},
       {"--dry-run", &sweep.dry_run, "", "Check and print the points, and run nothing"},
       {"--resume", &sweep.resume, "NAME",
        "Go on with a sweep that was interrupted; takes no PACKAGE, and of the other options only --secret, "
        "--max-parallel, --retry-failed, --stop-on-failure, --allow-repeat and --detach"},
       {"--retry-failed", &sweep.retry_failed, "", "Run points again whose run failed"},
       {"--stop-on-failure", &sweep.stop_on_failure, "", "Begin no further run once one has failed"},
       {"--save-training-data", &sweep.save_training_data, "",
        "Keep a snapshot of exactly the data that the code sees"},
       {"--save-test-data", &sweep.save_test_data, "", "The same of the evaluation dataset"},
       {"--allow-repeat", &sweep.allow_repeat, "",
        "Run points also where a run has made a version of the same data with the same parameters"}});
  std::erase_if(words, [](const Word& word) { return word.name == "--name"; });
  for (Word& word : words) {
    word.need = Word::Need::optional;
    if (word.name == "--experiment") word.help = "The sweep's name, and the experiment of its runs (made up)";
    if (word.name == "--detach") word.help = "Print the sweep's name at once; it goes on when the terminal is closed";
  }
  return words;
}

}  // namespace

CommandWords sweep_words() {
  return command_words<command::Sweep>(
      "sweep", "Run a package many times over hyperparameters, and find the best",
      "trainyard sweep digits --dataset digits@1/training --param learning_rate=0.01,0.1 --param epochs=10:50:10 "
      "--metric accuracy\n"
      "  trainyard sweep digits --dataset ./data --param learning_rate=log:0.001..1 --random 20 --seed 7 --metric "
      "loss\n"
      "  trainyard sweep digits --dataset ./data --param learning_rate=0.01,0.03,0.1 --halving epochs=5:45 "
      "--metric accuracy\n"
      "  trainyard sweep --resume sweep-5f0c1a2b",
      [](auto& sweep) { return words_of_sweep(sweep); });
}

GroupWords sweeps_words() {
  return {"sweeps",
          "Look at sweeps over hyperparameters",
          {command_words<command::SweepsList>("list", "List sweeps, and how far they are", "trainyard sweeps list"),
           command_words<command::SweepsShow>(
               "show", "Show the points of a sweep, the best first",
               "trainyard sweeps show sweep-5f0c1a2b\n  trainyard sweeps show sweep-5f0c1a2b --metric loss",
               [](auto& show) {
                 return std::vector<Word>{
                     {"sweep", &show.sweep, "NAME", "The sweep's name", Word::Need::required},
                     {"--metric", &show.metric, "NAME", "Sort by this metric in place of the sweep's own"},
                     {"--goal", &show.goal, "GOAL", "Whether that shall be max or min"}};
               })}};
}

}  // namespace trainyard
