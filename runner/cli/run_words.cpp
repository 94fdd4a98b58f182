// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/grammar.hpp"

namespace trainyard {

std::vector<Word> words_of(command::RunOptions& run, std::vector<Word> special) {
  std::vector<Word> words = {{"package", &run.package, "PACKAGE",
                              "NAME or NAME@VERSION; the newest version when none is given", Word::Need::required},
                             {"--dataset", &run.dataset, "DATA",
                              "The data, which is never changed: a folder, an archive (.tar, .tar.gz, .tar.zst, .zip), "
                              "what lies in a bucket (s3://bucket/prefix), or a dataset of the store as NAME, "
                              "NAME@NUMBER or NAME@NUMBER/FOLDER",
                              Word::Need::required}};
  words.insert(words.end(), special.begin(), special.end());
  const std::vector<Word> last = {
      {"--name", &run.name, "NAME", "A name for the run"},
      {"-e,--env", &run.environment, "NAME=VALUE", "A variable or hyperparameter; may be repeated"},
      {"--max-runtime", &run.max_runtime, "TIME", "Stop the run after this time, such as 90s, 30m or 8h"},
      {"--grace", &run.grace, "TIME", "How long a stopped run may take to end by itself (120s)"},
      {"--experiment", &run.experiment, "NAME", "Groups this run with others of that name"},
      {"--tag", &run.tags, "NAME[=VALUE]", "For you and for 'runs list --tag'; may be repeated"},
      {"--secret", &run.secrets, "NAME[=FILE]",
       "A variable whose value is recorded nowhere, read from this file or asked for here; may be repeated"},
      {"--gpus", &run.gpus, "N", "GPUs for this run alone (1 for a package that requires one, else 0)"},
      {"--priority", &run.priority, "N", "Of the runs that wait for a slot the highest goes first, -100 to 100 (0)"},
      {"--retries", &run.retries, "N", "Attempts after one that failed through no mistake of yours, 0 to 128 (0)"},
      {"--isolation", &run.isolation, "MODE",
       "How much stands between the package and the machine: strict (all layers or no run), best-effort (those that "
       "this machine has; see 'trainyard doctor') or none (best-effort)"},
      {"--without", &run.without, "LAYER",
       "Do without this layer of isolation, which the package cannot work in; may be repeated"},
      {"--network", &run.network, "", "Let the package use this machine's network; without it there is none"},
      {"--memory", &run.memory, "SIZE", "The most memory for all its processes together, such as 512M or 8G"},
      {"--cpus", &run.cpus, "N", "The most processors, such as 2 or 1.5"},
      {"--processes", &run.processes, "N", "The most processes and threads at once (4096)"},
      {"--open-files", &run.open_files, "N", "The most files that one process may have open"},
      {"--disk", &run.disk, "SIZE", "The most that the package may write, scratch and artifacts together"},
      {"--log-size", &run.log_size, "SIZE", "The most that it may print and report (1G)"},
      {"--output-remote", &run.output_remote, "REMOTE",
       "Send the artifacts, and the data where it is kept, to this remote when the run is over"},
      {"--executor", &run.executor, "WHERE",
       "Where the job runs: local, on this machine, or slurm, where a cluster's scheduler puts it (that of the store's "
       "config, else local)"},
      {"--plan", &run.plan, "NAME",
       "Resources by one name; what is given here counts before it; see 'trainyard plans'"},
      {"--nodes", &run.nodes, "N", "Train with one worker on each of N nodes, or with N workers on this machine (1)"},
      {"--data-sharding", &run.data_sharding, "HOW",
       "With several nodes: replicated, each worker sees all the data, or by-file, its share of the files "
       "(replicated)"},
      {"--partition", &run.partition, "NAME", "The partition of Slurm"},
      {"--sbatch-argument", &run.sbatch_arguments, "--OPTION=VALUE",
       "A further one for Slurm's sbatch; may be repeated"},
      {"--detach", &run.detach, "", "Print the run's id at once; the run goes on when the terminal is closed"},
      {"--python", &run.python, "PATH",
       "The interpreter of a Python package (that of its package.json, of the store's config, or /usr/bin/python3)"},
      {"--dependencies", &run.dependencies, "WHERE",
       "Where a Python package finds its requirements: system, or venv, a virtual environment that is made once "
       "(system)"},
      {"--mount", &run.mount, "KIND", "How the data is presented: best, overlay, reflink or copy (best)"}};
  words.insert(words.end(), last.begin(), last.end());
  return words;
}

GroupWords run_words() {
  constexpr const char* kRepeat = "Go on also where a run has made a version of the same data with the same parameters";
  return {"run",
          "Run a package",
          {command_words<command::RunTraining>(
               "training", "Train a package on a dataset; makes its next minor version",
               "trainyard run training digits@1.0 --dataset ./data/training --env epochs=20\n"
               "  trainyard run training digits --dataset digits-training.tar.zst\n"
               "  trainyard run training digits --dataset digits@3/training",
               [&](auto& run) {
                 return words_of(run, {{"--save-training-data", &run.save_training_data, "",
                                        "Keep a snapshot of exactly the data that the code sees"},
                                       {"--allow-repeat", &run.allow_repeat, "", kRepeat}});
               }),
           command_words<command::RunEvaluation>(
               "evaluation", "Let a version say how good it is on a dataset; makes a score and no version",
               "trainyard run evaluation digits@1.1 --dataset ./data/test",
               [](auto& run) {
                 return words_of(run, {{"--save-test-data", &run.save_test_data, "",
                                        "Keep a snapshot of exactly the data that the code sees"}});
               }),
           command_words<command::RunFull>(
               "full",
               "Let a package prepare its data, train, and evaluate what it has learned; makes a version with a score",
               "trainyard run full digits --dataset ./data\n"
               "  trainyard run full digits --dataset ./data/training --evaluation-dataset ./data/test",
               [&](auto& run) {
                 return words_of(run,
                                 {{"--evaluation-dataset", &run.evaluation_dataset, "DATA",
                                   "Evaluate on this data, instead of the part that the package puts aside for it"},
                                  {"--save-training-data", &run.save_training_data, "",
                                   "Keep a snapshot of exactly the data that the code sees"},
                                  {"--save-test-data", &run.save_test_data, "", "The same of the evaluation dataset"},
                                  {"--allow-repeat", &run.allow_repeat, "", kRepeat}});
               })}};
}

}  // namespace trainyard
