// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runner/core/run_results.hpp"
#include "storage/runs/run_folder.hpp"

namespace trainyard {

// What a run measured, as it told it: each metric's values in their order.
struct RunSeries {
  struct Point {
    Instant time;
    std::int64_t step = 0;
    double value = 0;
  };
  std::map<std::string, std::vector<Point>> by_metric;
};

// Of the last attempt, what worker `rank` measured; the metrics of the run are those of rank 0.
Result<RunSeries> read_series(const RunFolder& folder, int rank = 0);

// Rows of text `width` columns wide, the values over the steps; those that are not finite are left out. None when none
// is left.
std::vector<std::string> chart(const std::vector<RunSeries::Point>& points, std::size_t width, std::size_t height);

}  // namespace trainyard
