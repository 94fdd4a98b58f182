// SPDX-License-Identifier: Apache-2.0
#include "storage/values/data_proof.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <random>
#include <set>
#include <sstream>
#include <string>

#include "runner/processes/run_program.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard::data_proof_test {

namespace {

using Answer = DataProof::Answer;

RelPath path_of(const std::string& bytes) { return RelPath::parse(bytes).value(); }

// Names that sort in another order as text than as bytes, or have to be escaped, are among them.
std::string name_of_file(std::size_t number) {
  static const std::vector<std::string> kNames = {"a",      "b\xff",      "b%",        "\xc3\xa9",        "x\ty",
                                                  "sub/a",  "sub.d/deep", "sub/\"q\"", "sub/\x7f",        "Z",
                                                  "a file", "\x80",       "sub/%41",   "\xf0\x9f\x98\x80"};
  return number < kNames.size() ? kNames[number] : "more/" + std::to_string(number * 7919 % 1000) + ".png";
}

Tree random_tree(std::size_t files, std::mt19937& random) {
  std::vector<TreeEntry> entries;
  for (std::size_t i = 0; i < files; ++i) {
    // Few enough contents that some files are alike.
    const Digest digest = sha256("content " + std::to_string(random() % (files + 3)));
    entries.push_back({path_of(name_of_file(i)), TreeEntry::Kind::file, random(), random() % 2 == 0, digest});
  }
  entries.push_back({path_of("empty folder"), TreeEntry::Kind::empty_folder, 0, false, std::nullopt});
  return Tree::of(std::move(entries)).value();
}

std::vector<DataProof> proofs_about(const Tree& tree) {
  const ProvableData data(tree);
  std::vector<DataProof> proofs;
  std::set<std::string> paths = {"0", "a/b", "empty folder", "~~~", "sub", "sub.", "\xff", "more/5"};
  for (const TreeEntry& entry : tree.entries()) paths.insert(entry.path.bytes());
  for (const std::string& path : paths) proofs.push_back(data.about(path_of(path)));
  for (std::size_t i = 0; i < tree.size() + 4; ++i)
    proofs.push_back(data.about(sha256("content " + std::to_string(i))));
  for (const auto fill : {std::uint8_t{0}, std::uint8_t{255}}) {
    std::array<std::uint8_t, Digest::kBytes> bytes{};
    bytes.fill(fill);
    proofs.push_back(data.about(Digest(bytes)));
  }
  return proofs;
}

bool is_in(const Tree& tree, const std::variant<RelPath, Digest>& subject) {
  const auto entries = tree.entries();
  return std::any_of(entries.begin(), entries.end(), [&](const TreeEntry& entry) {
    if (entry.kind != TreeEntry::Kind::file) return false;
    if (const auto* const path = std::get_if<RelPath>(&subject)) return entry.path == *path;
    return entry.digest == std::get<Digest>(subject);
  });
}

// "holds" or "fails" for each line, by the verifier in Python.
std::vector<std::string> verdicts(const std::string& lines) {
  const auto told =
      run_program({TRAINYARD_SYSTEM_PYTHON, TRAINYARD_VERIFY_PROOF, "--lines"}, {}, "/", lines, std::chrono::minutes(2))
          .value();
  INFO(told.err);
  REQUIRE(told.status.code == 0);
  std::istringstream stream(told.out);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::string verdict_of(const Json& json) {
  const auto proof = data_proof_from(json);
  return proof.ok() && check(*proof).ok() ? "holds" : "fails";
}

std::string other_text(const std::string& text) {
  std::string changed = text;
  char& last = changed.back();
  last = last == '1' ? '2' : '1';
  return changed;
}

// The document once for each of its values, with that one changed; lists also shorter, longer and reversed.
void change_each(const Json& whole, const Json::json_pointer& at, std::vector<Json>& changed) {
  const Json& value = whole.at(at);
  const auto with = [&](const Json& other) {
    changed.push_back(whole);
    changed.back()[at] = other;
  };
  if (value.is_string()) {
    with(other_text(value.get<std::string>()));
    with(value.get<std::string>() + "0");
    with(nullptr);
  } else if (value.is_boolean()) {
    with(!value.get<bool>());
  } else if (value.is_number()) {
    with(value.get<std::uint64_t>() + 1);
    with(value.get<std::int64_t>() - 1);
  } else if (value.is_array()) {
    if (!value.empty()) {
      with(Json(value.begin(), value.end() - 1));
      with(Json(value.begin() + 1, value.end()));
      Json longer = value;
      longer.push_back(value.back());
      with(longer);
    }
    if (value.size() == 2) with(Json({value[1], value[0]}));
    for (std::size_t i = 0; i < value.size(); ++i) change_each(whole, at / i, changed);
  } else {
    for (const auto& [key, unused] : value.items()) {
      static_cast<void>(unused);
      change_each(whole, at / key, changed);
      Json less = value;
      less.erase(key);
      with(less);
    }
  }
}

}  // namespace

TEST_CASE("what is proven is true, for data of every size and every place in it", "[data_proof]") {
  std::mt19937 random(11);  // NOLINT(cert-msc51-cpp): the same trees every time
  std::string lines;
  std::size_t proofs = 0;
  for (std::size_t files = 0; files <= 70; ++files) {
    const Tree tree = random_tree(files, random);
    for (const DataProof& proof : proofs_about(tree)) {
      CAPTURE(files, sentence_of(proof));
      REQUIRE(check(proof).ok());
      REQUIRE((proof.answer == Answer::included) == is_in(tree, proof.subject));
      REQUIRE(proof.head.files == files);
      REQUIRE(proof.head.tree == tree.digest());
      const Json json = to_json(proof);
      REQUIRE(data_proof_from(json).value() == proof);
      lines += canonical(json) + "\n";
      ++proofs;
    }
  }
  CHECK(verdicts(lines) == std::vector<std::string>(proofs, "holds"));
}

TEST_CASE("a proof with anything changed in it fails, here and in Python, unless it is still true", "[data_proof]") {
  std::mt19937 random(12);  // NOLINT(cert-msc51-cpp): the same trees every time
  std::string lines;
  std::vector<std::string> ours;
  std::size_t true_claims = 0;
  for (const std::size_t files : {0U, 1U, 2U, 3U, 7U, 8U, 21U}) {
    const Tree tree = random_tree(files, random);
    const ProofHead head = ProvableData(tree).head();
    for (const DataProof& proof : proofs_about(tree)) {
      std::vector<Json> changed;
      change_each(to_json(proof), Json::json_pointer(), changed);
      for (const Json& json : changed) {
        ours.push_back(verdict_of(json));
        lines += json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
        if (ours.back() == "fails") continue;
        // Between the same neighbours, another file is absent as well.
        const DataProof other = data_proof_from(json).value();
        INFO(sentence_of(other));
        REQUIRE(other.head == head);
        REQUIRE(other.answer == Answer::absent);
        REQUIRE_FALSE(is_in(tree, other.subject));
        ++true_claims;
      }
    }
  }
  CHECK(ours.size() > 5000);
  CHECK(true_claims > 0);
  const auto theirs = verdicts(lines);
  REQUIRE(theirs.size() == ours.size());
  std::istringstream stream(lines);
  std::string line;
  for (std::size_t i = 0; i < ours.size() && std::getline(stream, line); ++i) {
    INFO(line);
    REQUIRE(theirs[i] == ours[i]);
  }
}

TEST_CASE("a proof says in words what it proves", "[data_proof]") {
  const Digest cat = sha256("cat");
  const Tree tree = Tree::of({{path_of("cats/1.png"), TreeEntry::Kind::file, 3, false, cat},
                              {path_of("dogs/1.png"), TreeEntry::Kind::file, 3, false, sha256("dog")}})
                        .value();
  const ProvableData data(tree);
  const std::string among = " the 2 files of the data with the proof root " + data.head().root().hex();
  CHECK(sentence_of(data.about(cat)) ==
        "the file with SHA-256 " + cat.hex() + " is among" + among + ", as 'cats/1.png'");
  CHECK(sentence_of(data.about(sha256("bird"))) ==
        "the file with SHA-256 " + sha256("bird").hex() + " is not among" + among);
  CHECK(sentence_of(data.about(path_of("cats/1.png"))) ==
        "the file 'cats/1.png' is among" + among + ", with SHA-256 " + cat.hex());
  CHECK(sentence_of(data.about(path_of("cats/2.png"))) == "the file 'cats/2.png' is not among" + among);
}

TEST_CASE("a proof that is none says what is wrong with it", "[data_proof]") {
  std::vector<TreeEntry> entries;
  for (const char* const name : {"b", "d", "f", "h"})
    entries.push_back({path_of(name), TreeEntry::Kind::file, 1, false, sha256(name)});
  const Tree tree = Tree::of(entries).value();
  const ProvableData data(tree);
  const auto why = [](const DataProof& proof) { return check(proof).error().message; };

  DataProof proof = data.about(path_of("c"));
  REQUIRE(proof.witnesses.size() == 2);
  proof.witnesses[1] = data.about(path_of("f")).witnesses[0];
  CHECK(why(proof) == "the proof proves nothing: the two files that it has are no neighbours");
  proof = data.about(path_of("c"));
  proof.subject = path_of("d");
  CHECK(why(proof) == "the proof proves nothing: the file would not stand between the two that it has");
  proof = data.about(path_of("a"));
  proof.subject = path_of("c");
  CHECK(why(proof) == "the proof proves nothing: the file would not stand at the end that it has");
  proof = data.about(path_of("b"));
  proof.subject = path_of("c");
  CHECK(why(proof) == "the proof proves nothing: it has another file than it is about");
  proof.witnesses.clear();
  CHECK(why(proof) == "the proof proves nothing: it has to have the one file that it is about");
  proof = data.about(path_of("b"));
  proof.witnesses[0].size = 2;
  CHECK(why(proof) == "the proof proves nothing: the file 'b' is not at place 0 of the data with its root");
}

}  // namespace trainyard::data_proof_test
