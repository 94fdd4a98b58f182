// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/mman.h>

#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "storage/archives/archive_reader.hpp"
#include "storage/archives/tar_writer.hpp"
#include "storage/objects/memory_objects.hpp"
#include "storage/values/sha256.hpp"
#include "storage/values/utf8.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/hostile_archives.hpp"
#include "tests/unit/hostile_zips.hpp"

using namespace trainyard;
using namespace std::string_literals;

namespace {

RelPath path_of(const std::string& bytes) { return RelPath::parse(bytes).value(); }

struct File {
  std::string bytes;
  bool executable = false;
};

// A tree of these files and empty folders, with their bytes in the store.
Tree tree_of(const std::map<std::string, File>& files, const std::set<std::string>& folders, ObjectStore& objects) {
  std::vector<TreeEntry> entries;
  for (const auto& [path, file] : files) {
    const Digest digest = objects.put(file.bytes).value();
    entries.push_back({path_of(path), TreeEntry::Kind::file, file.bytes.size(), file.executable, digest});
  }
  for (const std::string& path : folders) {
    entries.push_back({path_of(path), TreeEntry::Kind::empty_folder, 0, false, std::nullopt});
  }
  return Tree::of(std::move(entries)).value();
}

ArchiveOptions one_thread() {
  ArchiveOptions options;
  options.threads = 1;
  return options;
}

// Archives of these bytes, one after another; in memory, because there are many.
class Reading {
 public:
  Result<Tree> read(std::string_view bytes) {
    if (::ftruncate(memory_.get(), 0) != 0 || ::lseek(memory_.get(), 0, SEEK_SET) != 0)
      return fail(Errc::io, "no memory");
    TRY(write_all(memory_.get(), bytes, in_memory()));
    return read_archive(in_memory(), objects, one_thread());
  }
  // A file of the tree that was read.
  std::string content(const Tree& tree, const std::string& path) {
    const auto entry = tree.find(path_of(path));
    return entry && entry->digest ? objects.read(*entry->digest, SIZE_MAX).value() : "(no file)";
  }
  [[nodiscard]] Path in_memory() const { return "/proc/self/fd/" + std::to_string(memory_.get()); }
  [[nodiscard]] Path path() const { return folder_.path() / "archive"; }
  [[nodiscard]] const TempFolder& folder() const { return folder_; }

  MemoryObjects objects;

 private:
  TempFolder folder_;
  UniqueFd memory_{::memfd_create("archive", MFD_CLOEXEC)};
};

const std::map<std::string, File> kManyKinds = {
    {"a", {"content", false}},
    {"bin/run", {"#!/bin/sh\n", true}},
    {"d-x/empty", {"", false}},
    {"d/e/f", {std::string(511, 'f'), false}},
    {"d/e/g", {std::string(512, 'g'), false}},
    {"d/e/h", {std::string(513, '\0'), false}},
    {"large", {std::string(3'000'000, 'l'), false}},
    {"names/A\xCC\x88 decomposed", {"1", false}},
    {"names/C:\\windows", {"2", false}},
    {"names/new\nline", {"3", false}},
    {"names/not UTF-8 \xFF\xFE", {"4", false}},
    {"names/surrogates \xED\xA0\x80\xED\xB0\x80", {"5", false}},
    {"names/\xC3\x84\xE6\xBC\xA2", {"6", false}},
    {"p/" + std::string(97, 'n') + "/" + std::string(99, 'n'), {"fits in two fields", false}},
    {"p/" + std::string(97, 'n') + "/" + std::string(101, 'n'), {"fits in none", false}},
    {"q/" + std::string(250, 'n') + "/" + std::string(255, 'n'), {"long", true}},
};
const std::set<std::string> kEmptyFolders = {"void", "q/" + std::string(250, 'v'), "names/\xFF"};

int shell(const std::string& command) { return std::system(command.c_str()); }

}  // namespace

TEST_CASE("hostile archives are refused, each with its own sentence", "[archives]") {
  Reading reading;
  const std::vector<HostileArchive> archives = hostile_archives();
  REQUIRE(archives.size() > 100);
  for (const HostileArchive& archive : archives) {
    CAPTURE(archive.what);
    const auto tree = reading.read(archive.bytes);
    REQUIRE_FALSE(tree.ok());
    const std::string sentence = "the archive '" + reading.in_memory().string() + "' is refused: " + archive.sentence;
    // The end of some is libarchive's.
    const std::string& message = tree.error().message;
    CHECK(message.substr(0, sentence.ends_with(": ") ? sentence.size() : message.size()) == sentence);
    CHECK(printable(message) == message);
    CHECK(tree.error().code == Errc::invalid);
  }
}

TEST_CASE("a zip that is hostile as a package is hostile as a dataset, but for its names", "[archives]") {
  Reading reading;
  // A dataset has no root folder, names as a folder has them, and two names where only case differs.
  const std::set<std::string> fine = {"newline",        "escape",       "C1 control",       "not UTF-8",
                                      "overlong UTF-8", "case",         "second root",      "second root by case",
                                      "macOS",          "file outside", "case of a folder", "case beyond ASCII",
                                      "folder twice",   "only a root"};
  for (const HostileZip& zip : hostile_zips()) {
    CAPTURE(zip.what);
    const auto tree = reading.read(zip.bytes);
    CHECK(tree.ok() == (fine.count(zip.what) == 1));
  }
}

TEST_CASE("every dialect of tar gives the same tree", "[archives]") {
  Reading reading;
  const Path source = reading.folder().folder("source");
  const std::map<std::string, File> files = {
      {"bin/run", {"#!/bin/sh\n", true}},  {"d/\xC3\x84", {"umlaut", false}},
      {"d/\xFF", {"no UTF-8", false}},     {"holes", {"x" + std::string(3'000'000, '\0') + "y", false}},
      {"links/first", {"the same", true}}, {"links/second", {"the same", true}}};
  for (const auto& [path, file] : files) {
    if (path == "links/second" || path == "holes") continue;
    boost::filesystem::permissions(reading.folder().write("source/" + path, file.bytes),
                                   file.executable ? boost::filesystem::owner_all : boost::filesystem::owner_read);
  }
  boost::filesystem::create_hard_link(source / "links/first", source / "links/second");
  reading.folder().folder("source/void");
  REQUIRE(shell("cd '" + source.string() + "' && printf x > holes && truncate -s 3000001 holes && printf y >> holes") ==
          0);
  const Tree expected = tree_of(files, {"void"}, reading.objects);

  const std::string tar = "tar -C '" + source.string() + "' -cf '" + reading.path().string() + "' ";
  for (const char* const how : {"--format=v7", "--format=oldgnu", "--format=gnu", "--format=ustar", "--format=posix",
                                "--format=gnu -S", "--format=posix -S", "--format=posix -S --sparse-version=0.0",
                                "--format=posix -S --sparse-version=0.1", "-z"}) {
    for (const char* const what :
         {".", "bin d holes links void", "--no-recursion bin bin/run d d/* holes links/* void"}) {
      CAPTURE(how, what);
      REQUIRE(shell("cd '" + source.string() + "' && LC_ALL=C " + tar + how + " " + what) == 0);
      const auto tree = read_archive(reading.path(), reading.objects);
      REQUIRE(tree.ok());
      CHECK(*tree == expected);
    }
  }
}

TEST_CASE("what looks hostile and is not", "[archives]") {
  Reading reading;
  const std::string file = RawTarEntry{"a", "content"}.bytes();
  const auto read = [&](const std::string& bytes) {
    auto tree = reading.read(bytes);
    if (!tree.ok()) FAIL(tree.error().message);
    return std::move(tree).value();
  };
  SECTION("nothing at all") { CHECK(read(tar_end()).size() == 0); }
  SECTION("more zeros than needed") { CHECK(read(file + std::string(100'000, '\0')).size() == 1); }
  SECTION("the folder itself, and folders twice") {
    const std::string folder = RawTarEntry{"./d/", "", '5'}.bytes();
    const Tree tree =
        read(RawTarEntry{"./", "", '5'}.bytes() + folder + folder + RawTarEntry{"./d/b", "x"}.bytes() + tar_end());
    REQUIRE(tree.size() == 1);
    CHECK(tree.entry(0).path.bytes() == "d/b");
  }
  SECTION("names that differ only in case or in form") {
    const Tree tree = read(file + RawTarEntry{"A", "x"}.bytes() + pax_header(pax_record("path", "\xC3\x84")) + file +
                           pax_header(pax_record("path", "A\xCC\x88")) + file + tar_end());
    CHECK(tree.size() == 4);
    CHECK(tree.find(path_of("A\xCC\x88")));
  }
  SECTION("modes beyond the executable bit, other kinds of file, a comment for all entries") {
    RawTarEntry set_user{"s", "x"};
    set_user.mode = 07755;
    RawTarEntry global{"g", pax_record("comment", "0123456789abcdef"), 'g'};
    const Tree tree = read(global.bytes() + set_user.bytes() + RawTarEntry{"c", "x", '7'}.bytes() + tar_end());
    REQUIRE(tree.size() == 2);
    CHECK_FALSE(tree.entry(0).executable);
    CHECK(tree.entry(1).executable);
  }
  SECTION("sparse files: zeros where nothing is") {
    const Tree tree = read(gnu_sparse("s", {{2, 3}, {7, 1}}, 10, "abcd") + tar_end());
    CHECK(reading.content(tree, "s") == std::string("\0\0abc\0\0d\0\0", 10));
  }
  SECTION("several gzip members, several Zstandard frames, frames to skip") {
    const std::string tar = file + tar_end();
    const std::string skipped = std::string("\x5A\x2A\x4D\x18", 4) + little(5, 4) + "hello";
    CHECK(read(gzipped(tar.substr(0, 700)) + gzipped(tar.substr(700))).size() == 1);
    CHECK(read(skipped + zstandard(tar.substr(0, 700)) + skipped + zstandard(tar.substr(700))).size() == 1);
  }
  SECTION("a zip, packed or not, with names in no known encoding") {
    RawZip zip;
    zip.entries = {raw_entry("./d/", ""), raw_deflated("\x84.txt", std::string(200'000, 'x')), raw_entry("empty", "")};
    zip.entries[1].attributes = 0100755U << 16U;
    const Tree tree = read(zip.bytes());
    REQUIRE(tree.size() == 3);
    CHECK(tree.find(path_of("d"))->kind == TreeEntry::Kind::empty_folder);
    CHECK(tree.find(path_of("\x84.txt"))->executable);
    CHECK(reading.content(tree, "\x84.txt") == std::string(200'000, 'x'));
  }
}

TEST_CASE("a tar is read back as the tree it was written from", "[archives]") {
  Reading reading;
  const Tree tree = tree_of(kManyKinds, kEmptyFolders, reading.objects);
  TarOptions options;
  options.compression = GENERATE(TarCompression::none, TarCompression::zstd);
  const Path first = reading.folder().path() / "first";
  const auto summary = write_tar(tree, reading.objects, first, options);
  REQUIRE(summary.ok());
  CHECK(summary->files == tree.files());
  CHECK(summary->bytes == tree.bytes());
  CHECK(summary->archive_bytes == boost::filesystem::file_size(first));
  MemoryObjects others;
  const auto again = read_archive(first, others);
  REQUIRE(again.ok());
  CHECK(*again == tree);
  for (const TreeEntry& entry : tree.entries()) {
    if (entry.digest) CHECK(others.has(*entry.digest).value());
  }
  // The same tree from another store, into a file that is open already.
  const Path second = reading.folder().path() / "second";
  const UniqueFd fd = open_file(second, O_WRONLY | O_CREAT, 0600).value();
  REQUIRE(write_tar(*again, others, fd.get(), second, options).ok());
  CHECK(reading.folder().read("first") == reading.folder().read("second"));
  CHECK(list_folder(reading.folder().path())->size() == 2);
}

TEST_CASE("tar reads what was written", "[archives]") {
  Reading reading;
  const Tree tree = tree_of(kManyKinds, kEmptyFolders, reading.objects);
  REQUIRE(write_tar(tree, reading.objects, reading.path()).ok());
  const Path out = reading.folder().folder("out");
  REQUIRE(shell("LC_ALL=C tar -C '" + out.string() + "' -xf '" + reading.path().string() + "' 2> /dev/null") == 0);
  for (const auto& [path, file] : kManyKinds) {
    CAPTURE(path);
    CHECK(reading.folder().read("out/" + path) == file.bytes);
    const auto status = status_of(out / path);
    CHECK(((**status).st_mode & 0777U) == (file.executable ? 0755U : 0644U));
    CHECK((**status).st_mtime == 0);
  }
  for (const std::string& path : kEmptyFolders) CHECK(list_folder(out / path)->empty());
}

TEST_CASE("a tar is read as a tar, whatever the name of its first file looks like", "[archives]") {
  const std::string long_name(120, 'n');
  for (const std::string& begin : {"PK\x03\x04"s, "PK\x05\x06"s, "PK\x07\x08"s, "\x1F\x8B"s, "\x28\xB5\x2F\xFD"s,
                                   "\x50\x2A\x4D\x18"s, "PK\x03\x04"s + long_name}) {
    INFO(begin);
    Reading reading;
    const Tree tree = tree_of({{begin, {"one"}}, {begin + "2", {"two"}}}, {}, reading.objects);
    const UniqueFd fd = open_file(reading.path(), O_WRONLY | O_CREAT, 0644).value();
    REQUIRE(write_tar(tree, reading.objects, fd.get(), reading.path()).ok());
    const auto again = read_archive(reading.path(), reading.objects, one_thread());
    if (!again.ok()) FAIL_CHECK(again.error().message);
    if (again.ok()) CHECK(*again == tree);
  }
}

TEST_CASE("the bytes of a tar are these for ever", "[archives]") {
  Reading reading;
  const Tree tree = tree_of(kManyKinds, kEmptyFolders, reading.objects);
  REQUIRE(write_tar(tree, reading.objects, reading.path()).ok());
  CHECK(sha256(reading.folder().read("archive")).hex() ==
        "9bda081a38950b912ac774046f5461c7000a0e5d7a152714cf531695a9da9a4c");

  const std::string small = tar_header({path_of("d/b"), TreeEntry::Kind::file, 5, true, sha256("")});
  CHECK(small.substr(0, 5) == std::string("d/b\0\0", 5));
  CHECK(small.substr(100, 8) == std::string("0000755\0", 8));
  CHECK(small == RawTarEntry{"d/b", "12345", '0', "", 0755}.bytes().substr(0, 512));
}

TEST_CASE("a file of 8 GiB and more has its size in a record", "[archives]") {
  const auto header = [](std::uint64_t size) {
    return tar_header({path_of("huge"), TreeEntry::Kind::file, size, false, sha256("")});
  };
  CHECK(header((std::uint64_t{1} << 33U) - 1) == [] {
    RawTarEntry entry{"huge", ""};
    entry.size = std::string("77777777777\0", 12);
    return entry.bytes();
  }());
  const std::string large = header(std::uint64_t{1} << 33U);
  REQUIRE(large.size() == 3 * 512);
  CHECK(large.substr(512, 20) == "19 size=8589934592\n" + std::string(1, '\0'));
  // Whoever reads it takes the size from there: here it is far more than the archive could hold.
  Reading reading;
  const auto tree = reading.read(large + tar_end());
  REQUIRE_FALSE(tree.ok());
  CHECK(tree.error().message.ends_with("it would unpack to more than 1000 times its size"));
}

TEST_CASE("a tar appears whole or not at all", "[archives]") {
  Reading reading;
  const Tree tree =
      tree_of({{"a", {"content", false}}, {"b/c", {std::string(100'000, 'x'), false}}}, {}, reading.objects);
  const Path folder = reading.folder().folder("to");
  TarOptions options;
  const auto refused = [&](Errc code, const std::string& phrase) {
    const auto written = write_tar(tree, reading.objects, folder / "data.tar", options);
    REQUIRE_FALSE(written.ok());
    CHECK(written.error().code == code);
    CHECK(written.error().message.find(phrase) != std::string::npos);
  };
  SECTION("something is there") {
    reading.folder().write("to/data.tar", "mine");
    refused(Errc::exists, "data.tar");
    CHECK(reading.folder().read("to/data.tar") == "mine");
    CHECK(list_folder(folder)->size() == 1);
  }
  SECTION("something comes there meanwhile") {
    options.progress = [&](const TarProgress&) { reading.folder().write("to/data.tar", "mine"); };
    refused(Errc::exists, "data.tar");
    CHECK(reading.folder().read("to/data.tar") == "mine");
    CHECK(list_folder(folder)->size() == 1);
  }
  SECTION("a file's bytes are damaged") {
    reading.objects.damage(*tree.find(path_of("b/c"))->digest);
    refused(Errc::corrupt, "the file 'b/c'");
    CHECK(list_folder(folder)->empty());
  }
  SECTION("a file's bytes are missing") {
    reading.objects.forget(*tree.find(path_of("a"))->digest);
    refused(Errc::not_found, "the file 'a'");
    CHECK(list_folder(folder)->empty());
  }
  SECTION("stopped") {
    int asked = 0;
    options.cancelled = [&] { return ++asked > 2; };
    refused(Errc::cancelled, "stopped");
    CHECK(list_folder(folder)->empty());
  }
  SECTION("a tree that lies about a size") {
    auto lying = tree.entry(0);
    lying.size += GENERATE(-1, 1);
    const auto written = write_tar(Tree::of({lying}).value(), reading.objects, folder / "data.tar");
    REQUIRE_FALSE(written.ok());
    CHECK(written.error().code == Errc::corrupt);
    CHECK(list_folder(folder)->empty());
  }
}

TEST_CASE("reading an archive can be watched and stopped, and notices changes", "[archives]") {
  Reading reading;
  std::string tar;
  for (int i = 0; i < 20; ++i) tar += RawTarEntry{"f" + std::to_string(i), std::string(300'000, 'x')}.bytes();
  tar += tar_end();
  reading.folder().write("archive", tar);
  ArchiveOptions options;
  SECTION("watched") {
    ArchiveProgress last;
    options.progress = [&](const ArchiveProgress& progress) {
      CHECK(progress.bytes_done >= last.bytes_done);
      last = progress;
    };
    REQUIRE(read_archive(reading.path(), reading.objects, options).ok());
    CHECK(last.bytes_done == tar.size());
    CHECK(last.bytes == tar.size());
    CHECK(last.entries > 10);
  }
  SECTION("stopped") {
    int asked = 0;
    options.cancelled = [&] { return ++asked > 3; };
    const auto tree = read_archive(reading.path(), reading.objects, options);
    REQUIRE_FALSE(tree.ok());
    CHECK(tree.error().code == Errc::cancelled);
  }
  SECTION("changed") {
    options.progress = [&](const ArchiveProgress&) { reading.folder().write("archive", tar + std::string(512, '\0')); };
    const auto tree = read_archive(reading.path(), reading.objects, options);
    REQUIRE_FALSE(tree.ok());
    CHECK(tree.error().message.ends_with("is refused: it was changed while it was read"));
  }
  SECTION("no file") {
    CHECK(read_archive(reading.folder().path(), reading.objects).error().message.ends_with("it is not a file"));
    CHECK(read_archive(reading.folder().path() / "none", reading.objects).error().code == Errc::not_found);
  }
}

TEST_CASE("what is left of an archive that was cut is refused", "[archives]") {
  Reading reading;
  const Tree tree =
      tree_of({{"a", {"content", false}}, {"d/b", {std::string(700, 'x'), true}}, {"z\xC3\x84", {"", false}}}, {"void"},
              reading.objects);
  REQUIRE(write_tar(tree, reading.objects, reading.folder().path() / "tar").ok());
  const std::string tar = reading.folder().read("tar");
  RawZip zip;
  zip.entries = {raw_entry("a"), raw_deflated("b", "some bytes of data")};
  for (const std::string& whole : {tar, gzipped(tar), zstandard(tar), zip.bytes()}) {
    CAPTURE(whole.substr(0, 4));
    REQUIRE(reading.read(whole).ok());
    std::size_t accepted = 0;
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const auto part = reading.read(whole.substr(0, size));
      accepted += part.ok() ? 1 : 0;
    }
    CHECK(accepted == 0);
  }
}

TEST_CASE("no archive, however it is changed, does more than be refused", "[archives]") {
  Reading reading;
  const Tree tree =
      tree_of({{"a", {"content", false}}, {"d/\xC3\x84", {std::string(700, 'x'), true}}}, {"void"}, reading.objects);
  REQUIRE(write_tar(tree, reading.objects, reading.folder().path() / "tar").ok());
  const std::string tar = reading.folder().read("tar");
  RawZip zip;
  zip.entries = {raw_entry("a"), raw_deflated("b", "some bytes of data")};
  const std::vector<std::string> seeds = {
      tar,
      gzipped(tar),
      zstandard(tar),
      zip.bytes(),
      gnu_sparse("s", {{2, 3}, {7, 1}}, 10, "abcd") + gnu_long_name(std::string(150, 'n')) + tar,
      pax_header(pax_record("GNU.sparse.map", "2,3,7,1") + pax_record("GNU.sparse.size", "10")) + tar};
  std::mt19937 random(20260712);
  const auto below = [&](std::size_t limit) { return random() % limit; };
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = seeds[below(seeds.size())];
    for (std::size_t changes = 1 + below(4); changes > 0 && !bytes.empty(); --changes) {
      const std::size_t at = below(bytes.size());
      const auto byte = static_cast<char>(below(4) == 0 ? '0' + below(10) : random() & 0xFFU);
      switch (below(6)) {
        case 0: bytes.erase(at, 1 + below(40)); break;
        case 1: bytes.insert(at, 1 + below(40), byte); break;
        case 2: bytes.resize(at); break;
        case 3: bytes.insert(at, bytes.substr(below(bytes.size()), below(600))); break;
        default: bytes[at] = byte;
      }
      // A header whose checksum is right gets further.
      if (const std::size_t header = at / 512 * 512; below(2) == 0 && header + 512 <= bytes.size()) {
        std::uint64_t sum = 8 * 32;
        for (std::size_t i = 0; i < 512; ++i)
          sum += i < 148 || i >= 156 ? static_cast<std::uint8_t>(bytes[header + i]) : 0;
        for (std::size_t i = 6; i > 0; --i, sum >>= 3U) bytes[header + 147 + i] = static_cast<char>('0' + (sum & 7U));
        bytes[header + 154] = '\0';
      }
    }
    const auto read = reading.read(bytes);
    if (read.ok()) continue;
    const Error& error = read.error();
    if (error.code == Errc::invalid && is_utf8(error.message) && error.message.find('\n') == std::string::npos)
      continue;
    reading.folder().write("found", bytes);
    FAIL("round " << round << ": " << error.message);
  }
}
