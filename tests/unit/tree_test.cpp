// SPDX-License-Identifier: Apache-2.0
#include "storage/values/tree.hpp"

#include <catch2/catch.hpp>

#include "storage/values/json.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {
namespace {

TreeEntry file(const char* path, std::string_view bytes, bool executable = false) {
  return {RelPath::parse(path).value(), TreeEntry::Kind::file, bytes.size(), executable, sha256(bytes)};
}

TreeEntry empty_folder(const char* path) {
  return {RelPath::parse(path).value(), TreeEntry::Kind::empty_folder, 0, false, {}};
}

// The bytes that a tree of these entries has, and its digest as sha256sum(1) prints it.
constexpr const char* kCanonical =
    R"({"entries":[{"digest":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","executable":true,"kind":"file","path":"bin/run","size":3},)"
    R"({"digest":null,"executable":false,"kind":"folder","path":"empty","size":0},)"
    R"({"digest":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","executable":false,"kind":"file","path":"f%FF\"","size":0}],)"
    R"("schema":"trainyard.tree/1"})";
constexpr const char* kDigest = "3a5d970a5e17c2ffe67439acf16fa89cd384b8597a6e10b162ab3437ec7f16f0";

std::string refusal(std::vector<TreeEntry> entries) {
  const auto tree = Tree::of(std::move(entries));
  return tree.ok() ? "" : tree.error().message;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  text.replace(text.find(from), from.size(), to);
  return text;
}

}  // namespace

TEST_CASE("a tree has one form in bytes and one digest", "[tree]") {
  const Tree tree = Tree::of({file("f\xFF\"", ""), empty_folder("empty"), file("bin/run", "abc", true)}).value();
  CHECK(tree.canonical() == kCanonical);
  CHECK(tree.digest().hex() == kDigest);
  CHECK(tree.files() == 2);
  CHECK(tree.bytes() == 3);
  CHECK(TreeSummary::of(tree) == TreeSummary{tree.digest(), 2, 3});
  const auto read = Tree::from_canonical(kCanonical);
  REQUIRE(read.ok());
  CHECK(*read == tree);
  CHECK(canonical(parse_json(kCanonical, "it").value()) == kCanonical);
  CHECK(Tree().canonical() == R"({"entries":[],"schema":"trainyard.tree/1"})");
}

TEST_CASE("the identity of a tree is everything in it", "[tree]") {
  const auto digest = [](std::vector<TreeEntry> entries) { return Tree::of(std::move(entries)).value().digest(); };
  const Digest plain = digest({file("a", "1"), file("b", "2")});
  CHECK(digest({file("b", "2"), file("a", "1")}) == plain);
  CHECK(digest({file("a", "1"), file("b", "3")}) != plain);
  CHECK(digest({file("a", "1"), file("c", "2")}) != plain);
  CHECK(digest({file("a", "1"), file("b", "2", true)}) != plain);
  CHECK(digest({file("a", "1"), file("b", "2"), empty_folder("c")}) != plain);
}

TEST_CASE("a tree finds its entries", "[tree]") {
  const Tree tree = Tree::of({file("a-b", "1"), file("a/b", "2"), file("a0", "3")}).value();
  CHECK(tree.entries().front().path.bytes() == "a-b");
  REQUIRE(tree.find(RelPath::parse("a/b").value()) != nullptr);
  CHECK(tree.find(RelPath::parse("a/b").value())->digest == sha256("2"));
  CHECK(tree.find(RelPath::parse("a").value()) == nullptr);
  CHECK(tree.find(RelPath::parse("zz").value()) == nullptr);
}

TEST_CASE("a tree that no folder can have is refused", "[tree]") {
  CHECK(refusal({file("a", "1"), file("a", "2")}) == "a tree names 'a' twice");
  CHECK(refusal({file("a", "1"), empty_folder("a")}) == "a tree names 'a' twice");
  CHECK(refusal({file("a", "1"), file("a-b", "2"), file("a/b", "3")}) == "a tree has both 'a' and something inside it");
  CHECK(refusal({empty_folder("a"), file("a/b/c", "3")}) == "a tree has both 'a' and something inside it");
  CHECK(refusal({file("a/b", "1"), file("a/b/c/d", "3")}) == "a tree has both 'a/b' and something inside it");
}

TEST_CASE("a stored tree is read with suspicion", "[tree]") {
  const std::string good = kCanonical;
  for (const std::string& bad : {
           replaced(good, R"("path":"bin/run")", R"("path":"../run")"),
           replaced(good, R"("path":"bin/run")", R"("path":"/bin/run")"),
           replaced(good, R"("path":"bin/run")", R"("path":"zzz")"),
           replaced(good, R"("path":"bin/run")", R"("path":"empty")"),
           replaced(good, R"("size":3)", R"("size":-3)"),
           replaced(good, R"("size":3)", R"("size":3.0)"),
           replaced(good, R"("kind":"folder")", R"("kind":"link")"),
           replaced(good, R"("kind":"folder")", R"("kind":"file")"),
           replaced(good, R"("digest":null,"executable":false)", R"("digest":null,"executable":true)"),
           replaced(good, R"("kind":"file")", R"("kind":"file","mode":420)"),
           replaced(good, "trainyard.tree/1", "trainyard.tree/2"),
           good.substr(0, good.size() - 1),
           good + good,
       }) {
    CAPTURE(bad);
    CHECK_FALSE(Tree::from_canonical(bad).ok());
  }
}

}  // namespace trainyard
