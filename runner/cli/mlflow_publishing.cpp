// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/mlflow_publishing.hpp"

#include <cstdlib>

#include "runner/cli/interrupts.hpp"
#include "runner/cli/run_series.hpp"
#include "runner/engine/stored_run_record.hpp"
#include "storage/http/retrying_http.hpp"
#include "storage/runs/run_folder.hpp"

namespace trainyard {

namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// Where the version can be had; what lies in a folder of this machine is nowhere for others.
std::string source_of(const VersionRecord& version, const std::vector<KnownRemote>& remotes) {
  const std::string name = version.content.name.text();
  for (const KnownRemote& remote : remotes) {
    RemoteAddress address = remote.address;
    address.endpoint.clear();
    address.region.clear();
    if (address.kind == RemoteAddress::Kind::oci)
      return address.text() + "/" + version.content.name.folded() + ":" + version.version.text();
    if (address.kind == RemoteAddress::Kind::s3)
      return address.text() + "/" + version.content.name.folded() + "/versions/" + version.version.text() + ".json";
  }
  return "urn:trainyard:version:" + name + ":" + version.version.text();
}

}  // namespace

Result<std::vector<MlflowTarget>> mlflow_targets(const std::vector<MlflowAddress>& addresses,
                                                 const VersionRecord& version, const std::vector<KnownRemote>& remotes,
                                                 const std::optional<VersionLabel>& label, const Store& store) {
  std::vector<MlflowTarget> targets;
  if (addresses.empty()) return targets;
  const std::string name = version.content.name.text() + "@" + version.version.text();
  if (!version.content.run)
    return fail(Errc::invalid, name + " was uploaded; MLflow can be told only of what a run has made");
  const auto record = TRY(read_run_record(*version.content.run, store));
  if (!record)
    return fail(Errc::not_found, "the run that made " + name + " was deleted, and with it what MLflow would be told");
  const RunSeries told = TRY(read_series(RunFolders(store.runs(), store.active()).folder(record->run)));
  MetricSeries series;
  for (const auto& [metric, points] : told.by_metric) {
    for (const RunSeries::Point& point : points) series[metric].push_back({point.time, point.step, point.value});
  }
  for (const MlflowAddress& address : addresses) {
    MlflowRun run = TRY(mlflow_run(*record, series, address.experiment, source_of(version, remotes), label));
    targets.push_back({address, std::move(run)});
  }
  return targets;
}

Result<LoggedRun> log_to(const MlflowTarget& target) {
  const HttpOptions options{[before = interrupts()] { return interrupts() > before; }};
  const auto curl = curl_http(options);
  const auto http = retrying(*curl, {}, options);
  const MlflowCredentials credentials{variable("MLFLOW_TRACKING_USERNAME"), variable("MLFLOW_TRACKING_PASSWORD"),
                                      variable("MLFLOW_TRACKING_TOKEN")};
  return log_to_mlflow(target.run, target.address, credentials, *http);
}

}  // namespace trainyard
