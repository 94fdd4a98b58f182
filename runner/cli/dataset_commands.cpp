// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/commands.hpp"
#include "runner/cli/interrupts.hpp"
#include "runner/cli/progress.hpp"
#include "runner/cli/remote_wiring.hpp"
#include "runner/cli/run_start.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/engine/data_intake.hpp"
#include "runner/processes/clock.hpp"
#include "storage/datasets/dataset_content.hpp"
#include "storage/datasets/datasets.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

Datasets datasets_of(const Store& store) { return {store.datasets(), store.journal()}; }

Json versions_json(const std::vector<DatasetVersion>& versions) {
  Json list = Json::array();
  for (const DatasetVersion& version : versions) list.push_back(to_json(version));
  return list;
}

void print_versions(const std::vector<DatasetVersion>& versions) {
  std::vector<std::vector<std::string>> rows = {{"VERSION", "CREATED", "FILES", "SIZE", "DIGEST", "SOURCE"}};
  for (const DatasetVersion& version : versions) {
    rows.push_back({version.text(), version.created_at.short_text(), std::to_string(version.tree.files),
                    size_text(version.tree.bytes), version.tree.digest.hex().substr(0, 12), printable(version.source)});
  }
  print(table(rows));
}

void print_content(const DatasetReference& reference, const TreeSummary& tree, const DatasetVersion& version) {
  print(table({{"dataset", reference.text()},
               {"content", content_text(tree)},
               {"tree", tree.digest.hex()},
               {"created", version.created_at.short_text()},
               {"source", printable(version.source)}}));
}

Result<TreeSummary> keep_bucket(const std::string& source, const Store& store, const IntakeOptions& options) {
  const RemoteAddress address = TRY(bucket_address(source));
  return TRY(keep_bucket_data(address, *TRY(open_keys(address)), store, options, now())).tree;
}

}  // namespace

Result<ExitCode> perform(const command::DatasetAdd& command, const Invocation& invocation) {
  const DatasetName name = TRY(DatasetName::parse(command.name));
  const Store store = TRY(open_store(invocation));
  const Datasets datasets = datasets_of(store);
  TRY(datasets.check_name(name));
  std::string source = TRY(dataset_of(command.source));
  const bool bucket = names_bucket(source);
  // A name that is no path is one all the same.
  const UserData data = bucket ? UserData() : TRY(find_user_data(source, store));
  if (!bucket) source = data.path.string();
  StatusLine line;
  IntakeOptions options;
  count_interrupts();
  options.cancelled = [] { return interrupts() > 0; };
  options.progress = [&](const CaptureProgress& progress) {
    const double fraction =
        progress.bytes == 0 ? 0 : static_cast<double>(progress.bytes_done) / static_cast<double>(progress.bytes);
    line.show(bar(fraction) + "  reading " + std::to_string(progress.files_done) + " of " +
              plural(progress.files, "file"));
  };
  const TreeSummary tree =
      bucket ? TRY(keep_bucket(source, store, options)) : TRY(keep_user_data(data, store, options));
  line.clear();
  const auto [version, how] = TRY(datasets.add(name, tree, now(), source));
  store.objects().release();
  const bool fresh = how == Datasets::Added::How::as_new_version;
  if (invocation.output == Output::json) {
    Json json = to_json(version);
    json["new"] = fresh;
    print_json(json);
  } else if (fresh) {
    print("added " + version.text() + " (" + content_text(version.tree) + ")\n");
  } else {
    print("nothing new: this is the content of " + version.text() + " (" + content_text(version.tree) + ")\n");
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::DatasetList& /*command*/, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const Datasets datasets = datasets_of(store);
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows = {{"DATASET", "VERSIONS", "NEWEST", "FILES", "SIZE", "CREATED"}};
  for (const DatasetName& name : TRY(datasets.names())) {
    const auto versions = TRY(datasets.versions(name));
    const DatasetVersion& newest = versions.back();
    list.push_back({{"name", name.text()}, {"versions", versions.size()}, {"newest", to_json(newest)}});
    rows.push_back({name.text(), std::to_string(versions.size()), std::to_string(newest.number),
                    std::to_string(newest.tree.files), size_text(newest.tree.bytes), newest.created_at.short_text()});
  }
  if (invocation.output == Output::json) {
    print_json(list);
  } else {
    print(rows.size() == 1 ? "no datasets yet; 'trainyard dataset add NAME DIR' makes one\n" : table(rows));
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::DatasetShow& command, const Invocation& invocation) {
  DatasetReference reference = TRY(DatasetReference::parse(command.reference));
  const Store store = TRY(open_store(invocation));
  const Datasets datasets = datasets_of(store);
  if (!reference.number && !reference.folder) {
    const auto versions = TRY(datasets.versions(reference.name));
    if (invocation.output == Output::json) {
      print_json(versions_json(versions));
    } else {
      print_versions(versions);
    }
    return ExitCode::ok;
  }
  const DatasetVersion version = TRY(datasets.find(reference));
  reference = {version.name, version.number, std::move(reference.folder)};
  TreeSummary tree = version.tree;
  if (reference.folder) tree = TreeSummary::of(TRY(content_of(version, reference.folder, store.objects())));
  if (invocation.output == Output::json) {
    Json json = to_json(version);
    json["folder"] = reference.folder ? Json(reference.folder->text()) : Json(nullptr);
    json["tree"] = to_json(tree);
    print_json(json);
  } else {
    print_content(reference, tree, version);
  }
  return ExitCode::ok;
}

}  // namespace trainyard
