// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/grammar.hpp"

namespace trainyard {

GroupWords dataset_words() {
  return {
      "dataset",
      "Name the data of runs, and keep its versions",
      {command_words<command::DatasetAdd>(
           "add", "Keep a folder, an archive or what lies in a bucket as the next version of a named dataset",
           "trainyard dataset add digits ./data\n  trainyard dataset add digits digits-2026-11.tar.zst\n  "
           "trainyard dataset add digits s3://data/digits",
           [](auto& add) {
             return std::vector<Word>{
                 {"name", &add.name, "NAME", "The dataset's name", Word::Need::required},
                 {"source", &add.source, "DIR|ARCHIVE|URL",
                  "A folder, a .tar, .tar.gz, .tar.zst or .zip, or s3://bucket/prefix", Word::Need::required}};
           }),
       command_words<command::DatasetList>("list", "List all datasets", "trainyard dataset list --json"),
       command_words<command::DatasetShow>(
           "show", "Show the versions of a dataset, one version, or a folder in it",
           "trainyard dataset show digits\n  trainyard dataset show digits@3/training", [](auto& show) {
             return std::vector<Word>{{"dataset", &show.reference, "DATASET",
                                       "NAME, NAME@NUMBER, NAME/FOLDER or NAME@NUMBER/FOLDER", Word::Need::required}};
           })}};
}

}  // namespace trainyard
