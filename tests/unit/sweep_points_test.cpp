// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <set>

#include "runner/core/sweep_board.hpp"
#include "tests/unit/example_run.hpp"

namespace trainyard::sweep_points_test {
namespace {

using Standing = SweepTrial::Standing;
using Texts = std::vector<std::string>;

SweepParameter parameter(const std::string& text) {
  auto parsed = SweepParameter::parse(text);
  INFO(text << ": " << (parsed.ok() ? "" : parsed.error().message));
  REQUIRE(parsed.ok());
  return *parsed;
}

std::vector<SweepParameter> parameters(const Texts& texts) {
  std::vector<SweepParameter> all;
  for (const std::string& text : texts) all.push_back(parameter(text));
  return all;
}

Texts values_of(const SweepParameter& parameter) {
  Texts values;
  for (std::uint64_t i = 0; i < parameter.count(); ++i) values.push_back(parameter.at(i));
  return values;
}

Sweep sweep(const Texts& texts) {
  return {RunName::parse("rates").value(), example::kNow, example::request(), parameters(texts), {}, {}, {}};
}

Sweep halved(const Texts& texts, const char* least, const char* most, int eta) {
  Sweep halved = sweep(texts);
  halved.metric = "accuracy";
  halved.halving = Sweep::Halving{"epochs", *Decimal::parse(least), *Decimal::parse(most), eta};
  return halved;
}

SweepTrial trial(std::size_t point, int rung, Standing standing, std::optional<double> value = {}) {
  return {point, rung, standing, "run-" + std::to_string(point), "name", "1.1", value, "", ""};
}

}  // namespace

TEST_CASE("decimals are exact, and written with the fewest digits", "[sweep]") {
  const std::pair<const char*, const char*> rows[] = {{"0", "0"},
                                                      {"-0", "0"},
                                                      {"10", "10"},
                                                      {"0.10", "0.1"},
                                                      {"1e-4", "0.0001"},
                                                      {"2.5E3", "2500"},
                                                      {"-0.5", "-0.5"},
                                                      {"007", "7"},
                                                      {"1e+2", "100"},
                                                      {".5", "0.5"},
                                                      {"5.", "5"},
                                                      {"123456789012345", "123456789012345"},
                                                      {"1e-15", "0.000000000000001"}};
  for (const auto& [written, text] : rows) {
    CAPTURE(written);
    const auto number = Decimal::parse(written);
    REQUIRE(number);
    CHECK(number->text() == text);
    CHECK(Decimal::parse(number->text()) == number);
  }
  for (const char* const wrong : {"", "-", ".", "e5", "1e", "1e++2", "+1", " 1", "1 ", "1,5", "1.2.3", "nan", "inf",
                                  "0x10", "1234567890123456", "1e16", "1e-16", "1e9999999999", "--1"}) {
    CAPTURE(wrong);
    CHECK_FALSE(Decimal::parse(wrong));
  }
  CHECK(*Decimal::parse("0.1") < *Decimal::parse("0.11"));
  CHECK(*Decimal::parse("-2") < *Decimal::parse("-1.5"));
  CHECK(*Decimal::parse("1.50") == *Decimal::parse("1.5"));
  CHECK(Decimal::parse("0.1")->times(3)->text() == "0.3");
  CHECK_FALSE(Decimal::parse("123456789012345")->times(100));
}

TEST_CASE("what the values of a parameter are", "[sweep]") {
  const std::pair<const char*, Texts> rows[] = {
      {"lr=0.01,0.1,1", {"0.01", "0.1", "1"}},
      {"lr=0.1", {"0.1"}},
      {"opt=sgd,adam", {"sgd", "adam"}},
      {"layers=64\\,32,128", {"64,32", "128"}},
      {"url=http://a:80,http://b:80", {"http://a:80", "http://b:80"}},
      {"path=../a,../b", {"../a", "../b"}},
      {"text=a..b", {"a..b"}},
      {"equal=a=b", {"a=b"}},
      {"epochs=10:50:10", {"10", "20", "30", "40", "50"}},
      {"epochs=10:45:10", {"10", "20", "30", "40"}},
      {"epochs=50:10:-20", {"50", "30", "10"}},
      {"epochs=7:7:3", {"7"}},
      {"x=0:1:0.1", {"0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1"}},
      {"x=-0.5:0.5:0.5", {"-0.5", "0", "0.5"}},
      {"x=1e-3:3e-3:1e-3", {"0.001", "0.002", "0.003"}},
      {"x=0.1..0.2", {}},
      {"x=log:1e-4..0.1", {}}};
  for (const auto& [text, values] : rows) {
    CAPTURE(text);
    CHECK(values_of(parameter(text)) == values);
  }
}

TEST_CASE("what is wrong with a parameter is said in one sentence", "[sweep]") {
  const std::pair<const char*, const char*> rows[] = {
      {"lr", "must be NAME=VALUES"},
      {"=1", "no name of letters"},
      {"1x=1", "no name of letters"},
      {"l r=1", "no name of letters"},
      {"lr=", "a value is empty"},
      {"lr=1,,2", "a value is empty"},
      {"lr=1,", "a value is empty"},
      {"lr=0.1,0.1", "has '0.1' twice"},
      {"n=10:50", "is written FROM:TO:STEP"},
      {"n=10:50:", "is written FROM:TO:STEP"},
      {"n=::", "is written FROM:TO:STEP"},
      {"n=1:2:3:4", "is written FROM:TO:STEP"},
      {"n=10:50:0", "whose step is 0"},
      {"n=10:50:-10", "leads away from 50"},
      {"n=50:10:10", "leads away from 10"},
      {"n=100000000000000:100000000000001:1e-10", "more than fifteen digits"},
      {"x=0.2..0.1", "in which nothing lies"},
      {"x=1..1", "in which nothing lies"},
      {"x=log:0..1", "begins above 0"},
      {"x=log:-1..1", "begins above 0"},
      {"x=log:a..b", "must be numbers"},
      {"x=log:1", "is written log:FROM..TO"},
      {"x=\xff", "not UTF-8"}};
  for (const auto& [text, why] : rows) {
    CAPTURE(text);
    const auto parsed = SweepParameter::parse(text);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().code == Errc::invalid);
    CHECK_THAT(parsed.error().message, Catch::Contains(why));
  }
}

TEST_CASE("a grid has all combinations, and the last parameter changes fastest", "[sweep]") {
  const auto grid = grid_of(parameters({"a=1,2", "b=x,y,z"}));
  REQUIRE(grid.ok());
  const std::vector<SweepPoint> all = {{{"a", "1"}, {"b", "x"}}, {{"a", "1"}, {"b", "y"}}, {{"a", "1"}, {"b", "z"}},
                                       {{"a", "2"}, {"b", "x"}}, {{"a", "2"}, {"b", "y"}}, {{"a", "2"}, {"b", "z"}}};
  CHECK(*grid == all);
  CHECK(grid_of(parameters({"a=1:10000:1"}))->size() == 10'000);
  for (const Texts& many :
       std::vector<Texts>{{"a=1:10001:1"}, {"a=1:101:1", "b=1:100:1"}, {"a=1:1e14:1", "b=1:1e14:1", "c=1:1e14:1"}}) {
    const auto refused = grid_of(parameters(many));
    REQUIRE_FALSE(refused.ok());
    CHECK_THAT(refused.error().message, Catch::Contains("more than 10000 combinations"));
  }
  CHECK_THAT(grid_of(parameters({"a=0.1..0.2"})).error().message, Catch::Contains("give --random N"));
}

TEST_CASE("a random sample is the same on every machine", "[sweep]") {
  // As another program computed them. Who changes how points are drawn breaks sweeps that are to be resumed.
  const auto sample = sample_of(parameters({"lr=log:0.0001..0.1", "drop=0.1..0.5", "units=16..512", "width=log:1..1000",
                                            "opt=sgd,adam", "n=10:50:10"}),
                                3, 7);
  REQUIRE(sample.ok());
  Texts lines;
  for (const SweepPoint& point : *sample) {
    std::string line;
    for (const auto& [name, value] : point) line += name + "=" + value + " ";
    lines.push_back(line);
  }
  CHECK(lines == Texts{"drop=0.18374 lr=0.0410201 n=10 opt=sgd units=313 width=13 ",
                       "drop=0.143649 lr=0.0713605 n=30 opt=adam units=226 width=1 ",
                       "drop=0.393832 lr=0.00486231 n=10 opt=adam units=229 width=377 "});
  const auto finite = sample_of(parameters({"a=1:3:1", "b=x,y"}), 3, 1);
  REQUIRE(finite.ok());
  CHECK(*finite ==
        std::vector<SweepPoint>{{{"a", "2"}, {"b", "y"}}, {{"a", "1"}, {"b", "y"}}, {{"a", "1"}, {"b", "x"}}});
}

TEST_CASE("a random sample has no point twice, and lies where it should", "[sweep]") {
  for (const std::uint64_t seed : {0U, 1U, 2U}) {
    const auto all = sample_of(parameters({"a=1:50:1", "b=1:20:1"}), 1000, seed);
    REQUIRE(all.ok());
    CHECK(std::set<SweepPoint>(all->begin(), all->end()).size() == 1000);
    const auto huge = sample_of(parameters({"a=1:1e12:1", "b=1:1e12:1", "c=1:1e12:1"}), 500, seed);
    REQUIRE(huge.ok());
    CHECK(std::set<SweepPoint>(huge->begin(), huge->end()).size() == 500);
    const auto some =
        sample_of(parameters({"lr=log:0.001..1000", "p=0.25..0.75", "n=log:1..8", "m=-2..2"}), 2000, seed);
    REQUIRE(some.ok());
    int below_one = 0;
    int below_half = 0;
    std::map<std::string, int> whole;
    for (const SweepPoint& point : *some) {
      const double lr = std::stod(point.at("lr"));
      const double p = std::stod(point.at("p"));
      CHECK((lr >= 0.001 && lr <= 1000));
      CHECK((p >= 0.25 && p <= 0.75));
      below_one += lr < 1 ? 1 : 0;
      below_half += p < 0.5 ? 1 : 0;
      ++whole[point.at("m")];
      CHECK(point.at("n").find('.') == std::string::npos);
    }
    CHECK((below_one > 900 && below_one < 1100));
    CHECK((below_half > 900 && below_half < 1100));
    CHECK(whole.size() == 5);
  }
  CHECK_THAT(sample_of(parameters({"a=1,2", "b=1,2"}), 5, 1).error().message, Catch::Contains("only 4 combinations"));
  CHECK_THAT(sample_of(parameters({"a=1..3"}), 5, 1).error().message, Catch::Contains("only about 3 combinations"));
}

TEST_CASE("which rungs successive halving has", "[sweep]") {
  struct Row {
    const char* least;
    const char* most;
    int eta;
    std::size_t points;
    std::vector<std::pair<std::size_t, const char*>> rungs;
  };
  const Row rows[] = {{"10", "90", 3, 9, {{9, "10"}, {3, "30"}, {1, "90"}}},
                      {"10", "100", 3, 9, {{9, "10"}, {3, "30"}, {1, "100"}}},
                      {"1", "27", 3, 27, {{27, "1"}, {9, "3"}, {3, "9"}, {1, "27"}}},
                      {"10", "20", 3, 9, {{9, "10"}, {3, "20"}}},
                      {"10", "90", 3, 3, {{3, "10"}, {1, "90"}}},  // who is alone goes straight to the last rung
                      {"10", "90", 3, 1, {{1, "10"}, {1, "90"}}},
                      {"0.1", "1", 2, 8, {{8, "0.1"}, {4, "0.2"}, {2, "0.4"}, {1, "1"}}},
                      {"1", "8", 2, 100, {{100, "1"}, {50, "2"}, {25, "4"}, {12, "8"}}}};
  for (const Row& row : rows) {
    CAPTURE(row.least, row.most, row.eta, row.points);
    const auto rungs = rungs_of(halved({"a=1,2"}, row.least, row.most, row.eta), row.points);
    REQUIRE(rungs.size() == row.rungs.size());
    for (std::size_t i = 0; i < rungs.size(); ++i)
      CHECK(rungs[i] == Rung{static_cast<int>(i) + 1, row.rungs[i].first, row.rungs[i].second});
  }
  CHECK(rungs_of(sweep({"a=1,2"}), 2) == std::vector<Rung>{{1, 2, std::nullopt}});
}

TEST_CASE("who goes on", "[sweep]") {
  using Points = std::vector<std::size_t>;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Achieved> all = {{1, 0.5}, {2, std::nullopt}, {3, 0.75}, {4, 0.5}, {5, nan}, {6, 0.25}};
  CHECK(survivors(all, Goal::max, 1) == Points{3});
  CHECK(survivors(all, Goal::max, 2) == Points{1, 3});  // of equal ones the lower number
  CHECK(survivors(all, Goal::max, 3) == Points{1, 3, 4});
  CHECK(survivors(all, Goal::min, 1) == Points{6});
  CHECK(survivors(all, Goal::min, 2) == Points{1, 6});
  CHECK(survivors(all, Goal::max, 9) == Points{1, 3, 4, 6});  // what failed never does
  CHECK(survivors({}, Goal::max, 3).empty());
}

TEST_CASE("a request of a run has the values of its point, and tags that tell which", "[sweep]") {
  Sweep halving = halved({"lr=1,2"}, "10", "90", 3);
  halving.request.environment = {{"note", "x"}};
  halving.request.tags = {{"who", "me"}};
  const RunRequest request = request_for(halving, 2, {{"lr", "2"}}, {3, 1, "90"});
  CHECK(request.environment == std::map<std::string, std::string>{{"epochs", "90"}, {"lr", "2"}, {"note", "x"}});
  CHECK(request.tags == std::map<std::string, std::string>{
                            {"sweep", "rates"}, {"sweep.point", "2"}, {"sweep.rung", "3"}, {"who", "me"}});
  CHECK(request.experiment->text() == "rates");
}

TEST_CASE("a sweep that contradicts itself is refused", "[sweep]") {
  CHECK(check_sweep(sweep({"a=1"})).ok());
  const auto refused = [](const Sweep& sweep, const char* why) {
    const auto checked = check_sweep(sweep);
    REQUIRE_FALSE(checked.ok());
    CHECK(checked.error().code == Errc::invalid);
    CHECK_THAT(checked.error().message, Catch::Contains(why));
  };
  refused(sweep({}), "needs a parameter");
  refused(sweep({"a=1", "a=2"}), "gives a twice");
  Sweep wrong = sweep({"a=1"});
  wrong.request.environment["a"] = "1";
  refused(wrong, "by --param and by --env");
  wrong = sweep({"a=1"});
  wrong.request.secrets = {"a"};
  refused(wrong, "by --param and as a secret");
  wrong = sweep({"a=1"});
  wrong.request.type = RunType::evaluation;
  refused(wrong, "training or full");
  wrong = sweep({"a=1"});
  wrong.request.tags["sweep.point"] = "1";
  refused(wrong, "a sweep gives its runs itself");
  wrong = sweep({"a=1"});
  for (int i = 0; i < 48; ++i) wrong.request.tags["t" + std::to_string(i)] = "";
  refused(wrong, "47 of yours");
  wrong = sweep({"a=1"});
  wrong.metric = "a b";
  refused(wrong, "--metric is 'a b'");
  refused(halved({"epochs=1"}, "1", "9", 3), "also a --param");
  refused(halved({"a=1"}, "9", "1", 3), "must grow");
  refused(halved({"a=1"}, "0", "9", 3), "above 0");
  wrong = halved({"a=1"}, "1", "9", 3);
  wrong.metric.reset();
  refused(wrong, "needs --metric");
  wrong = halved({"a=1"}, "1", "9", 3);
  wrong.request.environment["epochs"] = "3";
  refused(wrong, "--env or --secret too");
}

TEST_CASE("the board of a sweep knows what is open, what is settled and who is best", "[sweep]") {
  SweepBoard board = SweepBoard::of(halved({"a=1:9:1"}, "10", "90", 3)).value();
  using Points = std::vector<std::size_t>;
  const auto open = [&](int rung, SweepBoard::RetryFailed retry = SweepBoard::RetryFailed::no) {
    Points points;
    for (const SweepTrial& one : board.open_trials(rung, retry)) points.push_back(one.point);
    return points;
  };
  CHECK(open(1).size() == 9);
  CHECK_FALSE(board.best());
  for (const std::size_t point : {1U, 2U, 3U, 4U, 5U})
    board.found(trial(point, 1, Standing::succeeded, 0.1 * static_cast<double>(point)));
  board.found(trial(6, 1, Standing::failed));
  board.found(trial(7, 1, Standing::unfinished));
  board.found(trial(8, 1, Standing::running));
  CHECK(open(1) == Points{7, 8, 9});
  CHECK(open(1, SweepBoard::RetryFailed::yes) == Points{6, 7, 8, 9});
  CHECK_FALSE(board.is_settled(1));
  CHECK(board.best()->point == 5);
  CHECK(board.ranking().size() == 9);
  CHECK(board.ranking().front().point == 5);
  // What does not belong to it, and what was tried twice.
  board.found(trial(10, 1, Standing::succeeded, 9.0));
  board.found(trial(0, 1, Standing::succeeded, 9.0));
  board.found(trial(1, 4, Standing::succeeded, 9.0));
  board.found(trial(5, 1, Standing::failed));
  board.found(trial(5, 1, Standing::succeeded, 9.0));
  CHECK(board.trial(1, 5).value == Approx(0.5));
  for (const std::size_t point : {7U, 8U, 9U}) board.set(trial(point, 1, Standing::succeeded, 0.01));
  CHECK(board.is_settled(1));
  CHECK(board.members(2) == Points{3, 4, 5});
  CHECK_FALSE(board.is_finished());
  CHECK(open(2) == Points{3, 4, 5});
  CHECK(board.ranking().size() == 12);
  // Once a run of the next rung is there, it is decided who went on.
  board.found(trial(3, 2, Standing::running));
  CHECK(board.is_closed(1));
  CHECK(open(1, SweepBoard::RetryFailed::yes).empty());
  for (const std::size_t point : {3U, 4U, 5U})
    board.set(trial(point, 2, Standing::succeeded, 1.0 / static_cast<double>(point)));
  CHECK(board.members(3) == Points{3});
  CHECK(board.best()->point == 3);
  CHECK(board.best()->rung == 2);
  board.set(trial(3, 3, Standing::succeeded, 0.05));
  CHECK(board.best()->rung == 3);  // whatever a smaller budget measured
  CHECK(board.is_finished());
  CHECK(board.ranking().size() == 13);
  CHECK(board.values_of(*board.best()) == SweepPoint{{"a", "3"}, {"epochs", "90"}});
}

TEST_CASE("a halving of which all points fail is over", "[sweep]") {
  SweepBoard board = SweepBoard::of(halved({"a=1,2,3"}, "1", "9", 3)).value();
  for (const std::size_t point : {1U, 2U, 3U}) board.set(trial(point, 1, Standing::failed));
  CHECK(board.is_finished());
  CHECK_FALSE(board.best());
  board.set(trial(2, 1, Standing::succeeded));  // but it measured nothing
  CHECK(board.members(2).empty());
  CHECK(board.is_finished());
}

TEST_CASE("whether values compare", "[sweep]") {
  SweepBoard board = SweepBoard::of(sweep({"a=1,2,3"})).value();
  const auto with_data = [](std::size_t point, Standing standing, const char* data) {
    SweepTrial one = trial(point, 1, standing);
    one.data = data;
    return one;
  };
  board.set(with_data(1, Standing::succeeded, "x"));
  board.set(with_data(2, Standing::failed, ""));
  CHECK(board.had_same_data());
  board.set(with_data(3, Standing::succeeded, "y"));
  CHECK_FALSE(board.had_same_data());
}

TEST_CASE("what a metric is for is told by its name", "[sweep]") {
  for (const char* const name : {"loss", "validation_loss", "Error_Rate", "mse", "latency_ms"})
    CHECK(less_is_better(name));
  for (const char* const name : {"accuracy", "score", "f1", "auc"}) CHECK_FALSE(less_is_better(name));
  CHECK(parse_goal("min").value() == Goal::min);
  CHECK_FALSE(parse_goal("best").ok());
}

}  // namespace trainyard::sweep_points_test
