// SPDX-License-Identifier: Apache-2.0
#include "storage/trees/checkout.hpp"

#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>

#include "storage/objects/memory_objects.hpp"
#include "storage/trees/capture.hpp"
#include "storage/trees/sparse_writer.hpp"
#include "storage/values/sha256.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard::checkout_test {
namespace {

using Names = std::vector<std::string>;

// A folder that is in a store.
struct Kept {
  TempFolder folder;
  MemoryObjects objects;
  Tree tree;

  Kept() {
    folder.write("data/a.csv", "1,2\n");
    folder.write("data/run.sh", "#!/bin/sh\n");
    folder.write("data/sub/deep/\xFF", "raw");
    folder.folder("data/empty");
    if (::chmod((folder.path() / "data" / "run.sh").c_str(), 0755) != 0) throw std::runtime_error("chmod");
    CaptureOptions options;
    options.objects = &objects;
    tree = capture(folder.path() / "data", options).value().tree;
  }
};

}  // namespace

TEST_CASE("a checkout is the folder that was captured", "[checkout]") {
  Kept kept;
  const Path out = kept.folder.path() / "out" / "here" / "data";
  std::vector<std::uint64_t> steps;
  REQUIRE(checkout(kept.tree, kept.objects, out, [&](std::uint64_t done, std::uint64_t all) {
            steps.push_back(done);
            CHECK(all == 3);
          }).ok());
  CHECK(steps == std::vector<std::uint64_t>{1, 2, 3});
  CHECK(capture(out, {}).value().tree == kept.tree);
  CHECK(list_folder(out.parent_path()).value() == Names{"data"});
  CHECK((status_of(out / "run.sh").value()->st_mode & 0111U) != 0);
  CHECK((status_of(out / "a.csv").value()->st_mode & 0111U) == 0);
  CHECK((status_of(out / "a.csv").value()->st_mode & 0200U) != 0);
}

TEST_CASE("a checkout goes into the working directory too", "[checkout]") {
  Kept kept;
  const boost::filesystem::path before = boost::filesystem::current_path();
  boost::filesystem::current_path(kept.folder.path());
  const auto done = checkout(kept.tree, kept.objects, "here");
  boost::filesystem::current_path(before);
  REQUIRE(done.ok());
  CHECK(capture(kept.folder.path() / "here", {}).value().tree == kept.tree);
}

TEST_CASE("a checkout takes an empty folder and nothing else", "[checkout]") {
  Kept kept;
  REQUIRE(checkout(kept.tree, kept.objects, kept.folder.folder("empty")).ok());
  CHECK(capture(kept.folder.path() / "empty", {}).value().tree == kept.tree);

  kept.folder.write("full/mine", "precious");
  const Path full = kept.folder.path() / "full";
  const auto refused = checkout(kept.tree, kept.objects, full);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error() ==
        fail(Errc::exists, "'" + full.string() + "' is already there and not an empty folder; choose another"));
  CHECK(list_folder(full).value() == Names{"mine"});

  kept.folder.write("file", "precious");
  CHECK(checkout(kept.tree, kept.objects, kept.folder.path() / "file").error().code == Errc::exists);
  CHECK(kept.folder.read("file") == "precious");
}

TEST_CASE("a checkout that fails leaves nothing", "[checkout]") {
  Kept kept;
  const Path out = kept.folder.folder("out") / "data";
  const Digest last = sha256("raw");
  SECTION("a corrupt object") {
    kept.objects.damage(last);
    const auto failed = checkout(kept.tree, kept.objects, out);
    REQUIRE_FALSE(failed.ok());
    CHECK(failed.error().code == Errc::corrupt);
    CHECK(failed.error().message.find(last.hex()) != std::string::npos);
  }
  SECTION("a missing object") {
    kept.objects.forget(last);
    const auto failed = checkout(kept.tree, kept.objects, out);
    REQUIRE_FALSE(failed.ok());
    CHECK(failed.error() == fail(Errc::not_found, "the store has no object " + last.hex()));
  }
  SECTION("a tree that lies about a size") {
    std::vector<TreeEntry> entries;
    for (const TreeEntry& entry : kept.tree.entries()) entries.push_back(entry);
    entries.front().size = GENERATE(3U, 5U);
    const std::string said = std::to_string(entries.front().size);
    const auto failed = checkout(Tree::of(std::move(entries)).value(), kept.objects, out);
    REQUIRE_FALSE(failed.ok());
    CHECK(failed.error() ==
          fail(Errc::corrupt, "the tree says that 'a.csv' has " + said + " bytes but its object has 4"));
  }
  CHECK(list_folder(out.parent_path()).value().empty());
}

TEST_CASE("files are never written through a link or over another file", "[checkout]") {
  Kept kept;
  const Path outside = kept.folder.folder("outside");
  const Path target = kept.folder.folder("target");
  SECTION("a linked folder") {
    REQUIRE(::symlink(outside.c_str(), (target / "sub").c_str()) == 0);
    CHECK_FALSE(materialise(kept.tree, kept.objects, target).ok());
  }
  SECTION("a linked file") {
    REQUIRE(::symlink((outside / "x").c_str(), (target / "a.csv").c_str()) == 0);
    CHECK(materialise(kept.tree, kept.objects, target).error().code == Errc::exists);
  }
  SECTION("a file") {
    kept.folder.write("target/a.csv", "mine");
    CHECK(materialise(kept.tree, kept.objects, target).error().code == Errc::exists);
    CHECK(kept.folder.read("target/a.csv") == "mine");
  }
  CHECK(list_folder(outside).value().empty());
}

TEST_CASE("verification names every file whose object is missing or corrupt", "[checkout]") {
  Kept kept;
  CHECK(verify(kept.tree, kept.objects).value().empty());
  kept.objects.damage(sha256("1,2\n"));
  kept.objects.forget(sha256("raw"));
  const auto problems = verify(kept.tree, kept.objects).value();
  REQUIRE(problems.size() == 2);
  CHECK(problems[0] == "a.csv: the object " + sha256("1,2\n").hex() + " is corrupt: its bytes have another digest");
  CHECK(problems[1] == "sub/deep/%FF: the store has no object " + sha256("raw").hex());
}

TEST_CASE("files with the same bytes are all written", "[checkout]") {
  const TempFolder folder;
  const std::string large(std::size_t{200} << 10U, 'x');
  for (const char* path : {"a", "b/c", "b/d/e"}) {
    folder.write(std::string("data/small/") + path, "same");
    folder.write(std::string("data/none/") + path, "");
    folder.write(std::string("data/large/") + path, large);
  }
  MemoryObjects objects;
  CaptureOptions options;
  options.objects = &objects;
  const Tree tree = capture(folder.path() / "data", options).value().tree;
  std::uint64_t last = 0;
  REQUIRE(checkout(tree, objects, folder.path() / "out", [&](std::uint64_t done, std::uint64_t) { last = done; }).ok());
  CHECK(last == 9);
  CHECK(capture(folder.path() / "out", {}).value().tree == tree);
  // With the last piece missing, a file that says it was written would be a short one.
  objects.forget(sha256(large));
  CHECK(checkout(tree, objects, folder.path() / "again").error().code == Errc::not_found);
  CHECK_FALSE(is_there(folder.path() / "again"));
}

TEST_CASE("long runs of zeros become holes again", "[checkout]") {
  const TempFolder folder;
  const std::size_t mebi = std::size_t{1} << 20U;
  std::string bytes(5 * mebi, '\0');
  const auto text = GENERATE(as<std::string>(), "", "data in the middle", std::string(100'000, 'x'));
  const std::size_t where = GENERATE(std::size_t{0}, std::size_t{70'001}, std::size_t{2'000'003}, 5 * mebi - 100'000);
  bytes.replace(where, text.size(), text);
  folder.write("data/a", bytes);
  folder.write("data/same", bytes);
  folder.write("data/short", std::string(10, '\0'));
  folder.write("data/one", std::string("x") + std::string(SparseWriter::kHole, '\0'));
  MemoryObjects objects;
  CaptureOptions options;
  options.objects = &objects;
  const Tree tree = capture(folder.path() / "data", options).value().tree;
  REQUIRE(checkout(tree, objects, folder.path() / "out").ok());
  CHECK(capture(folder.path() / "out", {}).value().tree == tree);
  for (const char* name : {"a", "same"}) {
    const auto status = status_of(folder.path() / "out" / name).value();
    CHECK(status->st_size == static_cast<off_t>(bytes.size()));
    CHECK(status->st_blocks * 512 <= static_cast<off_t>(mebi));
  }
}

TEST_CASE("a part of a tree can be verified, chosen by chance", "[checkout]") {
  const TempFolder folder;
  for (int i = 0; i < 400; ++i) folder.write(std::to_string(i), std::to_string(i));
  MemoryObjects objects;
  CaptureOptions options;
  options.objects = &objects;
  const Tree tree = capture(folder.path(), options).value().tree;
  for (int i = 0; i < 400; ++i) objects.forget(sha256(std::to_string(i)));
  const auto tenth = verify(tree, objects, {}, {0.1, 1}).value();
  CHECK(tenth.size() > 15);
  CHECK(tenth.size() < 80);
  CHECK(verify(tree, objects, {}, {0.1, 1}).value() == tenth);
  CHECK(verify(tree, objects, {}, {0.1, 2}).value() != tenth);
  CHECK(verify(tree, objects, {}, {0, 1}).value().size() == 1);
  CHECK(verify(tree, objects).value().size() == 400);
}

TEST_CASE("a tree of more files than are asked for at once is read whole", "[checkout]") {
  constexpr int kFiles = 70'000;
  MemoryObjects objects;
  TreeBuilder builder;
  const auto root = builder.folder("");
  // The first and the last file have the same bytes.
  const auto content = [](int file) { return std::to_string(file % (kFiles - 1)); };
  for (int i = 0; i < kFiles; ++i) {
    const auto at = builder.add_file(root, std::to_string(100'000 + i), content(i).size(), false);
    builder.set_digest(at, objects.put(content(i)).value());
  }
  const Tree tree = std::move(builder).finish().value();
  std::uint64_t last = 0;
  const TreeProgress in_steps = [&](std::uint64_t done, std::uint64_t files) {
    CHECK(files == std::uint64_t{kFiles});
    CHECK(done == last + 1);
    last = done;
  };
  CHECK(verify(tree, objects, in_steps).value().empty());
  CHECK(last == std::uint64_t{kFiles});

  const TempFolder folder;
  last = 0;
  REQUIRE(checkout(tree, objects, folder.path() / "out", in_steps).ok());
  CHECK(last == std::uint64_t{kFiles});
  CHECK(capture(folder.path() / "out", {}).value().tree == tree);

  for (const int gone : {69'000, 5, 40'000}) objects.forget(sha256(content(gone)));
  const auto problems = verify(tree, objects).value();
  REQUIRE(problems.size() == 3);
  CHECK(problems[0].starts_with("100005: "));
  CHECK(problems[1].starts_with("140000: "));
  CHECK(problems[2].starts_with("169000: "));
}

}  // namespace trainyard::checkout_test
