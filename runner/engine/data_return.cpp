// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/data_return.hpp"

#include "runner/engine/data_intake.hpp"
#include "storage/datasets/checkouts.hpp"
#include "storage/trees/stored_tree.hpp"

namespace trainyard {

namespace {

// A source that the store vouches for. A dataset stays what it is; anything else is now a tree of the store.
Result<DataSource> from_store(DataSource source, const TreeSummary& tree, RunPorts& ports) {
  const Checkouts checkouts(ports.store.checkouts(), ports.store.scratch());
  source.folder = TRY(checkouts.get(tree.digest, ports.store.objects())).folder.string();
  source.tree = tree;
  if (source.kind != DataSource::Kind::dataset) source.kind = DataSource::Kind::snapshot;
  source.bucket.reset();
  return source;
}

}  // namespace

Result<TreeSummary> read_folder(const Path& folder, RunPorts& ports) {
  CaptureOptions options;
  options.cache = ports.store.stat_cache_of(folder);
  options.progress = [&](const CaptureProgress& progress) { ports.observer.reading_data(progress); };
  options.cancelled = [&] { return ports.observer.stop_wish() != StopWish::none; };
  CapturedFolder captured = TRY(capture(folder, options));
  if (!captured.summary) captured.summary = TreeSummary::of(captured.tree);
  static_cast<void>(keep_cache(captured));
  return *captured.summary;
}

Result<BucketData> read_bucket(const RemoteAddress& address, RunPorts& ports) {
  if (!ports.open_keys) return fail(Errc::unavailable, "'" + address.text() + "' cannot be reached from here");
  const std::shared_ptr<KeyStore> keys = TRY(ports.open_keys(address));
  IntakeOptions options;
  options.progress = [&](const CaptureProgress& progress) { ports.observer.reading_data(progress); };
  options.cancelled = [&] { return ports.observer.stop_wish() != StopWish::none; };
  return keep_bucket_data(address, *keys, ports.store, options, ports.now());
}

Result<std::optional<std::string>> missing_of(const Digest& tree, ObjectStore& objects) {
  const auto loaded = load_tree(tree, objects);
  if (!loaded.ok() && loaded.error().code == Errc::not_found) return std::optional<std::string>("its list of files");
  if (!loaded.ok()) return loaded.error();
  for (std::size_t i = 0; i < loaded->size(); ++i) {
    const Digest* const digest = loaded->view(i).digest;
    if (digest == nullptr || TRY(objects.has(*digest))) continue;
    const auto tombstone = objects.tombstone(*digest);
    return std::optional("'" + loaded->entry(i).path.text() + "'" +
                         (tombstone ? ", which was purged: " + tombstone->reason : ""));
  }
  return std::optional<std::string>();
}

Result<std::variant<DataSource, std::string>> find_again(const DataSource& source, const std::string& given,
                                                         const TreeSummary& tree, RunPorts& ports) {
  using Found = std::variant<DataSource, std::string>;
  ObjectStore& objects = ports.store.objects();
  // Until the run's plan names it, nobody takes it out.
  TRY(objects.generation());
  const auto missing = TRY(missing_of(tree.digest, objects));
  if (!missing) return Found(TRY(from_store(source, tree, ports)));
  const std::string gone = "the store does not have " + *missing + " of the data '" + given + "'";
  if (source.kind == DataSource::Kind::dataset || source.kind == DataSource::Kind::snapshot) return Found(gone);
  if (names_bucket(given)) {
    const auto now = read_bucket(TRY(bucket_address(given)), ports);
    if (!now.ok() && now.error().code == Errc::cancelled) return now.error();
    if (!now.ok()) return Found(gone + ", and it cannot be fetched again: " + now.error().message);
    if (now->tree.digest != tree.digest) return Found(gone + ", and '" + given + "' is no longer what it was");
    return Found(TRY(from_store(source, tree, ports)));
  }
  const auto data = find_user_data(given, ports.store);
  if (!data.ok()) return Found(gone + ", and where it came from it is no more: " + data.error().message);
  const std::string changed = gone + ", and '" + given + "' is no longer what it was";
  if (source.kind == DataSource::Kind::folder) {
    if (data->kind != DataSource::Kind::folder) return Found(changed);
    const auto now = read_folder(data->path, ports);
    if (!now.ok() && now.error().code == Errc::cancelled) return now.error();
    if (!now.ok()) return Found(gone + ", and '" + given + "' cannot be read: " + now.error().message);
    if (now->digest != tree.digest) return Found(changed);
    return Found(DataSource{DataSource::Kind::folder, data->path.string(), std::nullopt, std::nullopt});
  }
  if (data->kind != DataSource::Kind::archive) return Found(changed);
  IntakeOptions options;
  options.progress = [&](const CaptureProgress& progress) { ports.observer.reading_data(progress); };
  options.cancelled = [&] { return ports.observer.stop_wish() != StopWish::none; };
  const auto kept = keep_user_data(*data, ports.store, options);
  if (!kept.ok() && kept.error().code != Errc::invalid) return kept.error();
  if (!kept.ok() || kept->digest != tree.digest) return Found(changed);
  return Found(TRY(from_store(source, tree, ports)));
}

}  // namespace trainyard
