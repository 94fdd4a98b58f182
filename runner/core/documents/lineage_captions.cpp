// SPDX-License-Identifier: Apache-2.0
#include "runner/core/documents/lineage_captions.hpp"

#include <algorithm>
#include <cstdio>

#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kShortDigest = 12;
constexpr std::size_t kMostOrigins = 3;

// Six digits that count.
std::string short_text(double value) {
  char buffer[32];
  const int size = std::snprintf(buffer, sizeof(buffer), "%.6g", value);
  return std::string(buffer, static_cast<std::size_t>(std::clamp(size, 0, 31)));
}

std::string short_text(const Digest& digest) { return digest.hex().substr(0, kShortDigest); }

}  // namespace

Caption caption_of(const LineageVersion& version) {
  Caption caption{{version.text()}, version.state != LineageVersion::State::there};
  if (caption.missing) caption.lines.push_back(std::string(name_of(version.state)));
  if (version.record) {
    const VersionDraft& content = version.record->content;
    caption.lines.push_back((content.run ? "made " : "uploaded ") + content.created_at.short_text());
    if (content.score) caption.lines.push_back("score " + short_text(*content.score));
  }
  if (const auto tree = version.tree()) caption.lines.push_back("tree " + short_text(tree->digest));
  return caption;
}

Caption caption_of(const LineageRun& run) {
  Caption caption{{}, run.state != LineageRun::State::over};
  if (!run.record) {
    caption.lines = {"run " + run.run.text(), std::string(name_of(run.state))};
    return caption;
  }
  const RunRecord& record = *run.record;
  caption.lines = {record.name.text(), std::string(name_of(record.type)) + " " + record.started_at.short_text()};
  if (record.score) caption.lines.push_back("score " + short_text(*record.score));
  return caption;
}

Caption caption_of(const LineageDataset& dataset) {
  Caption caption{{}, !dataset.kept()};
  for (const auto& origin : dataset.origins) {
    if (caption.lines.size() == kMostOrigins) {
      caption.lines.push_back("and " + std::to_string(dataset.origins.size() - kMostOrigins) + " more");
      break;
    }
    caption.lines.push_back(printable(origin.source));
  }
  caption.lines.push_back(std::to_string(dataset.tree.files) + (dataset.tree.files == 1 ? " file, " : " files, ") +
                          std::to_string(dataset.tree.bytes) + " bytes");
  caption.lines.push_back("data " + short_text(dataset.tree.digest));
  if (!dataset.kept()) caption.lines.emplace_back("only its digests are kept");
  return caption;
}

}  // namespace trainyard
