// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/values/sha256.hpp"
#include "storage/values/tree.hpp"

// The entries and trees that more than one test of trees is about.
namespace trainyard::tree_samples {

inline TreeEntry file(std::string_view path, std::string_view bytes, bool executable = false) {
  return {RelPath::parse(path).value(), TreeEntry::Kind::file, bytes.size(), executable, sha256(bytes)};
}

inline TreeEntry empty_folder(std::string_view path) {
  return {RelPath::parse(path).value(), TreeEntry::Kind::empty_folder, 0, false, {}};
}

inline Tree tree_of(std::vector<TreeEntry> entries) { return Tree::of(std::move(entries)).value(); }

// The bytes that a tree of these entries has, and its digest as sha256sum(1) prints it.
inline constexpr std::string_view kCanonical =
    R"({"entries":[{"digest":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","executable":true,"kind":"file","path":"bin/run","size":3},)"
    R"({"digest":null,"executable":false,"kind":"folder","path":"empty","size":0},)"
    R"({"digest":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","executable":false,"kind":"file","path":"f%FF\"","size":0}],)"
    R"("schema":"trainyard.tree/1"})";
inline constexpr const char* kDigest = "3a5d970a5e17c2ffe67439acf16fa89cd384b8597a6e10b162ab3437ec7f16f0";

// A path of names of 255 bytes, 4095 bytes in all.
inline std::string longest_path(char c) {
  std::string path(255, c);
  for (int i = 1; i < 16; ++i) path += "/" + std::string(255, c);
  return path;
}

// Names of every kind of byte, and paths as long and as deep as they may be.
inline std::vector<TreeEntry> odd_entries() {
  std::vector<TreeEntry> entries;
  for (int byte = 1; byte < 256; ++byte) {
    if (byte == '/' || byte == '.') continue;
    const std::string name(1, static_cast<char>(byte));
    entries.push_back(file(name, name));
    entries.push_back(file("dir " + name + "/" + name, name, byte % 2 == 0));
  }
  for (const char* const path : {"100%", "a%2Fb", "%2e%2e", "\xC3\xBC/\xC3\xBC", "x\xC3/y", "\xED\xA0\x80", "\xE2\x82",
                                 "\xE2\x83/\xAC", "...", "-rf", "tab\there", "new\nline", "\xF0\x9F\x9A\x82",
                                 "say \"hello\"", "back\\slash", "},{", "]}", "{\"digest\":null"}) {
    entries.push_back(file(path, path));
  }
  entries.push_back(file(longest_path('x'), "x"));
  entries.push_back(file(longest_path('\x01'), "control"));
  entries.push_back(empty_folder(longest_path('\xFF')));
  std::string deep = "deep";
  for (int i = 0; i < 2000; ++i) deep += "/d";
  entries.push_back(file(deep, "deep"));
  return entries;
}

}  // namespace trainyard::tree_samples
