// SPDX-License-Identifier: Apache-2.0
#include "storage/values/tree.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <functional>
#include <thread>

#include "storage/values/json.hpp"
#include "storage/values/sha256.hpp"
#include "tests/unit/tree_samples.hpp"

namespace trainyard::tree_test {

using namespace tree_samples;

namespace {

std::string refusal(std::vector<TreeEntry> entries) {
  const auto tree = Tree::of(std::move(entries));
  return tree.ok() ? "" : tree.error().message;
}

std::vector<std::string> paths_of(const Tree& tree) {
  std::vector<std::string> paths;
  for (const TreeEntry& entry : tree.entries()) paths.push_back(entry.path.bytes());
  return paths;
}

// The entries' text as the JSON library writes it.
std::string canonical_by_json(const Tree& tree) {
  Json entries = Json::array();
  for (const TreeEntry& entry : tree.entries()) {
    entries.push_back({{"digest", entry.digest ? Json(entry.digest->hex()) : Json(nullptr)},
                       {"executable", entry.executable},
                       {"kind", entry.kind == TreeEntry::Kind::file ? "file" : "folder"},
                       {"path", entry.path.text()},
                       {"size", entry.size}});
  }
  return canonical(Json{{"entries", std::move(entries)}, {"schema", "trainyard.tree/1"}});
}

}  // namespace

TEST_CASE("a tree has one form in bytes and one digest", "[tree]") {
  const Tree tree = tree_of({file("f\xFF\"", ""), empty_folder("empty"), file("bin/run", "abc", true)});
  CHECK(tree.canonical() == kCanonical);
  CHECK(tree.digest().hex() == kDigest);
  CHECK(tree.size() == 3);
  CHECK(tree.files() == 2);
  CHECK(tree.bytes() == 3);
  CHECK(TreeSummary::of(tree) == TreeSummary{tree.digest(), 2, 3});
  const auto read = Tree::from_canonical(kCanonical);
  REQUIRE(read.ok());
  CHECK(*read == tree);
  CHECK(canonical(parse_json(kCanonical, "it").value()) == kCanonical);
  CHECK(Tree().canonical() == R"({"entries":[],"schema":"trainyard.tree/1"})");
  CHECK(Tree::from_canonical(Tree().canonical()).value() == Tree());
}

TEST_CASE("a tree of odd names is written as JSON writes it, and read again", "[tree]") {
  const Tree tree = tree_of(odd_entries());
  const std::string text = tree.canonical();
  CHECK((text == canonical_by_json(tree)));
  CHECK(tree.digest() == sha256(text));
  std::string pieces;
  std::size_t longest = 0;
  tree.write_canonical([&](std::string_view piece) {
    pieces += piece;
    longest = std::max(longest, piece.size());
  });
  CHECK((pieces == text));
  CHECK(longest <= 65536);
  const auto read = Tree::from_canonical(text);
  REQUIRE(read.ok());
  CHECK((*read == tree));
  CHECK((read->canonical() == text));
  CHECK(paths_of(*read) == paths_of(tree));
}

TEST_CASE("the identity of a tree is everything in it", "[tree]") {
  const auto digest = [](std::vector<TreeEntry> entries) { return tree_of(std::move(entries)).digest(); };
  const Tree plain = tree_of({file("a", "1"), file("b", "2")});
  CHECK(digest({file("b", "2"), file("a", "1")}) == plain.digest());
  CHECK(tree_of({file("b", "2"), file("a", "1")}) == plain);
  TreeEntry longer = file("b", "2");
  longer.size = 2;
  for (const auto& other :
       {std::vector{file("a", "1"), file("b", "3")}, std::vector{file("a", "1"), file("c", "2")},
        std::vector{file("a", "1"), file("b", "2", true)}, std::vector{file("a", "1"), longer},
        std::vector{file("a", "1"), file("b/c", "2")}, std::vector{file("a", "1"), file("b", "2"), empty_folder("c")},
        std::vector{file("a", "1"), empty_folder("b")}, std::vector{file("a", "1")}}) {
    CHECK(digest(other) != plain.digest());
    CHECK_FALSE(tree_of(other) == plain);
  }
}

TEST_CASE("a tree is in the order of its paths' bytes, and finds its entries", "[tree]") {
  const std::vector<std::string> order = {"Z",   "a-b",   "a-b.c/d", "a.b",    "a/b",  "a/b.c", "a/c/d",
                                          "a/d", "a/d-e", "a/d.e/f", "a0/b",   "aa",   "b/a/a", "b/a/b",
                                          "b/b", "c",     "\x7F",    "\x80/a", "\xC3", "\xFF"};
  std::vector<TreeEntry> entries;
  for (const std::string& path : order) entries.insert(entries.begin(), file(path, path));
  const Tree tree = tree_of(std::move(entries));
  CHECK(paths_of(tree) == order);
  CHECK(tree.entries().front().path.bytes() == "Z");
  CHECK(tree.entries().back().path.bytes() == "\xFF");
  for (std::size_t i = 0; i < order.size(); ++i) {
    CAPTURE(order[i]);
    const RelPath path = RelPath::parse(order[i]).value();
    CHECK(tree.index_of(path) == i);
    CHECK(tree.find(path) == file(order[i], order[i]));
    CHECK(tree.entry(i) == tree.entries()[i]);
    CHECK(*tree.view(i).digest == sha256(order[i]));
  }
  for (const char* const missing : {"0", "A", "a", "a-b.c", "a-b.c/d0", "a/c", "a/c/d/e", "b/a", "zz", "\xFF/a"}) {
    CAPTURE(missing);
    CHECK_FALSE(tree.find(RelPath::parse(missing).value()));
  }
  CHECK_FALSE(Tree().find(RelPath::parse("a").value()));
}

TEST_CASE("the entries of a tree are a range", "[tree]") {
  const Tree tree = tree_of({file("a/b", "1"), empty_folder("c"), file("d", "2")});
  const Tree::Entries entries = tree.entries();
  CHECK(entries.size() == 3);
  CHECK_FALSE(entries.empty());
  CHECK(Tree().entries().empty());
  CHECK(Tree().entries().begin() == Tree().entries().begin());
  CHECK(entries.end() - entries.begin() == 3);
  CHECK(entries.begin()->path.bytes() == "a/b");
  CHECK(entries.begin()[1].kind == TreeEntry::Kind::empty_folder);
  const std::vector<TreeEntry> copied(entries.begin(), entries.end());
  CHECK(tree_of(copied) == tree);
  const auto found = std::find_if(entries.begin(), entries.end(), [](const TreeEntry& e) { return !e.digest; });
  CHECK((*found).path.bytes() == "c");
  const auto above =
      std::lower_bound(entries.begin(), entries.end(), "b",
                       [](const TreeEntry& entry, const char* path) { return entry.path.bytes() < path; });
  CHECK(above - entries.begin() == 1);
  CHECK(entries.rbegin()->path.bytes() == "d");
  CHECK(entries.rend() - entries.rbegin() == 3);
}

TEST_CASE("a tree that no folder can have is refused", "[tree]") {
  CHECK(refusal({file("a", "1"), file("a", "2")}) == "a tree names 'a' twice");
  CHECK(refusal({file("a", "1"), empty_folder("a")}) == "a tree names 'a' twice");
  CHECK(refusal({file("x/y/a", "1"), file("x/y/a", "1")}) == "a tree names 'x/y/a' twice");
  CHECK(refusal({file("a", "1"), file("a-b", "2"), file("a/b", "3")}) == "a tree has both 'a' and something inside it");
  CHECK(refusal({file("a", "1"), file("a-b/c", "2"), file("a-b/d", "2"), file("a.b", "2"), file("a/b", "3")}) ==
        "a tree has both 'a' and something inside it");
  CHECK(refusal({empty_folder("a"), file("a/b/c", "3")}) == "a tree has both 'a' and something inside it");
  CHECK(refusal({file("a/b", "1"), file("a/b/c/d", "3")}) == "a tree has both 'a/b' and something inside it");
  CHECK(refusal({file("a/b", "1"), file("a/b-", "1"), file("a/b--", "1"), file("a/b-/c", "3")}) ==
        "a tree has both 'a/b-' and something inside it");
  CHECK(refusal({file("\xFF", "1"), file("\xFF/b", "3")}) == "a tree has both '%FF' and something inside it");
  CHECK(refusal({file("a", "1"), file("a-", "1"), file("a-b/c", "2"), file("a0", "3"), file("a0a/b", "3")}).empty());
  CHECK(refusal({file("a/b", "1"), file("a-b", "1"), file("a/c", "2"), file("a0/b", "3")}).empty());

  TreeEntry no_digest = file("a", "1");
  no_digest.digest.reset();
  CHECK(refusal({no_digest}) == "a tree has the file 'a' without a digest");
  TreeEntry folder_with_digest = empty_folder("a");
  folder_with_digest.digest = sha256("");
  CHECK(refusal({folder_with_digest}) == "a tree has the folder 'a' with a digest");
  TreeEntry folder_with_size = empty_folder("a");
  folder_with_size.size = 1;
  CHECK(refusal({folder_with_size}) == "a tree has the folder 'a' with a size or an executable bit");
  TreeEntry too_large = file("a", "1");
  too_large.size = std::uint64_t{1} << 63U;
  CHECK(refusal({too_large}) == "a tree has the file 'a' with more than 9223372036854775807 bytes");
  too_large.size -= 1;
  CHECK(Tree::from_canonical(tree_of({too_large}).canonical()).value().bytes() == too_large.size);
}

TEST_CASE("a tree is built in order, and its digests come later", "[tree][threads]") {
  const Tree wanted = tree_of({file("a/b", "1"), file("a/c", "22", true), empty_folder("a/d"), file("b", "333")});
  const auto build = [](TreeBuilder& builder) {
    builder.reserve(4);
    const std::uint32_t root = builder.folder("");
    const std::uint32_t a = builder.folder("a");
    const std::uint32_t a_again = builder.folder("a");
    CHECK(builder.add_file(a, "b", 1, false) == 0);
    CHECK(builder.add_file(a_again, "c", 2, true) == 1);
    CHECK(builder.add_empty_folder(a, "d") == 2);
    CHECK(builder.add_file(root, "b", 3, false) == 3);
    CHECK(builder.size() == 4);
    CHECK(builder.view(1).folder == "a");
    CHECK(builder.view(1).name == "c");
  };
  TreeBuilder builder;
  build(builder);
  std::thread other([&] { builder.set_digest(3, sha256("333")); });
  builder.set_digest(0, sha256("1"));
  builder.set_digest(1, sha256("22"));
  other.join();
  const auto built = std::move(builder).finish();
  REQUIRE(built.ok());
  CHECK(*built == wanted);
  CHECK(built->digest() == wanted.digest());

  TreeBuilder unfinished;
  build(unfinished);
  unfinished.set_digest(0, sha256("1"));
  const auto refused = std::move(unfinished).finish();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message == "a tree has the file 'a/c' without a digest");
}

TEST_CASE("a tree built out of order is refused", "[tree]") {
  struct Row {
    std::vector<std::pair<const char*, const char*>> files;  // folder and name
    const char* message;
  };
  const Row rows[] = {
      {{{"", "b"}, {"", "a"}}, "a tree is not sorted by path: 'a' comes after 'b'"},
      {{{"a", "b"}, {"", "a-b"}}, "a tree is not sorted by path: 'a-b' comes after 'a/b'"},
      {{{"", "a0"}, {"a", "b"}}, "a tree is not sorted by path: 'a/b' comes after 'a0'"},
      {{{"a/b", "c"}, {"a", "b"}}, "a tree is not sorted by path: 'a/b' comes after 'a/b/c'"},
      {{{"a", "b"}, {"", "a"}}, "a tree is not sorted by path: 'a' comes after 'a/b'"},
      {{{"", "\xFF"}, {"", "z"}}, "a tree is not sorted by path: 'z' comes after '%FF'"},
      {{{"a", "b"}, {"a", "b"}}, "a tree names 'a/b' twice"},
      {{{"", "a"}, {"", "a-b"}, {"a", "b"}}, "a tree has both 'a' and something inside it"},
  };
  for (const Row& row : rows) {
    TreeBuilder builder;
    for (const auto& [folder, name] : row.files) {
      builder.set_digest(builder.add_file(builder.folder(folder), name, 1, false), sha256("1"));
    }
    const auto tree = std::move(builder).finish();
    REQUIRE_FALSE(tree.ok());
    CHECK(tree.error() == Error{Errc::invalid, row.message});
  }
}

TEST_CASE("two trees are compared path by path", "[tree]") {
  using Kind = TreeDifference::Kind;
  struct Row {
    std::vector<TreeEntry> before;
    std::vector<TreeEntry> after;
    std::vector<std::pair<Kind, std::string>> found;
  };
  const Row rows[] = {
      {{}, {}, {}},
      {{file("a", "1"), empty_folder("b")}, {file("a", "1"), empty_folder("b")}, {}},
      {{}, {file("a/b", "1"), file("c", "1")}, {{Kind::added, "a/b"}, {Kind::added, "c"}}},
      {{file("a/b", "1"), file("c", "1")}, {}, {{Kind::removed, "a/b"}, {Kind::removed, "c"}}},
      {{file("a", "1")}, {file("a", "2")}, {{Kind::changed, "a"}}},
      {{file("a", "1")}, {file("a", "1", true)}, {{Kind::changed, "a"}}},
      {{file("a", "1")}, {empty_folder("a")}, {{Kind::changed, "a"}}},
      {{empty_folder("a")}, {file("a", "1")}, {{Kind::changed, "a"}}},
      {{file("a", "1")}, {file("a/b", "1")}, {{Kind::removed, "a"}, {Kind::added, "a/b"}}},
      {{empty_folder("a")}, {file("a/b", "1")}, {{Kind::removed, "a"}, {Kind::added, "a/b"}}},
      {{file("a/b", "1"), file("a/c", "1"), file("a/d", "1"), file("e", "1")},
       {file("a-b", "1"), file("a/b", "1"), file("a/c", "2"), file("a/cc", "2"), file("f", "1")},
       {{Kind::added, "a-b"},
        {Kind::changed, "a/c"},
        {Kind::added, "a/cc"},
        {Kind::removed, "a/d"},
        {Kind::removed, "e"},
        {Kind::added, "f"}}},
  };
  for (const Row& row : rows) {
    const Tree before = tree_of(row.before);
    const Tree after = tree_of(row.after);
    std::vector<std::pair<Kind, std::string>> found;
    for (const TreeDifference& one : difference(before, after)) {
      found.emplace_back(one.kind, one.path.bytes());
      CHECK(one.before == before.find(one.path));
      CHECK(one.after == after.find(one.path));
    }
    CHECK(found == row.found);
  }
}

TEST_CASE("a tree of 300,000 files is read as it was written", "[tree]") {
  constexpr std::uint32_t kFiles = 300'000;
  TreeBuilder builder;
  builder.reserve(std::size_t{13} * kFiles);
  std::uint32_t folder = 0;
  char name[32];
  for (std::uint32_t i = 0; i < kFiles; ++i) {
    if (i % 1000 == 0) folder = builder.folder("d_" + std::to_string(100 + i / 1000));
    static_cast<void>(std::snprintf(name, sizeof name, "a_%06u.json", i));
    std::array<std::uint8_t, Digest::kBytes> digest{};
    digest.fill(static_cast<std::uint8_t>(1 + i % 255));
    builder.set_digest(builder.add_file(folder, name, i, i % 7 == 0), Digest(digest));
  }
  const Tree tree = std::move(builder).finish().value();
  Sha256 hash;
  TreeReader reader;
  bool fed = true;
  tree.write_canonical([&](std::string_view piece) {
    hash.update(piece);
    fed = fed && reader.feed(piece).ok();
  });
  CHECK(fed);
  const auto read = std::move(reader).finish();
  REQUIRE(read.ok());
  CHECK((*read == tree));
  CHECK(read->size() == kFiles);
  CHECK(read->bytes() == std::uint64_t{kFiles} * (kFiles - 1) / 2);
  CHECK(read->digest() == hash.finish());
  CHECK(tree.index_of(RelPath::parse("d_222/a_122333.json").value()) == 122'333);
  CHECK(difference(tree, *read).empty());
}

}  // namespace trainyard::tree_test
