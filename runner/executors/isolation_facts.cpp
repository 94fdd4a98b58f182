// SPDX-License-Identifier: Apache-2.0
#include "runner/executors/isolation_facts.hpp"

#include <chrono>

#include "runner/processes/run_program.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::chrono::seconds kProbeTime{20};

}  // namespace

Result<IsolationFacts> probe_isolation(const Path& worker, const Path& scratch) {
  const Path folder = scratch_name(TRY(real_path(scratch)), "isolation-probe");
  TRY(make_folder(folder));
  const auto output = run_program({worker.string(), "probe-isolation", folder.string()}, {}, "/", "", kProbeTime);
  const auto removed = remove_tree(folder);
  const ProgramOutput& ended = TRY(output);
  TRY(removed);
  if (ended.status.code != 0) {
    return fail(Errc::io, "cannot find out which layers of isolation this machine has: " +
                              (ended.err.empty() ? "the probe ended without an answer" : utf8_cleaned(ended.err)));
  }
  return isolation_facts_from(TRY(parse_json(ended.out, "the answer of the isolation probe")));
}

}  // namespace trainyard
