// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/grammar.hpp"

namespace trainyard {

GroupWords plan_words() {
  return {"plans",
          "Resource plans: what runs ask of a machine or a cluster, by one name for 'run ... --plan NAME'",
          {command_words<command::PlansList>("list", "List the resource plans of the store", "trainyard plans list"),
           command_words<command::PlansSet>(
               "set", "Make a resource plan, or change what a run gets by its name from now on",
               "trainyard plans set train.l --cpus 8 --memory 32G --time 8h\n"
               "  trainyard plans set train.xl --executor slurm --partition gpu --nodes 4 --gpus 2 --time 2d "
               "--sbatch-argument --account=vision",
               [](auto& set) {
                 return std::vector<Word>{
                     {"name", &set.name, "NAME", "What it is called", Word::Need::required},
                     {"--executor", &set.executor, "WHERE", "local or slurm; else where the run would run without it"},
                     {"--cpus", &set.cpus, "N", "Processors of each node, such as 2 or 1.5"},
                     {"--memory", &set.memory, "SIZE", "Memory of each node, such as 512M or 8G"},
                     {"--gpus", &set.gpus, "N", "GPUs of each node"},
                     {"--nodes", &set.nodes, "N", "With one worker on each"},
                     {"--partition", &set.partition, "NAME", "The partition of Slurm"},
                     {"--time", &set.time, "TIME", "The longest that a run may take, such as 90s, 30m or 8h"},
                     {"--sbatch-argument", &set.sbatch_arguments, "--OPTION=VALUE",
                      "A further one for Slurm's sbatch; may be repeated"}};
               }),
           command_words<command::PlansRemove>(
               "remove", "Forget a resource plan", "trainyard plans remove train.l", [](auto& remove) {
                 return std::vector<Word>{{"name", &remove.name, "NAME", "What it is called", Word::Need::required}};
               })}};
}

}  // namespace trainyard
