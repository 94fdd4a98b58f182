// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/run_stop.hpp"

#include <algorithm>

#include "storage/values/limits.hpp"

namespace trainyard {

namespace {

constexpr const char* kPolite = "polite\n";
constexpr const char* kNow = "now\n";

StopWish written_wish(const RunFolder& folder) {
  const auto text = read_file(folder.stop(), limits::kRecordBytes);
  if (!text.ok()) return StopWish::none;
  return *text == kNow ? StopWish::now : StopWish::polite;
}

}  // namespace

StopWish stop_wish(const RunFolder& folder, RunObserver& observer) {
  return std::max(observer.stop_wish(), written_wish(folder));
}

Result<void> ask_to_stop(const RunFolder& folder, const Path& scratch, StopWish wish) {
  if (wish <= written_wish(folder)) return {};
  return replace_file(scratch, folder.stop(), wish == StopWish::now ? kNow : kPolite, 0644, Durable::no);
}

}  // namespace trainyard
