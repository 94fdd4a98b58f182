// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/stored_run_record.hpp"

#include "storage/runs/run_folder.hpp"
#include "storage/values/limits.hpp"

namespace trainyard {

Result<std::optional<RunRecord>> read_run_record(const RunId& run, const Store& store) {
  const Path file = RunFolders(store.runs(), store.active()).folder(run).results();
  const auto text = read_file(file, limits::kRecordBytes);
  if (!text.ok() && text.error().code == Errc::not_found) return std::optional<RunRecord>();
  if (!text.ok()) return text.error();
  const auto json = parse_json(*text, "the results '" + file.string() + "'");
  if (!json.ok()) return fail(Errc::corrupt, json.error().message);
  auto record = run_record_from(*json);
  if (record.ok()) return std::optional(std::move(*record));
  const Errc code = record.error().code == Errc::incompatible ? Errc::incompatible : Errc::corrupt;
  return fail(code, "'" + file.string() + "' cannot be read: " + record.error().message);
}

}  // namespace trainyard
