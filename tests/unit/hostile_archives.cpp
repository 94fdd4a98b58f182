// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/hostile_archives.hpp"

#include <algorithm>

#include "tests/unit/hostile_zips.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kTarBlock = 512;

std::string octal(std::uint64_t value, std::size_t width) {
  std::string text(width - 1, '0');
  for (std::size_t i = width - 1; value > 0 && i > 0; --i, value >>= 3U)
    text[i - 1] = static_cast<char>('0' + (value & 7U));
  return text + '\0';
}

std::string padded(std::string bytes) {
  bytes.resize((bytes.size() + kTarBlock - 1) / kTarBlock * kTarBlock, '\0');
  return bytes;
}

std::string field(std::string text, std::size_t width) {
  text.resize(width, '\0');
  return text;
}

const std::string& first() {
  static const std::string bytes = RawTarEntry{"a", "content"}.bytes();
  return bytes;
}

// An honest tar but for what is between its first entry and its end.
std::string with(const std::string& middle) { return first() + middle + tar_end(); }
std::string with(const RawTarEntry& entry) { return with(entry.bytes()); }

std::string with_zip(const RawEntry& entry) {
  RawZip zip;
  zip.entries = {raw_entry("a"), entry};
  return zip.bytes();
}

using Table = std::vector<HostileArchive>;

void add_names(Table& table) {
  const auto add = [&](const char* what, const std::string& name, const std::string& sentence) {
    table.push_back({what, with(RawTarEntry{name, "x"}), sentence});
  };
  add("no name", "", "the entry '' has an empty name");
  add("absolute", "/etc/passwd", "the entry '/etc/passwd' has an absolute name");
  add("climbs out", "../evil", "the entry '../evil' has '..' as a part of its name, so it could leave its folder");
  add("climbs out later", "d/../../evil",
      "the entry 'd/../../evil' has '..' as a part of its name, so it could leave its folder");
  add("climbs out after ./", "./../evil",
      "the entry './../evil' has '..' as a part of its name, so it could leave its folder");
  add("dots only", "..", "the entry '..' has '..' as a part of its name, so it could leave its folder");
  add("dot", "d/./b", "the entry 'd/./b' has '.' as a part of its name");
  add("empty part", "d//b", "the entry 'd//b' has an empty part in its name");
  add("file named as its folder", ".", "the entry '.' is a file with the name of a folder");
  add("escape sequence", "\x1B[2J/..",
      "the entry '?[2J/..' has '..' as a part of its name, so it could leave its folder");
  add("not UTF-8", "\xFF/..",
      "the entry '\xEF\xBF\xBD/..' has '..' as a part of its name, so it could leave its folder");
  const auto add_long = [&](const char* what, const std::string& name, const std::string& rule) {
    table.push_back({what, with(gnu_long_name(name) + RawTarEntry{"short", "x"}.bytes()),
                     "the entry '" + name.substr(0, 200) + "' " + rule});
    table.push_back({std::string(what) + " in pax", with(pax_header(pax_record("path", name)) + first()),
                     "the entry '" + name.substr(0, 200) + "' " + rule});
  };
  add_long("long part", std::string(256, 'n'), "has a part longer than 255 bytes in its name");
  std::string deep = "d";
  for (int i = 0; i < 512; ++i) deep += "/d";
  add_long("deep", deep, "lies more than 512 folders deep");
  std::string many;
  for (int i = 0; i < 20; ++i) many += std::string(250, 'n') + "/";
  add_long("long name", many + "n", "has a name longer than 4096 bytes");
  while (many.size() < (64U << 10U)) many += std::string(250, 'n') + "/";
  add_long("name of 64 KiB", many + "n", "has a name longer than 4096 bytes");
  add_long("one part of 64 KiB", std::string(64U << 10U, 'n'), "has a part longer than 255 bytes in its name");
}

void add_places(Table& table) {
  table.push_back({"twice", with(first()), "the entry 'a' occurs twice"});
  table.push_back({"twice by ./", with(RawTarEntry{"./a", "x"}), "the entry 'a' occurs twice"});
  table.push_back({"file, then folder", with(RawTarEntry{"a/", "", '5'}), "the entry 'a' is both a file and a folder"});
  table.push_back({"folder, then file", with(RawTarEntry{"d/", "", '5'}.bytes() + RawTarEntry{"d", "x"}.bytes()),
                   "the entry 'd' is both a file and a folder"});
  table.push_back({"file as a folder", with(RawTarEntry{"a/b", "x"}),
                   "the entry 'a/b' lies in 'a', which is both a file and a folder"});
  table.push_back({"file as a folder far above", with(RawTarEntry{"a/b/c/d/", "", '5'}),
                   "the entry 'a/b/c/d' lies in 'a', which is both a file and a folder"});
}

void add_kinds(Table& table) {
  const auto add = [&](const char* what, char type, const std::string& rule) {
    table.push_back({what, with(RawTarEntry{"b", "", type, "a"}), "the entry 'b' " + rule});
  };
  const std::string device = "is a device, pipe or socket; only files and folders are read";
  add("symbolic link", '2', "is a symbolic link; only files and folders are read");
  add("character device", '3', device);
  add("block device", '4', device);
  add("pipe", '6', device);
  add("part of a file on several tapes", 'M', "is of an unknown kind; only files and folders are read");
  table.push_back({"symbolic link out", with(RawTarEntry{"b", "", '2', "../../etc/passwd"}),
                   "the entry 'b' is a symbolic link; only files and folders are read"});
  const auto link = [&](const char* what, const std::string& target) {
    table.push_back({what, with(RawTarEntry{"b", "", '1', target}.bytes() + RawTarEntry{"later", "x"}.bytes()),
                     "the entry 'b' is a hard link to '" + target + "', which is no file before it"});
  };
  link("hard link out", "../../etc/passwd");
  link("absolute hard link", "/etc/passwd");
  link("hard link to nothing", "nothing");
  link("hard link to a later file", "later");
  link("hard link to itself", "b");
  table.push_back({"hard link to a folder",
                   with(RawTarEntry{"d/", "", '5'}.bytes() + RawTarEntry{"b", "", '1', "d"}.bytes()),
                   "the entry 'b' is a hard link to 'd', which is no file before it"});
  table.push_back({"hard link with content",
                   with(pax_header(pax_record("comment", "x")) + RawTarEntry{"b", "x", '1', "a"}.bytes()),
                   "the entry 'b' is a hard link, yet has content"});
  table.push_back({"folder with content", with(RawTarEntry{"d/", "x"}), "the entry 'd/' is a folder, yet has content"});
  table.push_back({"folder of an incremental backup", with(RawTarEntry{"d/", "Ya", 'D'}),
                   "the entry 'd/' is a folder, yet has content"});
}

void add_sizes(Table& table) {
  const auto add = [&](const char* what, const std::string& size, const std::string& sentence) {
    RawTarEntry entry{"b", "x"};
    entry.size = size;
    table.push_back({what, with(entry), sentence});
  };
  const std::string damaged = "it is damaged at its entry 2: ";
  const std::string bomb = "it would unpack to more than 1000 times its size";
  add("negative size", std::string(12, '\xFF'), damaged + "Tar entry has negative size");
  add("size without end", '\x80' + std::string(11, '\xFF'), damaged + "Tar entry size overflow");
  add("enormous size", '\x80' + std::string(4, '\0') + '\x7F' + std::string(6, '\0'),
      "the entry 'b' is larger than 16 TiB by what it says");
  add("a terabyte in a kilobyte", '\x80' + std::string(5, '\0') + '\x01' + std::string(5, '\0'), bomb);
  add("longer than the rest", octal(5000, 12), "the entry 'b' is damaged: Truncated tar archive");
  table.push_back({"negative size in pax", with(pax_header(pax_record("size", "-5")) + first()),
                   damaged + "Tar size attribute is negative"});
  table.push_back({"size without end in pax", with(pax_header(pax_record("size", std::string(30, '9'))) + first()),
                   damaged + "Tar size attribute overflow"});
  table.push_back({"terabyte in pax", with(pax_header(pax_record("size", "1099511627776")) + first()), bomb});
  table.push_back({"real size below zero",
                   with(pax_header(pax_record("GNU.sparse.realsize", "-5")) + RawTarEntry{"b", "x"}.bytes()),
                   "the entry 'b' has a size below zero"});

  table.push_back({"sparse bomb", with(gnu_sparse("b", {{0, 1}}, std::uint64_t{1} << 40U, "x")), bomb});
  table.push_back({"many sparse files",
                   with(gnu_sparse("b", {{0, 1}}, 40U << 20U, "x") + gnu_sparse("c", {{0, 1}}, 40U << 20U, "x")),
                   bomb});
  table.push_back({"sparse pieces that overlap", with(gnu_sparse("b", {{4, 4}, {6, 4}}, 20, "12345678")),
                   "the entry 'b' is a sparse file whose pieces overlap"});
  table.push_back({"sparse pieces in the wrong order", with(gnu_sparse("b", {{10, 4}, {0, 4}}, 20, "12345678")),
                   "the entry 'b' is a sparse file whose pieces overlap"});
  table.push_back({"sparse piece behind the end", with(gnu_sparse("b", {{100, 4}}, 20, "1234")),
                   "the entry 'b' holds more bytes than it says"});
  table.push_back({"sparse piece over the end", with(gnu_sparse("b", {{18, 4}}, 20, "1234")),
                   "the entry 'b' holds more bytes than it says"});
  table.push_back({"sparse folder",
                   with(pax_header(pax_record("GNU.sparse.major", "1")) + RawTarEntry{"d/", "", '5'}.bytes()),
                   damaged});
  table.push_back({"hard links to a large file",
                   [] {
                     std::string tar = gnu_sparse("b", {{0, 1}}, 40U << 20U, "x");
                     for (const char* const name : {"c", "d"}) tar += RawTarEntry{name, "", '1', "b"}.bytes();
                     return with(tar);
                   }(),
                   bomb});
}

void add_headers(Table& table) {
  const std::string damaged = "it is damaged at its entry 2: ";
  const auto pax = [&](const char* what, const std::string& records, const std::string& reason) {
    table.push_back({what, with(pax_header(records) + RawTarEntry{"b", "x"}.bytes()), damaged + reason});
  };
  pax("pax record without a length", "x path=evil\n", "Ignoring malformed pax extended attributes");
  pax("pax record with a lying length", "99 path=evil\n", "Ignoring malformed pax extended attribute");
  pax("pax record without an end", "12 path=evil!", "Ignoring malformed pax extended attribute");
  pax("pax record without a value", "9 patevi\n", "Invalid pax extended attributes");
  pax("pax record of ten megabytes", "10000000 path=evil\n", "Rejecting pax extended attribute > 1MB");
  pax("sparse of another kind", pax_record("GNU.sparse.major", "7"), "Unrecognized GNU sparse file format");
  table.push_back({"pax header of two megabytes",
                   with(pax_header(pax_record("comment", std::string(2U << 20U, 'x'))) + first()),
                   damaged + "Special header too large"});
  std::string many;
  for (int i = 0; i < 40; ++i) many += pax_header(pax_record("comment", "x"));
  table.push_back({"forty headers for one entry", with(many + RawTarEntry{"b", "x"}.bytes()), damaged});
  table.push_back({"long name without an entry", first() + gnu_long_name("b"), damaged + "Damaged tar archive"});
  std::string chain = RawTarEntry{"b", "", 'S'}.bytes();
  const std::string piece = octal(0, 12) + octal(0, 12);
  std::string block;
  for (int i = 0; i < 21; ++i) block += piece;
  block = field(block + '\1', kTarBlock);
  table.push_back({"map of a sparse file without end",
                   [&] {
                     std::vector<RawPiece> pieces(4);
                     std::string header = gnu_sparse("b", pieces, 0, "").substr(0, kTarBlock);
                     header[482] = 1;
                     header = RawTarEntry{"b", "", 'S', "", 0644, {}, "ustar  ", header.substr(345)}.bytes();
                     std::string tar = header;
                     for (int i = 0; i < 20'000; ++i) tar += block;
                     return with(tar);
                   }(),
                   "it has headers of more than 8 MiB for one entry"});

  std::string wrong = RawTarEntry{"b", "x"}.bytes();
  wrong[0] = 'c';
  table.push_back({"wrong checksum", with(wrong), damaged + "Damaged tar archive"});
  table.push_back({"rubbish between entries", with(std::string(kTarBlock, 'x')), damaged + "Damaged tar archive"});
}

void add_ends(Table& table) {
  const std::string cut = "it is cut short: the two blocks of zeros that end a tar are missing";
  const std::string more = "it has something after its end; one tar is read, and nothing behind it";
  table.push_back({"no end", first(), cut});
  table.push_back({"half an end", first() + std::string(kTarBlock, '\0'), cut});
  table.push_back({"zeros as content and no end", RawTarEntry{"b", std::string(2048, '\0')}.bytes(), cut});
  table.push_back({"two tars in a row", with("") + with(""), more});
  table.push_back({"something after the end", with("") + "x", more});
  table.push_back({"something long after the end", with("") + std::string(1'000'000, '\0') + "x", more});
  table.push_back({"cut in a header", first() + std::string("b").append(100, '\0'),
                   "it is damaged at its entry 2: Truncated tar archive"});
}

void add_streams(Table& table) {
  const std::string unknown = "it is neither a tar (plain, or compressed by gzip or Zstandard) nor a zip";
  table.push_back({"empty file", "", unknown});
  table.push_back({"text", std::string(100'000, 'x'), unknown});
  table.push_back({"too short for a block", std::string(511, '\0'), unknown});
  table.push_back({"xz",
                   std::string("\xFD"
                               "7zXZ\0",
                               6) +
                       std::string(1000, 'x'),
                   unknown});
  table.push_back({"gzip of text", gzipped(std::string(1000, 'x')), unknown});
  table.push_back({"gzip in gzip", gzipped(gzipped(with(""))), unknown});
  table.push_back({"zip in Zstandard", zstandard(with_zip(raw_entry("b"))), unknown});

  const std::string gzip = gzipped(with(""));
  const auto changed = [](std::string bytes, std::size_t from_end) {
    bytes[bytes.size() - from_end] = static_cast<char>(bytes[bytes.size() - from_end] ^ 1);
    return bytes;
  };
  table.push_back({"gzip cut short", gzip.substr(0, gzip.size() - 1), "it is cut short: its gzip stream has no end"});
  table.push_back({"wrong checksum in gzip", changed(gzip, 8), "its gzip stream is damaged: incorrect data check"});
  table.push_back({"wrong length in gzip", changed(gzip, 4), "its gzip stream is damaged: incorrect length check"});
  table.push_back({"changed byte in gzip", changed(gzip, 9), "its gzip stream is damaged: incorrect data check"});
  table.push_back({"something after gzip", gzip + "x", "it has something after the end of its gzip stream"});
  table.push_back(
      {"zeros after gzip", gzip + std::string(10, '\0'), "it has something after the end of its gzip stream"});
  table.push_back(
      {"no deflate in gzip", gzip.substr(0, 10) + "\x07", "its gzip stream is damaged: invalid block type"});
  table.push_back({"tar cut short in gzip", gzipped(first()),
                   "it is cut short: the two blocks of zeros that end a tar are missing"});
  table.push_back({"two tars in two gzip members", gzip + gzip,
                   "it has something after its end; one tar is read, and nothing behind it"});

  const std::string zstd = zstandard(with(""));
  table.push_back(
      {"Zstandard cut short", zstd.substr(0, zstd.size() - 1), "it is cut short: its Zstandard stream has no end"});
  table.push_back(
      {"something after Zstandard", zstd + "rubbish!", "its Zstandard stream is damaged: Unknown frame descriptor"});
  std::string checked = zstd + std::string(4, 'x');
  checked[4] = 4;
  table.push_back({"wrong checksum in Zstandard", checked,
                   "its Zstandard stream is damaged: Restored data doesn't match checksum"});
  std::string wide = zstd;
  wide[5] = '\xF8';
  table.push_back({"Zstandard that wants gigabytes", wide,
                   "its Zstandard stream is damaged: Frame requires too much memory for decoding"});
  // 128 KiB of zeros in four bytes, a thousand times.
  std::string bomb("\x28\xB5\x2F\xFD\x00\x58", 6);
  for (int i = 0; i < 1000; ++i) bomb += little(2U | (131072U << 3U), 3) + '\0';
  table.push_back({"Zstandard bomb", bomb, "it would unpack to more than 1000 times its size"});
}

void add_zips(Table& table) {
  const auto add = [&](const char* what, const std::string& name, const std::string& sentence) {
    table.push_back({what, with_zip(raw_entry(name, name.ends_with('/') ? "" : "x")), sentence});
  };
  add("zip: climbs out", "../evil", "the entry '../evil' has '..' as a part of its name, so it could leave its folder");
  add("zip: absolute", "/etc/passwd", "the entry '/etc/passwd' has an absolute name");
  add("zip: backslash", "d\\b", "the entry 'd\\b' has a backslash in its name; folders are separated by '/'");
  add("zip: drive letter", "C:evil", "the entry 'C:evil' has a drive letter in its name");
  add("zip: NUL", std::string("b\0c", 3), "the entry 'b?c' has a NUL byte in its name");
  add("zip: twice", "a", "the entry 'a' occurs twice");
  add("zip: file and folder", "a/", "the entry 'a' is both a file and a folder");
  add("zip: file as a folder", "a/b", "the entry 'a/b' lies in 'a', which is both a file and a folder");
  RawEntry damaged = raw_entry("b", "content");
  damaged.data[3] = '!';
  table.push_back({"zip: wrong checksum", with_zip(damaged), "the entry 'b' is damaged: its checksum is wrong"});
  RawEntry longer = raw_deflated("b", "twenty bytes of data");
  longer.local.size = longer.central.size = 5;
  table.push_back({"zip: longer than it says", with_zip(longer), "the entry 'b' holds more bytes than it says"});
  RawEntry shorter = raw_deflated("b", "twenty bytes of data");
  shorter.local.size = shorter.central.size = 500;
  table.push_back({"zip: shorter than it says", with_zip(shorter), "the entry 'b' holds fewer bytes than it says"});
  RawEntry rubbish = raw_deflated("b", "twenty bytes of data");
  rubbish.data[0] = '\x07';
  table.push_back({"zip: no deflate stream", with_zip(rubbish), "the entry 'b' is damaged: invalid block type"});
  RawEntry more = raw_deflated("b", "twenty bytes of data");
  more.data += "rubbish";
  more.local.packed = more.central.packed = static_cast<std::uint32_t>(more.data.size());
  table.push_back({"zip: more data than the stream", with_zip(more),
                   "the entry 'b' is damaged: its data ends before the next thing begins"});
  RawEntry open = raw_deflated("b", "twenty bytes of data");
  open.data[0] = '\0';
  table.push_back({"zip: stream without an end", with_zip(open), "the entry 'b' is damaged: its data has no end"});
  RawZip countless;
  countless.entries = {raw_entry("a")};
  countless.count = 0xFFFF;
  countless.end64 = RawEnd64{10'000'001, std::nullopt, 1};
  table.push_back({"zip: ten million entries", countless.bytes(), "it has more than 10000000 entries"});
  table.push_back({"zip: no entries", RawZip().bytes(), "it has no entries"});
}

}  // namespace

std::string RawTarEntry::bytes() const {
  std::string header = field(name, 100) + octal(mode, 8) + octal(0, 8) + octal(0, 8) +
                       field(size.value_or(octal(data.size(), 12)), 12) + octal(0, 12) + std::string(8, ' ') + type +
                       field(link, 100) + field(magic, 8);
  header = field(header, 329) + octal(0, 8) + octal(0, 8) + tail;
  header.resize(kTarBlock, '\0');
  std::uint64_t sum = 0;
  for (const char c : header) sum += static_cast<std::uint8_t>(c);
  header.replace(148, 7, octal(sum, 7));
  return header + padded(data);
}

std::string tar_end() { return std::string(2 * kTarBlock, '\0'); }

std::string pax_record(std::string_view key, std::string_view value) {
  const std::string rest = " " + std::string(key) + "=" + std::string(value) + "\n";
  std::size_t length = rest.size() + 1;
  while (std::to_string(length).size() + rest.size() != length) ++length;
  return std::to_string(length) + rest;
}

std::string pax_header(const std::string& records) { return RawTarEntry{"PaxHeader", records, 'x'}.bytes(); }

std::string gnu_long_name(const std::string& name) {
  RawTarEntry entry{"././@LongLink", name + '\0', 'L'};
  entry.magic = "ustar  ";
  return entry.bytes();
}

std::string gnu_sparse(const std::string& name, const std::vector<RawPiece>& pieces, std::uint64_t size,
                       const std::string& data) {
  RawTarEntry entry{name, data, 'S'};
  entry.magic = "ustar  ";
  entry.tail = std::string(41, '\0');  // times and an offset
  for (std::size_t i = 0; i < 4; ++i) {
    entry.tail += i < pieces.size() ? octal(pieces[i].offset, 12) + octal(pieces[i].bytes, 12) : std::string(24, '\0');
  }
  std::string wide = '\x80' + std::string(3, '\0');
  for (int i = 7; i >= 0; --i) wide += static_cast<char>((size >> (8 * static_cast<unsigned>(i))) & 0xFFU);
  entry.tail += '\0' + wide;
  return entry.bytes();
}

std::string gzipped(const std::string& bytes) {
  return std::string("\x1F\x8B\x08\0\0\0\0\0\0\xFF", 10) + raw_deflated("", bytes).data + little(crc32_of(bytes), 4) +
         little(bytes.size(), 4);
}

std::string zstandard(const std::string& bytes) {
  std::string frame("\x28\xB5\x2F\xFD\x00\x58", 6);
  constexpr std::size_t kMost = std::size_t{100} << 10U;
  for (std::size_t at = 0; at == 0 || at < bytes.size(); at += kMost) {
    const std::string part = bytes.substr(at, kMost);
    frame += little((at + kMost >= bytes.size() ? 1U : 0U) | part.size() << 3U, 3) + part;
  }
  return frame;
}

std::vector<HostileArchive> hostile_archives() {
  Table table;
  add_names(table);
  add_places(table);
  add_kinds(table);
  add_sizes(table);
  add_headers(table);
  add_ends(table);
  add_streams(table);
  add_zips(table);
  return table;
}

}  // namespace trainyard
