// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/worker/job_process.hpp"

// The steps that a forked child of the supervisor takes until it is the job's process, in this order. Each is of the
// calling process alone. REQUIRES of all: one thread.
namespace trainyard {

// What clone(2) has to be asked for.
unsigned long namespaces_of(const Isolation& isolation);

struct UserIds {
  uid_t user = 0;
  gid_t group = 0;
};

// The namespaces are there; makes of them what the job is to see. `ids` are those of the supervisor.
std::optional<StartFailure> furnish(const JobStart& start, const UserIds& ids);

// Gives up what privileges the job has no use for, binds it to its limits and to the rules of the layers that have rules.
// `program` is what is about to be executed.
std::optional<StartFailure> restrict(const JobStart& start, int program);

// No privileges at all, and no look into this process for anybody of the same user. For what stays beside the job.
void give_up_privileges();

}  // namespace trainyard
