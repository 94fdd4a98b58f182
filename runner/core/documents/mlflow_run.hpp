// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runner/core/run_record.hpp"
#include "storage/values/names.hpp"

// A run as MLflow's tracking server is told of it: the bodies of requests of its REST API 2.0, within the limits that its
// documentation names ("Log Batch", "Request Limits") and its servers keep. Pure. Sending is runner/engine/mlflow_logging.hpp.
namespace trainyard {

// What the server may be given at most.
namespace mlflow_limits {
inline constexpr std::size_t kItems = 1000;  // of a batch in all, and as many metrics
inline constexpr std::size_t kParameters = 100;
inline constexpr std::size_t kTags = 100;
inline constexpr std::size_t kRequestBytes = 1'000'000;
inline constexpr std::size_t kKeyBytes = 250;
inline constexpr std::size_t kParameterBytes = 6000;
inline constexpr std::size_t kTagBytes = 5000;
inline constexpr std::size_t kDatasetNameBytes = 500;
inline constexpr std::size_t kDatasetDigestBytes = 36;
inline constexpr std::size_t kDatasetSourceBytes = 65'535;
}  // namespace mlflow_limits

// Where runs are logged: "mlflow:http://host:5000/experiment". No user and no password is in it.
struct MlflowAddress {
  std::string server;      // "http://host:5000", without a '/' at its end
  std::string experiment;  // empty: that of the run, or the name of its package

  static bool is_one(std::string_view text);
  static Result<MlflowAddress> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  friend bool operator==(const MlflowAddress&, const MlflowAddress&) = default;
};

// One value that a run measured.
struct MetricPoint {
  Instant time;
  std::int64_t step = 0;
  double value = 0;
};
using MetricSeries = std::map<std::string, std::vector<MetricPoint>>;  // by the metric's name, in their order

// All that is told of one run. Ids that the server gives are added when it has given them.
struct MlflowRun {
  std::string experiment;
  std::string run;            // ours; the tag kMlflowRunTag has it, by which the run is found again
  Json create;                // body of runs/create, less the experiment's id
  std::vector<Json> batches;  // bodies of runs/log-batch, less the run's id, in this order
  Json datasets;              // of runs/log-inputs: the list
  std::string status;         // FINISHED, FAILED, KILLED
  std::int64_t end_time = 0;  // ms
  std::string model;
  Json model_version;  // body of model-versions/create, less the run's id
  std::optional<std::string> alias;
};

inline constexpr const char* kMlflowRunTag = "trainyard.run";
// How many batches were logged, which every batch says of itself: metrics that are logged twice would be there twice.
inline constexpr const char* kMlflowBatchesTag = "trainyard.batches";
inline constexpr const char* kMlflowVersionTag = "trainyard.version";

// What MLflow cannot hold is told otherwise: values that are not finite as the text of a tag "trainyard.not_finite.<metric>";
// texts that are too long by their beginning and "…sha256:" with the digest of the whole. Characters that no key may have
// become '_'. `source` is where the version can be had. `invalid` for a label that MLflow has a meaning of its own for, and
// for a run that made no version.
Result<MlflowRun> mlflow_run(const RunRecord& run, const MetricSeries& series, const std::string& experiment,
                             const std::string& source, const std::optional<VersionLabel>& label);

}  // namespace trainyard
