// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/promises.hpp"

#include <fcntl.h>

#include <map>
#include <set>

#include "storage/objects/fsck.hpp"
#include "storage/packages/registry.hpp"
#include "storage/store/store.hpp"
#include "storage/trees/capture.hpp"
#include "storage/trees/checkout.hpp"
#include "storage/trees/snapshots.hpp"

namespace trainyard {

namespace {

class Look {
 public:
  Look(const FaultStore& store, StoreLook& look) : look_(look), store_(open(store)) {
    if (store_) {
      objects();
      versions();
      snapshots();
      runs();
    }
  }

 private:
  std::optional<Store> open(const FaultStore& store) {
    auto opened = Store::open(store.root());
    if (opened.ok()) return std::move(*opened);
    broken("the store cannot be opened: " + opened.error().message);
    return std::nullopt;
  }

  void broken(const std::string& sentence) { look_.broken.push_back(sentence); }

  std::vector<std::string> names_in(const Path& folder) {
    auto names = list_folder(folder);
    if (names.ok()) return std::move(*names);
    broken(names.error().message);
    return {};
  }

  // A pack that no index names is what a writer leaves who died between the two; nothing can need it.
  void objects() {
    const auto damage = check_objects(store_->objects(), Depth::every_byte, {});
    if (!damage.ok()) return broken("the objects cannot be looked at: " + damage.error().message);
    for (const std::string& problem : damage->problems) broken(problem);
    for (const Digest& digest : damage->corrupt) broken("the object " + digest.hex() + " is corrupt");
    for (const Digest& digest : damage->incomplete) broken("the object " + digest.hex() + " is incomplete");
  }

  void tree(const std::string& whose, const TreeSummary& summary) {
    const auto tree = load_tree(summary.digest, store_->objects());
    if (!tree.ok()) return broken("the tree of " + whose + ": " + tree.error().message);
    if (TreeSummary::of(*tree) != summary) broken("the tree of " + whose + " is not what its record says");
    const auto problems = verify(*tree, store_->objects());
    if (!problems.ok()) return broken(problems.error().message);
    for (const std::string& problem : *problems) broken("the tree of " + whose + ": " + problem);
  }

  void versions() {
    const PackageRegistry registry(store_->packages(), store_->journal());
    const auto names = registry.names();
    if (!names.ok()) return broken(names.error().message);
    for (const PackageName& name : *names) {
      const auto records = registry.versions(name);
      if (!records.ok()) return broken(records.error().message);
      PackageVersion expected{1, 0};
      for (const VersionRecord& record : *records) {
        const std::string shown = name.text() + "@" + record.version.text();
        if (record.version != expected && record.version != PackageVersion{expected.major + 1, 0})
          broken("there is a gap before " + shown);
        expected = {record.version.major, record.version.minor + 1};
        if ((record.version.minor == 0) != !record.content.run)
          broken(shown + " is an upload with a run, or a training without one");
        if (record.content.run && !made_by_[record.content.run->text()].insert(shown).second)
          broken(shown + " is there twice");
        if (name.text() == "counts") look_.counts.push_back(record.version.text());
        tree(shown, record.content.tree);
      }
    }
  }

  void snapshots() {
    const auto list = Snapshots(store_->snapshots(), store_->journal()).list();
    if (!list.ok()) return broken(list.error().message);
    for (const Snapshot& snapshot : *list) tree("the snapshot " + snapshot.id(), snapshot.tree);
  }

  void runs() {
    for (const std::string& run : names_in(store_->active())) broken("the run " + run + " is still active");
    for (const std::string& name : is_folder(store_->queue()) ? names_in(store_->queue()) : std::vector<std::string>())
      if (name != "lock") broken("the ticket " + name + " is left");
    std::set<std::string> listed;
    for (const Json& run : look_.runs) {
      listed.insert(run.at("run").get<std::string>());
      one_run(run);
    }
    for (const std::string& run : names_in(store_->runs())) {
      if (listed.count(run) == 0) broken("the run folder " + run + " is not listed");
    }
    for (const auto& [run, versions] : made_by_) {
      if (listed.count(run) == 0) broken(*versions.begin() + " was made by a run that is not listed");
      if (versions.size() > 1) broken("the run " + run + " made " + std::to_string(versions.size()) + " versions");
    }
  }

  void one_run(const Json& run) {
    const auto id = run.at("run").get<std::string>();
    const auto status = run.at("status").get<std::string>();
    const Path folder = run.at("folder").get<std::string>();
    if (status != "Successful" && status != "Failed" && status != "Killed") broken("the run " + id + " is " + status);
    const std::string version = run.at("version").is_null()
                                    ? ""
                                    : run.at("package").get<std::string>() + "@" + run.at("version").get<std::string>();
    const bool made = made_by_.count(id) != 0;
    const bool makes = run.at("type") != "evaluation" && run.at("reproduces").is_null();
    if ((makes && status == "Successful") != made)
      broken("the run " + id + " is " + status + " and made " + (made ? "a version" : "no version"));
    if (made && made_by_[id].count(version) == 0)
      broken("the run " + id + " says that it made '" + version + "' and made " + *made_by_[id].begin());
    if (is_there(folder / "workspace")) broken("the run " + id + " left its workspace");
    const auto text = read_file(folder / "_results.json", std::size_t{1} << 20U);
    const auto json = text.ok() ? parse_json(*text, "the results") : Result<Json>(text.error());
    if (!json.ok()) return broken("the results of the run " + id + ": " + json.error().message);
    results(run, folder, *json);
  }

  void results(const Json& run, const Path& folder, const Json& json) {
    const auto id = run.at("run").get<std::string>();
    const Json& trace = json.at("traceability");
    const Json& outputs = json.at("run_summary").at("outputs");
    const bool same = trace.at("run") == run.at("run") && trace.at("status") == run.at("status") &&
                      trace.at("reason") == run.at("reason");
    if (!same || (run.at("type") != "evaluation" && outputs.at("version") != run.at("version")))
      broken("the results of the run " + id + " tell another story than its journal");
    if (!run.at("reproduces").is_null() && run.at("status") == "Successful") {
      const auto made = tree_summary_from(trace.at("reproduces").at("tree"));
      if (!made.ok()) return broken("the reproduction " + id + " does not tell what it made");
      tree("the reproduction " + id, *made);
    }
    if (!trace.at("artifacts").is_null()) {
      // The artifacts themselves lie in the run folder; the store keeps their tree.
      const auto summary = tree_summary_from(trace.at("artifacts"));
      const auto captured = capture(folder / "artifacts", {});
      if (!summary.ok() || !load_tree(summary->digest, store_->objects()).ok())
        broken("the tree of the artifacts of the run " + id + " is not there");
      if (!summary.ok() || !captured.ok() || captured->tree.digest() != summary->digest)
        broken("the artifacts of the run " + id + " are not what its results say");
    } else if (run.at("status") == "Successful") {
      broken("the successful run " + id + " has no artifacts");
    }
    if (!trace.at("snapshot").is_null() &&
        !Snapshots(store_->snapshots(), store_->journal()).find(trace.at("snapshot").get<std::string>()).ok()) {
      broken("the snapshot of the run " + id + " is not there");
    }
  }

  StoreLook& look_;
  std::optional<Store> store_;
  std::map<std::string, std::set<std::string>> made_by_;  // by run: "counts@1.1"
};

}  // namespace

StoreLook look_at(const FaultStore& store) {
  StoreLook look;
  look.runs = store.list_runs();
  Look(store, look);
  const auto rubbish = list_folder(store.root() / "tmp");
  if (rubbish.ok()) look.rubbish = rubbish->size();
  return look;
}

}  // namespace trainyard
