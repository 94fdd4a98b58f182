// SPDX-License-Identifier: Apache-2.0
//
//   write_seeds FOLDER EXAMPLES    writes FOLDER/<fuzzer>/<n>, and the list of them in FOLDER/<fuzzer>.list
//
// What the fuzzers begin with: the examples of the schemas, the archives of the tests, a few packs, what servers say, and
// every command.
#include <boost/filesystem/operations.hpp>
#include <cstdio>
#include <exception>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "runner/cli/grammar.hpp"
#include "storage/archives/tar_writer.hpp"
#include "storage/objects/memory_objects.hpp"
#include "tests/fuzz/published_seeds.hpp"
#include "tests/support/pack_store.hpp"
#include "tests/unit/hostile_archives.hpp"
#include "tests/unit/hostile_zips.hpp"
#include "tests/unit/tree_samples.hpp"

namespace trainyard {
namespace {

using Seeds = std::vector<std::string>;

// A larger one is slow, and teaches no more.
constexpr std::size_t kMostSeedBytes = std::size_t{32} << 10U;

void write(const Path& folder, const std::string& fuzzer, const Seeds& seeds) {
  must(remove_tree(folder / fuzzer));
  must(make_folders(folder / fuzzer));
  std::string list;
  std::size_t number = 0;
  for (const std::string& seed : seeds) {
    if (seed.size() > kMostSeedBytes) continue;
    const Path path = folder / fuzzer / std::to_string(number++);
    must(replace_file(folder, path, seed, 0644, Durable::no));
    list += (list.empty() ? "" : ",") + path.string();
  }
  must(replace_file(folder, folder / (fuzzer + ".list"), list, 0644, Durable::no));
}

Seeds examples(const Path& folder, std::initializer_list<const char*> documents) {
  Seeds seeds;
  for (const char* const document : documents) {
    for (const char* const kind : {"valid", "refused", "invalid"}) {
      const Path there = folder / document / kind;
      if (!is_folder(there)) continue;
      for (const std::string& name : must(list_folder(there)))
        seeds.push_back(must(read_file(there / name, kMostSeedBytes)));
    }
  }
  return seeds;
}

Seeds zips() {
  Seeds seeds;
  for (const HostileZip& zip : hostile_zips()) seeds.push_back(zip.bytes);
  RawZip honest;
  honest.entries = {raw_entry("root/a"), raw_deflated("root/sub/b", "twenty bytes of data"),
                    raw_entry("root/void/", "")};
  honest.entries[0].attributes = 0100755U << 16U;
  seeds.push_back(honest.bytes());
  honest.end64 = RawEnd64();
  seeds.push_back(honest.bytes());
  return seeds;
}

// A tar of odd names as we write it.
std::string written_tar() {
  MemoryObjects objects;
  std::vector<TreeEntry> entries;
  for (const char* const path : {"a", "d/e/f", "100%", "names/\xC3\x84", "names/\xFF", "new\nline"}) {
    entries.push_back(tree_samples::file(path, path, path[0] == 'a'));
    must(objects.put(path));
  }
  entries.push_back(tree_samples::file("p/" + std::string(120, 'n'), "p"));
  must(objects.put("p"));
  entries.push_back(tree_samples::empty_folder("void"));
  const TempFolder folder;
  must(write_tar(tree_samples::tree_of(std::move(entries)), objects, folder.path() / "a.tar"));
  return folder.read("a.tar");
}

Seeds archives() {
  Seeds seeds;
  for (const HostileArchive& archive : hostile_archives()) {
    // It takes a second to unpack as far as it may, and so does whatever comes of it.
    if (archive.what != "Zstandard bomb") seeds.push_back(archive.bytes);
  }
  const std::string file = RawTarEntry{"a", "content"}.bytes();
  const std::string link = RawTarEntry{"b", "", '1', "a"}.bytes();
  for (const std::string& tar :
       {written_tar(), file + link + tar_end(), gnu_long_name(std::string(150, 'n')) + file + tar_end(),
        gnu_sparse("s", {{0, 4}, {12, 4}}, 20, "12345678") + tar_end(),
        pax_header(pax_record("path", "p") + pax_record("size", "7")) + file + tar_end()}) {
    seeds.push_back(tar);
    seeds.push_back(gzipped(tar));
    seeds.push_back(zstandard(tar));
  }
  RawZip zip;
  zip.entries = {raw_entry("a"), raw_deflated("d/b", "twenty bytes of data")};
  seeds.push_back(zip.bytes());
  return seeds;
}

Seeds trees(const Path& folder) {
  Seeds seeds = examples(folder, {"tree"});
  seeds.emplace_back(tree_samples::kCanonical);
  std::vector<TreeEntry> some = tree_samples::odd_entries();
  some.resize(40, tree_samples::empty_folder("void"));
  seeds.push_back(tree_samples::tree_of(std::move(some)).canonical());
  return seeds;
}

Seeds packs() {
  using namespace pack_format;
  const PackStore store;
  store.put_pack({"abc", "", random_bytes(1, 500)});
  store.put_pack({text_bytes(1, 20'000), text_bytes(2, 300)});
  Seeds seeds;
  for (const char* const folder : {"packs", "index"}) {
    for (const Path& path : store.files(folder)) seeds.push_back(must(read_file(path, kMostSeedBytes)));
  }
  const std::string a = random_bytes(2, 40);
  const std::string b = random_bytes(3, 50);
  const std::string list = write_list({0, 90, {{sha256(a), 40}, {sha256(b), 50}}});
  const std::vector<RecordObject> objects = {
      {sha256(a), 40}, {sha256(b), 50}, {sha256(a + b), static_cast<std::uint32_t>(list.size()), ObjectKind::list}};
  const std::string raw = a + b + list;
  seeds.push_back(std::string(kPackMagic) + record_front(Coding::none, objects, raw.size()) + raw);
  return seeds;
}

Seeds registry(const Path& folder) {
  Seeds seeds = registry_seeds();
  for (const std::string& document : examples(folder, {"publication-claim", "remote", "remote-package", "published",
                                                       "remote-label", "attached", "collecting", "pending-publication",
                                                       "known-remote"}))
    seeds.push_back(" " + document);
  return seeds;
}

std::string command_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += word + '\0';
  return line;
}

// A command with everything that can be said to it.
std::string in_full(const std::string& group, const CommandWords& command) {
  std::vector<std::string> words = {group, command.name};
  for (const Word& word : command.words) {
    const std::string name = word.name.substr(word.name.rfind(',') + 1);
    if (name.starts_with('-')) words.push_back(name);
    if (!std::holds_alternative<bool*>(word.value)) words.emplace_back("1");
  }
  return command_line(words);
}

Seeds command_lines() {
  Seeds seeds = {"",
                 command_line({"init", "--store", "s"}),
                 command_line({"--version"}),
                 command_line({"--help-all"}),
                 command_line({"runs", "lst"}),
                 command_line({"runs", "list", "--jsn"})};
  for (const GroupWords& group :
       {package_words(), dataset_words(), run_words(), runs_words(), snapshot_words(), store_words(), key_words()}) {
    for (const CommandWords& command : group.commands) {
      seeds.push_back(in_full(group.name, command));
      seeds.push_back(command_line({group.name, command.name, "--help"}));
    }
  }
  return seeds;
}

void write_all_seeds(const Path& folder, const Path& schemas) {
  write(folder, "zip", zips());
  write(folder, "tar", archives());
  write(folder, "manifest", examples(schemas, {"package"}));
  write(folder, "proof", examples(schemas, {"proof"}));
  write(folder, "results", examples(schemas, {"results", "request", "plan", "job", "exit", "journal"}));
  write(folder, "attestations", examples(schemas, {"attestation", "statement", "model-signature"}));
  write(folder, "events", examples(schemas, {"event"}));
  write(folder, "tree", trees(schemas));
  write(folder, "pack", packs());
  write(folder, "arguments", command_lines());
  write(folder, "s3_xml", s3_seeds());
  write(folder, "oci", registry(schemas));
  write(folder, "credentials", credential_seeds());
  write(folder, "bundle", bundle_seeds());
}

}  // namespace
}  // namespace trainyard

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: write_seeds FOLDER EXAMPLES\n", stderr);
    return 2;
  }
  try {
    trainyard::write_all_seeds(argv[1], argv[2]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "write_seeds: %s\n", error.what());
    return 1;
  }
  return 0;
}
