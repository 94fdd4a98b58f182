// SPDX-License-Identifier: Apache-2.0
#include "storage/datasets/dataset_content.hpp"

#include <catch2/catch.hpp>

#include "storage/datasets/checkouts.hpp"
#include "storage/datasets/subtree.hpp"
#include "storage/objects/memory_objects.hpp"
#include "storage/values/sha256.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard::dataset_content_test {
namespace {

RelPath path(const std::string& text) { return RelPath::parse(text).value(); }

TreeEntry file(const std::string& name, const std::string& content, bool executable = false) {
  return {path(name), TreeEntry::Kind::file, content.size(), executable, sha256(content)};
}

TreeEntry empty(const std::string& name) { return {path(name), TreeEntry::Kind::empty_folder, 0, false, std::nullopt}; }

Tree tree(std::vector<TreeEntry> entries) { return Tree::of(std::move(entries)).value(); }

// Names around 'a/' that sort before, between and after what lies in it.
Tree sample() {
  return tree({file("a-b/x", "1"), file("a.csv", "2"), file("a/b.csv", "3"), file("a/b/c/d", "4", true),
               file("a/b/e", "5"), empty("a/b/none"), file("a0", "6"), file("ab/x", "7"), empty("hollow"),
               empty("nest/only/folders"), file("training/one.csv", "8")});
}

Error refusal(const std::string& folder) {
  const auto below = subtree(sample(), path(folder));
  REQUIRE_FALSE(below.ok());
  return below.error();
}

struct Cached {
  TempFolder temp;
  MemoryObjects objects;
  Path folder = temp.folder("checkouts");
  Checkouts checkouts{folder, temp.folder("tmp")};
};

}  // namespace

TEST_CASE("a folder of a tree is a tree of its own", "[datasets]") {
  CHECK(subtree(sample(), path("a")).value() ==
        tree({file("b.csv", "3"), file("b/c/d", "4", true), file("b/e", "5"), empty("b/none")}));
  CHECK(subtree(sample(), path("a/b")).value() == tree({file("c/d", "4", true), file("e", "5"), empty("none")}));
  CHECK(subtree(sample(), path("a/b/c")).value() == tree({file("d", "4", true)}));
  CHECK(subtree(sample(), path("ab")).value() == tree({file("x", "7")}));
  // The same content is the same tree, wherever it lies.
  CHECK(subtree(tree({file("deep/er/x", "7")}), path("deep/er")).value().digest() ==
        subtree(sample(), path("ab")).value().digest());
}

TEST_CASE("a folder that is not in a tree is named, with what is nearest", "[datasets]") {
  CHECK(refusal("trainig") == fail(Errc::not_found, "there is no folder 'trainig'; did you mean 'training'?"));
  CHECK(refusal("trainig/deeper") ==
        fail(Errc::not_found, "there is no folder 'trainig/deeper'; did you mean 'training'?"));
  CHECK(refusal("a/b/nine") == fail(Errc::not_found, "there is no folder 'a/b/nine'; did you mean 'a/b/none'?"));
  CHECK(refusal("a/c") == fail(Errc::not_found, "there is no folder 'a/c'; did you mean 'a/b'?"));
  CHECK(refusal("something-else") == fail(Errc::not_found, "there is no folder 'something-else'"));
  CHECK(refusal("a.csv") == fail(Errc::invalid, "'a.csv' is a file; name the folder that it lies in"));
  CHECK(refusal("a.csv/x").code == Errc::not_found);
  CHECK(refusal("hollow") == fail(Errc::invalid, "the folder 'hollow' holds no file"));
  CHECK(refusal("nest/only") == fail(Errc::invalid, "the folder 'nest/only' holds no file"));
  CHECK(refusal("nest/only/folders") == fail(Errc::invalid, "the folder 'nest/only/folders' holds no file"));
}

TEST_CASE("the content of a dataset's version is its tree or a folder of it", "[datasets]") {
  MemoryObjects objects;
  const TreeSummary kept = store_tree(sample(), objects).value();
  DatasetVersion version{DatasetName::parse("digits").value(), 3, kept, Instant{7}, "/data"};
  CHECK(content_of(version, std::nullopt, objects).value() == sample());
  CHECK(content_of(version, path("training"), objects).value() == tree({file("one.csv", "8")}));
  CHECK(content_of(version, path("trainin"), objects).error() ==
        fail(Errc::not_found, "dataset 'digits@3': there is no folder 'trainin'; did you mean 'training'?"));
  version.tree.digest = sha256("lost");
  const auto lost = content_of(version, std::nullopt, objects);
  REQUIRE_FALSE(lost.ok());
  CHECK(lost.error().code == Errc::corrupt);
  CHECK_THAT(lost.error().message, Catch::StartsWith("the content of the dataset 'digits@3' cannot be read: "));
}

TEST_CASE("a tree is written out once, and made anew when it is gone or thrown away", "[datasets]") {
  Cached cached;
  const Tree content = tree({file("a/x", "1"), file("run", "2", true), empty("e")});
  for (const char* const bytes : {"1", "2"}) REQUIRE(cached.objects.put(bytes).ok());
  const Digest digest = store_tree(content, cached.objects).value().digest;

  const Checkout first = cached.checkouts.get(digest, cached.objects).value();
  CHECK(first.folder == cached.folder / digest.hex());
  CHECK(capture(first.folder, {}).value().tree == content);
  CHECK(list_folder(cached.temp.path() / "tmp").value().empty());
  const Checkout second = cached.checkouts.get(digest, cached.objects).value();
  CHECK(second.stamp == first.stamp);

  REQUIRE(cached.checkouts.discard(first).ok());
  CHECK_FALSE(is_there(first.folder));
  CHECK(list_folder(cached.temp.path() / "tmp").value().empty());
  const Checkout third = cached.checkouts.get(digest, cached.objects).value();
  CHECK_FALSE(third.stamp == first.stamp);
  // Who found the first one bad does not throw the new one away.
  REQUIRE(cached.checkouts.discard(first).ok());
  CHECK(is_there(third.folder));
}

TEST_CASE("a tree that the store has lost is not written out", "[datasets]") {
  Cached cached;
  CHECK(cached.checkouts.get(sha256("lost"), cached.objects).error().code == Errc::corrupt);
  const Digest digest = store_tree(tree({file("x", "never put")}), cached.objects).value().digest;
  const auto half = cached.checkouts.get(digest, cached.objects);
  REQUIRE_FALSE(half.ok());
  CHECK(half.error().code == Errc::corrupt);
  CHECK(list_folder(cached.folder).value().empty());
  CHECK(list_folder(cached.temp.path() / "tmp").value().empty());
}

}  // namespace trainyard::dataset_content_test
