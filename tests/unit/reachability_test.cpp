// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/reachability.hpp"

#include <catch2/catch.hpp>

#include "runner/engine/garbage.hpp"
#include "runner/engine/leavings.hpp"
#include "runner/engine/store_use.hpp"
#include "tests/support/noise.hpp"
#include "tests/unit/example_store.hpp"

namespace trainyard::reachability_test {
namespace {

using example::ExampleStore;

const std::string kBig = noise(5'000'000, 1);  // many chunks
const std::string kSmall = noise(3'000, 2);
const std::string kOther = noise(4'000, 3);

ObjectCensus census_of(const ExampleStore& example) { return ObjectCensus::take(example.store().objects()).value(); }

std::uint64_t bytes_of(const StoreUse& use, const std::string& owner) {
  for (const StoreUse::Row& row : use.rows) {
    if (row.owner == owner) return row.use.unique_bytes;
  }
  throw std::runtime_error("nobody is called " + owner);
}

}  // namespace

TEST_CASE("what roots reach is live, with every chunk, and nothing else", "[reachability]") {
  ExampleStore example;
  const TreeSummary kept = example.put({{"big", kBig}, {"small", kSmall}});
  const TreeSummary lost = example.put({{"other", kOther}, {"small", kSmall}});
  example.add_snapshot(kept);
  const auto roots = read_store_roots(example.store()).complete().value();
  ObjectCensus census = census_of(example);
  const LiveObjects marked = mark(roots, example.store().objects(), census).value();
  CHECK(marked.missing.empty());
  REQUIRE(marked.live.size() == census.size());
  const auto is_live = [&](const Digest& digest) { return bool(marked.live[census.find(digest).value()]); };
  CHECK(is_live(kept.digest));
  CHECK(is_live(sha256(kBig)));
  CHECK(is_live(sha256(kSmall)));
  CHECK_FALSE(is_live(lost.digest));
  CHECK_FALSE(is_live(sha256(kOther)));
  std::uint64_t live = 0;
  for (std::size_t n = 0; n < census.size(); ++n) live += marked.live[n] ? census.stored_bytes(n) : 0;
  CHECK(live > kBig.size());

  const LiveObjects rest = mark(roots, example.store().objects(), census, sha256(kBig)).value();
  live = 0;
  for (std::size_t n = 0; n < census.size(); ++n) live += rest.live[n] ? census.stored_bytes(n) : 0;
  CHECK(live > kSmall.size());
  CHECK(live < kSmall.size() + 2'000);
}

TEST_CASE("a tree whose files are not needed is live by itself", "[reachability]") {
  ExampleStore example;
  const TreeSummary tree = example.put({{"a", kSmall}});
  const std::vector<StoreRoot> roots = {{StoreRoot::Kind::run, "r", "data", tree.digest, StoreRoot::Files::not_needed}};
  ObjectCensus census = census_of(example);
  const LiveObjects marked = mark(roots, example.store().objects(), census).value();
  CHECK(bool(marked.live[census.find(tree.digest).value()]));
  CHECK_FALSE(bool(marked.live[census.find(sha256(kSmall)).value()]));
}

TEST_CASE("what is needed and not there is told", "[reachability]") {
  ExampleStore example;
  const TreeEntry gone{RelPath::parse("gone").value(), TreeEntry::Kind::file, 4, false, sha256("gone")};
  ObjectStore& objects = example.store().objects();
  const TreeSummary tree = store_tree(Tree::of({gone}).value(), objects).value();
  REQUIRE(objects.sync().ok());
  objects.release();
  ObjectCensus census = census_of(example);
  const std::vector<StoreRoot> roots = {{StoreRoot::Kind::snapshot, "s", "", tree.digest, StoreRoot::Files::needed}};
  CHECK(mark(roots, example.store().objects(), census).value().missing == std::set<Digest>{sha256("gone")});

  const std::vector<StoreRoot> nowhere = {{StoreRoot::Kind::snapshot, "s", "", sha256("x"), StoreRoot::Files::needed}};
  const auto failed = mark(nowhere, example.store().objects(), census);
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().code == Errc::corrupt);
  CHECK(failed.error().message.find("snapshot s: ") == 0);

  example.add_snapshot(tree);
  const auto plan = plan_garbage(example.store(), MissingObjects::refuse);
  REQUIRE_FALSE(plan.ok());
  CHECK(plan.error().message.find("snapshot " + tree.digest.hex() + ": gone") != std::string::npos);
  CHECK(plan_garbage(example.store(), MissingObjects::accept).ok());
}

TEST_CASE("an object is found wherever it is needed", "[reachability]") {
  ExampleStore example;
  const TreeSummary one = example.put({{"a/x", kSmall}, {"b", kSmall}, {"c", kOther}});
  const TreeSummary two = example.put({{"z", kSmall}});
  const std::vector<StoreRoot> roots = {{StoreRoot::Kind::version, "p@1.0", "", one.digest, StoreRoot::Files::needed},
                                        {StoreRoot::Kind::snapshot, "s", "", two.digest, StoreRoot::Files::needed},
                                        {StoreRoot::Kind::dataset, "d@1", "", one.digest, StoreRoot::Files::needed},
                                        {StoreRoot::Kind::run, "r", "data", two.digest, StoreRoot::Files::not_needed}};
  std::vector<std::string> texts;
  for (const Need& need : needs_of({sha256(kSmall), two.digest}, roots, example.store().objects()))
    texts.push_back(text_of(need, roots));
  CHECK(texts == std::vector<std::string>{"version p@1.0: a/x", "version p@1.0: b", "snapshot s: its tree",
                                          "snapshot s: z", "dataset d@1: a/x", "dataset d@1: b",
                                          "the data of run r: its tree"});
}

TEST_CASE("the use of a store adds up", "[reachability]") {
  ExampleStore example;
  const TreeSummary both = example.put({{"big", kBig}, {"small", kSmall}});
  const TreeSummary small = example.put({{"here", kSmall}, {"other", kOther}});
  example.put({{"nobody", noise(2'000, 9)}});
  example.add_snapshot(both);
  example.add_snapshot(small);
  example.add_dataset("weather", small);
  for (const char* const by : {"kind", "version", "snapshot", "dataset", "run"}) {
    INFO(by);
    const StoreUse use = measure_use(example.store(), UseGrouping::parse(by).value()).value();
    CHECK(use.live_bytes + use.garbage_bytes <= use.pack_bytes);
    CHECK(use.pack_bytes - use.live_bytes - use.garbage_bytes < 100);
    CHECK(use.garbage_bytes > 2'000);
    CHECK(use.garbage_objects == 2);
    CHECK(use.index_bytes > 0);
    for (const StoreUse::Row& row : use.rows) CHECK(row.use.unique_bytes <= use.live_bytes);
  }
  const StoreUse kinds = measure_use(example.store(), UseGrouping{}).value();
  REQUIRE(kinds.rows.size() == 2);
  CHECK(kinds.rows[0].use.unique_bytes + kinds.rows[1].use.unique_bytes + kinds.shared_bytes == kinds.live_bytes);
  CHECK(kinds.rows[0].kind == StoreRoot::Kind::snapshot);
  CHECK(kinds.rows[0].logical_bytes == kBig.size() + 2 * kSmall.size() + kOther.size());

  const StoreUse snapshots = measure_use(example.store(), UseGrouping::parse("snapshot").value()).value();
  REQUIRE(snapshots.rows.size() == 2);
  CHECK(bytes_of(snapshots, both.digest.hex()) > kBig.size());
  CHECK(bytes_of(snapshots, both.digest.hex()) < kBig.size() + 20'000);
  CHECK(bytes_of(snapshots, small.digest.hex()) == 0);
  CHECK(measure_use(example.store(), UseGrouping::parse("version").value()).value().rows.empty());
  CHECK_FALSE(UseGrouping::parse("colour").ok());
}

TEST_CASE("only names of scratch tell who made them", "[leavings]") {
  CHECK(maker_of_scratch(scratch_name("/tmp", "checkout").filename().string()) == ::getpid());
  CHECK(maker_of_scratch("mount-probe-77-0-abcdefghijklmnop") == 77);
  for (const char* const name :
       {"", "x", "mount-probe-77.json", "77-0-abcdefghijklmnop", "x-77-abcdefghijklmnop", "x-77-0-abcdefghijklmno",
        "x-77-0-abcdefghijklmnoz", "x-0-0-abcdefghijklmnop", "x--5-0-abcdefghijklmnop-"}) {
    INFO(name);
    CHECK_FALSE(maker_of_scratch(name).has_value());
  }
}

}  // namespace trainyard::reachability_test
