// SPDX-License-Identifier: Apache-2.0
#include "storage/trees/checkout.hpp"

#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>

#include "storage/objects/file_objects.hpp"
#include "storage/trees/capture.hpp"
#include "storage/values/sha256.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard {
namespace {

using Names = std::vector<std::string>;

// A folder that is in a store.
struct Kept {
  TempFolder folder;
  Path root = folder.folder("objects");
  Path scratch = folder.folder("tmp");
  FileObjects objects{root, scratch};
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
    objects.sync().value();
  }

  [[nodiscard]] Path path_of(const Digest& digest) const {
    return root / digest.hex().substr(0, 2) / digest.hex().substr(2);
  }

  void flip_a_byte(const Digest& digest) {
    std::string bytes = read_file(path_of(digest), 1000).value();
    bytes[0] = static_cast<char>(bytes[0] ^ 1);
    replace_file(scratch, path_of(digest), bytes, 0444, Durable::no).value();
  }
};

}  // namespace

TEST_CASE("a checkout is the folder that was captured", "[checkout]") {
  Kept kept;
  const Path out = kept.folder.path() / "out" / "here" / "data";
  std::vector<std::uint64_t> steps;
  REQUIRE(checkout(kept.tree, kept.objects, out, [&](std::uint64_t done, std::uint64_t all) {
            steps.push_back(done);
            CHECK(all == 4);
          }).ok());
  CHECK(steps == std::vector<std::uint64_t>{1, 2, 3, 4});
  CHECK(capture(out, {}).value().tree == kept.tree);
  CHECK(list_folder(out.parent_path()).value() == Names{"data"});
  CHECK((status_of(out / "run.sh").value()->st_mode & 0111U) != 0);
  CHECK((status_of(out / "a.csv").value()->st_mode & 0111U) == 0);
  CHECK((status_of(out / "a.csv").value()->st_mode & 0200U) != 0);
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
    kept.flip_a_byte(last);
    const auto failed = checkout(kept.tree, kept.objects, out);
    REQUIRE_FALSE(failed.ok());
    CHECK(failed.error().code == Errc::corrupt);
    CHECK(failed.error().message.find(last.hex()) != std::string::npos);
  }
  SECTION("a missing object") {
    REQUIRE(remove_file(kept.path_of(last)).ok());
    const auto failed = checkout(kept.tree, kept.objects, out);
    REQUIRE_FALSE(failed.ok());
    CHECK(failed.error() == fail(Errc::not_found, "the store has no object " + last.hex()));
  }
  SECTION("a tree that lies about a size") {
    std::vector<TreeEntry> entries = kept.tree.entries();
    entries.front().size = 5;
    const auto failed = checkout(Tree::of(std::move(entries)).value(), kept.objects, out);
    REQUIRE_FALSE(failed.ok());
    CHECK(failed.error() == fail(Errc::corrupt, "the tree says that 'a.csv' has 5 bytes but its object has 4"));
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
  kept.flip_a_byte(sha256("1,2\n"));
  REQUIRE(remove_file(kept.path_of(sha256("raw"))).ok());
  const auto problems = verify(kept.tree, kept.objects).value();
  REQUIRE(problems.size() == 2);
  CHECK(problems[0] == "a.csv: the object " + sha256("1,2\n").hex() + " is corrupt: the bytes of '" +
                           kept.path_of(sha256("1,2\n")).string() + "' have another digest");
  CHECK(problems[1] == "sub/deep/%FF: the store has no object " + sha256("raw").hex());
}

}  // namespace trainyard
