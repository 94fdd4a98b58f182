// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <cstdlib>

#include "runner/core/capsule.hpp"
#include "runner/core/documents/croissant.hpp"
#include "runner/core/documents/cyclonedx_bom.hpp"
#include "runner/core/documents/lineage_dot.hpp"
#include "runner/core/documents/lineage_json.hpp"
#include "runner/core/documents/lineage_svg.hpp"
#include "runner/core/documents/openlineage_events.hpp"
#include "runner/core/documents/prov_json.hpp"
#include "runner/core/sweep_board.hpp"
#include "storage/files/files.hpp"
#include "storage/values/limits.hpp"
#include "tests/golden/accepting.hpp"
#include "tests/unit/example_lineage.hpp"

// The documents of one lineage, whole and with gaps, as files that check_documents.py and check_schemas.py judge as well.
// With TRAINYARD_ACCEPT_GOLDEN=1 they are rewritten, and the test fails.
namespace trainyard::documents_test {
namespace {

void compare_file(const Path& file, const std::string& written) {
  INFO(file.string());
  if (accepting()) {
    CHECK(replace_file(file.parent_path(), file, written, 0644, Durable::no).ok());
    return;
  }
  const auto text = read_file(file, limits::kRecordBytes);
  REQUIRE(text.ok());
  CHECK(*text == written);
}

std::map<Digest, Tree> trees() {
  const TreeEntry file{RelPath::parse("\"a\" b.csv").value(), TreeEntry::Kind::file, 5, false, sha256("12345")};
  std::map<Digest, Tree> trees;
  trees.emplace(example::tree_of(example::kOddFolder).digest, Tree::of({file}).value());
  return trees;
}

}  // namespace

TEST_CASE("lineages are written as the examples show", "[golden]") {
  const Path examples = Path(TRAINYARD_EXAMPLES) / "lineage" / "valid";
  compare_file(examples / "whole.json", readable(lineage_json(example::lineage())));
  compare_file(examples / "with_gaps.json", readable(lineage_json(example::lineage_with_gaps())));
  const std::vector<Json> events = openlineage_events(example::full_record());
  compare_file(Path(TRAINYARD_EXAMPLES) / "openlineage-run-facet" / "valid" / "full_run.json",
               readable(events[1].at("run").at("facets").at("trainyard_run")));
  RunRecord failed = example::training_record();
  failed.outcome = outcome(RunReason::crashed, "signal 11");
  failed.version.reset();
  compare_file(Path(TRAINYARD_EXAMPLES) / "openlineage-run-facet" / "valid" / "failed.json",
               readable(openlineage_events(failed)[1].at("run").at("facets").at("trainyard_run")));
}

namespace {

CapsuleManifest whole_capsule() {
  CapsuleManifest capsule{example::recorded(1)};
  capsule.run = example::run_id('1');
  capsule.artifacts = example::tree_of("artifacts");
  capsule.ancestors = {"digits@1.0"};
  capsule.data = {{"train_data", example::kOddFolder, example::tree_of(example::kOddFolder), CapsuleData::List::present,
                   CapsuleData::Files::included},
                  {"evaluation_data", "weather@2", example::tree_of("weather", 5000), CapsuleData::List::present,
                   CapsuleData::Files::unavailable}};
  capsule.keys = {{"anna", sha256("anna").hex()}, {"store", sha256("store").hex()}};
  capsule.signatures = {{"attestation-1", "provenance", {"anna", "store"}},
                        {"attestation-2", "model signature", {"store"}},
                        {"model", "model signature", {"store"}},
                        {"journal-head", "head of the journal", {"store"}}};
  capsule.signed_files = 3;
  capsule.journal = CapsuleJournal{{4, sha256("root")},
                                   {{1, {sha256("a"), sha256("b")}}, {3, {sha256("c"), sha256("d")}}},
                                   {"versions/digits-1.0.json"}};
  capsule.files = {{"package/digits-1.1.zip", "the package itself"}, {"run/_results.json", "the story of the run"}};
  capsule.missing = {"the files of the run's evaluation_data: the object was purged: asked to be forgotten"};
  return capsule;
}

}  // namespace

TEST_CASE("capsules are written as the examples show", "[golden]") {
  const Path examples = Path(TRAINYARD_EXAMPLES) / "capsule" / "valid";
  const Path guides = Path(TRAINYARD_DOCUMENTS);
  compare_file(examples / "whole.json", readable(to_json(whole_capsule())));
  compare_file(guides / "whole.VERIFY.md", capsule_guide(whole_capsule()));
  CapsuleManifest bare{example::recorded(0)};
  bare.zip = CapsuleManifest::Zip::packed_anew;
  bare.lost = "digits@1.0";
  bare.missing = {"attestations: nothing is attested of digits@1.0"};
  compare_file(examples / "bare.json", readable(to_json(bare)));
  compare_file(guides / "bare.VERIFY.md", capsule_guide(bare));
}

TEST_CASE("documents for other tools are written as they were judged", "[golden]") {
  const Path folder = TRAINYARD_DOCUMENTS;
  const struct {
    const char* name;
    Lineage lineage;
  } lineages[] = {{"whole", example::lineage()}, {"with_gaps", example::lineage_with_gaps()}};
  for (const auto& [name, lineage] : lineages) {
    const auto file = [&, of = std::string(name)](const char* suffix) { return folder / (of + suffix); };
    compare_file(file(".cdx.json"), readable(cyclonedx_bom(lineage)));
    compare_file(file(".prov.json"), readable(prov_json(lineage)));
    compare_file(file(".croissant.json"), readable(croissant(lineage, trees())));
    compare_file(file(".dot"), lineage_dot(lineage));
    compare_file(file(".svg"), lineage_svg(lineage));
    std::string lines;
    for (const LineageRun& run : lineage.runs()) {
      if (run.record) lines += openlineage_lines(*run.record);
    }
    if (!lines.empty()) compare_file(file(".openlineage.jsonl"), lines);
  }
  std::string ends;
  char last = '5';
  for (const RunReason reason : {RunReason::crashed, RunReason::stopped, RunReason::max_runtime}) {
    RunRecord record = example::run_record(example::run_id(last++), RunType::training, 0, 9);
    record.inputs = {example::folder_input("train_data", "/data/x")};
    record.inputs.front().tree.reset();
    record.outcome = outcome(reason, "what the package said: \"no\"");
    ends += openlineage_lines(record);
  }
  compare_file(folder / "failures.openlineage.jsonl", ends);
}

TEST_CASE("what has become of a sweep is told as the examples show", "[golden]") {
  const Path examples(TRAINYARD_EXAMPLES);
  const auto board_of = [&](const std::string& example) {
    const auto text = read_file(examples / "sweep" / "valid" / (example + ".json"), limits::kRecordBytes);
    return SweepBoard::of(sweep_from(parse_json(text.value(), example).value()).value()).value();
  };
  const std::string run = "019b76da-a800-7c3f-9a51-6d0e8f1b2c4d";
  SweepBoard board = board_of("grid");
  board.set({1, 1, SweepTrial::Standing::succeeded, run, "digits-8f1b2c4d", "1.1", 0.5, "", "data"});
  board.set({2, 1, SweepTrial::Standing::succeeded, run, "digits-00000002", "1.2", 0.75, "", "other data"});
  board.set({3, 1, SweepTrial::Standing::failed, run, "digits-00000003", "", {}, "package_error: on purpose"});
  board.set({4, 1, SweepTrial::Standing::failed, "", "", "", {}, "the run x has made digits@1.1"});
  board.set({5, 1, SweepTrial::Standing::running, run, "digits-00000005"});
  compare_file(examples / "sweep-report" / "valid" / "half_done.json", readable(to_json(board)));
  SweepBoard halved = board_of("halving_of_a_sample");
  for (const int rung : {1, 2, 3}) {
    for (const std::size_t point : halved.members(rung)) {
      const double value = 1.0 / static_cast<double>(point + static_cast<std::size_t>(rung));
      halved.set({point, rung, SweepTrial::Standing::succeeded, run, "digits-8f1b2c4d", "1.1", value, "", "data"});
    }
  }
  compare_file(examples / "sweep-report" / "valid" / "halved.json", readable(to_json(halved)));
}

}  // namespace trainyard::documents_test
