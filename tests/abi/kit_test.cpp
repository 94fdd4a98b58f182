// SPDX-License-Identifier: Apache-2.0
// The author's kit against a host made by hand: what crosses the border, and what is stopped there.
#include <trainyard/package.hpp>

#include "tests/abi/hand_made_host.hpp"

#include <catch2/catch.hpp>

#include <cstddef>
#include <cstdlib>
#include <functional>
#include <memory>
#include <vector>

using trainyard::InvalidInput;
using trainyard::Run;
using trainyard::test::HandMadeHost;
using Heard = std::vector<std::string>;

TEST_CASE("guard turns what was thrown into a status and an explanation") {
  struct Row {
    std::function<void()> call;
    trainyard_status status;
    Heard heard;
  };
  const std::vector<Row> rows = {
      {[] {}, TRAINYARD_OK, {}},
      {[] { throw trainyard::Cancelled(); }, TRAINYARD_CANCELLED, {"explain train: cancelled"}},
      {[] { throw InvalidInput("no labels"); }, TRAINYARD_INVALID_INPUT, {"explain train: no labels"}},
      {[] { throw std::bad_alloc(); }, TRAINYARD_OUT_OF_MEMORY, {"explain train: out of memory"}},
      {[] { throw std::bad_array_new_length(); }, TRAINYARD_OUT_OF_MEMORY, {"explain train: out of memory"}},
      {[] { throw std::out_of_range("row 7"); }, TRAINYARD_BUG, {"explain train: row 7"}},
      {[] { throw std::runtime_error("disk on fire"); }, TRAINYARD_FAILED, {"explain train: disk on fire"}},
      {[] { throw 42; }, TRAINYARD_FAILED, {"explain train: threw something that is not a std::exception"}},
  };
  for (const Row& row : rows) {
    HandMadeHost host;
    CHECK(trainyard::border::guard(host.table, "train", row.call) == row.status);
    CHECK(host.heard == row.heard);
  }
}

TEST_CASE("parameters arrive as the type that is asked for, or not at all") {
  HandMadeHost host;
  host.set("yes", true);
  host.set("no", false);
  host.set("epochs", std::int64_t{300});
  host.set("minus", std::int64_t{-1});
  host.set("huge", std::numeric_limits<std::int64_t>::max());
  host.set("rate", 0.5);
  host.set("enormous", 1e300);
  host.set("name", "adam");
  const Run run(&host.table);

  SECTION("conversions that keep the value") {
    CHECK(run.parameter<bool>("yes"));
    CHECK_FALSE(run.parameter<bool>("no"));
    CHECK(run.parameter<int>("epochs") == 300);
    CHECK(run.parameter<std::uint16_t>("epochs") == 300);
    CHECK(run.parameter<std::int64_t>("huge") == std::numeric_limits<std::int64_t>::max());
    CHECK(run.parameter<std::uint64_t>("huge") == 9223372036854775807U);
    CHECK(run.parameter<double>("epochs") == 300.0);
    CHECK(run.parameter<double>("rate") == 0.5);
    CHECK(run.parameter<float>("rate") == 0.5F);
    CHECK(run.parameter<std::string>("name") == "adam");
  }
  SECTION("integers that do not fit") {
    CHECK_THROWS_AS(run.parameter<std::int8_t>("epochs"), InvalidInput);
    CHECK_THROWS_AS(run.parameter<unsigned>("minus"), InvalidInput);
    CHECK_THROWS_AS(run.parameter<int>("huge"), InvalidInput);
    CHECK_THROWS_AS(run.parameter<float>("enormous"), InvalidInput);
  }
  SECTION("another type, whether or not there is a value for its absence") {
    CHECK_THROWS_WITH(run.parameter<int>("rate"), "parameter 'rate' is 0.500000; it must be an Integer");
    CHECK_THROWS_WITH(run.parameter<double>("name"), "parameter 'name' is adam; it must be a Float or an Integer");
    CHECK_THROWS_WITH(run.parameter<bool>("epochs"), "parameter 'epochs' is 300; it must be a Boolean");
    CHECK_THROWS_WITH(run.parameter<std::string>("yes"), "parameter 'yes' is true; it must be a String");
    CHECK_THROWS_AS(run.parameter("rate", 3), InvalidInput);
  }
  SECTION("absent") {
    CHECK_THROWS_WITH(run.parameter<int>("depth"), "parameter 'depth' is missing");
    CHECK(run.parameter("depth", 3) == 3);
    CHECK(run.parameter("epochs", 3) == 300);
    CHECK(run.parameter<std::string>("colour", "red") == "red");
  }
}

TEST_CASE("what a package reports reaches the host as it was said") {
  HandMadeHost host;
  host.directories = {{"package", "/p"}, {"artifacts", "/a"}, {"data", "/d"}, {"test_data", "/d/test"}};
  const Run run(&host.table);
  run.debug("one");
  run.info("two");
  run.warning("three");
  run.error("");
  run.metric("loss", 0.5, 3);
  run.metric("loss", 0.25);
  run.progress(0.5);
  run.progress(1, "done");
  CHECK(host.heard == Heard{"log 0 one", "log 1 two", "log 2 three", "log 3 ", "metric loss 3 0.500000",
                            "metric loss 0 0.250000", "progress 0.500000 ", "progress 1.000000 done"});
  CHECK_FALSE(run.cancelled());
  CHECK_NOTHROW(run.throw_if_cancelled());
  host.cancelled = true;
  CHECK(run.cancelled());
  CHECK_THROWS_AS(run.throw_if_cancelled(), trainyard::Cancelled);
  CHECK(run.package_directory() == "/p");
  CHECK(run.artifacts_directory() == "/a");
  CHECK(run.data_directory() == "/d");
  CHECK(run.directory("test_data") == std::filesystem::path("/d/test"));
  CHECK_FALSE(run.directory("training_data").has_value());
}

namespace {

/// Uses every power once; says how many of them answered.
int powers_of(const Run& run, HandMadeHost& host) {
  host.heard.clear();
  run.info("log");
  run.metric("metric", 1);
  run.progress(1);
  trainyard::border::explain(run.host(), "train", "explain");
  return static_cast<int>(host.heard.size()) + (run.cancelled() ? 1 : 0) + (run.parameter("parameter", false) ? 1 : 0) +
         (run.directory("package") ? 1 : 0) + (run.host().extension ? 1 : 0);
}

}  // namespace

TEST_CASE("a host that is older has fewer powers, and the kit makes do") {
  HandMadeHost host;
  host.cancelled = true;
  host.set("parameter", true);
  host.directories = {{"package", "/p"}};
  const std::size_t first_power = offsetof(trainyard_host, log);
  const std::size_t bytes_of_one = sizeof(void*);

  SECTION("the table ends early: nothing behind its end is read") {
    for (std::size_t size = first_power; size <= sizeof(trainyard_host); size += bytes_of_one) {
      // The memory ends where the table ends, so that an address sanitizer sees a read behind it.
      const std::unique_ptr<void, void (*)(void*)> memory(std::malloc(size), std::free);
      host.table.struct_size = static_cast<std::uint32_t>(size);
      std::memcpy(memory.get(), &host.table, size);
      const Run run(static_cast<const trainyard_host*>(memory.get()));
      const int powers = static_cast<int>((size - first_power) / bytes_of_one);
      CHECK(powers_of(run, host) == powers);
      CHECK(run.package_directory() == (size > offsetof(trainyard_host, directory) ? "/p" : ""));
      // Here the memory goes on with functions that would answer; only struct_size says that they are not meant.
      CHECK(powers_of(Run(&host.table), host) == powers);
    }
  }
  SECTION("the table is long, but its fields are null") {
    trainyard_host empty{};
    empty.struct_size = sizeof empty;
    const Run run(&empty);
    CHECK(powers_of(run, host) == 0);
    CHECK_THROWS_AS(run.parameter<int>("parameter"), InvalidInput);
    CHECK(trainyard::border::guard(run.host(), "train", [] { throw 42; }) == TRAINYARD_FAILED);
  }
  SECTION("the table is longer than the kit knows") {
    struct Newer {
      trainyard_host known;
      void* more[4];
    } newer{host.table, {}};
    newer.known.struct_size = sizeof newer;
    newer.known.minor = 7;
    const Run run(&newer.known);
    CHECK(powers_of(run, host) == 8);
  }
}

namespace {

class Whole {
 public:
  explicit Whole(Run& run) : run_(run) {
    if (run.parameter("fail_create", false)) throw std::runtime_error("no model");
    run_.info("made");
  }
  ~Whole() noexcept(false) {
    if (run_.parameter("fail_destroy", false)) throw std::runtime_error("stuck");
    run_.info("gone");
  }
  void train(const std::filesystem::path& data) {
    if (data.empty()) throw InvalidInput("no data");
    run_.info("train " + data.string());
  }
  void save() { run_.info("save"); }
  double evaluate(const std::filesystem::path& data) { return static_cast<double>(data.string().size()); }
  void process_data(const std::filesystem::path& data) { run_.info("process " + data.string()); }
  std::string predict(std::string_view input) { return "<" + std::string(input) + ">"; }

 private:
  Run& run_;
};

trainyard_text text(std::string_view view) { return {view.data(), view.size()}; }

}  // namespace

TEST_CASE("the table of a class calls the class") {
  HandMadeHost host;
  const trainyard_package package = trainyard::border::table<Whole>();
  CHECK(package.struct_size == sizeof package);
  CHECK(package.minor == TRAINYARD_ABI_MINOR);
  CHECK_THAT(package.builder, Catch::Matchers::Matches("(g|clang)\\+\\+ [0-9.]+, trainyard kit 1\\.[0-9]+"));

  void* self = nullptr;
  REQUIRE(package.create(&host.table, &self) == TRAINYARD_OK);
  CHECK(package.process_data(self, text("/in")) == TRAINYARD_OK);
  CHECK(package.train(self, text("/data")) == TRAINYARD_OK);
  CHECK(package.save(self) == TRAINYARD_OK);
  double score = -1;
  CHECK(package.evaluate(self, text("/12"), &score) == TRAINYARD_OK);
  CHECK(score == 3);
  std::string answer;
  const trainyard_answer receive = [](void* receiver, trainyard_text given) noexcept {
    static_cast<std::string*>(receiver)->assign(given.data, given.size);
  };
  CHECK(package.predict(self, text("what?"), receive, &answer) == TRAINYARD_OK);
  CHECK(answer == "<what?>");
  CHECK(package.train(self, trainyard_text{nullptr, 0}) == TRAINYARD_INVALID_INPUT);
  package.destroy(self);
  CHECK(host.heard == Heard{"log 1 made", "log 1 process /in", "log 1 train /data", "log 1 save",
                            "explain train: no data", "log 1 gone"});
}

TEST_CASE("a constructor that throws makes nothing") {
  HandMadeHost host;
  host.set("fail_create", true);
  void* self = &host;
  CHECK(trainyard::border::table<Whole>().create(&host.table, &self) == TRAINYARD_FAILED);
  CHECK(self == &host);
  CHECK(host.heard == Heard{"explain create: no model"});
}

TEST_CASE("a destructor that throws is only logged") {
  HandMadeHost host;
  host.set("fail_destroy", true);
  const trainyard_package package = trainyard::border::table<Whole>();
  void* self = nullptr;
  REQUIRE(package.create(&host.table, &self) == TRAINYARD_OK);
  package.destroy(self);
  CHECK(host.heard == Heard{"log 1 made", "log 3 destroy: the package's destructor threw an exception"});
}
