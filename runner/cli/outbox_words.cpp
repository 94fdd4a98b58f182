// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/grammar.hpp"

namespace trainyard {

GroupWords outbox_words() {
  return {
      "outbox",
      "See and deliver what runs told those who gather lineage, as far as nobody has taken it yet",
      {command_words<command::OutboxList>("list", "List the runs whose events wait", "trainyard outbox list --json"),
       command_words<command::OutboxDeliver>(
           "deliver", "Deliver what waits now; else each run that ends tries it",
           "trainyard store config openlineage http://lineage.example:5000\n  trainyard outbox deliver")}};
}

}  // namespace trainyard
