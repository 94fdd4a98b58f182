// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <map>
#include <set>

#include "storage/packages/registry.hpp"
#include "storage/store/store.hpp"
#include "storage/trees/capture.hpp"
#include "storage/trees/checkout.hpp"
#include "storage/trees/stored_tree.hpp"
#include "tests/soak/soak.hpp"

namespace trainyard {

namespace {

// Reading every version again byte by byte goes on for so many; a rerun takes as long as a run.
constexpr std::size_t kMostExports = 12;
constexpr std::size_t kMostReruns = 24;
constexpr std::size_t kMostValidated = 200;
constexpr std::chrono::seconds kLongestCheck{300};
// What these make follows from what they are given, also when a part of it was done twice.
const std::set<std::string> kDeterministic = {"counts", "splits", "slow", "faulty", "digits"};

class After {
 public:
  explicit After(const Soak& soak)
      : soak_(soak),
        store_(soak.store()),
        opened_(Store::open(store_.root())),
        registry_(packages(), StoreJournal(store_.root(), store_.root() / "tmp")) {}

  std::vector<std::string> look() {
    nothing_goes_on();
    runs_have_ended();
    numbers();
    contents();
    reruns();
    const ProgramOutput checked = store_.run({"store", "fsck", "--deep"});
    if (checked.status.code != 0) broken("store fsck --deep: " + checked.out + checked.err);
    return broken_;
  }

 private:
  void broken(const std::string& sentence) { broken_.push_back(sentence); }
  [[nodiscard]] Path packages() const { return store_.root() / "packages"; }
  [[nodiscard]] Path scratch() const { return store_.root() / "tmp"; }

  std::vector<std::string> names_in(const Path& folder) {
    auto names = list_folder(folder);
    if (names.ok()) return std::move(*names);
    broken(names.error().message);
    return {};
  }

  void nothing_goes_on() {
    for (const pid_t pid : soak_.processes()) broken("the process " + std::to_string(pid) + " is left");
  }

  void runs_have_ended() {
    runs_ = store_.json({"runs", "list", "--limit", "0"});
    for (const std::string& run : names_in(store_.root() / "active")) broken("the run " + run + " is still active");
    for (const std::string& name : names_in(store_.root() / "queue"))
      if (name != "lock") broken("the ticket " + name + " is left");
    for (const Json& run : runs_) {
      const auto status = run.at("status").get<std::string>();
      const Path folder = run.at("folder").get<std::string>();
      const std::string shown = "the run " + run.at("name").get<std::string>();
      if (status != "Successful" && status != "Failed" && status != "Killed") broken(shown + " is " + status);
      if (!is_there(folder / "_results.json")) broken(shown + " has no results");
      if (is_there(folder / "workspace")) broken(shown + " left its workspace");
    }
    std::set<std::string> listed;
    for (const Json& run : runs_) listed.insert(run.at("run").get<std::string>());
    for (const std::string& run : names_in(store_.root() / "runs")) {
      if (listed.count(run) != 0) continue;
      std::string holds;
      for (const std::string& name : names_in(store_.root() / "runs" / run)) holds += " " + name;
      broken("the run folder " + run + " is not listed, and holds" + holds);
    }
    results_are_valid();
  }

  void results_are_valid() {
    Arguments argv = {TRAINYARD_SYSTEM_PYTHON, "-B", TRAINYARD_CHECK_SCHEMAS, "--schema", "results"};
    const std::size_t step = 1 + runs_.size() / kMostValidated;
    for (std::size_t i = 0; i < runs_.size(); i += step)
      argv.push_back(runs_[i].at("folder").get<std::string>() + "/_results.json");
    const auto checked = run_program(argv, {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}}, "/", "", kLongestCheck);
    if (!checked.ok()) return broken(checked.error().message);
    if (checked->status.code != 0) broken(checked->err + checked->out);
  }

  // Every number from the first on was given, and is there or was taken away.
  void numbers() {
    std::set<std::string> given;
    for (const std::string& package : names_in(packages())) {
      std::map<std::uint32_t, std::set<std::uint32_t>> minors;
      for (const std::string& file : names_in(packages() / package)) {
        for (const std::string suffix : {".json", ".removed"}) {
          if (!file.ends_with(suffix)) continue;
          const auto number = PackageVersion::parse(file.substr(0, file.size() - suffix.size()));
          if (!number.ok()) continue;
          if (!minors[number->major].insert(number->minor).second) broken(package + " " + file + " is there twice");
          given.insert(package + "@" + number->text());
        }
      }
      std::uint32_t major = 0;
      for (const auto& [found, numbers] : minors) {
        if (found != ++major) broken(package + " has no major " + std::to_string(major));
        if (*numbers.begin() != 0 || *numbers.rbegin() + 1 != numbers.size())
          broken(package + " has a gap in the major " + std::to_string(found));
      }
    }
    for (const std::string& told : soak_.told())
      if (given.count(told) == 0) broken("the version " + told + " was told and is not there");
  }

  void contents() {
    if (!opened_.ok()) return broken(opened_.error().message);
    std::set<std::string> makers;
    std::size_t exported = 0;
    for (const Json& one : store_.json({"package", "list"})) {
      const std::string shown = one.at("package").get<std::string>() + "@" + one.at("version").get<std::string>();
      const auto record = registry_.find(*PackageReference::parse(shown));
      if (!record.ok()) {
        broken(record.error().message);
        continue;
      }
      if (record->content.run && !makers.insert(record->content.run->text()).second)
        broken("two versions were made by one run, one of them " + shown);
      checks_out(shown, *record);
      if (++exported <= kMostExports) exports(shown, *record);
    }
  }

  void checks_out(const std::string& shown, const VersionRecord& record) {
    const TempFolder out;
    const auto tree = load_tree(record.content.tree.digest, opened_->objects());
    if (!tree.ok()) return broken(shown + ": " + tree.error().message);
    const auto written = materialise(*tree, opened_->objects(), out.path());
    if (!written.ok()) return broken(shown + ": " + written.error().message);
    const auto captured = capture(out.path(), {});
    if (!captured.ok() || TreeSummary::of(captured->tree) != record.content.tree)
      broken(shown + " is not what its record says");
    ++checked_out_;
  }

  void exports(const std::string& shown, const VersionRecord& record) {
    const TempFolder out;
    const Json exported = store_.json({"package", "export", shown, "--output", out.path().string()});
    const bool ours = record.content.run.has_value();
    if (ours && exported.at("zip_digest") != record.content.zip.digest.hex())
      broken(shown + " exports as another zip than its record says");
  }

  void reruns() {
    std::size_t done = 0;
    for (const Json& run : runs_) {
      if (done == kMostReruns || run.at("version").is_null()) continue;
      const auto package = run.at("package").get<std::string>();
      if (kDeterministic.count(package) == 0 || ++seen_[package] % 5 != 1) continue;
      const auto version = PackageReference::parse(package + "@" + run.at("version").get<std::string>());
      const auto parent = PackageReference::parse(package + "@" + run.at("parent").get<std::string>());
      const auto made = registry_.find(*version);
      if (!made.ok() || !registry_.find(*parent).ok()) continue;
      const ProgramOutput again = store_.run({"runs", "rerun", run.at("run").get<std::string>(), "--json"});
      if (again.status.code != 0) {
        broken("the rerun of " + run.at("name").get<std::string>() + ": " + again.err);
        continue;
      }
      const Json results = Json::parse(again.out);
      const auto digest = results.at("traceability").at("version").at("tree").at("digest").get<std::string>();
      if (digest != made->content.tree.digest.hex())
        broken("the rerun of the run that made " + version->text() + " made something else");
      ++done;
    }
    if (done == 0) broken("no run could be repeated");
    std::cout << checked_out_ << " versions checked out, " << done << " runs repeated, " << runs_.size() << " runs left"
              << std::endl;
  }

  const Soak& soak_;
  const TestStore& store_;
  Result<Store> opened_;
  PackageRegistry registry_;
  Json runs_;
  std::vector<std::string> broken_;
  std::map<std::string, int> seen_;
  std::size_t checked_out_ = 0;
};

}  // namespace

std::vector<std::string> broken_after(const Soak& soak) { return After(soak).look(); }

}  // namespace trainyard
