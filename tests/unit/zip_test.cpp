// SPDX-License-Identifier: Apache-2.0
//
// Packing a folder into a zip and back, and what is refused on the way.
#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cstdlib>
#include <ctime>

#include "storage/packages/zip_reader.hpp"
#include "storage/packages/zip_writer.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/sha256.hpp"
#include "storage/values/utf8.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/hostile_zips.hpp"

namespace trainyard::zip_test {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

Tree tree_of(const Path& folder) {
  std::vector<TreeEntry> entries;
  for (const auto& item : boost::filesystem::recursive_directory_iterator(folder)) {
    const Path relative = item.path().lexically_relative(folder);
    auto path = RelPath::parse(relative.string());
    REQUIRE(path.ok());
    struct stat status {};
    REQUIRE(::lstat(item.path().c_str(), &status) == 0);
    if (S_ISDIR(status.st_mode)) {
      if (boost::filesystem::is_empty(item.path()))
        entries.push_back({*path, TreeEntry::Kind::empty_folder, 0, false, std::nullopt});
      continue;
    }
    REQUIRE(S_ISREG(status.st_mode));
    const auto bytes = read_file(item.path(), SIZE_MAX / 4);
    REQUIRE(bytes.ok());
    entries.push_back({*path, TreeEntry::Kind::file, bytes->size(), (status.st_mode & S_IXUSR) != 0, sha256(*bytes)});
  }
  auto tree = Tree::of(std::move(entries));
  REQUIRE(tree.ok());
  return *tree;
}

// Unpacks into the new folder `to`.
Result<UnpackedZip> unpack(const Path& zip, const Path& to) {
  TRY(make_folder(to));
  FolderWriter writer = TRY(FolderWriter::at(to));
  return unpack_zip(zip, writer);
}

std::string message_of(const Result<UnpackedZip>& result) {
  return result.ok() ? "(unpacked)" : result.error().message;
}

void make_executable(const Path& path) { REQUIRE(::chmod(path.c_str(), 0755) == 0); }

// A folder with all that a tree can hold.
void fill(const TempFolder& temp, const std::string& folder) {
  temp.write(folder + "/package.json", "{}");
  temp.write(folder + "/empty", "");
  make_executable(temp.write(folder + "/bin/run", "#!/bin/sh\n"));
  temp.write(folder + "/bin-2/x", "x");
  temp.write(folder +
                 "/gr\xC3\xB6\xC3\x9F"
                 "e.txt",
             "UTF-8");
  temp.write(folder + "/with space/deep/deeper/file", std::string(100'000, 'a') + "b");
  temp.write(folder + "/block", std::string(8192, '\0'));
  temp.folder(folder + "/nothing/inside");
}

TEST_CASE("a folder survives the way into a zip and back", "[zip]") {
  const TempFolder temp;
  fill(temp, "folder");
  const Tree tree = tree_of(temp.path() / "folder");
  const auto packed = pack_folder(temp.path() / "folder", "digits", tree, temp.path() / "digits.zip");
  REQUIRE(packed.ok());

  const auto unpacked = unpack(temp.path() / "digits.zip", temp.path() / "out");
  INFO(message_of(unpacked));
  REQUIRE(unpacked.ok());
  CHECK(unpacked->root == "digits");
  CHECK(unpacked->zip == *packed);
  CHECK(tree_of(temp.path() / "out") == tree);

  const std::string bytes = temp.read("digits.zip");
  CHECK(packed->bytes == bytes.size());
  CHECK(packed->digest == sha256(bytes));
  CHECK(list_folder(temp.path()).value() == std::vector<std::string>{"digits.zip", "folder", "out"});
}

TEST_CASE("the same content gives the same zip, wherever, whenever and in whatever order it was made", "[zip]") {
  const TempFolder temp;
  fill(temp, "one");
  const Tree tree = tree_of(temp.path() / "one");
  const auto first = pack_folder(temp.path() / "one", "digits", tree, temp.path() / "1.zip");
  REQUIRE(first.ok());

  // The same by other ways: other order, times, modes and mask.
  const ::mode_t mask = ::umask(077);
  const auto& entries = tree.entries();
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    if (entry->kind == TreeEntry::Kind::empty_folder) {
      temp.folder("two/" + entry->path.bytes());
      continue;
    }
    const Path copy = temp.write("two/" + entry->path.bytes(), temp.read("one/" + entry->path.bytes()));
    REQUIRE(::chmod(copy.c_str(), entry->executable ? 0700 : 0440) == 0);
    boost::filesystem::last_write_time(copy, 1'000'000'000);
  }
  const std::string zone = std::getenv("TZ") == nullptr ? "" : std::getenv("TZ");
  for (const char* other : {"UTC0", "Asia/Kolkata", "America/New_York", "XYZ-13:37"}) {
    ::setenv("TZ", other, 1);
    ::tzset();
    const auto again = pack_folder(temp.path() / "two", "digits", tree_of(temp.path() / "two"), temp.path() / "2.zip");
    CHECK(again.ok());
    CHECK((again.ok() && *again == *first));
    CHECK(temp.read("1.zip") == temp.read("2.zip"));
    REQUIRE(remove_file(temp.path() / "2.zip").ok());
  }
  zone.empty() ? ::unsetenv("TZ") : ::setenv("TZ", zone.c_str(), 1);
  ::tzset();
  ::umask(mask);
}

TEST_CASE("the bytes of a zip are fixed", "[zip]") {
  const TempFolder temp;
  make_executable(temp.write("folder/run", "#!"));
  temp.folder("folder/void");
  REQUIRE(pack_folder(temp.path() / "folder", "r", tree_of(temp.path() / "folder"), temp.path() / "r.zip").ok());
  RawEntry root = raw_entry("r/", "");
  RawEntry run = raw_entry("r/run", "#!");
  RawEntry empty = raw_entry("r/void/", "");
  run.attributes = 0100755U << 16U;
  RawZip expected;
  expected.entries = {root, run, empty};
  for (RawEntry& entry : expected.entries) {
    entry.both([](RawHeader& header) { header.flags = 0; });
  }
  std::string bytes = temp.read("r.zip");
  // libzip states who made it and what is needed in its own way; neither depends on the content.
  const std::string wanted = expected.bytes();
  REQUIRE(bytes.size() == wanted.size());
  for (const std::string_view signature : {"PK\x03\x04", "PK\x01\x02"}) {
    const std::size_t fixed = signature == "PK\x01\x02" ? 8 : 6;
    for (std::size_t at = bytes.find(signature); at != std::string::npos; at = bytes.find(signature, at + 1)) {
      bytes.replace(at, fixed, wanted, at, fixed);
    }
  }
  CHECK(bytes == wanted);
}

TEST_CASE("a file that is no longer what the tree says is noticed and named", "[zip]") {
  const TempFolder temp;
  fill(temp, "folder");
  const Tree tree = tree_of(temp.path() / "folder");
  const Path changed = temp.path() / "folder/bin-2/x";
  SECTION("other bytes of the same length") { temp.write("folder/bin-2/x", "y"); }
  SECTION("longer") { temp.write("folder/bin-2/x", "xy"); }
  SECTION("shorter") { temp.write("folder/bin-2/x", ""); }
  SECTION("gone") { boost::filesystem::remove(changed); }
  SECTION("a folder now") {
    boost::filesystem::remove(changed);
    temp.folder("folder/bin-2/x");
  }
  SECTION("a link to the same bytes now") {
    boost::filesystem::rename(changed, temp.path() / "folder/bin-2/real");
    boost::filesystem::create_symlink("real", changed);
  }
  const auto packed = pack_folder(temp.path() / "folder", "digits", tree, temp.path() / "digits.zip");
  REQUIRE_FALSE(packed.ok());
  CHECK_THAT(packed.error().message, Contains("bin-2/x'"));
  CHECK(list_folder(temp.path()).value() == std::vector<std::string>{"folder"});
}

TEST_CASE("what cannot be read back is not packed", "[zip]") {
  const TempFolder temp;
  const auto refusal = [&](const std::string& root) {
    const auto packed =
        pack_folder(temp.path() / "folder", root, tree_of(temp.path() / "folder"), temp.path() / "z.zip");
    return packed.ok() ? "(packed)" : packed.error().message;
  };
  temp.write("folder/ok", "ok");
  CHECK(refusal("root") == "(packed)");
  CHECK_THAT(refusal("root"), Contains("z.zip': File exists"));
  REQUIRE(remove_file(temp.path() / "z.zip").ok());
  CHECK_THAT(refusal("a/b"), Contains("'a/b' is not the name of one root folder"));
  CHECK_THAT(refusal(".."), Contains("has '..' as a part of its name"));
  temp.write("folder/\xFF", "bytes");
  CHECK_THAT(refusal("root"), Contains("the entry 'root/\xEF\xBF\xBD' has a name that is not UTF-8"));
  boost::filesystem::rename(temp.path() / "folder/\xFF", temp.path() / "folder/OK");
  CHECK_THAT(refusal("root"), Contains("the entry 'root/ok' differs only in case from 'root/OK'"));
  REQUIRE(remove_tree(temp.path() / "folder").ok());
  temp.folder("folder");
  CHECK_THAT(refusal("root"), Contains("'root' is empty"));
  CHECK(list_folder(temp.path()).value() == std::vector<std::string>{"folder"});
}

TEST_CASE("a hostile zip is refused with a sentence that says why, and writes nothing outside its folder", "[zip]") {
  const auto zips = hostile_zips();
  std::vector<std::string> phrases;
  for (const HostileZip& hostile : zips) {
    const TempFolder temp;
    const Path zip = temp.write("package.zip", hostile.bytes);
    const auto unpacked = unpack(zip, temp.path() / "a/b/out");
    INFO("no folder yet: " << message_of(unpacked));
    REQUIRE_FALSE(unpacked.ok());  // make_folder makes one folder only

    temp.folder("a/b");
    const auto result = unpack(zip, temp.path() / "a/b/out");
    INFO(hostile.what << ": " << message_of(result));
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == Errc::invalid);
    CHECK_THAT(result.error().message, StartsWith("the zip '" + zip.string() + "' is refused: "));
    CHECK_THAT(result.error().message, Contains(hostile.phrase));
    CHECK(printable(result.error().message) == result.error().message);
    CHECK(list_folder(temp.path()).value() == std::vector<std::string>{"a", "package.zip"});
    CHECK(list_folder(temp.path() / "a/b").value() == std::vector<std::string>{"out"});
    if (!hostile.told_by_data) CHECK(list_folder(temp.path() / "a/b/out").value().empty());
    phrases.push_back(hostile.phrase);
  }
  std::sort(phrases.begin(), phrases.end());
  phrases.erase(std::unique(phrases.begin(), phrases.end()), phrases.end());
  CHECK(phrases.size() >= 50);
}

TEST_CASE("zips as honest tools make them are read", "[zip]") {
  const TempFolder temp;
  RawZip zip;
  zip.entries = {raw_entry("root/a"), raw_deflated("root/sub/b", std::string(200'000, 'b'))};
  SECTION("plainly") {}
  SECTION("with a comment") { zip.comment = "made by hand"; }
  SECTION("with a comment that mentions an end record") { zip.comment = "PK\x05\x06 is how it ends"; }
  SECTION("with a 64-bit end record") {
    zip.end64 = RawEnd64();
    zip.count = 0xFFFF;
    zip.directory_offset = 0xFFFFFFFF;
  }
  SECTION("with 64-bit sizes") {
    zip.entries[0].both([](RawHeader& header) {
      header.size = header.packed = 0xFFFFFFFF;
      header.extra = little(1, 2) + little(16, 2) + little(7, 8) + little(7, 8);
    });
  }
  SECTION("with sizes behind the data") {
    for (RawEntry& entry : zip.entries) {
      entry.local.flags = entry.central.flags = 0x0808;
      entry.after =
          "PK\x07\x08" + little(entry.central.crc, 4) + little(entry.central.packed, 4) + little(entry.central.size, 4);
      entry.local.crc = entry.local.packed = 0;
      entry.local.size = &entry == zip.entries.data() ? 0 : entry.central.size;  // libarchive tells this one
    }
  }
  SECTION("with sizes behind the data, without a signature, in 64 bits") {
    RawEntry& entry = zip.entries[0];
    entry.local.flags = 0x0808;
    entry.after = little(entry.central.crc, 4) + little(7, 8) + little(7, 8);
    entry.local.crc = entry.local.packed = entry.local.size = 0;
  }
  SECTION("with padding in the extra field") { zip.entries[0].local.extra = std::string(3, '\0'); }
  SECTION("with a directory in another order") {
    zip.entries[0].offset = 30 + 10 + static_cast<std::uint32_t>(zip.entries[1].data.size());
    zip.entries[1].offset = 0;
    std::string bytes = zip.bytes();
    // The data in the reverse order of the directory.
    RawZip reversed;
    reversed.entries = {zip.entries[1], zip.entries[0]};
    const std::size_t data = bytes.find("PK\x01\x02");
    bytes.replace(0, data, reversed.bytes(), 0, data);
    temp.write("package.zip", bytes);
  }
  SECTION("from Windows, without modes") {
    for (RawEntry& entry : zip.entries) {
      entry.made_by = 20;
      entry.attributes = 0x20;
    }
  }
  SECTION("with folders listed, the root too, and after their files") {
    zip.entries.push_back(raw_entry("root/sub/", ""));
    zip.entries.push_back(raw_entry("root/", ""));
  }
  if (!boost::filesystem::exists(temp.path() / "package.zip")) temp.write("package.zip", zip.bytes());
  const auto result = unpack(temp.path() / "package.zip", temp.path() / "out");
  INFO(message_of(result));
  REQUIRE(result.ok());
  CHECK(result->root == "root");
  CHECK(temp.read("out/a") == "content");
  CHECK(temp.read("out/sub/b") == std::string(200'000, 'b'));
  CHECK(tree_of(temp.path() / "out").files() == 2);
}

TEST_CASE("a zip inside a zip does not confuse the reader", "[zip]") {
  const TempFolder temp;
  RawZip inner;
  inner.entries = {raw_entry("other/evil")};
  RawZip zip;
  zip.entries = {raw_entry("root/inner.zip", inner.bytes())};
  for (int i = 0; i < 200; ++i) zip.entries.push_back(raw_entry("root/" + std::to_string(i) + ".zip", inner.bytes()));
  temp.write("package.zip", zip.bytes());
  const auto result = unpack(temp.path() / "package.zip", temp.path() / "out");
  INFO(message_of(result));
  REQUIRE(result.ok());
  CHECK(temp.read("out/inner.zip") == inner.bytes());
  CHECK(list_folder(temp.path() / "out").value().size() == 201);
}

TEST_CASE("only the owner's executable bit is taken from a mode, and only from Unix", "[zip]") {
  const TempFolder temp;
  RawZip zip;
  const std::vector<std::pair<std::uint32_t, bool>> modes = {{0100644, false}, {0100755, true}, {0100711, true},
                                                             {0100611, false}, {0106755, true}, {0101777, true},
                                                             {0, false},       {0600, false},   {0700, true}};
  for (std::size_t i = 0; i < modes.size(); ++i) {
    zip.entries.push_back(raw_entry("root/" + std::to_string(i)));
    zip.entries.back().attributes = modes[i].first << 16U;
  }
  zip.entries.push_back(raw_entry("root/windows"));
  zip.entries.back().made_by = 0x0A14;
  zip.entries.back().attributes = 0100755U << 16U;
  temp.write("package.zip", zip.bytes());
  const auto result = unpack(temp.path() / "package.zip", temp.path() / "out");
  INFO(message_of(result));
  REQUIRE(result.ok());
  for (std::size_t i = 0; i < modes.size(); ++i) {
    struct stat status {};
    REQUIRE(::stat((temp.path() / "out" / std::to_string(i)).c_str(), &status) == 0);
    INFO(std::oct << modes[i].first);
    CHECK(((status.st_mode & 0100) != 0) == modes[i].second);
    CHECK((status.st_mode & 07000) == 0);
    CHECK((status.st_mode & 0022) == 0);
  }
  struct stat status {};
  REQUIRE(::stat((temp.path() / "out/windows").c_str(), &status) == 0);
  CHECK((status.st_mode & 0111) == 0);
}

TEST_CASE("too many entries are refused without reading them", "[zip]") {
  const TempFolder temp;
  RawZip zip;
  zip.entries = {raw_entry("root/a")};
  std::string directory;
  SECTION("by the count") {
    zip.end64 = RawEnd64{limits::kZipEntries + 1, std::nullopt, 1};
    zip.count = 0xFFFF;
    temp.write("package.zip", zip.bytes());
    const auto result = unpack(temp.path() / "package.zip", temp.path() / "out");
    CHECK_THAT(message_of(result), Contains("more than 200000 entries"));
  }
  SECTION("by the folders that the names imply") {
    zip.entries.clear();
    for (int i = 0; i < 500; ++i) {
      std::string name = "root/" + std::to_string(i);
      for (int part = 0; part < 500; ++part) name += "/d";
      zip.entries.push_back(raw_entry(name, ""));
    }
    temp.write("package.zip", zip.bytes());
    const std::clock_t start = std::clock();
    const auto result = unpack(temp.path() / "package.zip", temp.path() / "out");
    CHECK_THAT(message_of(result), Contains("more than 200000 files and folders"));
    CHECK(list_folder(temp.path() / "out").value().empty());
    CHECK((std::clock() - start) / CLOCKS_PER_SEC < 20);
  }
}

TEST_CASE("thousands of end records in the data cost nothing", "[zip]") {
  const TempFolder temp;
  RawZip inner;
  for (int i = 0; i < 5000; ++i) inner.entries.push_back(raw_entry("x" + std::to_string(i), ""));
  const std::string bytes = inner.bytes();
  const std::string end = bytes.substr(bytes.size() - 22);
  std::string data = bytes;
  for (int i = 0; i < 2000; ++i) data += end;
  RawZip zip;
  zip.entries = {raw_entry("a/b", data)};
  temp.write("package.zip", zip.bytes());
  const std::clock_t start = std::clock();
  const auto result = unpack(temp.path() / "package.zip", temp.path() / "out");
  INFO(message_of(result));
  REQUIRE(result.ok());
  CHECK(temp.read("out/b") == data);
  CHECK((std::clock() - start) / CLOCKS_PER_SEC < 5);
}

TEST_CASE("cuts and damages of a zip are refused or harmless", "[zip]") {
  const TempFolder temp;
  temp.write("folder/package.json", "{}");
  make_executable(temp.write("folder/bin/run", "#!/bin/sh\n"));
  const Tree tree = tree_of(temp.path() / "folder");
  REQUIRE(pack_folder(temp.path() / "folder", "digits", tree, temp.path() / "digits.zip").ok());
  const std::string whole = temp.read("digits.zip");
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    temp.write("cut.zip", std::string_view(whole).substr(0, size));
    const auto result = unpack(temp.path() / "cut.zip", temp.path() / "out");
    INFO("cut at " << size);
    REQUIRE_FALSE(result.ok());
    REQUIRE(result.error().code == Errc::invalid);
    REQUIRE(list_folder(temp.path() / "out").value().empty());
    REQUIRE(remove_tree(temp.path() / "out").ok());
  }
  unsigned accepted = 0;
  for (std::size_t at = 0; at < whole.size(); at += 3) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ (1U << (at % 8)));
    temp.write("damaged.zip", damaged);
    const auto result = unpack(temp.path() / "damaged.zip", temp.path() / "out");
    if (result.ok()) {
      // A time, a version or a bit of a mode: no byte of the content differs.
      ++accepted;
      REQUIRE(tree_of(temp.path() / "out").bytes() == tree.bytes());
    }
    REQUIRE(remove_tree(temp.path() / "out").ok());
  }
  CHECK(accepted > 0);
  CHECK(list_folder(temp.path()).value() == std::vector<std::string>{"cut.zip", "damaged.zip", "digits.zip", "folder"});
}

TEST_CASE("what is not a zip file", "[zip]") {
  const TempFolder temp;
  temp.folder("folder.zip");
  CHECK_THAT(message_of(unpack(temp.path() / "folder.zip", temp.path() / "1")), Contains("it is not a file"));
  REQUIRE(::mkfifo((temp.path() / "pipe.zip").c_str(), 0600) == 0);
  CHECK_THAT(message_of(unpack(temp.path() / "pipe.zip", temp.path() / "2")), Contains("it is not a file"));
  const auto missing = unpack(temp.path() / "missing.zip", temp.path() / "3");
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == Errc::not_found);
  RawZip zip;
  zip.entries = {raw_entry("root/a")};
  temp.write("real.zip", zip.bytes());
  boost::filesystem::create_symlink("real.zip", temp.path() / "link.zip");
  CHECK(unpack(temp.path() / "link.zip", temp.path() / "4").ok());
}

TEST_CASE("a folder that already holds something is not overwritten", "[zip]") {
  const TempFolder temp;
  RawZip zip;
  zip.entries = {raw_entry("root/a")};
  temp.write("real.zip", zip.bytes());
  temp.write("out/a", "mine");
  auto writer = FolderWriter::at(temp.path() / "out");
  REQUIRE(writer.ok());
  const auto result = unpack_zip(temp.path() / "real.zip", *writer);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == Errc::exists);
  CHECK(temp.read("out/a") == "mine");
}

}  // namespace
}  // namespace trainyard::zip_test
