// SPDX-License-Identifier: Apache-2.0
#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "runner/core/attest.hpp"
#include "runner/core/job_exit.hpp"
#include "runner/core/job_spec.hpp"
#include "runner/core/reproduction.hpp"
#include "runner/core/run_plan.hpp"
#include "runner/core/run_record.hpp"
#include "runner/core/run_request.hpp"
#include "runner/core/run_results.hpp"
#include "runner/core/run_state.hpp"
#include "runner/core/slsa_provenance.hpp"
#include "runner/core/sweep.hpp"
#include "runner/core/version_difference.hpp"
#include "runner/core/worker_event.hpp"
#include "runner/engine/audit.hpp"
#include "runner/engine/file_uses.hpp"
#include "runner/engine/store_use.hpp"
#include "storage/datasets/datasets.hpp"
#include "storage/files/files.hpp"
#include "storage/journal/journal_head.hpp"
#include "storage/journal/store_entry.hpp"
#include "storage/objects/sweep.hpp"
#include "storage/objects/tombstones.hpp"
#include "storage/packages/decisions.hpp"
#include "storage/remotes/pending_publications.hpp"
#include "storage/remotes/remote_documents.hpp"
#include "storage/remotes/remote_list.hpp"
#include "storage/store/store.hpp"
#include "storage/trees/snapshots.hpp"
#include "storage/values/data_proof.hpp"
#include "storage/values/in_toto.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/manifest.hpp"
#include "storage/values/model_signing.hpp"
#include "storage/values/sha256.hpp"
#include "storage/values/tree.hpp"
#include "storage/values/version_record.hpp"
#include "tests/golden/accepting.hpp"
#include "tests/support/temp_folder.hpp"

// Every example in schemas/examples/<document>/valid is read and written again, to the same bytes; every one in
// refused/ and invalid/ is refused. With TRAINYARD_ACCEPT_GOLDEN=1 the valid ones are rewritten as the code writes
// them, and the test fails so that nobody takes that for a pass.
namespace trainyard::golden_test {
namespace {

const Path kExamples = TRAINYARD_EXAMPLES;

// The document that results from reading the text and writing what was read, as the code writes it to disk.
using Rewrite = std::function<Result<std::string>(const std::string& text)>;

template <class Read>
Rewrite as_line(Read read) {
  return [read](const std::string& text) -> Result<std::string> {
    return canonical(to_json(TRY(read(TRY(parse_json(text, "it")))))) + "\n";
  };
}

template <class Read>
Rewrite for_people(Read read) {
  return [read](const std::string& text) -> Result<std::string> {
    return readable(to_json(TRY(read(TRY(parse_json(text, "it"))))));
  };
}

Result<std::string> rewrite_store_format(const std::string& text) {
  const TempFolder folder;
  folder.write("read/format", text);
  TRY(PackObjects::create(folder.path() / "read" / "objects"));
  TRY(Store::open(folder.path() / "read"));
  TRY(Store::create(folder.path() / "written", Instant{0}));
  return folder.read("written/format");
}

Result<std::string> rewrite_statement(const std::string& text) {
  return TRY(payload_of(TRY(in_toto_statement_from_payload(text)))) + "\n";
}

// What proves nothing is refused as well.
Result<std::string> rewrite_proof(const std::string& text) {
  const DataProof proof = TRY(data_proof_from(TRY(parse_json(text, "it"))));
  TRY(check(proof));
  return readable(to_json(proof));
}

struct Document {
  std::string name;
  Rewrite rewrite;
};

const std::vector<Document>& documents() {
  static const std::vector<Document> all = {
      {"package",
       [](const std::string& text) -> Result<std::string> { return readable(to_json(TRY(Manifest::parse(text)))); }},
      {"request", for_people(run_request_from)},
      {"plan", for_people(run_plan_from)},
      {"job", for_people(job_spec_from)},
      {"event", as_line(worker_event_from)},
      {"exit", for_people(job_exit_from)},
      {"journal", as_line(journal_entry_from)},
      {"tree",
       [](const std::string& text) -> Result<std::string> { return TRY(Tree::from_canonical(text)).canonical(); }},
      {"version", as_line(version_record_from)},
      {"decision", as_line(decision_from)},
      {"snapshot", as_line(snapshot_from)},
      {"dataset", as_line(dataset_version_from)},
      {"tombstone", as_line(tombstone_from)},
      {"sweep-plan", for_people(sweep_plan_from)},
      {"sweep", for_people(sweep_from)},
      {"proof", rewrite_proof},
      {"remote", as_line(remote_format_from)},
      {"remote-package", as_line(remote_package_from)},
      {"publication-claim", as_line(publication_claim_from)},
      {"published", as_line(publication_from)},
      {"remote-label", as_line(remote_label_from)},
      {"attached", as_line(attachment_from)},
      {"collecting", as_line(collecting_from)},
      {"known-remote", for_people(known_remote_from)},
      {"pending-publication", for_people(pending_publication_from)},
      {"store-journal", as_line(store_entry_from)},
      {"journal-head", as_line(journal_head_from)},
      {"store-format", rewrite_store_format},
      {"store-config", for_people(store_config_from)},
      {"attestation", as_line(dsse_envelope_from)},
      {"statement", rewrite_statement},
      {"model-signature", for_people(sigstore_bundle_from)},
  };
  return all;
}

// Authors may leave out what has a default, so these are written longer than they were read.
const std::set<std::string> kShorthand = {"package/valid/minimal.json", "package/valid/python.json"};

// The schemas say what is written today; a reader of events takes a status and a level that a newer worker may bring.
const std::set<std::string> kTakenAllTheSame = {"event/invalid/ended_with_an_unknown_status.json",
                                                "event/invalid/log_with_an_unknown_level.json"};

std::string text_of(const Path& path) {
  const auto text = read_file(path, limits::kRecordBytes);
  REQUIRE(text.ok());
  return *text;
}

// The examples of one kind, as "package/valid/full.json".
std::vector<std::string> examples(const std::string& document, const std::string& kind) {
  std::vector<std::string> paths;
  if (!is_folder(kExamples / document / kind)) return paths;
  const auto names = list_folder(kExamples / document / kind);
  REQUIRE(names.ok());
  for (const std::string& name : *names) paths.push_back((Path(document) / kind / name).string());
  return paths;
}

void accept(const std::string& example, const std::string& text) {
  const auto written = replace_file(kExamples, kExamples / example, text, 0644, Durable::no);
  REQUIRE(written.ok());
}

void compare_example(const std::string& example, const std::string& written) {
  INFO(example);
  if (accepting()) {
    accept(example, written);
  } else {
    CHECK(text_of(kExamples / example) == written);
  }
}

template <class Value, class Read>
Value golden(const std::string& example, Read read) {
  const auto json = parse_json(text_of(kExamples / example), example);
  REQUIRE(json.ok());
  auto value = read(*json);
  REQUIRE(value.ok());
  return std::move(*value);
}

event::Measured measured(const std::string& name, std::int64_t step, double value) { return {name, step, value}; }

Attempt attempt(const std::string& exit, const Outcome& outcome) {
  const auto ended = golden<JobExit>(exit, job_exit_from);
  return {ended.started_at, ended.ended_at, outcome, ended};
}

RunReport successful_report() {
  const auto published = golden<JournalEntry>("journal/valid/published.json", journal_entry_from);
  auto plan = golden<RunPlan>("plan/valid/full.json", run_plan_from);
  RunReport report{plan,
                   published.state,
                   plan.created_at,
                   *Instant::parse("2026-01-01T00:00:12.500000Z"),
                   {attempt("exit/valid/well.json", {})},
                   outputs_of(published.state)->artifacts,
                   "/var/lib/trainyard/runs/" + plan.run.text() + "/artifacts",
                   golden<VersionRecord>("version/valid/trained.json", version_record_from),
                   {},
                   "0.1.0",
                   "forge"};
  report.metrics.add(measured("loss", 0, 2.5));
  report.metrics.add(measured("loss", 5, 0.25));
  report.metrics.add(measured("accuracy", 10, 0.9736));
  report.metrics.add(measured("loss", 10, std::numeric_limits<double>::quiet_NaN()));
  return report;
}

RunReport failed_report() {
  RunReport report = successful_report();
  const Outcome crashed = judge(golden<JobExit>("exit/valid/segfault.json", job_exit_from), std::nullopt);
  report.attempts = {attempt("exit/valid/segfault.json", crashed)};
  auto data = *data_of(report.state);
  data.data.snapshot = false;
  report.state = state::Failed{"Exited", crashed, data};
  report.artifacts = std::nullopt;
  report.version = std::nullopt;
  report.metrics = {};
  return report;
}

RunReport report_of_run_killed_early() {
  RunReport report = failed_report();
  report.attempts.clear();
  report.state = state::Failed{"Planned", outcome(RunReason::stopped, "stopped by a user"), std::nullopt};
  return report;
}

}  // namespace

TEST_CASE("each valid example is written as it was read", "[golden]") {
  for (const Document& document : documents()) {
    const auto all = examples(document.name, "valid");
    CHECK_FALSE(all.empty());
    for (const std::string& example : all) {
      const auto written = document.rewrite(text_of(kExamples / example));
      INFO(example << ": " << (written.ok() ? "" : written.error().message));
      REQUIRE(written.ok());
      if (kShorthand.count(example) != 0) {
        const auto again = document.rewrite(*written);
        REQUIRE(again.ok());
        CHECK(*again == *written);
        CHECK(written->size() > text_of(kExamples / example).size());
      } else {
        compare_example(example, *written);
      }
    }
  }
}

TEST_CASE("each invalid example is refused in one sentence", "[golden]") {
  for (const Document& document : documents()) {
    for (const char* const kind : {"invalid", "refused"}) {
      for (const std::string& example : examples(document.name, kind)) {
        const auto written = document.rewrite(text_of(kExamples / example));
        INFO(example);
        CHECK(written.ok() == (kTakenAllTheSame.count(example) != 0));
        if (!written.ok()) {
          const Error& error = written.error();
          // A store's own file is nobody's input: when it is wrong, it is damaged.
          const Errc wrong = document.name == "store-format" ? Errc::corrupt : Errc::invalid;
          CHECK((error.code == wrong || error.code == Errc::incompatible));
          CHECK(error.message.size() > 20);
          CHECK(error.message.find('\n') == std::string::npos);
          CHECK(error.message.back() != '.');
        }
      }
    }
  }
}

TEST_CASE("results are written as the examples show", "[golden]") {
  compare_example("results/valid/successful.json", readable(results_json(successful_report())));
  compare_example("results/valid/failed.json", readable(results_json(failed_report())));
  compare_example("results/valid/killed_before_it_ran.json", readable(results_json(report_of_run_killed_early())));
  RunReport of_a_dataset = successful_report();
  of_a_dataset.plan = golden<RunPlan>("plan/valid/of_a_dataset.json", run_plan_from);
  compare_example("results/valid/of_a_dataset.json", readable(results_json(of_a_dataset)));
  RunReport evaluated = successful_report();
  evaluated.plan = golden<RunPlan>("plan/valid/evaluation.json", run_plan_from);
  evaluated.state = golden<JournalEntry>("journal/valid/evaluated.json", journal_entry_from).state;
  evaluated.version = std::nullopt;
  compare_example("results/valid/evaluated.json", readable(results_json(evaluated)));
  RunReport full_run = successful_report();
  full_run.plan = golden<RunPlan>("plan/valid/full_run.json", run_plan_from);
  full_run.state = golden<JournalEntry>("journal/valid/published_with_a_score.json", journal_entry_from).state;
  compare_example("results/valid/full_run.json", readable(results_json(full_run)));
  RunReport retried = successful_report();
  retried.plan = golden<RunPlan>("plan/valid/with_a_secret.json", run_plan_from);
  Attempt lost = retried.attempts.front();
  lost.exit.reset();
  lost.outcome = outcome(RunReason::lost, "the process that supervised the job is gone");
  retried.attempts.insert(retried.attempts.begin(), {lost, failed_report().attempts.front()});
  compare_example("results/valid/retried_with_a_secret.json", readable(results_json(retried)));
  RunReport distributed = failed_report();
  distributed.attempts.front().ranks = {golden<JobExit>("exit/valid/stopped.json", job_exit_from),
                                        golden<JobExit>("exit/valid/segfault.json", job_exit_from), std::nullopt};
  for (int rank = 0; rank < 2; ++rank)
    distributed.attempts.front().ranks[static_cast<std::size_t>(rank)]->rank =
        JobRank{rank, "n" + std::to_string(rank + 1)};
  compare_example("results/valid/several_workers.json", readable(results_json(distributed)));
  RunReport reproduced = successful_report();
  reproduced.plan = golden<RunPlan>("plan/valid/reproducing.json", run_plan_from);
  reproduced.state = golden<JournalEntry>("journal/valid/reproduced.json", journal_entry_from).state;
  reproduced.version = std::nullopt;
  compare_example("results/valid/reproduced.json", readable(results_json(reproduced)));
  CHECK(examples("results", "valid").size() == 10);
}

TEST_CASE("results are read as far as questions about a run need them, and refused where they are wrong", "[golden]") {
  for (const std::string& name : examples("results", "valid")) {
    INFO(name);
    const Json document = parse_json(text_of(kExamples / name), "the results").value();
    const auto record = run_record_from(document);
    if (!record.ok()) FAIL_CHECK(record.error().message);
    if (record.ok()) CHECK(record->document == document);
  }
  for (const std::string& name : examples("results", "invalid")) {
    INFO(name);
    const auto record = run_record_from(parse_json(text_of(kExamples / name), "the results").value());
    CHECK_FALSE(record.ok());
    if (!record.ok()) CHECK(record.error().code == Errc::invalid);
  }
}

TEST_CASE("statements are made of results as the examples show", "[golden]") {
  const auto run = [](const std::string& name) {
    return golden<RunRecord>("results/valid/" + name + ".json", run_record_from);
  };
  const auto same = [](const std::string& example, const InTotoStatement& statement) {
    compare_example("statement/valid/" + example + ".json", payload_of(statement).value() + "\n");
  };
  const Digest results = sha256(text_of(kExamples / "results/valid/successful.json"));
  same("provenance_of_a_training", slsa_statement(run("successful"), results));
  same("provenance_of_a_run_on_a_dataset", slsa_statement(run("of_a_dataset"), results));
  const auto full = statements_on_made(run("full_run"), results);
  REQUIRE(full.size() == 2);
  same("provenance_of_a_full_run", full[0]);
  same("score_of_a_full_run", full[1]);
  const auto evaluated = statement_on_evaluated(run("evaluated"));
  REQUIRE(evaluated);
  same("score_of_an_evaluation", *evaluated);
  same("provenance_of_an_upload",
       slsa_statement(golden<VersionRecord>("version/valid/upload.json", version_record_from)));
  CHECK(statements_on_made(run("failed"), results).empty());
  CHECK(examples("statement", "valid").size() == 7);
}

TEST_CASE("the use of a store is told as the examples show", "[golden]") {
  StoreUse use{UseGrouping::parse("snapshot").value(), {}, 1000, 300, 50, 9, 1, 1100, 600};
  std::string id;
  while (id.size() < 64) id += "0a";
  use.rows.push_back({StoreRoot::Kind::snapshot, id, {400, 300, 5}, 2000});
  compare_example("usage/valid/by_snapshot.json", readable(to_json(use)));
  use.grouping = UseGrouping::parse("kind").value();
  use.rows = {{StoreRoot::Kind::version, "", {700, 300, 5}, 2000}};
  compare_example("usage/valid/by_kind.json", readable(to_json(use)));
  CHECK(examples("usage", "valid").size() == 2);
}

TEST_CASE("the uses of files are told as the examples show", "[golden]") {
  const Digest cat = sha256("cat");
  const Digest data = sha256("data");
  const std::string run = "019b76da-a800-7c3f-9a51-6d0e8f1b2c4d";
  const Instant noon{1'767'268'800'000'000};
  FileUses file{AskedFiles::What::file, "cat.png", cat, std::nullopt, 1, {}, {}};
  file.uses = {{UsePart::training_data,
                "nightly",
                run,
                "digits@1.0",
                "digits@1.1",
                data,
                false,
                1,
                2,
                {"cats/1.png", "cats/copy%FF.png"},
                noon},
               {UsePart::snapshot,
                data.hex(),
                run,
                std::nullopt,
                std::nullopt,
                data,
                false,
                1,
                2,
                {"cats/1.png", "cats/copy%FF.png"},
                noon}};
  file.inherited = {{"digits@1.2", "digits@1.1", noon}, {"digits@1.3", "digits@1.2", std::nullopt}};
  compare_example("uses/valid/file.json", readable(to_json(file)));
  FileUses folder{AskedFiles::What::folder, "./withdrawn", std::nullopt, data, 3, {}, {}};
  folder.uses = {
      {UsePart::dataset, "pets@2", std::nullopt, std::nullopt, std::nullopt, data, true, 3, 3, {"a", "b", "c"}, noon}};
  compare_example("uses/valid/folder.json", readable(to_json(folder)));
  compare_example(
      "uses/valid/digits_of_no_file.json",
      readable(to_json(FileUses{AskedFiles::What::sha256, "3f2a91c0", std::nullopt, std::nullopt, 0, {}, {}})));
  CHECK(examples("uses", "valid").size() == 3);
}

TEST_CASE("an audit is told as the example shows", "[golden]") {
  const Audit audit{"digits@1.1",
                    {{"the journal of the store", AuditVerdict::verified, "8 lines, signed by the key store"},
                     {"the folder of the training data of run nightly", AuditVerdict::unverifiable,
                      "'/data/digits' is not there any more"},
                     {"the record of digits@1.0", AuditVerdict::broken,
                      "'packages/digits/1.0.json' is not what line 1 of the journal says that it is: it was changed"}}};
  compare_example("audit/valid/broken.json", readable(to_json(audit)));
}

namespace {

RunRecord record(const std::string& example) {
  return run_record_from(parse_json(text_of(kExamples / example), example).value()).value();
}

// Two files, of which the second is as the number says.
Tree tree_of(int number) {
  const Digest digest = Digest::parse(std::string(63, 'a') + std::to_string(number)).value();
  const Digest code = Digest::parse(std::string(64, 'c')).value();
  return Tree::of({{RelPath::parse("code.so").value(), TreeEntry::Kind::file, 7, true, code},
                   {RelPath::parse("model.bin").value(), TreeEntry::Kind::file, 40, false, digest}})
      .value();
}

}  // namespace

TEST_CASE("how versions differ is told as the examples show", "[golden]") {
  const auto version = golden<VersionRecord>("version/valid/trained.json", version_record_from);
  const auto upload = golden<VersionRecord>("version/valid/upload.json", version_record_from);
  const Manifest manifest = Manifest::parse(text_of(kExamples / "package/valid/full.json")).value();
  const VersionSide trained{version, manifest, tree_of(1), record("results/valid/successful.json"), {}};
  VersionSide full{version, manifest, tree_of(2), record("results/valid/full_run.json"), {}};
  full.record.version.minor += 1;
  const std::set<RelPath> model = {RelPath::parse("model.bin").value()};
  compare_example("version-difference/valid/trained_in_two_ways.json",
                  readable(to_json(compare_versions(trained, full, model))));
  const VersionSide first{upload, manifest, tree_of(1), std::nullopt, {}};
  compare_example("version-difference/valid/of_an_upload.json",
                  readable(to_json(compare_versions(first, trained, std::nullopt))));
  compare_example("version-difference/valid/equal.json", readable(to_json(compare_versions(trained, trained, model))));
  CHECK(examples("version-difference", "valid").size() == 3);
}

TEST_CASE("how far a version came out again is told as the examples show", "[golden]") {
  const RunRecord before = record("results/valid/full_run.json");
  const RunRecord after = record("results/valid/reproduced.json");
  Reproduction reproduction;
  reproduction.version = "digits@1.1";
  reproduction.missing = {{MissingPart::What::parent, "digits@1.0, which it was trained from, was deleted"}};
  reproduction.before = NamedRun{before.run, before.name};
  compare_example("reproduction/valid/without_a_parent.json", readable(to_json(reproduction)));
  reproduction.missing.clear();
  reproduction.after = NamedRun{after.run, after.name};
  reproduction.tolerance = 1e-6;
  reproduction.package = judge_tree(tree_of(1), tree_of(1));
  reproduction.artifacts = judge_tree(Tree(), Tree());
  reproduction.metrics = judge_metrics(before.metrics, before.metrics, reproduction.tolerance);
  reproduction.score = judge_score(0.5, 0.5 + 1e-7, reproduction.tolerance);
  compare_example("reproduction/valid/within_tolerance.json", readable(to_json(reproduction)));
  reproduction.package = judge_tree(tree_of(1), tree_of(2));
  reproduction.package->files.back().bytes = DifferentBytes{36, 4};
  reproduction.metrics = judge_metrics(before.metrics, Json::object(), 0);
  reproduction.environment = {{"host", "forge", "anvil"}};
  compare_example("reproduction/valid/drift.json", readable(to_json(reproduction)));
  CHECK(examples("reproduction", "valid").size() == 3);
}

TEST_CASE("every document with examples is tested here", "[golden]") {
  // Those from lineage on in documents_test.cpp, the journal's excerpt where it is made: endtoend/publish_test.cpp.
  std::set<std::string> tested = {"journal-excerpt",
                                  "results",
                                  "usage",
                                  "uses",
                                  "audit",
                                  "version-difference",
                                  "reproduction",
                                  "lineage",
                                  "openlineage-run-facet",
                                  "capsule",
                                  "sweep-report"};
  for (const Document& document : documents()) tested.insert(document.name);
  const auto folders = list_folder(kExamples);
  REQUIRE(folders.ok());
  CHECK(std::set<std::string>(folders->begin(), folders->end()) == tested);
}

// Last, so that everything is rewritten before it says so.
TEST_CASE("golden files are not rewritten", "[golden]") {
  if (accepting()) FAIL("golden files rewritten; look at the diff");
}

}  // namespace trainyard::golden_test
