// SPDX-License-Identifier: Apache-2.0
#include "storage/trees/capture.hpp"

#include <fcntl.h>

#include <limits>
#include <utility>

#include "storage/trees/file_readers.hpp"
#include "storage/trees/folder_walk.hpp"
#include "storage/values/path_order.hpp"

namespace trainyard {

namespace {

constexpr std::uint32_t kNoNumber = std::numeric_limits<std::uint32_t>::max();

// A walk that becomes a tree: who is known by the cache has a digest at once, and who is not is to be read.
class Assembly {
 public:
  // `generation` is that of the store's objects.
  Assembly(const CaptureOptions& options, StatCache& cache, std::uint64_t generation)
      : options_(options),
        cache_(cache),
        ask_store_(options.objects != nullptr && (generation == 0 || generation != cache.header().generation)) {}

  Result<void> take(FolderWalk walk) {
    if (walk.entries() >= kNoNumber) return fail(Errc::invalid, "a folder with more than four billion files");
    tree.reserve(walk.name_bytes());
    stamps.reserve(walk.entries());
    progress.files = walk.files();
    progress.bytes = walk.bytes();
    numbers_.resize(walk.folders(), kNoNumber);
    Result<void> taken;
    std::move(walk).visit([&](const FolderWalk::Found& found) {
      taken = take_one(found);
      return taken.ok();
    });
    return taken;
  }

  TreeBuilder tree;
  std::vector<FileStamp> stamps;
  std::vector<std::uint32_t> unknown;  // indices of files to read
  CaptureProgress progress;            // with those done that the cache knows

 private:
  Result<void> take_one(const FolderWalk::Found& found) {
    std::uint32_t& number = numbers_[found.folder];
    if (number == kNoNumber) number = tree.folder(found.folder_path);
    stamps.push_back(*found.stamp);
    const Tree::View entry{
        .folder = found.folder_path,
        .name = found.name,
        .kind = found.empty_folder ? TreeEntry::Kind::empty_folder : TreeEntry::Kind::file,
        .executable = found.executable,
        .size = found.size,
    };
    bool known = cache_.knows(entry, *found.stamp);
    if (found.empty_folder) {
      tree.add_empty_folder(number, found.name);
      return {};
    }
    const std::size_t index = tree.add_file(number, found.name, found.size, found.executable);
    if (known && ask_store_) known = TRY(options_.objects->has(cache_.digest()));
    if (!known) {
      unknown.push_back(static_cast<std::uint32_t>(index));
      return {};
    }
    tree.set_digest(index, cache_.digest());
    ++progress.files_done;
    progress.bytes_done += found.size;
    return {};
  }

  const CaptureOptions& options_;
  StatCache& cache_;
  const bool ask_store_;
  std::vector<std::uint32_t> numbers_;  // of the walk's folders in the tree
};

std::optional<CapturedFolder::NextCache> next_cache(const CaptureOptions& options) {
  if (!options.cache) return std::nullopt;
  const auto began = FileClock::read(options.cache->has_parent_path() ? options.cache->parent_path() : Path("."));
  if (!began.ok()) return std::nullopt;
  CapturedFolder::NextCache next;
  next.path = *options.cache;
  next.began = *began;
  return next;
}

// What the cache told, and what the next one is to say.
void take_over(const StatCache& cache, const CaptureOptions& options, std::uint64_t generation,
               CapturedFolder& captured) {
  const StatCache::Header& old = cache.header();
  const bool unchanged = cache.all_known();
  if (unchanged && captured.files_read == 0) captured.summary = old.tree;
  if (!captured.cache) return;
  CapturedFolder::NextCache& next = *captured.cache;
  if (options.objects != nullptr) {
    next.generation = generation;
  } else if (captured.files_read == 0) {
    next.generation = old.generation;
  }
  next.tree_is_stored = unchanged && old.tree_is_stored && next.generation == old.generation && next.generation != 0;
  next.differs = !unchanged || captured.files_read != 0 || next.generation != old.generation;
}

}  // namespace

Result<CapturedFolder> capture(const Path& folder, const CaptureOptions& options) {
  if (options.cache && options.wanted)
    return fail(Errc::invalid,
                "a stat cache is of a whole folder; '" + folder.string() + "' is to be captured in part");
  const UniqueFd fd = TRY(open_file(folder, O_RDONLY | O_DIRECTORY));
  CapturedFolder captured;
  captured.cache = next_cache(options);
  StatCache cache = captured.cache ? StatCache::open(captured.cache->path) : StatCache();
  const std::uint64_t generation =
      captured.cache && options.objects != nullptr ? TRY(options.objects->generation()) : 0;
  Assembly assembly(options, cache, generation);
  TRY(assembly.take(TRY(FolderWalk::of(folder, fd.get(), {options.wanted, options.cancelled, options.threads}))));
  if (!assembly.unknown.empty()) {
    FileReaders readers(folder, fd.get(), assembly.tree, assembly.stamps, options, assembly.progress);
    TRY(readers.run(assembly.unknown));
  } else if (options.progress) {
    options.progress(assembly.progress);
  }
  captured.files_read = assembly.unknown.size();
  captured.tree = TRY(std::move(assembly.tree).finish());
  captured.stamps = std::move(assembly.stamps);
  take_over(cache, options, generation, captured);
  return captured;
}

Result<TreeSummary> store_tree(CapturedFolder& captured, ObjectStore& objects) {
  // What the cache says of another generation may have been collected since.
  const std::uint64_t generation = captured.cache ? TRY(objects.generation()) : 0;
  const bool can_tell = generation != 0 && generation == captured.cache->generation;
  const bool is_stored = can_tell && captured.cache->tree_is_stored;
  if (!captured.summary || (!is_stored && !TRY(objects.has(captured.summary->digest)))) {
    captured.summary = TRY(store_tree(captured.tree, objects));
    if (captured.cache) captured.cache->differs = true;
  }
  if (can_tell && !is_stored) {
    captured.cache->tree_is_stored = true;
    captured.cache->differs = true;
  }
  return *captured.summary;
}

Result<void> keep_cache(const CapturedFolder& captured) {
  if (!captured.cache || !captured.cache->differs) return {};
  const CapturedFolder::NextCache& next = *captured.cache;
  const StatCache::Header header{next.generation, captured.tree.size(), captured.summary, next.tree_is_stored};
  return write_stat_cache(next.path, header, captured.tree, captured.stamps, next.began);
}

Result<std::optional<std::string>> change_since(const Path& folder, const CapturedFolder& captured) {
  const UniqueFd fd = TRY(open_file(folder, O_RDONLY | O_DIRECTORY));
  FolderWalk walk = TRY(FolderWalk::of(folder, fd.get(), {}));
  const auto shown = [&](std::string_view above, std::string_view name) {
    Path path = above.empty() ? folder : folder / std::string(above);
    path /= std::string(name);
    return "'" + path.string() + "'";
  };
  std::optional<std::string> change;
  std::size_t i = 0;
  std::move(walk).visit([&](const FolderWalk::Found& found) {
    if (i == captured.tree.size()) {
      change = shown(found.folder_path, found.name) + " was added";
      return false;
    }
    const Tree::View before = captured.tree.view(i);
    const int order = path_order({.folder = found.folder_path, .name = found.name}, before).order;
    if (order < 0) change = shown(found.folder_path, found.name) + " was added";
    if (order > 0) change = shown(before.folder, before.name) + " was removed";
    const bool same_kind = found.empty_folder == (before.kind == TreeEntry::Kind::empty_folder) &&
                           found.executable == before.executable && found.size == before.size;
    if (order == 0 && (!same_kind || *found.stamp != captured.stamps[i]))
      change = shown(before.folder, before.name) + " was changed";
    ++i;
    return !change;
  });
  if (!change && i < captured.tree.size()) {
    const Tree::View before = captured.tree.view(i);
    change = shown(before.folder, before.name) + " was removed";
  }
  return change;
}

}  // namespace trainyard
