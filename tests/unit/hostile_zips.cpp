// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/hostile_zips.hpp"

#include <algorithm>
#include <utility>

namespace trainyard {

namespace {

std::string header_fields(const RawHeader& header) {
  return little(20, 2) + little(header.flags, 2) + little(header.method, 2) + little(0, 2) + little(0x21, 2) +
         little(header.crc, 4) + little(header.packed, 4) + little(header.size, 4) + little(header.name.size(), 2) +
         little(header.extra.size(), 2);
}

RawZip zip_of(std::vector<RawEntry> entries) {
  RawZip zip;
  zip.entries = std::move(entries);
  return zip;
}

// An honest zip but for one entry with this name.
std::string with_name(const std::string& name) {
  return zip_of({raw_entry("root/a"), raw_entry(name, name.ends_with('/') ? "" : "content")}).bytes();
}

// An honest zip but for a change to its second entry.
template <class Change>
std::string with_entry(Change change) {
  RawEntry entry = raw_entry("root/b");
  change(entry);
  return zip_of({raw_entry("root/a"), entry}).bytes();
}

template <class Change>
std::string with_zip(Change change) {
  RawZip zip = zip_of({raw_entry("root/a"), raw_entry("root/b")});
  change(zip);
  return zip.bytes();
}

std::string with_mode(std::uint32_t mode) {
  return with_entry([&](RawEntry& entry) { entry.attributes = mode << 16U; });
}

std::string zip64_field(std::initializer_list<std::uint64_t> values) {
  std::string data;
  for (const std::uint64_t value : values) data += little(value, 8);
  return little(1, 2) + little(data.size(), 2) + data;
}

void add_names(std::vector<HostileZip>& zips) {
  const auto add = [&](const char* what, const std::string& name, const char* phrase) {
    zips.push_back({what, with_name(name), phrase});
  };
  add("climbs out", "root/../../evil", "has '..' as a part of its name");
  add("climbs out at once", "../evil", "has '..' as a part of its name");
  add("dot", "root/./evil", "has '.' as a part of its name");
  add("empty part", "root//evil", "has an empty part in its name");
  add("absolute", "/root/evil", "has an absolute name");
  add("backslash", "root\\evil", "has a backslash in its name");
  add("drive letter", "C:/root/evil", "has a drive letter in its name");
  add("NUL", std::string("root/a\0b", 8), "has a NUL byte in its name");
  add("newline", "root/a\nb", "has a control character in its name");
  add("escape", "root/\x1B[2J", "has a control character in its name");
  add("C1 control", "root/\xC2\x9B", "has a control character in its name");
  add("not UTF-8", "root/\xFF\xFE", "has a name that is not UTF-8");
  add("overlong UTF-8", "root/\xC0\xAE\xC0\xAE/evil", "has a name that is not UTF-8");
  add("no name", "", "has an empty name");
  add("long part", "root/" + std::string(300, 'n'), "has a part longer than 255 bytes");
  std::string deep = "root";
  for (int i = 0; i < 600; ++i) deep += "/d";
  add("deep", deep, "folders deep");
  std::string long_name = "root";
  for (int i = 0; i < 20; ++i) long_name += "/" + std::string(250, 'n');
  add("long name", long_name, "has a name longer than 4096 bytes");
  while (long_name.size() < 65'000) long_name += "/" + std::string(250, 'n');
  add("name of 64 KiB", long_name, "has a name longer than 4096 bytes");
  add("one part of 64 KiB", "root/" + std::string(65'530, 'n'), "has a part longer than 255 bytes");
  add("twice", "root/a", "occurs twice");
  add("case", "root/A", "differs only in case from 'root/a'");
  add("file and folder", "root/a/", "is both a file and a folder");
  add("file as a folder", "root/a/b", "lies in 'root/a', which is both a file and a folder");
  add("second root", "other/b", "is in a second root folder beside 'root'");
  add("second root by case", "Root/b", "is in a second root folder beside 'root'");
  add("macOS", "__MACOSX/._a", "__MACOSX is what the macOS Finder adds");
  add("file outside", "file", "lies outside a root folder");
  zips.push_back({"case of a folder", zip_of({raw_entry("root/d/a"), raw_entry("root/D/b")}).bytes(),
                  "lies in a folder whose name differs only in case from 'root/d'"});
  zips.push_back({"case beyond ASCII", zip_of({raw_entry("root/\xC3\x84"), raw_entry("root/\xC3\xA4")}).bytes(),
                  "differs only in case from 'root/\xC3\x84'"});
  zips.push_back(
      {"folder twice", zip_of({raw_entry("root/d/", ""), raw_entry("root/d/", "")}).bytes(), "occurs twice"});
  zips.push_back({"folder, then file", zip_of({raw_entry("root/d/a"), raw_entry("root/d")}).bytes(),
                  "is both a file and a folder"});
  zips.push_back({"only a root", zip_of({raw_entry("root/", "")}).bytes(), "its root folder 'root' is empty"});
}

void add_kinds(std::vector<HostileZip>& zips) {
  zips.push_back({"symbolic link", with_mode(0120777), "is a symbolic link"});
  zips.push_back({"pipe", with_mode(0010644), "is a device, pipe or socket"});
  zips.push_back({"character device", with_mode(0020644), "is a device, pipe or socket"});
  zips.push_back({"block device", with_mode(0060644), "is a device, pipe or socket"});
  zips.push_back({"socket", with_mode(0140644), "is a device, pipe or socket"});
  zips.push_back({"link from Windows", with_entry([](RawEntry& entry) {
                    entry.made_by = 0x0014;
                    entry.attributes = 0120777U << 16U;
                  }),
                  "is a symbolic link"});
  zips.push_back({"folder by mode", with_mode(0040755), "is a folder by its name or by its mode, but not by both"});
  zips.push_back({"folder with content", zip_of({raw_entry("root/a"), raw_entry("root/d/", "x")}).bytes(),
                  "is a folder, yet has content"});
  const auto flag = [](std::uint16_t bits) {
    return with_entry([&](RawEntry& entry) {
      entry.local.flags = static_cast<std::uint16_t>(entry.local.flags | bits);
      entry.central.flags = entry.local.flags;
    });
  };
  zips.push_back({"encrypted", flag(0x0001), "is encrypted"});
  zips.push_back({"strongly encrypted", flag(0x0040), "is encrypted"});
  zips.push_back({"patch", flag(0x0020), "is a patch to another file"});
  zips.push_back({"bzip2", with_entry([](RawEntry& entry) { entry.local.method = entry.central.method = 12; }),
                  "is compressed by method 12"});
  zips.push_back({"AES", with_entry([](RawEntry& entry) { entry.local.method = entry.central.method = 99; }),
                  "is compressed by method 99"});
}

void add_header_lies(std::vector<HostileZip>& zips) {
  const auto local = [&](const char* what, void (*change)(RawHeader&), const char* phrase) {
    zips.push_back({what, with_entry([&](RawEntry& entry) { change(entry.local); }), phrase});
  };
  local(
      "other name", [](RawHeader& header) { header.name = "root/c"; }, "has another name in its local header");
  local(
      "longer name", [](RawHeader& header) { header.name = "root/bc"; }, "has another name in its local header");
  local(
      "other size", [](RawHeader& header) { header.size = 99; }, "has other sizes in its local header");
  local(
      "no size, no descriptor", [](RawHeader& header) { header.size = 0; }, "has other sizes in its local header");
  local(
      "other packed size", [](RawHeader& header) { header.packed = 2; }, "has other sizes in its local header");
  local(
      "other method", [](RawHeader& header) { header.method = 8; },
      "has another compression method in its local header");
  local(
      "other checksum", [](RawHeader& header) { header.crc = 1; }, "has another checksum in its local header");
  local(
      "encrypted in one place", [](RawHeader& header) { header.flags |= 1U; }, "is encrypted by its local header");
  local(
      "no 64-bit sizes", [](RawHeader& header) { header.size = 0xFFFFFFFF; },
      "promises 64-bit sizes in its local header");
  local(
      "other 64-bit sizes",
      [](RawHeader& header) {
        header.size = 0xFFFFFFFF;
        header.extra = zip64_field({1, 7});
      },
      "has other sizes in its local header");
  const auto central = [&](const char* what, void (*change)(RawHeader&), const char* phrase) {
    zips.push_back({what, with_entry([&](RawEntry& entry) { change(entry.central); }), phrase});
  };
  central(
      "no 64-bit numbers", [](RawHeader& header) { header.size = 0xFFFFFFFF; },
      "promises 64-bit numbers in the directory");
  central(
      "huge",
      [](RawHeader& header) {
        header.size = header.packed = 0xFFFFFFFF;
        header.extra = zip64_field({std::uint64_t{65} << 30U, std::uint64_t{65} << 30U});
      },
      "is larger than 64 GiB");
  central(
      "second name",
      [](RawHeader& header) {
        header.extra = little(0x7075, 2) + little(11, 2) + little(1, 1) + little(crc32_of("root/b"), 4) + "../../";
      },
      "has another name in its Unicode field");
  central(
      "two sizes", [](RawHeader& header) { header.packed = 3; },
      "is stored without compression, yet its two sizes differ");
  central(
      "bomb",
      [](RawHeader& header) {
        header.method = 8;
        header.size = 100U << 20U;
      },
      "would unpack to more than 1000 times its size");
  central(
      "checksum of nothing", [](RawHeader& header) { header.size = header.packed = 0; },
      "is empty, yet has the checksum of something");
  zips.push_back(
      {"other disk", with_entry([](RawEntry& entry) { entry.disk = 3; }), "is one part of a zip that was split"});

  std::vector<RawEntry> many;
  for (int i = 0; i < 3; ++i) {
    RawEntry entry = raw_entry("root/" + std::to_string(i));
    entry.central.method = 8;
    entry.central.size = entry.central.packed = 0xFFFFFFFF;
    entry.central.extra = zip64_field({std::uint64_t{50} << 30U, std::uint64_t{1} << 30U});
    many.push_back(std::move(entry));
  }
  zips.push_back({"huge in all", zip_of(many).bytes(), "it would unpack to more than 128 GiB"});
}

void add_layout_lies(std::vector<HostileZip>& zips) {
  zips.push_back({"two entries on the same data", with_entry([](RawEntry& entry) { entry.offset = 0; }),
                  "overlaps what follows it"});
  RawEntry around = raw_entry("root/a", raw_entry("root/b").data + std::string(200, 'x'));
  RawZip nested = zip_of({around});
  RawEntry inner = raw_entry("root/b");
  inner.offset = 40;
  nested.entries.push_back(inner);
  zips.push_back({"entry inside another", nested.bytes(), "overlaps what follows it"});
  zips.push_back({"beyond the directory", with_entry([](RawEntry& entry) { entry.offset = 0x7FFFFFFF; }),
                  "lies outside the zip's data"});
  zips.push_back({"into the directory", with_entry([](RawEntry& entry) {
                    entry.local.packed = entry.local.size = entry.central.packed = entry.central.size = 60;
                  }),
                  "overlaps what follows it"});
  std::string headless = with_zip([](RawZip&) {});
  headless[headless.rfind("PK\x03\x04")] = 'Q';
  zips.push_back({"no header there", headless, "has no local header where the directory says"});
  zips.push_back({"hidden between", with_entry([](RawEntry& entry) { entry.after = "hidden"; }),
                  "is followed by bytes that belong to no entry"});
  zips.push_back({"hidden before the directory", with_zip([](RawZip& zip) { zip.before_directory = "hidden"; }),
                  "is followed by bytes that belong to no entry"});
  zips.push_back({"false descriptor", with_entry([](RawEntry& entry) {
                    entry.local.flags |= 8U;
                    entry.after = "PK\x07\x08" + little(1, 4) + little(7, 4) + little(7, 4);
                  }),
                  "is followed by bytes that belong to no entry"});
  zips.push_back(
      {"before the first", with_zip([](RawZip& zip) { zip.before = "#!/bin/sh\n"; }), "lie before its first entry"});
  zips.push_back(
      {"before the end", with_zip([](RawZip& zip) { zip.before_end = "hidden"; }), "its directory does not lie where"});
  zips.push_back({"after the end", with_zip([](RawZip&) {}) + "more", "it does not end where its end record says"});
  zips.push_back(
      {"cut", with_zip([](RawZip& zip) { zip.comment_size = 9; }), "it does not end where its end record says"});
  zips.push_back({"directory elsewhere", with_zip([](RawZip& zip) { zip.directory_offset = 3; }),
                  "its directory does not lie where"});
  RawZip last = zip_of({raw_entry("root/a")});
  last.comment = last.bytes().substr(last.bytes().size() - 22);
  zips.push_back({"two ends", last.bytes(), "it has more than one end record"});
  zips.push_back(
      {"fewer counted", with_zip([](RawZip& zip) { zip.count = 1; }), "it has more entries than its end record says"});
  zips.push_back(
      {"more counted", with_zip([](RawZip& zip) { zip.count = 3; }), "it has fewer entries than its end record says"});
  std::string torn = with_zip([](RawZip&) {});
  torn[torn.rfind("PK\x01\x02")] = 'Q';
  zips.push_back({"torn directory", torn, "its directory is damaged at entry 2"});
  zips.push_back({"second disk", with_zip([](RawZip& zip) { zip.disk = 1; }), "is one part of a zip that was split"});
  zips.push_back({"no entries", RawZip().bytes(), "it has no entries"});
  zips.push_back({"empty file", "", "it is not a zip file"});
  zips.push_back({"text", std::string(100'000, 'x'), "it is not a zip file"});
  const auto with_end64 = [](const RawEnd64& end) {
    return with_zip([&](RawZip& zip) {
      zip.end64 = end;
      zip.count = 0xFFFF;
    });
  };
  zips.push_back({"64-bit end elsewhere", with_zip([](RawZip& zip) {
                    zip.end64 = RawEnd64();
                    zip.directory_offset = 3;
                  }),
                  "its 64-bit end record contradicts"});
  zips.push_back({"64-bit directory elsewhere", with_end64({std::nullopt, 1, 1}), "its 64-bit end record contradicts"});
  zips.push_back({"a million entries", with_end64({1'000'000, std::nullopt, 1}), "it has more than 200000 entries"});
  zips.push_back({"many disks", with_end64({std::nullopt, std::nullopt, 5}), "is one part of a zip that was split"});
}

void add_data_lies(std::vector<HostileZip>& zips) {
  const auto add = [&](const char* what, const RawEntry& entry, const char* phrase) {
    zips.push_back({what, zip_of({raw_entry("root/a"), entry}).bytes(), phrase, true});
  };
  RawEntry damaged = raw_entry("root/b");
  damaged.data[3] = '!';
  add("damaged", damaged, "its checksum is wrong");
  RawEntry longer = raw_deflated("root/b", "twenty bytes of data");
  longer.local.size = longer.central.size = 5;
  add("longer than it says", longer, "unpacks to more bytes than the directory says");
  RawEntry shorter = raw_deflated("root/b", "twenty bytes of data");
  shorter.local.size = shorter.central.size = 500;
  add("shorter than it says", shorter, "unpacks to fewer bytes than the directory says");
  RawEntry garbage = raw_deflated("root/b", "twenty bytes of data");
  garbage.data[0] = '\x07';
  add("no deflate stream", garbage, "is damaged");
  RawEntry nothing = raw_deflated("root/b", "twenty bytes of data");
  nothing.data.clear();
  nothing.local.packed = nothing.central.packed = 0;
  add("nothing packed", nothing, "unpacks to fewer bytes than the directory says");
}

}  // namespace

RawEntry& RawEntry::both(void (*change)(RawHeader&)) {
  change(local);
  change(central);
  return *this;
}

std::uint32_t crc32_of(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : bytes) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0);
  }
  return ~crc;
}

std::string little(std::uint64_t value, std::size_t width) {
  std::string bytes;
  for (std::size_t i = 0; i < width; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xFFU);
  return bytes;
}

RawEntry raw_entry(std::string name, std::string data) {
  RawEntry entry;
  const bool folder = name.ends_with('/');
  entry.local.name = std::move(name);
  entry.local.crc = crc32_of(data);
  entry.local.packed = entry.local.size = static_cast<std::uint32_t>(data.size());
  entry.central = entry.local;
  if (folder) entry.attributes = 0040755U << 16U;
  entry.data = std::move(data);
  return entry;
}

RawEntry raw_deflated(std::string name, const std::string& data) {
  RawEntry entry = raw_entry(std::move(name), data);
  constexpr std::size_t kBlock = 0xFFFF;
  entry.data.clear();
  for (std::size_t at = 0; at == 0 || at < data.size(); at += kBlock) {
    const std::string part = data.substr(at, kBlock);
    const bool last = at + kBlock >= data.size();
    entry.data += little(last ? 1 : 0, 1) + little(part.size(), 2) + little(~part.size(), 2) + part;
  }
  entry.local.method = entry.central.method = 8;
  entry.local.packed = entry.central.packed = static_cast<std::uint32_t>(entry.data.size());
  return entry;
}

std::string RawZip::bytes() const {
  std::string out = before;
  std::string directory;
  for (const RawEntry& entry : entries) {
    const std::uint64_t offset = entry.offset.value_or(static_cast<std::uint32_t>(out.size()));
    out += "PK\x03\x04" + header_fields(entry.local) + entry.local.name + entry.local.extra + entry.data + entry.after;
    directory += "PK\x01\x02" + little(entry.made_by, 2) + header_fields(entry.central) + little(0, 2) +
                 little(entry.disk, 2) + little(0, 2) + little(entry.attributes, 4) + little(offset, 4) +
                 entry.central.name + entry.central.extra;
  }
  out += before_directory;
  const std::uint64_t offset = out.size();
  out += directory + before_end;
  if (end64) {
    const std::uint64_t at = out.size();
    const std::string total = little(end64->entries.value_or(entries.size()), 8);
    out += "PK\x06\x06" + little(44, 8) + little(45, 2) + little(45, 2) + little(0, 4) + little(0, 4) + total + total +
           little(directory.size(), 8) + little(end64->directory_offset.value_or(offset), 8);
    out += "PK\x06\x07" + little(0, 4) + little(at, 8) + little(end64->disks, 4);
  }
  const std::string total = little(count.value_or(static_cast<std::uint16_t>(entries.size())), 2);
  return out + "PK\x05\x06" + little(disk, 2) + little(0, 2) + total + total + little(directory.size(), 4) +
         little(directory_offset.value_or(static_cast<std::uint32_t>(offset)), 4) +
         little(comment_size.value_or(static_cast<std::uint16_t>(comment.size())), 2) + comment;
}

std::vector<HostileZip> hostile_zips() {
  std::vector<HostileZip> zips;
  add_names(zips);
  add_kinds(zips);
  add_header_lies(zips);
  add_layout_lies(zips);
  add_data_lies(zips);
  return zips;
}

}  // namespace trainyard
