// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/grammar.hpp"

namespace trainyard {

GroupWords run_words() {
  return {"run",
          "Run a package",
          {command_words<command::RunTraining>(
              "training", "Train a package on a dataset; makes its next minor version",
              "trainyard run training digits@1.0 --dataset ./data/training --env epochs=20\n"
              "  trainyard run training digits --dataset digits-training.tar.zst\n"
              "  trainyard run training digits --dataset digits@3/training",
              [](auto& training) {
                return std::vector<Word>{
                    {"package", &training.package, "PACKAGE",
                     "NAME or NAME@VERSION; the newest version when none is given", Word::Need::required},
                    {"--dataset", &training.dataset, "DATA",
                     "The data, which is never changed: a folder, an archive (.tar, .tar.gz, .tar.zst, .zip), "
                     "or a dataset of the store as NAME, NAME@NUMBER or NAME@NUMBER/FOLDER",
                     Word::Need::required},
                    {"--name", &training.name, "NAME", "A name for the run"},
                    {"-e,--env", &training.environment, "NAME=VALUE", "A variable or hyperparameter; may be repeated"},
                    {"--save-training-data", &training.save_training_data, "",
                     "Keep a snapshot of exactly the data that the code sees"},
                    {"--max-runtime", &training.max_runtime, "TIME",
                     "Stop the run after this time, such as 90s, 30m or 8h"},
                    {"--grace", &training.grace, "TIME", "How long a stopped run may take to end by itself (120s)"},
                    {"--mount", &training.mount, "KIND",
                     "How the data is presented: best, overlay, reflink or copy (best)"}};
              })}};
}

}  // namespace trainyard
