// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include "runner/cli/commands.hpp"
#include "runner/cli/known_runs.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/engine/training_data.hpp"
#include "storage/objects/object_store.hpp"
#include "storage/values/data_proof.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kRun = "run:";

Result<NamedTree> find_data(const command::ProofData& data, const Store& store) {
  if (data.name.empty() == data.trained.empty())
    return fail(Errc::invalid, "give either DATA or --trained NAME@VERSION, to tell which data is meant");
  if (!data.trained.empty()) return training_data_of(store, TRY(PackageReference::parse(data.trained)));
  if (data.name.starts_with(kRun))
    return data_of_run(store, TRY(find_run(store, data.name.substr(kRun.size()))).plan.run);
  return find_named_tree(store, data.name);
}

Result<std::variant<RelPath, Digest>> find_subject(const command::ProofMake& command) {
  using Subject = std::variant<RelPath, Digest>;
  const int given = (command.path.empty() ? 0 : 1) + (command.sha256.empty() ? 0 : 1) + (command.file.empty() ? 0 : 1);
  if (given != 1) return fail(Errc::invalid, "give one of --path, --sha256 and --file, to tell which file is meant");
  if (!command.path.empty()) return Subject(TRY(RelPath::from_text(command.path)));
  if (!command.sha256.empty()) return Subject(TRY(Digest::parse(command.sha256)));
  const UniqueFd file = TRY(open_file(command.file, O_RDONLY | O_CLOEXEC));
  return Subject(TRY(hash_file(file.get(), command.file)).digest);
}

// `invalid` says why it proves nothing to who trusts this root.
Result<DataProof> proof_for(const Json& json, const std::optional<Digest>& root) {
  DataProof proof = TRY(data_proof_from(json));
  TRY(check(proof));
  if (root && *root != proof.head.root())
    return fail(Errc::invalid, "the proof is about other data: its proof root is " + proof.head.root().hex());
  return proof;
}

}  // namespace

Result<ExitCode> perform(const command::ProofRoot& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const NamedTree named = TRY(find_data(command.data, store));
  const ProofHead head = ProvableData(named.tree).head();
  if (invocation.output == Output::json) {
    print_json({{"name", named.name}, {"root", head.root().hex()}, {"data", to_json(head)}});
  } else {
    print(table({{"data", printable(named.name)},
                 {"proof root", head.root().hex()},
                 {"files", std::to_string(head.files)},
                 {"tree", head.tree.hex()}}));
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::ProofMake& command, const Invocation& invocation) {
  const auto subject = TRY(find_subject(command));
  const Store store = TRY(open_store(invocation));
  const NamedTree named = TRY(find_data(command.data, store));
  const ProvableData data(named.tree);
  const DataProof proof = std::visit([&](const auto& value) { return data.about(value); }, subject);
  const Json json = to_json(proof);
  if (!command.output.empty()) {
    const Path path = TRY(absolute_path(command.output));
    TRY(publish_file(path.parent_path(), path, readable(json), 0644, Durable::no));
  }
  if (command.output.empty() || invocation.output == Output::json) {
    print_json(json);
  } else {
    print("wrote " + command.output + ": " + printable(sentence_of(proof)) + "\n");
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::ProofVerify& command, const Invocation& invocation) {
  std::optional<Digest> root;
  if (!command.root.empty()) root = TRY(Digest::parse(command.root));
  const std::string text = TRY(read_file(command.file, limits::kRecordBytes));
  const auto proof = proof_for(TRY(parse_json(text, "the proof '" + command.file + "'")), root);
  if (!proof.ok() && proof.error().code != Errc::invalid) return proof.error();
  if (invocation.output == Output::json) {
    print_json({{"holds", proof.ok()},
                {"proven", proof.ok() ? Json(sentence_of(*proof)) : Json(nullptr)},
                {"mistake", proof.ok() ? Json(nullptr) : Json(proof.error().message)},
                {"root", proof.ok() ? Json(proof->head.root().hex()) : Json(nullptr)}});
  } else if (!proof.ok()) {
    print("not proven: " + printable(proof.error().message) + "\n");
  } else {
    print("proven: " + printable(sentence_of(*proof)) + "\n");
    if (!root) print("compare that root with the one that you trust, or give it with --root\n");
  }
  return proof.ok() ? ExitCode::ok : ExitCode::no;
}

}  // namespace trainyard
