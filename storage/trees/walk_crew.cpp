// SPDX-License-Identifier: Apache-2.0
#include "storage/trees/walk_crew.hpp"

#include <algorithm>
#include <utility>

#include "storage/trees/add_thread.hpp"
#include "storage/values/limits.hpp"

namespace trainyard {

namespace {

// A thread costs as much as looking at some hundred names.
constexpr std::size_t kNamesToShare = 1024;
constexpr std::size_t kManyFolders = 16;
// Reading folders that are not in memory is waiting for the disk, so there may be more threads than cores.
constexpr unsigned kMostWalkers = 8;

}  // namespace

WalkCrew::WalkCrew(const Path& root, int fd, const WalkOptions& options, FolderWalk& walk)
    : root_(root),
      fd_(fd),
      options_(options),
      most_threads_(options.wanted         ? 1
                    : options.threads != 0 ? options.threads
                                           : kMostWalkers),
      walk_(walk) {}

Result<void> WalkCrew::run() {
  walk_.folders_.emplace_back();
  waiting_.push_back(0);
  work(Thread::calling);
  // Nobody adds a thread any more: that takes a folder to read.
  others_.clear();
  if (error_) return *std::move(error_);
  return {};
}

void WalkCrew::work(Thread thread) {
  FolderReader reader(root_, fd_, options_.wanted, thread == Thread::calling ? &options_.cancelled : nullptr, stopped_);
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopped_ || !waiting_.empty() || !shared_.empty() || reading_ == 0; });
    if (stopped_) return;
    if (!waiting_.empty()) {
      FolderWalk::Folder& folder = walk_.folders_[waiting_.back()];
      waiting_.pop_back();
      ++reading_;
      lock.unlock();
      auto read = read_folder(reader, folder);
      lock.lock();
      --reading_;
      if (!read.ok()) end_with(std::move(read).error());
      if (reading_ == 0) changed_.notify_all();
    } else if (!shared_.empty()) {
      const std::shared_ptr<StatJob> job = shared_.back();
      lock.unlock();
      auto looked = reader.look(*job);
      lock.lock();
      std::erase(shared_, job);
      if (!looked.ok()) end_with(std::move(looked).error());
    } else {
      return;
    }
  }
}

Result<void> WalkCrew::read_folder(FolderReader& reader, FolderWalk::Folder& folder) {
  const std::shared_ptr<StatJob> job = TRY(reader.begin(folder));
  const bool large = job->items.size() >= 2 * kNamesToShare;
  if (large) {
    const std::lock_guard lock(mutex_);
    shared_.push_back(job);
    wish_for_help();
  }
  const auto looked = reader.look(*job);
  if (large) {
    {
      const std::lock_guard lock(mutex_);
      std::erase(shared_, job);
    }
    for (std::size_t done = job->done; done < job->items.size(); done = job->done) job->done.wait(done);
  }
  TRY(looked);
  if (stopped_) return {};
  reader.finish(*job, folder);
  auto inner = TRY(folders_in(folder));

  FolderWalk::Totals totals;
  for (const FolderWalk::Item& item : folder.items) {
    if (item.kind == FolderWalk::Kind::folder) continue;
    ++totals.files;
    totals.bytes += item.size;
  }
  const std::lock_guard lock(mutex_);
  seen_ += folder.items.size();
  walk_.totals_.files += totals.files;
  walk_.totals_.bytes += totals.bytes;
  walk_.totals_.name_bytes += folder.names.size();
  if (folder.items.empty() && !folder.path.empty()) ++walk_.totals_.empty_folders;
  auto next = inner.rbegin();
  // Backwards, so that the first one is read next.
  for (auto item = folder.items.rbegin(); item != folder.items.rend(); ++item) {
    if (item->kind != FolderWalk::Kind::folder) continue;
    item->size = walk_.folders_.size();
    waiting_.push_back(static_cast<std::uint32_t>(walk_.folders_.size()));
    walk_.folders_.push_back(std::move(*next++));
  }
  if (!waiting_.empty() && (seen_ >= kNamesToShare || waiting_.size() >= kManyFolders)) wish_for_help();
  return {};
}

Result<std::vector<FolderWalk::Folder>> WalkCrew::folders_in(const FolderWalk::Folder& folder) const {
  std::vector<FolderWalk::Folder> inner;
  for (const FolderWalk::Item& item : folder.items) {
    if (item.kind != FolderWalk::Kind::folder) continue;
    FolderWalk::Folder found;
    found.path.reserve(folder.path.size() + 1 + item.name_bytes);
    if (!folder.path.empty()) found.path.append(folder.path).append("/");
    found.path += folder.name(item);
    found.depth = folder.depth + 1;
    if (found.depth > limits::kFolderDepth)
      return fail(Errc::invalid, "'" + (root_ / found.path).string() + "' lies too deep: more than 512 folders");
    inner.push_back(std::move(found));
  }
  return inner;
}

void WalkCrew::wish_for_help() {
  changed_.notify_all();
  if (others_.size() + 1 < most_threads_ && !stopped_) add_thread(others_, [this] { work(Thread::other); });
}

void WalkCrew::end_with(Error error) {
  if (!error_) error_ = std::move(error);
  stopped_ = true;
  changed_.notify_all();
}

}  // namespace trainyard
