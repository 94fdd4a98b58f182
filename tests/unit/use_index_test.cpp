// SPDX-License-Identifier: Apache-2.0
#include "storage/uses/use_index.hpp"

#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "runner/engine/file_uses.hpp"
#include "runner/engine/use_refresh.hpp"
#include "storage/runs/run_index.hpp"
#include "storage/values/sha256.hpp"
#include "tests/unit/example_store.hpp"

namespace trainyard::use_index_test {
namespace {

using example::ExampleStore;

constexpr auto kSilent = [](std::size_t) {};

UseIndex new_index() { return std::move(UseIndex::unkept().value()); }

Tree tree_of(const std::map<std::string, std::string>& files) {
  std::vector<TreeEntry> entries;
  for (const auto& [path, content] : files)
    entries.push_back({RelPath::parse(path).value(), TreeEntry::Kind::file, 1, false, sha256(content)});
  return Tree::of(std::move(entries)).value();
}

UseRecord record(UseRecord::Kind kind, const std::string& title, const std::optional<Digest>& tree) {
  UseRecord made{kind, title, "", "", "", "", Instant{1}, true, {}};
  if (tree) made.held.push_back({UsePart::snapshot, *tree});
  return made;
}

UseRecord version(const std::string& number, const std::string& parent) {
  UseRecord made = record(UseRecord::Kind::version, "Digits@" + number, std::nullopt);
  made.package = "Digits";
  made.version = number;
  made.parent = parent;
  return made;
}

void note(UseIndex& index, const std::string& name, const UseRecord& record) {
  REQUIRE(index.as_one([&] { return index.note({"snapshots", name}, record); }).ok());
}

void forget(UseIndex& index, const std::string& name) {
  REQUIRE(index
              .as_one([&]() -> Result<void> {
                TRY(index.forget({"snapshots", name}));
                return index.forget_trees();
              })
              .ok());
}

// Adds what is wanted of these.
void add(UseIndex& index, const std::map<Digest, Tree>& trees) {
  REQUIRE(index
              .add_trees([&](const Digest& digest) -> std::optional<Tree> {
                const auto found = trees.find(digest);
                return found == trees.end() ? std::nullopt : std::optional(found->second);
              })
              .ok());
}

// "title: path path", sorted, of all that have the content.
std::vector<std::string> found(const UseIndex& index, const std::string& content) {
  std::vector<std::string> lines;
  const UseIndex::Asked asked{sha256(content), 1};
  const auto trees = index.find({&asked, 1}, 100, kSilent).value();
  const auto holders = index.holders(trees).value();
  for (const auto& holder : holders) {
    const auto& in = trees[holder.found];
    CHECK(in.files == 1);
    CHECK(in.places == in.paths.size());
    std::string line = holder.record.title + ":";
    for (const std::string& path : in.paths) line += " " + path;
    lines.push_back(line);
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

// So long ago that the next change gives it another look.
void age(const Path& folder) { boost::filesystem::last_write_time(folder, std::time(nullptr) - 60); }

void age_all(const Store& store) {
  for (const Path& folder : {store.packages(), store.datasets()}) {
    const auto names = list_folder(folder).value();
    for (const std::string& name : names) age(folder / name);
  }
  for (const Path& folder : {store.packages(), store.datasets(), store.snapshots(), store.runs()}) age(folder);
}

// How many records and trees were read.
struct Read {
  int records = 0;
  int trees = 0;
  std::vector<std::string> trouble;
};

Read refresh(UseIndex& index, const Store& store) {
  Read read;
  const UseRefreshWords words{
      [&](const std::string& doing) { ++(doing.find("tree") == std::string::npos ? read.records : read.trees); },
      [&](const std::string& sentence) { read.trouble.push_back(sentence); }};
  REQUIRE(refresh_uses(index, store, words).ok());
  return read;
}

}  // namespace

TEST_CASE("files are found in every tree that has them, however these came in", "[uses]") {
  std::mt19937 random(5);  // NOLINT(cert-msc51-cpp): the same trees every time
  UseIndex index = new_index();
  std::map<std::string, std::map<std::string, std::string>> files;  // by record: content by path
  const auto check_all = [&] {
    for (int content = 0; content < 30; ++content) {
      const std::string text = std::to_string(content);
      std::vector<std::string> wanted;
      for (const auto& [name, tree] : files) {
        std::string line = name + ":";
        for (const auto& [path, of] : tree) {
          if (of == text) line += " " + RelPath::parse(path)->text();
        }
        if (line.back() != ':') wanted.push_back(line);
      }
      REQUIRE(found(index, text) == wanted);
    }
  };
  for (int round = 0; round < 60; ++round) {
    const std::string name = "s" + std::to_string(100 + round);
    std::map<std::string, std::string> tree;
    for (auto i = random() % 12; i > 0; --i)
      tree[(i % 2 == 0 ? "sub/\xff" : "") + std::to_string(random() % 9)] = std::to_string(random() % 30);
    const Tree made = tree_of(tree);
    note(index, name, record(UseRecord::Kind::snapshot, name, made.digest()));
    files[name] = tree;
    add(index, {{made.digest(), made}});
    if (round % 3 == 2) {
      const std::string gone = std::next(files.begin(), random() % files.size())->first;
      forget(index, gone);
      files.erase(gone);
    }
    check_all();
  }
  while (files.size() > 1) {
    forget(index, files.begin()->first);
    files.erase(files.begin());
  }
  check_all();
}

TEST_CASE("a tree is indexed once, and as long as a record names it", "[uses]") {
  UseIndex index = new_index();
  const Tree tree = tree_of({{"a", "1"}, {"empty", ""}, {"sub/a", "1"}});
  note(index, "one", record(UseRecord::Kind::snapshot, "one", tree.digest()));
  note(index, "two", record(UseRecord::Kind::snapshot, "two", tree.digest()));
  CHECK(index.wanted_trees().value() == 1);
  add(index, {});
  CHECK(index.wanted_trees().value() == 1);
  add(index, {{tree.digest(), tree}});
  CHECK(index.wanted_trees().value() == 0);
  CHECK(found(index, "1") == std::vector<std::string>{"one: a sub/a", "two: a sub/a"});
  CHECK(found(index, "").size() == 2);
  CHECK(index.number_of(tree.digest()).value().has_value());
  forget(index, "one");
  CHECK(found(index, "1") == std::vector<std::string>{"two: a sub/a"});
  forget(index, "two");
  CHECK(found(index, "1").empty());
  CHECK_FALSE(index.number_of(tree.digest()).value().has_value());
  CHECK(index.beginning_with(sha256("1").hex().substr(0, 8)).value().empty());
}

TEST_CASE("digits name the one file whose digest they begin", "[uses]") {
  UseIndex index = new_index();
  std::map<std::string, std::string> files;
  for (int i = 0; i < 500; ++i) files["f" + std::to_string(i)] = std::to_string(i);
  const Tree tree = tree_of(files);
  note(index, "all", record(UseRecord::Kind::snapshot, "all", tree.digest()));
  add(index, {{tree.digest(), tree}});
  for (int i = 0; i < 500; ++i) {
    const Digest digest = sha256(std::to_string(i));
    for (const std::size_t digits : {8U, 9U, 63U, 64U}) {
      REQUIRE(index.beginning_with(digest.hex().substr(0, digits)).value() == std::vector<Digest>{digest});
      REQUIRE(find_digest(index, digest.hex().substr(0, digits)).value() == digest);
    }
  }
  const auto two = index.beginning_with(sha256("1").hex().substr(0, 1)).value();
  REQUIRE(two.size() == 2);
  CHECK(two[0] < two[1]);
  CHECK(find_digest(index, "00000000").value() == std::nullopt);
  CHECK(find_digest(index, "0000000").error().code == Errc::invalid);
}

TEST_CASE("versions descend from each other also through one that was taken away", "[uses]") {
  UseIndex index = new_index();
  note(index, "1", version("1.0", ""));
  note(index, "2", version("1.1", "1.0"));
  UseRecord run = version("1.2", "1.1");
  run.kind = UseRecord::Kind::run;
  run.package = "digits";
  note(index, "3", run);
  note(index, "4", version("1.3", "1.2"));
  note(index, "5", version("1.4", "1.0"));
  const auto told = [&](const std::string& of) {
    std::vector<std::string> lines;
    const auto all = index.descendants("DIGITS", of).value();
    for (const auto& made : all) lines.push_back(made.version + "<" + made.parent);
    std::sort(lines.begin(), lines.end());
    return lines;
  };
  CHECK(told("1.1") == std::vector<std::string>{"1.2<1.1", "1.3<1.2"});
  CHECK(told("1.0").size() == 4);
  CHECK(told("1.3").empty());
  CHECK(index.version("digits", "1.3").value().has_value());
  CHECK_FALSE(index.version("digits", "1.2").value().has_value());
}

TEST_CASE("a file that is no index of uses is told from one", "[uses]") {
  const TempFolder folder;
  const Path file = folder.path() / "uses.sqlite";
  folder.write("uses.sqlite", std::string(10'000, 'x'));
  CHECK(UseIndex::open(file).error().code == Errc::corrupt);
  // What a killed process left is no part of the new one.
  folder.write("uses.sqlite-wal", std::string(10'000, 'x'));
  REQUIRE(UseIndex::make(file, folder.path()).ok());
  CHECK(UseIndex::open(file).value().places().value().empty());
  CHECK(list_folder(folder.path()).value() == std::vector<std::string>{"uses.sqlite"});
  REQUIRE(remove_file(file).ok());
  CHECK(UseIndex::open(file).error().code == Errc::not_found);
  folder.write("uses.sqlite", "");
  CHECK(UseIndex::open(file).error().code == Errc::corrupt);
  REQUIRE(remove_file(file).ok());
  // An index of another kind.
  REQUIRE(RunIndex::open(file).ok());
  CHECK(UseIndex::open(file).error().code == Errc::corrupt);
}

TEST_CASE("only what is new in a store is read", "[uses]") {
  ExampleStore example;
  const Store& store = example.store();
  const TreeSummary one = example.put({{"a", "1"}});
  const TreeSummary two = example.put({{"a", "2"}, {"b", "1"}});
  example.add_version(one);
  example.add_snapshot(two);
  example.add_dataset("Weather", two);
  UseIndex index = new_index();
  CHECK_FALSE(uses_are_current(index, store).value());
  age_all(store);
  Read read = refresh(index, store);
  CHECK(read.records == 3);
  CHECK(read.trees == 2);
  CHECK(uses_are_current(index, store).value());
  CHECK(found(index, "1").size() == 3);
  CHECK(refresh(index, store).records == 0);

  const TreeSummary three = example.put({{"c", "3"}});
  example.add_version(three);
  CHECK_FALSE(uses_are_current(index, store).value());
  age_all(store);
  read = refresh(index, store);
  CHECK(read.records == 1);
  CHECK(read.trees == 1);
  CHECK(found(index, "3") == std::vector<std::string>{"digits@2.0: c"});

  boost::filesystem::remove(store.packages() / "digits" / "2.0.json");
  boost::filesystem::remove_all(store.datasets() / "weather");
  age_all(store);
  CHECK_FALSE(uses_are_current(index, store).value());
  read = refresh(index, store);
  CHECK(read.records == 0);
  CHECK(found(index, "3").empty());
  CHECK(found(index, "2").size() == 1);
  CHECK(uses_are_current(index, store).value());
}

TEST_CASE("a run is read until it is over, and its data answered without its files", "[uses]") {
  ExampleStore example;
  const Store& store = example.store();
  const TreeSummary data = example.put({{"cat", "cat"}});
  const StagedData staged{{data, MountKind::copy, false}, std::nullopt};
  example.add_run(example::plan(), {state::Planned{}, state::Staged{staged}}, true);
  UseIndex index = new_index();
  age_all(store);
  CHECK(refresh(index, store).records == 1);
  CHECK_FALSE(uses_are_current(index, store).value());
  REQUIRE(found(index, "cat").size() == 1);

  const Path run = store.runs() / example::kRun.text();
  const CollectedOutputs outputs{CollectedOutputs::Package{data, {sha256("zip"), 5}}, data, {}, false};
  const JournalEntry entry{example::kNow, state::Published{staged, outputs, {1, 7}}};
  REQUIRE(append_line(run / "journal.jsonl", canonical(to_json(entry)), Durable::no).ok());
  const AskedFiles asked{AskedFiles::What::sha256, "cat", sha256("cat"), std::nullopt};
  refresh(index, store);
  const FileUses uses = find_uses(index, asked, kSilent).value();
  REQUIRE_FALSE(uses.uses.empty());
  CHECK(uses.uses[0].part == UsePart::training_data);
  CHECK(uses.uses[0].ran == "digits@1.0");
  CHECK(uses.uses[0].made == "digits@1.7");
  CHECK(uses.uses[0].run == example::kRun.text());
}

TEST_CASE("what cannot be read is told, and asked for again the next time", "[uses]") {
  ExampleStore example;
  const Store& store = example.store();
  example.add_snapshot({sha256("no such tree"), 1, 1});
  example.folder().write("store/snapshots/" + sha256("x").hex() + ".json", "{}");
  UseIndex index = new_index();
  age_all(store);
  for (int round = 0; round < 2; ++round) {
    const Read read = refresh(index, store);
    REQUIRE(read.trouble.size() == 2);
    CHECK(read.trouble[0].find("a record is not among the answers: ") == 0);
    CHECK(read.trouble[1].find("the files of a tree are not among the answers: ") == 0);
    CHECK_FALSE(uses_are_current(index, store).value());
  }
}

}  // namespace trainyard::use_index_test
