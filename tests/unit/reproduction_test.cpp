// SPDX-License-Identifier: Apache-2.0
#include "runner/core/reproduction.hpp"
#include "storage/values/sha256.hpp"

#include <catch2/catch.hpp>
#include <vector>

namespace trainyard::reproduction_test {
namespace {

Json summary(const Json& last, double least, double most, int count = 3, int step = 3) {
  return {{"count", count}, {"last", last}, {"last_step", step}, {"min", least}, {"max", most}};
}

TreeEntry file(const char* path, const char* bytes, bool executable = false) {
  return {RelPath::parse(path).value(), TreeEntry::Kind::file, std::string(bytes).size(), executable, sha256(bytes)};
}

}  // namespace

TEST_CASE("a metric is identical, within the tolerance or drifts", "[reproduction]") {
  const Json before = summary(0.5, 0.25, 1.0);
  struct Row {
    const char* what;
    Json after;
    double tolerance;
    Likeness verdict;
    std::optional<double> difference;
  };
  const Row rows[] = {
      {"the same", before, 0, Likeness::identical, 0},
      {"the same, and a tolerance", before, 1, Likeness::identical, 0},
      {"a quarter less", summary(0.375, 0.25, 1.0), 0, Likeness::drift, 0.25},
      {"just within", summary(0.375, 0.25, 1.0), 0.25, Likeness::within_tolerance, 0.25},
      {"just without", summary(0.375, 0.25, 1.0), 0.249, Likeness::drift, 0.25},
      {"only the least differs", summary(0.5, 0.125, 1.0), 0.25, Likeness::drift, 0.5},
      {"only the greatest differs", summary(0.5, 0.25, 2.0), 0.5, Likeness::within_tolerance, 0.5},
      {"another sign", summary(-0.5, 0.25, 1.0), 1, Likeness::drift, 2},
      {"zero is far from everything", summary(0.0, 0.25, 1.0), 0.5, Likeness::drift, 1},
      {"measured once more", summary(0.5, 0.25, 1.0, 4), 1, Likeness::drift, 0},
      {"at another step", summary(0.5, 0.25, 1.0, 3, 4), 1, Likeness::drift, 0},
      {"no number", summary("NaN", 0.25, 1.0), 1, Likeness::drift, std::nullopt},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const auto judged = judge_metrics({{"loss", before}}, {{"loss", row.after}}, row.tolerance);
    REQUIRE(judged.size() == 1);
    CHECK(judged[0].name == "loss");
    CHECK(judged[0].verdict == row.verdict);
    CHECK(judged[0].difference == row.difference);
  }
  const Json lost = {{"loss", summary("NaN", 0.25, 1.0)}};
  CHECK(judge_metrics(lost, lost, 0)[0].verdict == Likeness::identical);
  const auto apart = judge_metrics({{"a", before}}, {{"b", before}}, 1);
  REQUIRE(apart.size() == 2);
  CHECK(apart[0].verdict == Likeness::drift);
  CHECK(apart[0].after.is_null());
  CHECK(apart[1].verdict == Likeness::drift);
  CHECK(apart[1].before.is_null());
}

TEST_CASE("the difference of great numbers is no infinite one", "[reproduction]") {
  const JudgedNumber far = judge_score(1.7e308, -1.7e308, 0);
  CHECK(far.difference == 2);
  CHECK(judge_score(0.5, 0.5, 0).verdict == Likeness::identical);
  CHECK(judge_score(0.5, std::nullopt, 1).verdict == Likeness::drift);
  CHECK(judge_score(1e-300, 1.1e-300, 0.1).verdict == Likeness::within_tolerance);
}

TEST_CASE("each file is identical or drifts", "[reproduction]") {
  const Tree before = Tree::of({file("a", "1"), file("b", "22"), file("d", "4"), file("e", "5")}).value();
  const Tree after = Tree::of({file("a", "1"), file("b", "33"), file("c", "3"), file("e", "5", true)}).value();
  const JudgedTree judged = judge_tree(before, after);
  CHECK(judged.verdict == Likeness::drift);
  const std::vector<std::pair<std::string, Likeness>> expected = {{"a", Likeness::identical},
                                                                  {"b", Likeness::drift},
                                                                  {"c", Likeness::drift},
                                                                  {"d", Likeness::drift},
                                                                  {"e", Likeness::drift}};
  REQUIRE(judged.files.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(judged.files[i].path.text() == expected[i].first);
    CHECK(judged.files[i].verdict == expected[i].second);
  }
  CHECK_FALSE(judged.files[2].before);
  CHECK_FALSE(judged.files[3].after);
  const JudgedTree same = judge_tree(before, before);
  CHECK(same.verdict == Likeness::identical);
  CHECK(same.files.size() == 4);
}

TEST_CASE("a reproduction is as good as the worst of it", "[reproduction]") {
  Reproduction reproduction;
  CHECK(reproduction.verdict() == Likeness::identical);
  reproduction.package = JudgedTree{};
  reproduction.artifacts = JudgedTree{};
  reproduction.metrics = {{"a", Likeness::identical, 1, 1, 0}, {"b", Likeness::within_tolerance, 1, 1.1, 0.1}};
  CHECK(reproduction.verdict() == Likeness::within_tolerance);
  reproduction.score = JudgedNumber{"score", Likeness::drift, 1, 2, 0.5};
  CHECK(reproduction.verdict() == Likeness::drift);
  reproduction.score.reset();
  reproduction.artifacts->verdict = Likeness::drift;
  CHECK(reproduction.verdict() == Likeness::drift);
  reproduction.environment = {{"host", "a", "b"}};
  reproduction.artifacts->verdict = Likeness::identical;
  CHECK(reproduction.verdict() == Likeness::within_tolerance);
  reproduction.missing = {{MissingPart::What::data, "gone"}};
  CHECK(reproduction.verdict() == Likeness::cannot);
}

}  // namespace trainyard::reproduction_test
