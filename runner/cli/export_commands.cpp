// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/commands.hpp"
#include "runner/cli/known_runs.hpp"
#include "runner/cli/remote_wiring.hpp"
#include "runner/cli/run_start.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/cli/yaml_text.hpp"
#include "runner/core/documents/argo_template.hpp"
#include "runner/core/documents/argo_text.hpp"
#include "runner/engine/package_exchange.hpp"
#include "storage/trees/stored_tree.hpp"

namespace trainyard {

namespace {

// "digits@1.1" is the run that made it; anything else a run.
Result<KnownRun> defining_run(const std::string& text, const Store& store) {
  if (text.find('@') == std::string::npos) return find_run(store, text);
  const VersionRecord version = TRY(find_version(store, text));
  if (version.content.run) return find_run(store, version.content.run->text());
  const std::string name = version.content.name.text() + "@" + version.version.text();
  return fail(Errc::invalid,
              "no run made " + name + ", it was uploaded; name a run, as 'trainyard runs list' shows them");
}

Result<ArgoData> data_for(const char* option, const std::string& typed, const std::string& recorded) {
  std::string where = typed;
  // What lies in a bucket lies there for a cluster too.
  if (where.empty()) where = names_bucket(recorded) ? recorded : "artifact";
  if (names_bucket(where)) where = TRY(dataset_of(where));
  return ArgoData::parse(option, where);
}

Result<ArgoRemote> remote_for(const command::ExportArgo& command, const RunPlan& plan, const Store& store) {
  const std::vector<std::string> names =
      command.remote.empty() ? std::vector<std::string>() : std::vector{command.remote};
  const KnownRemote known = TRY(named_remotes(store, names)).front();
  ArgoRemote remote;
  remote.name = known.name.text();
  remote.address = known.address.text();
  switch (known.address.kind) {
    case RemoteAddress::Kind::folder: remote.kind = ArgoRemote::Kind::folder; break;
    case RemoteAddress::Kind::s3: remote.kind = ArgoRemote::Kind::bucket; break;
    case RemoteAddress::Kind::oci: remote.kind = ArgoRemote::Kind::registry; break;
  }
  if (remote.kind == ArgoRemote::Kind::folder) remote.folder = known.address.place;
  if (!command.remote_claim.empty()) remote.claim = TRY(parse_argo_claim("--remote-claim", command.remote_claim));
  const bool approval = known.approval == KnownRemote::Approval::required;
  if (known.use == KnownRemote::Use::reading || approval) remote.use = ArgoRemote::Use::read;
  if (remote.use == ArgoRemote::Use::read && trains(plan.request.type)) {
    complain("the new version is left as the output artifact 'model' and not published: '" + remote.name + "' " +
             (approval ? "takes approved versions only" : "was added with --read-only"));
  }
  return remote;
}

Result<std::optional<SapAiCore>> sap_for(const command::ExportArgo& command, const RunPlan& plan) {
  if (command.target.empty()) {
    if (command.scenario.empty() && command.resource_plan.empty()) return std::optional<SapAiCore>();
    return fail(Errc::invalid, "--scenario and --resource-plan mean something with --for sap-ai-core alone");
  }
  if (command.target != "sap-ai-core")
    return fail(Errc::invalid, "--for is '" + command.target + "' but must be sap-ai-core");
  const std::string& package = plan.parent.content.name.text();
  return std::optional(SapAiCore{command.scenario.empty() ? package : command.scenario, command.resource_plan});
}

Result<ArgoWish> wish_of(const command::ExportArgo& command, const KnownRun& run, const Store& store) {
  const RunPlan& plan = run.plan;
  ArgoWish wish;
  wish.image = command.image;
  wish.name = command.name.empty() ? argo_name(plan.name.text()) : command.name;
  wish.data = TRY(data_for("--data", command.data, plan.request.dataset));
  if (plan.evaluation_data) {
    wish.evaluation_data =
        TRY(data_for("--evaluation-data", command.evaluation_data, *plan.request.evaluation_dataset));
  } else if (!command.evaluation_data.empty()) {
    return fail(Errc::invalid,
                "the run " + plan.name.text() + " has no evaluation data, so --evaluation-data means nothing");
  }
  wish.secrets = command.secrets;
  wish.aws_secret = command.aws_secret;
  wish.registry_secret = command.registry_secret;
  wish.pull_secret = command.pull_secret;
  if (!command.python.empty()) {
    if (plan.library)
      return fail(Errc::invalid,
                  "the package of the run " + plan.name.text() + " is native, so --python means nothing");
    wish.python = command.python;
  }
  if (const auto data = data_of(run.last().state)) wish.data_tree = data->data.tree.digest;
  wish.sap_ai_core = TRY(sap_for(command, plan));
  wish.remote = TRY(remote_for(command, plan, store));
  return wish;
}

}  // namespace

Result<ExitCode> perform(const command::ExportArgo& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const KnownRun run = TRY(defining_run(command.definition, store));
  const Tree tree = TRY(load_tree(run.plan.parent.content.tree.digest, store.objects()));
  const Manifest manifest = TRY(manifest_of(run.plan.parent, tree, store.objects()));
  const ArgoWish wish = TRY(wish_of(command, run, store));
  const Json document = TRY(argo_template(run.plan, manifest, wish));
  const std::string text =
      invocation.output == Output::json ? readable(document) : yaml_text(document, argo_key_order());
  if (command.file.empty() || command.file == "-") {
    print(text);
    return ExitCode::ok;
  }
  const Path file = TRY(absolute_path(command.file));
  TRY(publish_file(file.parent_path(), file, text, 0644, Durable::no));
  return ExitCode::ok;
}

}  // namespace trainyard
