// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/named_tree.hpp"

#include "storage/datasets/dataset_content.hpp"
#include "storage/datasets/datasets.hpp"
#include "storage/packages/registry.hpp"
#include "storage/trees/snapshots.hpp"
#include "storage/trees/stored_tree.hpp"

namespace trainyard {

namespace {

Result<NamedTree> named(const std::string& name, const Digest& digest, ObjectStore& objects) {
  Tree tree = TRY(load_kept_tree(name, digest, objects));
  return NamedTree{name, std::move(tree)};
}

Result<NamedTree> version_tree(const Store& store, const PackageReference& reference) {
  const VersionRecord record = TRY(PackageRegistry(store.packages(), store.journal()).find(reference));
  return named("version " + record.content.name.text() + "@" + record.version.text(), record.content.tree.digest,
               store.objects());
}

Result<NamedTree> dataset_tree(const Store& store, const std::string& given) {
  DatasetReference reference = TRY(DatasetReference::parse(given));
  const DatasetVersion version = TRY(Datasets(store.datasets(), store.journal()).find(reference));
  reference.number = version.number;
  Tree tree = TRY(content_of(version, reference.folder, store.objects()));
  return NamedTree{"dataset " + reference.text(), std::move(tree)};
}

}  // namespace

Result<Tree> load_kept_tree(const std::string& name, const Digest& digest, ObjectStore& objects) {
  auto tree = load_tree(digest, objects);
  if (tree.ok()) return tree;
  const Errc code = tree.error().code == Errc::not_found ? Errc::corrupt : tree.error().code;
  return within(name, fail(code, tree.error().message));
}

Error error_of_kept_tree(Error error, const Tree& tree, const ObjectStore& objects) {
  if (error.code != Errc::not_found) return error;
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const Digest* const digest = tree.view(i).digest;
    if (digest != nullptr && objects.tombstone(*digest)) return error;
  }
  error.code = Errc::corrupt;
  return error;
}

Result<NamedTree> find_named_tree(const Store& store, const std::string& reference) {
  // A dataset's numbers have no dot, a package's have one.
  if (reference.find('@') != std::string::npos && reference.find('/') == std::string::npos) {
    if (const auto package = PackageReference::parse(reference); package.ok()) return version_tree(store, *package);
  }
  if (reference.find_first_of("@/") != std::string::npos) return dataset_tree(store, reference);
  const Snapshot snapshot = TRY(Snapshots(store.snapshots(), store.journal()).find(reference));
  return named("snapshot " + snapshot.id(), snapshot.tree.digest, store.objects());
}

}  // namespace trainyard
