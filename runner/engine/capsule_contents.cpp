// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/capsule_contents.hpp"

#include "runner/core/attest.hpp"
#include "runner/core/documents/croissant.hpp"
#include "runner/core/documents/cyclonedx_bom.hpp"
#include "runner/core/documents/lineage_json.hpp"
#include "runner/core/documents/openlineage_events.hpp"
#include "runner/core/documents/prov_json.hpp"
#include "runner/core/documents/slsa_statements.hpp"
#include "runner/engine/attesting.hpp"
#include "runner/engine/lineage_reading.hpp"
#include "storage/archives/tar_writer.hpp"
#include "storage/keys/envelope_check.hpp"
#include "storage/packages/attestations.hpp"
#include "storage/packages/zip_writer.hpp"
#include "storage/trees/checkout.hpp"
#include "storage/trees/stored_tree.hpp"
#include "storage/values/limits.hpp"

namespace trainyard {

namespace {

std::string record_name(const LineageVersion& version) {
  return "versions/" + version.package.text() + "-" + version.version.text() + ".json";
}

// The record as its file has it: the journal tells of these bytes.
Path record_file(const Store& store, const LineageVersion& version) {
  const Path folder = store.packages() / version.package.folded();
  const Path there = folder / (version.version.text() + ".json");
  return is_there(there) ? there : folder / (version.version.text() + ".removed");
}

// Whether the store has not all of something, rather than that it cannot be read or written.
bool is_lost(const Error& error) { return error.code == Errc::not_found || error.code == Errc::corrupt; }

}  // namespace

Result<CapsuleManifest> CapsuleContents::gather() {
  ring_ = TRY(KeyRing(store_.keys(), store_.scratch()).list());
  subjects_.insert(text());
  TRY(package());
  TRY(records());
  TRY(run());
  TRY(attestations());
  TRY(model_signature());
  TRY(journal());
  TRY(keys());
  TRY(documents());
  manifest_.files = folder_.files();
  return std::move(manifest_);
}

Result<void> CapsuleContents::package() {
  const Tree tree = TRY(load_tree(version_.content.tree.digest, store_.objects()));
  const Path unpacked = scratch_name(store_.scratch(), "capsule-package");
  TRY(make_folder(unpacked));
  const TreeProgress progress = [&](std::uint64_t done, std::uint64_t all) {
    if (options_.progress) options_.progress("package", done, all);
  };
  const std::string name = capsule_package(manifest_.version);
  const Path zip = TRY(folder_.place(name));
  const auto written = materialise(tree, store_.objects(), unpacked, progress);
  const auto packed = written.ok() ? pack_folder(unpacked, version_.content.name.text(), tree, zip)
                                   : Result<ZipSummary>(written.error());
  TRY(remove_tree(unpacked));
  const ZipSummary summary = TRY(packed);
  if (summary != version_.content.zip) {
    manifest_.zip = CapsuleManifest::Zip::packed_anew;
    manifest_.version.zip = summary;
    missing("the zip with the digest that is recorded, " + version_.content.zip.digest.hex() +
            (version_.content.run
                 ? ", cannot be made again: the one here is another, though its files are the same"
                 : ", was unpacked when it was uploaded: the one here was packed anew of the same files"));
  }
  folder_.added(name, "the package itself");
  return folder_.add("package/tree.json", "the list of its files; its SHA-256 is the identity of the content",
                     tree.canonical());
}

Result<void> CapsuleContents::records() {
  for (const LineageVersion& version : lineage_.versions()) {
    const auto record = version.record ? read_file(record_file(store_, version), limits::kRecordBytes)
                                       : Result<std::string>(fail(Errc::not_found, "nothing is left of it"));
    if (!record.ok()) {
      manifest_.lost = version.text();
      missing("the record of " + version.text() +
              ", from which it comes: " + (version.why.empty() ? record.error().message : version.why));
      return {};
    }
    const bool own = version.version == version_.version;
    TRY(folder_.add(record_name(version), "the record of " + version.text(), *record));
    subjects_.insert(version.text());
    if (!own) manifest_.ancestors.push_back(version.text());
  }
  return {};
}

Result<void> CapsuleContents::run() {
  if (!version_.content.run) return {};
  const RunFolder folder = RunFolders(store_.runs(), store_.active()).folder(*version_.content.run);
  if (!is_there(folder.results())) {
    missing("the run " + version_.content.run->text() + " that made it: it is not in the store any more");
    return {};
  }
  const LineageRun* const maker = lineage_.maker_of(lineage_.versions().front());
  subjects_.insert(version_.content.run->text());
  TRY(folder_.copy("run/_results.json", "the story of the run that made it", folder.results()));
  if (maker == nullptr || !maker->record) {
    missing("what the results of the run tell of cannot be added: they cannot be read" +
            (maker == nullptr ? std::string() : ": " + maker->why));
    return {};
  }
  manifest_.run = version_.content.run;
  TRY(logs(folder));
  if (maker->record->artifacts) TRY(artifacts(*maker->record->artifacts));
  return data(*maker->record);
}

Result<void> CapsuleContents::logs(const RunFolder& run) {
  const auto copy = [&](const Path& from, const std::string& name, const std::string& what) -> Result<void> {
    if (is_there(from)) return folder_.copy(name, what, from);
    missing("'" + name + "', " + what + ": the file is not in the run's folder any more");
    return {};
  };
  TRY(copy(run.journal(), "run/journal.jsonl", "the states that the run entered, with their times"));
  const int attempts = TRY(run.last_attempt());
  for (int attempt = 1; attempt <= attempts; ++attempt) {
    const std::string place = attempts == 1 ? "run/" : "run/attempt-" + std::to_string(attempt) + "/";
    TRY(copy(run.attempt(attempt) / "stdout.log", place + "stdout.log", "what the package printed"));
    TRY(copy(run.attempt(attempt) / "stderr.log", place + "stderr.log", "what the package complained of"));
  }
  return {};
}

Result<void> CapsuleContents::tar(const std::string& name, const std::string& what, const Tree& tree) {
  TarOptions options;
  options.cancelled = options_.cancelled;
  options.progress = [&](const TarProgress& progress) {
    if (options_.progress) options_.progress(name, progress.bytes_done, progress.bytes);
  };
  TRY(write_tar(tree, store_.objects(), TRY(folder_.place(name)), options));
  folder_.added(name, what);
  return {};
}

Result<void> CapsuleContents::artifacts(const TreeSummary& told) {
  const auto tree = load_tree(told.digest, store_.objects());
  const auto written = tree.ok() ? tar("run/artifacts.tar", "what the run made for people", *tree) : tree.error();
  if (!written.ok() && !is_lost(written.error())) return written;
  if (!written.ok()) {
    missing("the artifacts of the run: " + written.error().message);
    return {};
  }
  manifest_.artifacts = told;
  return folder_.add("run/artifacts.tree.json", "the list of the artifacts", tree->canonical());
}

Result<void> CapsuleContents::data(const RunRecord& run) {
  for (const RecordedInput& input : run.inputs) {
    CapsuleData data{input.input, input.source, input.tree};
    if (input.dataset)
      subjects_.insert(DatasetReference{input.dataset->name, input.dataset->number, std::nullopt}.text());
    if (input.tree) {
      subjects_.insert(input.tree->digest.hex());
      const auto tree = load_tree(input.tree->digest, store_.objects());
      if (!tree.ok() && !is_lost(tree.error())) return tree.error();
      if (!tree.ok()) {
        data.files = CapsuleData::Files::unavailable;
        missing("the list of the files of the run's " + input.input + ": " + tree.error().message);
      } else {
        TRY(folder_.add("data/" + input.input + ".tree.json", "the list of the files of the run's " + input.input,
                        tree->canonical()));
        data.list = CapsuleData::List::present;
        if (options_.data == CapsuleFiles::with_data) TRY(files_of(*tree, data));
      }
    }
    manifest_.data.push_back(std::move(data));
  }
  return {};
}

Result<void> CapsuleContents::files_of(const Tree& tree, CapsuleData& data) {
  const auto written = tar("data/" + data.input + ".tar", "the files of the run's " + data.input, tree);
  if (!written.ok() && !is_lost(written.error())) return written;
  data.files = written.ok() ? CapsuleData::Files::included : CapsuleData::Files::unavailable;
  if (!written.ok()) {
    missing("the files of the run's " + data.input +
            ", because the store has not kept all of them: " + written.error().message);
  }
  return {};
}

void CapsuleContents::note_signed(const std::string& name, const std::string& says, const DsseEnvelope& envelope) {
  CapsuleSigned one{name, says, {}};
  const EnvelopeCheck check = check_envelope(envelope, ring_);
  for (const StoredKey& key : ring_) {
    if (!check.signed_by(key.key)) continue;
    one.keys.push_back(key.name.text());
    signers_.insert(key.name.text());
  }
  if (one.keys.empty())
    missing("a right signature of '" + name + "' by a key that the store knows: the signatures cannot be checked");
  manifest_.signatures.push_back(std::move(one));
}

Result<void> CapsuleContents::attestations() {
  const Attestations attestations(store_.packages(), store_.journal());
  const Path file = attestations.file_of(version_.content.name, version_.version);
  if (!is_there(file)) {
    missing("attestations: nothing is attested of " + text() + "; 'trainyard sign " + text() + "' does it");
    return {};
  }
  TRY(folder_.copy("signed/attestations.intoto.jsonl", "what is attested of it, one signed envelope a line", file));
  std::size_t number = 0;
  for (const DsseEnvelope& envelope : TRY(attestations.of(version_.content.name, version_.version))) {
    const auto statement = in_toto_statement_from_payload(envelope.payload);
    note_signed("attestation-" + std::to_string(++number),
                statement.ok() ? claim_text(*statement) : envelope.payload_type, envelope);
  }
  return {};
}

Result<void> CapsuleContents::model_signature() {
  const auto bundle = trainyard::model_signature(version_, store_, std::nullopt);
  if (!bundle.ok()) {
    missing("a model signature: " + bundle.error().message);
    return {};
  }
  const InTotoStatement statement = TRY(in_toto_statement_from_payload(bundle->envelope.payload));
  manifest_.signed_files = TRY(signed_model_from(statement)).files.size();
  note_signed("model", "model signature", bundle->envelope);
  return folder_.add("signed/model.sig", "the model signature, as OpenSSF Model Signing has it",
                     readable(to_json(*bundle)));
}

// So that nobody has to find out in the capsule what is wrong in the store.
Result<void> CapsuleContents::hold_against(JournalExcerpt& excerpt) {
  const auto hold = [&](StoreEvent::Action action, const std::string& subject,
                        const std::string& name) -> Result<void> {
    if (!is_there(folder_.path() / name)) return {};
    const auto told = excerpt.told.find({action, subject});
    if (told == excerpt.told.end()) {
      excerpt.proven.not_told.push_back(name);
      missing("a line of the signed journal about '" + name +
              "', which is older than the journal or newer than its head");
    } else if (told->second != TRY(bytes_of(folder_.path() / name)).digest) {
      missing("'" + name +
              "' as the journal of the store tells of it: the one here is another, and the last step says so");
    }
    return {};
  };
  for (const LineageVersion& version : lineage_.versions())
    TRY(hold(StoreEvent::Action::version_published, version.text(), record_name(version)));
  if (version_.content.run) TRY(hold(StoreEvent::Action::run_ended, version_.content.run->text(), "run/_results.json"));
  return hold(StoreEvent::Action::version_attested, text(), "signed/attestations.intoto.jsonl");
}

Result<void> CapsuleContents::journal() {
  auto excerpt = journal_excerpt(store_.journal(), subjects_);
  if (!excerpt.ok() && !is_lost(excerpt.error())) return excerpt.error();
  if (!excerpt.ok()) {
    missing("the lines of the store's journal: " + excerpt.error().message);
    return {};
  }
  TRY(hold_against(*excerpt));
  note_signed("journal-head", "head of the journal", excerpt->head);
  manifest_.journal = std::move(excerpt->proven);
  TRY(folder_.add("journal/lines.jsonl", "the lines of the store's journal about it", excerpt->lines));
  return folder_.add("signed/journal-head.json", "the root of all lines of the journal, signed",
                     readable(to_json(excerpt->head)));
}

Result<void> CapsuleContents::keys() {
  for (const StoredKey& key : ring_) {
    if (!signers_.contains(key.name.text())) continue;
    manifest_.keys.push_back({key.name.text(), key.key.id()});
    TRY(folder_.add("keys/" + key.name.text() + ".pub.pem", "the public key '" + key.name.text() + "'", key.key.pem()));
  }
  return {};
}

Result<void> CapsuleContents::documents() {
  TRY(folder_.add("documents/bom.cdx.json", "a bill of materials (CycloneDX 1.6)", readable(cyclonedx_bom(lineage_))));
  TRY(folder_.add("documents/croissant.json", "its training data (Croissant 1.0)",
                  readable(croissant(lineage_, listed_trees(lineage_, store_.objects())))));
  TRY(folder_.add("documents/lineage.json", "where it came from, as Trainyard tells it",
                  readable(lineage_json(lineage_))));
  TRY(folder_.add("documents/openlineage.jsonl", "the events of its runs (OpenLineage 2-0-2)",
                  openlineage_lines(lineage_)));
  TRY(folder_.add("documents/prov.json", "entities, activities and agents (W3C PROV-JSON)",
                  readable(prov_json(lineage_))));
  return folder_.add("documents/slsa.jsonl", "provenance of it and those before it (SLSA v1), unsigned",
                     slsa_lines(lineage_));
}

}  // namespace trainyard
