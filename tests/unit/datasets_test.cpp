// SPDX-License-Identifier: Apache-2.0
#include "storage/datasets/datasets.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <mutex>
#include <thread>

#include "storage/values/sha256.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard::datasets_test {
namespace {

struct Registered {
  TempFolder folder;
  Path records = folder.folder("datasets");
  Path scratch = folder.folder("tmp");
  Datasets datasets{records, StoreJournal(folder.path(), scratch)};

  // The number of the version that the content is.
  [[nodiscard]] std::uint32_t add(const char* name, const std::string& content) const {
    const auto added = datasets.add(DatasetName::parse(name).value(), {sha256(content), 1, 2}, Instant{7}, "/data");
    if (!added.ok()) throw std::runtime_error(added.error().message);
    return added->version.number;
  }
  [[nodiscard]] Result<DatasetVersion> find(const char* text) const {
    return datasets.find(DatasetReference::parse(text).value());
  }
};

using How = Datasets::Added::How;
using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("each new content of a dataset is its next version", "[datasets]") {
  const Registered r;
  CHECK(r.add("digits", "a") == 1);
  CHECK(r.add("digits", "b") == 2);
  CHECK(r.add("words", "a") == 1);
  // What was there before, but is not the newest, is new again: the newest is what a plain name means.
  CHECK(r.add("digits", "a") == 3);
  CHECK(r.find("digits")->number == 3);
  CHECK(r.find("digits@2")->tree.digest == sha256("b"));
  CHECK(r.find("digits@2/some/folder")->number == 2);
  const auto versions = r.datasets.versions(DatasetName::parse("digits").value()).value();
  REQUIRE(versions.size() == 3);
  CHECK(versions[0].text() == "digits@1");
  CHECK(versions[2].text() == "digits@3");
  const auto names = r.datasets.names().value();
  REQUIRE(names.size() == 2);
  CHECK(names[0].text() == "digits");
  CHECK(names[1].text() == "words");
  CHECK(list_folder(r.scratch).value().empty());
}

TEST_CASE("content equal to that of the newest version makes no other", "[datasets]") {
  const Registered r;
  const DatasetName name = DatasetName::parse("digits").value();
  const TreeSummary tree{sha256("a"), 1, 2};
  const auto first = r.datasets.add(name, tree, Instant{7}, "/first").value();
  CHECK(first.how == How::as_new_version);
  const auto again = r.datasets.add(name, tree, Instant{8}, "/second").value();
  CHECK(again.how == How::as_newest_before);
  CHECK(again.version == DatasetVersion{name, 1, tree, Instant{7}, "/first"});
  CHECK(list_folder(r.records / "digits").value() == Texts{"1.json"});
}

TEST_CASE("versions of a dataset are ordered as numbers", "[datasets]") {
  const Registered r;
  for (int i = 1; i <= 11; ++i) REQUIRE(r.add("digits", std::to_string(i)) == static_cast<std::uint32_t>(i));
  CHECK(r.find("digits")->number == 11);
  CHECK(r.datasets.versions(DatasetName::parse("digits").value()).value().at(9).number == 10);
}

TEST_CASE("any number of processes add at once, and no number is given twice or left out", "[datasets][threads]") {
  const Registered r;
  std::vector<std::vector<std::uint32_t>> numbers(8);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      threads.emplace_back([&, i] {
        const Datasets datasets(r.records, StoreJournal(r.folder.path(), r.scratch));
        for (int j = 0; j < 10; ++j) {
          const std::string content = std::to_string(i) + " " + std::to_string(j);
          const auto added =
              datasets.add(DatasetName::parse("digits").value(), {sha256(content), 1, 2}, Instant{7}, content);
          numbers[i].push_back(added.ok() && added->version.source == content ? added->version.number : 0);
        }
      });
    }
  }
  std::vector<std::uint32_t> all;
  for (const auto& mine : numbers) {
    CHECK(std::is_sorted(mine.begin(), mine.end()));
    all.insert(all.end(), mine.begin(), mine.end());
  }
  std::sort(all.begin(), all.end());
  REQUIRE(all.size() == 80);
  for (std::uint32_t i = 0; i < 80; ++i) CHECK(all[i] == i + 1);
  CHECK(list_folder(r.scratch).value().empty());
}

TEST_CASE("the same content added at once is one version", "[datasets][threads]") {
  const Registered r;
  std::vector<std::optional<Datasets::Added>> added(8);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : added) {
      threads.emplace_back([&] {
        auto result = r.datasets.add(DatasetName::parse("digits").value(), {sha256("a"), 1, 2}, Instant{7}, "/data");
        if (result.ok()) mine = std::move(*result);
      });
    }
  }
  int fresh = 0;
  for (const auto& mine : added) {
    REQUIRE(mine.has_value());
    CHECK(mine->version.number == 1);
    fresh += mine->how == How::as_new_version ? 1 : 0;
  }
  CHECK(fresh == 1);
  CHECK(list_folder(r.records / "digits").value() == Texts{"1.json"});
}

TEST_CASE("names that differ only in case are one dataset", "[datasets]") {
  const Registered r;
  REQUIRE(r.add("Digits", "a") == 1);
  const auto refused = r.datasets.add(DatasetName::parse("digits").value(), {sha256("b"), 1, 2}, Instant{7}, "/data");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error() == fail(Errc::exists,
                                "the dataset 'Digits' exists, and 'digits' differs from it only in upper and lower "
                                "case; choose another name"));
  CHECK(r.add("Digits", "b") == 2);
  CHECK(r.find("DIGITS")->name.text() == "Digits");
}

TEST_CASE("a dataset that is not there is named, with what is nearest", "[datasets]") {
  const Registered r;
  CHECK(r.datasets.names().value().empty());
  CHECK(r.find("digits").error() == fail(Errc::not_found, "there is no dataset 'digits'"));
  REQUIRE(r.add("digits", "a") == 1);
  CHECK(r.find("digit@1").error() == fail(Errc::not_found, "there is no dataset 'digit'; did you mean 'digits'?"));
  CHECK(r.find("digits@2/x").error() == fail(Errc::not_found, "dataset 'digits' has no version 2; its newest is 1"));
}

TEST_CASE("a dataset's record is one file, whole and read-only", "[datasets]") {
  const Registered r;
  REQUIRE(r.add("Digits", "a") == 1);
  const Path path = r.records / "digits" / "1.json";
  CHECK(read_file(path, 10'000).value() == canonical(to_json(r.find("digits@1").value())) + "\n");
  CHECK((status_of(path).value()->st_mode & 07777U) == 0444);
}

TEST_CASE("a dataset's record that cannot be trusted is named", "[datasets]") {
  const Registered r;
  REQUIRE(r.add("digits", "a") == 1);
  const DatasetVersion version = r.find("digits").value();
  const std::string shown = "the record '" + (r.records / "digits" / "1.json").string() + "' ";
  const auto refusal = [&](const std::string& text) {
    static_cast<void>(remove_file(r.records / "digits" / "1.json"));
    r.folder.write("datasets/digits/1.json", text);
    const auto found = r.find("digits@1");
    REQUIRE_FALSE(found.ok());
    return found.error();
  };
  CHECK(refusal("") == fail(Errc::corrupt, shown + "cannot be read: the dataset record is not valid JSON near line 1"));
  DatasetVersion other = version;
  other.number = 2;
  CHECK(refusal(canonical(to_json(other))) == fail(Errc::corrupt, shown + "says that it is digits@2"));
  other = version;
  other.name = DatasetName::parse("words").value();
  CHECK(refusal(canonical(to_json(other))) == fail(Errc::corrupt, shown + "says that it is words@1"));
  Json newer = to_json(version);
  newer["schema"] = "trainyard.dataset/9";
  CHECK(refusal(canonical(newer)).code == Errc::incompatible);
  CHECK_FALSE(r.datasets.names().ok());
}

TEST_CASE("files that are no records of a dataset are passed over", "[datasets]") {
  const Registered r;
  REQUIRE(r.add("digits", "a") == 1);
  for (const char* const name : {"readme.txt", "02.json", "0.json", "x.json", "3", "9999999999.json"})
    r.folder.write("datasets/digits/" + std::string(name), "x");
  r.folder.folder("datasets/begun");
  CHECK(r.add("digits", "b") == 2);
  CHECK(r.datasets.names().value().size() == 1);
  CHECK(r.find("begun").error() == fail(Errc::not_found, "there is no dataset 'begun'"));
}

}  // namespace trainyard::datasets_test
