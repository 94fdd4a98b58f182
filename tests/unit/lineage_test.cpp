// SPDX-License-Identifier: Apache-2.0
#include "runner/core/lineage.hpp"

#include <catch2/catch.hpp>
#include <chrono>

#include "runner/cli/lineage_text.hpp"
#include "runner/core/documents/croissant.hpp"
#include "runner/core/documents/cyclonedx_bom.hpp"
#include "runner/core/documents/identifiers.hpp"
#include "runner/core/documents/lineage_dot.hpp"
#include "runner/core/documents/lineage_json.hpp"
#include "runner/core/documents/lineage_svg.hpp"
#include "runner/core/documents/openlineage_events.hpp"
#include "runner/core/documents/prov_json.hpp"
#include "runner/core/documents/slsa_statements.hpp"
#include "tests/unit/example_lineage.hpp"

namespace trainyard::lineage_test {
namespace {

using Kind = LineageEdge::Kind;

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

// A chain of uploads and trainings, each by a run of its own on the same data.
LineageParts long_parts(std::uint32_t minors) {
  LineageParts parts;
  for (std::uint32_t minor = minors + 1; minor-- > 0;) {
    if (minor == 0) {
      parts.versions.push_back(example::there(0, std::nullopt));
      break;
    }
    std::array<std::uint8_t, 10> bytes{};
    bytes[8] = static_cast<std::uint8_t>(minor >> 8U);
    bytes[9] = static_cast<std::uint8_t>(minor & 255U);
    const RunId run = RunId::from(example::minute(minor), bytes);
    parts.versions.push_back(example::there(minor, run));
    RunRecord record = example::run_record(run, RunType::training, minor - 1, minor);
    record.inputs = {example::folder_input("train_data", "/data/same")};
    record.version = example::recorded(minor);
    parts.runs.push_back({run, LineageRun::State::over, record, ""});
  }
  return parts;
}

}  // namespace

TEST_CASE("a lineage has every step, from what was there to what came of it", "[lineage]") {
  const Lineage lineage = example::lineage();
  REQUIRE(lineage.versions().size() == 3);
  REQUIRE(lineage.runs().size() == 3);
  CHECK(lineage.runs()[0].run == example::run_id('1'));
  REQUIRE(lineage.datasets().size() == 3);
  const std::string training = "run:" + example::run_id('1').text();
  const std::string full = "run:" + example::run_id('3').text();
  const std::string evaluation = "run:" + example::run_id('2').text();
  const std::string odd = "data:" + example::tree_of(example::kOddFolder).digest.hex();
  const std::string test = "data:" + example::tree_of("/data/test").digest.hex();
  const std::string weather = "data:" + example::tree_of("weather").digest.hex();
  std::vector<LineageEdge> expected = {{Kind::derived, "version:digits@1.0", "version:digits@1.1"},
                                       {Kind::derived, "version:digits@1.1", "version:digits@1.2"},
                                       {Kind::generated, training, "version:digits@1.1"},
                                       {Kind::generated, full, "version:digits@1.2"},
                                       {Kind::used, "version:digits@1.0", training},
                                       {Kind::used, "version:digits@1.1", evaluation},
                                       {Kind::used, "version:digits@1.1", full},
                                       {Kind::used, odd, training},
                                       {Kind::used, test, evaluation},
                                       {Kind::used, weather, full}};
  std::sort(expected.begin(), expected.end());
  CHECK((lineage.edges() == expected));
  CHECK(lineage.maker_of(lineage.versions()[2]) == nullptr);
  CHECK(lineage.evaluations_of(lineage.versions()[1]).size() == 1);
  CHECK(lineage.evaluations_of(lineage.versions()[0]).empty());
}

TEST_CASE("data is one however often it was used, and known by all its names", "[lineage]") {
  LineageParts parts = example::lineage_parts();
  for (LineageRun& run : parts.runs) run.record->inputs.front().tree = example::tree_of("weather", 5000);
  const Lineage lineage(std::move(parts));
  REQUIRE(lineage.datasets().size() == 1);
  const LineageDataset& dataset = lineage.datasets().begin()->second;
  CHECK(dataset.origins.size() == 3);
  CHECK(dataset.names == std::set<std::string>{"weather@2"});
  CHECK_FALSE(dataset.snapshot);
  CHECK(dataset.kept());
  CHECK(lineage.training_data().size() == 1);
}

TEST_CASE("one folder of a dataset is kept where the dataset is", "[lineage]") {
  LineageParts parts = example::lineage_parts();
  RecordedInput& input = parts.runs[0].record->inputs.front();
  input.dataset = DatasetReference::parse("weather@2/north").value();
  input.tree = example::tree_of("north");
  const Lineage with(parts);
  CHECK(with.datasets().at(input.tree->digest).names == std::set<std::string>{"weather@2/north"});
  parts.datasets.clear();
  CHECK_FALSE(Lineage(parts).datasets().at(input.tree->digest).kept());
}

TEST_CASE("the same run given twice is one run", "[lineage]") {
  LineageParts parts = example::lineage_parts();
  parts.runs.push_back(parts.runs.front());
  CHECK(Lineage(std::move(parts)).runs().size() == 3);
}

TEST_CASE("people see the way back as a tree", "[lineage]") {
  const std::string text = lineage_text(example::lineage(), Strokes::ascii);
  CHECK(text == "* digits@1.2  tree " + sha256("digits@1.2").hex().substr(0, 12) +
                    "\n"
                    "|- made 2026-01-01 00:20:00Z by run run-3 (full, 12.50 s, trainyard 0.1.0 on forge)\n"
                    "|  |- trained on    weather@2  (5000 files, 1000 B, " +
                    sha256("weather").hex().substr(0, 12) +
                    ", kept)\n"
                    "|  |- with          epochs=10 seed=7\n"
                    "|  `- score         0.96875\n"
                    "|\n"
                    "o digits@1.1  tree " +
                    sha256("digits@1.1").hex().substr(0, 12) +
                    "\n"
                    "|- made 2026-01-01 00:10:00Z by run run-1 (training, 12.50 s, trainyard 0.1.0 on forge)\n"
                    "|  |- trained on    /data/a \"quoted\" \\n <b> & 50% folder  (2 files, 1000 B, " +
                    sha256(example::kOddFolder).hex().substr(0, 12) +
                    ", not kept)\n"
                    "|  `- with          epochs=10\n"
                    "|- evaluated 2026-01-01 00:15:12Z by run run-2: score 0.875\n"
                    "|  `- on /data/test  (2 files, 1000 B, " +
                    sha256("/data/test").hex().substr(0, 12) +
                    ", kept)\n"
                    "|\n"
                    "o digits@1.0  tree " +
                    sha256("digits@1.0").hex().substr(0, 12) +
                    "\n"
                    "`- uploaded 2026-01-01 00:00:00Z: the first one\n");
  const std::string drawn = lineage_text(example::lineage(), Strokes::unicode);
  CHECK(count(drawn, "\u2514\u2500 ") == count(text, "`- "));
  CHECK(drawn.find("|-") == std::string::npos);
}

TEST_CASE("what is missing is said, and keeps nothing else from being told", "[lineage]") {
  const Lineage gaps = example::lineage_with_gaps();
  const std::string text = lineage_text(gaps, Strokes::ascii);
  CHECK(count(text, "! that run was deleted") == 1);
  CHECK(count(text, "digits@1.1  tree " + sha256("digits@1.1").hex().substr(0, 12) + "  (removed)") == 1);
  CHECK(count(text, "(its record is damaged)") == 1);
  CHECK(count(text, "where it comes from is not known here: it is torn") == 1);
  // The evaluation's results are damaged, so nobody knows what it evaluated.
  CHECK(count(text, "evaluated ") == 0);
  const Json json = lineage_json(gaps);
  CHECK(json["versions"][1]["state"] == "removed");
  CHECK(json["versions"][2]["state"] == "unreadable");
  CHECK(json["versions"][2]["tree"]["digest"] == sha256("digits@1.0").hex());
  CHECK(json["runs"].size() == 3);
  CHECK(prov_json(gaps)["activity"].size() == 3);
  CHECK(cyclonedx_bom(gaps)["metadata"]["component"]["pedigree"]["ancestors"].size() == 2);
  CHECK(count(lineage_dot(gaps), "style=dashed") == 5);
  CHECK(count(lineage_svg(gaps), "stroke-dasharray") == 4);
}

TEST_CASE("a chain of ten thousand versions is told in the time that its length takes", "[lineage]") {
  const auto begin = std::chrono::steady_clock::now();
  const Lineage lineage(long_parts(10'000));
  CHECK(lineage.datasets().size() == 1);
  CHECK(lineage.edges().size() == 40'000);
  const std::string text = lineage_text(lineage, Strokes::ascii);
  CHECK(count(text, "\no digits@1.") == 10'000);
  // No line grows with the chain.
  for (std::size_t at = 0, end = 0; at < text.size(); at = end + 1) {
    end = text.find('\n', at);
    if (end - at > 200) FAIL_CHECK("a line of " << end - at << " characters");
  }
  CHECK(lineage_json(lineage)["versions"].size() == 10'001);
  CHECK(cyclonedx_bom(lineage)["metadata"]["component"]["pedigree"]["ancestors"].size() == 10'000);
  CHECK(prov_json(lineage)["wasDerivedFrom"].size() == 10'000);
  CHECK(count(lineage_svg(lineage), "<rect x=") == 30'001);
  CHECK(count(lineage_dot(lineage), " -> ") == 40'000);
  // Squares of it would take hours.
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(60));
}

TEST_CASE("documents follow from the lineage alone, to the byte", "[lineage]") {
  const auto all = [] {
    const Lineage lineage = example::lineage();
    return canonical(cyclonedx_bom(lineage)) + canonical(prov_json(lineage)) + canonical(croissant(lineage, {})) +
           lineage_dot(lineage) + lineage_svg(lineage) + openlineage_lines(example::full_record());
  };
  CHECK(all() == all());
  const std::string serial = cyclonedx_bom(example::lineage())["serialNumber"].get<std::string>();
  CHECK(serial != cyclonedx_bom(example::lineage_with_gaps())["serialNumber"]);
  CHECK(serial.substr(23, 1) == "8");
}

TEST_CASE("a bill of materials has texts where the standard wants them", "[lineage]") {
  const Json bom = cyclonedx_bom(example::lineage());
  const Json& model = bom["metadata"]["component"];
  CHECK(model["name"] == "digits");
  CHECK(model["version"] == "1.2");
  CHECK(bom["metadata"]["timestamp"] == "2026-01-01T00:20:00.000000Z");
  CHECK(model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"] ==
        Json::array({{{"type", "score"}, {"value", "0.96875"}, {"slice", "weather@2"}}}));
  CHECK(model["modelCard"]["modelParameters"]["datasets"].size() == 2);
  LineageParts parts = example::lineage_parts();
  parts.versions.erase(parts.versions.begin());
  const Json of_parent = cyclonedx_bom(Lineage(std::move(parts)));
  CHECK(of_parent["metadata"]["component"]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"] ==
        Json::array({{{"type", "drift"}, {"value", "NaN"}},
                     {{"type", "loss"}, {"value", "0.25"}},
                     {{"type", "score"}, {"value", "0.875"}, {"slice", "test"}}}));
}

TEST_CASE("every run tells two events, however it ended", "[lineage]") {
  struct Row {
    Outcome outcome;
    const char* type;
  };
  const std::vector<Row> rows = {{{}, "COMPLETE"},
                                 {outcome(RunReason::crashed, "signal 11"), "FAIL"},
                                 {outcome(RunReason::stopped, "stopped by a user"), "ABORT"},
                                 {outcome(RunReason::max_runtime, "too long"), "ABORT"}};
  for (const Row& row : rows) {
    INFO(row.type);
    RunRecord record = example::training_record();
    record.outcome = row.outcome;
    const bool good = row.outcome.reason == RunReason::ok;
    if (!good) record.version.reset();
    const std::vector<Json> events = openlineage_events(record);
    REQUIRE(events.size() == 2);
    CHECK(events[0]["eventType"] == "START");
    CHECK(events[0]["eventTime"] == record.started_at.text());
    CHECK(events[0]["outputs"].empty());
    CHECK(events[1]["eventType"] == row.type);
    CHECK(events[1]["eventTime"] == record.ended_at.text());
    CHECK(events[1]["run"]["runId"] == record.run.text());
    CHECK(events[1]["job"]["name"] == "digits.training");
    CHECK(events[1]["inputs"].size() == 2);
    CHECK(events[1]["inputs"][1]["name"] == example::kOddFolder);
    CHECK(events[1]["outputs"].size() == (good ? 2 : 1));
    CHECK(events[1]["run"]["facets"].contains("errorMessage") == !good);
    CHECK(events[1]["run"]["facets"]["tags"]["tags"][0]["key"] == "machine");
  }
  RunRecord unread = example::full_record();
  unread.inputs.front().tree.reset();
  CHECK_FALSE(openlineage_events(unread)[1]["inputs"][1]["facets"].contains("version"));
}

TEST_CASE("every version whose past is known has a statement of its provenance", "[lineage]") {
  const auto statements_of = [](const Lineage& lineage) {
    std::vector<Json> statements;
    std::string lines = slsa_lines(lineage);
    for (std::size_t at = 0, end = 0; (end = lines.find('\n', at)) != std::string::npos; at = end + 1)
      statements.push_back(Json::parse(lines.substr(at, end - at)));
    return statements;
  };
  const std::vector<Json> whole = statements_of(example::lineage());
  REQUIRE(whole.size() == 3);
  for (std::uint32_t minor = 0; minor < 3; ++minor) {
    const Json& statement = whole[2 - minor];
    CHECK(statement["_type"] == "https://in-toto.io/Statement/v1");
    CHECK(statement["predicateType"] == "https://slsa.dev/provenance/v1");
    CHECK(statement["subject"][0]["digest"]["sha256"] == example::recorded(minor).zip.digest.hex());
  }
  CHECK(whole[0]["predicate"]["runDetails"]["byproducts"][0]["digest"]["sha256"] ==
        sha256("results of " + example::run_id('3').text()).hex());
  // The newest one's run was deleted, and the oldest one's record is damaged.
  const std::vector<Json> rest = statements_of(example::lineage_with_gaps());
  REQUIRE(rest.size() == 1);
  CHECK(rest[0]["subject"][1]["name"] == "digits@1.1");
}

TEST_CASE("few files are described one by one, and many by their list", "[lineage]") {
  const Lineage lineage = example::lineage();
  std::vector<TreeEntry> entries;
  for (const char* const path : {"a b.csv", "sub/%.json"})
    entries.push_back({RelPath::parse(path).value(), TreeEntry::Kind::file, 5, false, sha256(path)});
  entries.push_back({RelPath::parse("empty").value(), TreeEntry::Kind::empty_folder, 0, false, std::nullopt});
  const std::map<Digest, Tree> trees = {{example::tree_of(example::kOddFolder).digest, Tree::of(entries).value()}};
  const Json files = croissant(lineage, trees)["distribution"];
  REQUIRE(files.size() == 3);
  // The newest first: that one has 5000 files.
  CHECK(files[0]["sha256"] == sha256("weather").hex());
  CHECK(files[0]["contentUrl"] == "urn:trainyard:object:" + sha256("weather").hex());
  CHECK(files[1]["name"] == "a b.csv");
  CHECK(files[1]["encodingFormat"] == "text/csv");
  CHECK(files[1]["contentSize"] == "5 B");
  CHECK(files[1]["contentUrl"] == "file:///data/a%20%22quoted%22%20%5Cn%20%3Cb%3E%20%26%2050%25%20folder/a%20b.csv");
  CHECK(files[2]["name"] == "sub/%25.json");
  CHECK(files[2]["sha256"] == sha256("sub/%.json").hex());
}

TEST_CASE("names for other tools are made by the rules of their standards", "[lineage]") {
  // RFC 9562, appendix B.2, has this UUID for this digest.
  const Digest digest = Digest::parse("5c146b143c524afd938a375d0df1fbf6fe12a66b645f72f6158759387e51f3c8").value();
  CHECK(uuid_urn(digest) == "urn:uuid:5c146b14-3c52-8afd-938a-375d0df1fbf6");
  CHECK(file_url("/a/\xFF") == "file:///a/%FF");
  CHECK(runner_uri("trainyard 0.1.0") == "urn:trainyard:runner:0.1.0");
  CHECK(exact_text(0.1) == "0.1");
}

}  // namespace trainyard::lineage_test
