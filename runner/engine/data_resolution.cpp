// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/data_resolution.hpp"

#include "runner/engine/data_intake.hpp"
#include "runner/engine/data_return.hpp"
#include "storage/datasets/checkouts.hpp"
#include "storage/datasets/dataset_content.hpp"
#include "storage/datasets/datasets.hpp"
#include "storage/values/names.hpp"

namespace trainyard {

namespace {

Result<bool> has_name(const Datasets& datasets, std::string_view word, std::vector<std::string>& known) {
  bool found = false;
  for (const DatasetName& name : TRY(datasets.names())) {
    found = found || name.folded() == folded_case(word);
    known.push_back(name.text());
  }
  return found;
}

// The reference as given, once its name is known to be one.
Result<DatasetReference> reference_in(const std::string& given, const Datasets& datasets) {
  std::vector<std::string> known;
  const std::string word = given.substr(0, given.find_first_of("@/"));
  if (TRY(has_name(datasets, word, known))) return DatasetReference::parse(given);
  return fail(Errc::not_found,
              "'" + given + "' is neither a folder nor an archive nor a dataset" + did_you_mean(word, known));
}

Result<std::string> written_out(const Digest& tree, RunPorts& ports) {
  const Checkouts checkouts(ports.store.checkouts(), ports.store.scratch());
  return TRY(checkouts.get(tree, ports.store.objects())).folder.string();
}

Result<ResolvedData> resolve_dataset_reference(const std::string& given, RunPorts& ports) {
  const Store& store = ports.store;
  // Keeps garbage from being collected: what is pinned here stays until the plan of the run names it.
  TRY(store.objects().generation());
  const Datasets datasets(store.datasets(), store.journal());
  DatasetReference reference = TRY(reference_in(given, datasets));
  const DatasetVersion version = TRY(datasets.find(reference));
  // From here until the run's journal tells of it, nobody removes the tree or the checkout.
  TRY(store.objects().generation());
  reference = {version.name, version.number, reference.folder};
  TreeSummary tree = version.tree;
  if (reference.folder) {
    const Tree content = TRY(content_of(version, reference.folder, store.objects()));
    tree = TRY(store_tree(content, store.objects()));
    TRY(store.objects().sync());
  }
  std::string folder = TRY(written_out(tree.digest, ports));
  return ResolvedData{given, {DataSource::Kind::dataset, std::move(folder), tree, std::move(reference)}};
}

Result<ResolvedData> resolve_bucket(const std::string& given, RunPorts& ports) {
  const RemoteAddress address = TRY(bucket_address(given));
  BucketData data = TRY(read_bucket(address, ports));
  std::string folder = TRY(written_out(data.tree.digest, ports));
  return ResolvedData{address.text(),
                      {DataSource::Kind::bucket, std::move(folder), data.tree, std::nullopt, std::move(data.state)}};
}

Result<ResolvedData> resolve_path(const std::string& given, RunPorts& ports) {
  const UserData data = TRY(find_user_data(given, ports.store));
  const std::string path = data.path.string();
  if (data.kind == DataSource::Kind::folder) {
    TRY(list_folder(data.path));
    return ResolvedData{path, {data.kind, path, std::nullopt, std::nullopt}};
  }
  IntakeOptions options;
  options.progress = [&](const CaptureProgress& progress) { ports.observer.reading_data(progress); };
  options.cancelled = [&] { return ports.observer.stop_wish() != StopWish::none; };
  const TreeSummary tree = TRY(keep_user_data(data, ports.store, options));
  std::string folder = TRY(written_out(tree.digest, ports));
  return ResolvedData{path, {data.kind, std::move(folder), tree, std::nullopt}};
}

}  // namespace

Result<ResolvedData> resolve_data(const std::string& dataset, RunPorts& ports) {
  if (dataset.starts_with('/')) return resolve_path(dataset, ports);
  return names_bucket(dataset) ? resolve_bucket(dataset, ports) : resolve_dataset_reference(dataset, ports);
}

}  // namespace trainyard
