// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "runner/cli/commands.hpp"
#include "runner/cli/interrupts.hpp"
#include "runner/cli/known_runs.hpp"
#include "runner/cli/mlflow_publishing.hpp"
#include "runner/cli/quantities.hpp"
#include "runner/cli/remote_wiring.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/transfer_line.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/engine/capsule.hpp"
#include "runner/engine/promoting.hpp"
#include "runner/engine/pulling.hpp"
#include "runner/processes/clock.hpp"
#include "storage/packages/decisions.hpp"
#include "storage/packages/registry.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

Result<std::optional<std::uint64_t>> rate_in(const std::string& text) {
  if (text.empty()) return std::optional<std::uint64_t>();
  return std::optional(static_cast<std::uint64_t>(TRY(parse_size("--limit-rate", text))));
}

Result<std::optional<VersionLabel>> label_in(const std::string& text) {
  if (text.empty()) return std::optional<VersionLabel>();
  return std::optional(TRY(VersionLabel::parse(text)));
}

Result<void> refuse_unapproved(const VersionRecord& version, const std::vector<KnownRemote>& remotes,
                               const Store& store) {
  const PackageDecisions decisions(store.packages(), store.journal());
  const Standing standing = standing_of(TRY(decisions.of(version.content.name)));
  const Approval approval = standing.approval_of(version.version);
  if (approval == Approval::approved) return {};
  for (const KnownRemote& remote : remotes) {
    if (remote.approval != KnownRemote::Approval::required) continue;
    const std::string name = version.content.name.text() + "@" + version.version.text();
    return fail(Errc::invalid, "'" + remote.name.text() + "' takes approved versions only, and " + name + " is " +
                                   std::string(name_of(approval)) + "; 'trainyard package approve " + name +
                                   "' approves it");
  }
  return {};
}

// A zip in the store's scratch, gone at the end.
class ScratchCapsule {
 public:
  static Result<ScratchCapsule> write(const VersionRecord& version, const Store& store) {
    const Path folder = scratch_name(store.scratch(), "publish-capsule");
    TRY(make_folder(folder));
    ScratchCapsule capsule(folder,
                           folder / (version.content.name.text() + "-" + version.version.text() + "-capsule.zip"));
    const Lineage lineage = TRY(read_lineage(store, {version.content.name, version.version}, evaluations_in(store)));
    TRY(write_capsule(version, lineage, store, capsule.file_, {}));
    return capsule;
  }
  ScratchCapsule(ScratchCapsule&& other) noexcept
      : folder_(std::exchange(other.folder_, Path())), file_(std::move(other.file_)) {}
  ScratchCapsule& operator=(ScratchCapsule&&) = delete;
  ~ScratchCapsule() {
    if (!folder_.empty()) static_cast<void>(remove_tree(folder_));
  }
  [[nodiscard]] const Path& file() const { return file_; }

 private:
  ScratchCapsule(Path folder, Path file) : folder_(std::move(folder)), file_(std::move(file)) {}
  Path folder_;
  Path file_;
};

OpenRemote opener(std::optional<std::uint64_t> rate) {
  return [rate](const std::string& address) -> Result<std::shared_ptr<Remote>> {
    return open_remote(TRY(RemoteAddress::parse(address)), rate);
  };
}

// What --to names: remotes of the store, and MLflow servers.
struct PublishTargets {
  std::vector<std::string> remotes;
  std::vector<MlflowAddress> servers;
};

Result<PublishTargets> targets_in(const std::vector<std::string>& to) {
  PublishTargets targets;
  for (const std::string& text : to) {
    if (!MlflowAddress::is_one(text)) {
      targets.remotes.push_back(text);
      continue;
    }
    MlflowAddress address = TRY(MlflowAddress::parse(text));
    if (std::find(targets.servers.begin(), targets.servers.end(), address) != targets.servers.end())
      return fail(Errc::invalid, "--to names '" + text + "' twice");
    targets.servers.push_back(std::move(address));
  }
  return targets;
}

Json logged_json(const MlflowTarget& target, const LoggedRun& logged) {
  return {{"server", target.address.server},
          {"experiment", target.run.experiment},
          {"experiment_id", logged.experiment},
          {"run_id", logged.run},
          {"model", target.run.model},
          {"model_version", logged.model_version},
          {"state", logged.state == LoggedRun::State::logged ? "logged" : "was_there"}};
}

std::string logged_text(const std::string& version, const MlflowTarget& target, const LoggedRun& logged) {
  return (logged.state == LoggedRun::State::logged ? "logged " : "was there already: ") + version + " on " +
         target.address.server + " as version " + logged.model_version + " of the model '" + target.run.model +
         "'\n  run " + logged.run + " of the experiment '" + target.run.experiment + "'\n";
}

Json report_json(const std::string& version, const PublishReport& report) {
  Json places = Json::array();
  for (const PublishedAt& place : report.places) {
    places.push_back({{"remote", place.remote},
                      {"address", place.address},
                      {"state", place.state == PublishedAt::State::published ? "published" : "was_there"},
                      {"manifest", place.manifest.digest.hex()}});
  }
  return {
      {"version", version}, {"places", std::move(places)}, {"bytes_sent", report.sent}, {"missing", report.missing}};
}

void print_report(const std::string& version, const PublishReport& report) {
  for (const PublishedAt& place : report.places) {
    const bool published = place.state == PublishedAt::State::published;
    print((published ? "published " : "was there already: ") + version + " on " + place.remote + " (" + place.address +
          ")\n  sha256:" + place.manifest.digest.hex() + "\n");
  }
  print("sent " + size_text(report.sent) + "\n");
  for (const std::string& sentence : report.missing) print("  missing: " + printable(sentence) + "\n");
}

}  // namespace

Result<ExitCode> perform(const command::Publish& command, const Invocation& invocation) {
  const auto rate = TRY(rate_in(command.rate));
  const auto label = TRY(label_in(command.label));
  if (command.reference.empty() && !command.resume)
    return fail(Errc::invalid, "say which version to publish, as in 'trainyard publish digits@1.1 --to models'");
  const Store store = TRY(open_store(invocation));
  const Publisher publisher = this_publisher();
  count_interrupts();
  const auto finishing = finish_publications(store, publisher, opener(rate));
  // What cannot be finished yet concerns other remotes, perhaps.
  if (!finishing.ok() && (command.reference.empty() || finishing.error().code != Errc::unavailable))
    return finishing.error();
  if (!finishing.ok()) complain("an earlier publication is not finished: " + finishing.error().message);
  const std::vector<std::string> finished = finishing.ok() ? *finishing : std::vector<std::string>();
  if (command.reference.empty()) {
    if (invocation.output == Output::json) {
      print_json(finished);
    } else {
      for (const std::string& sentence : finished) print(sentence + "\n");
      if (finished.empty()) print("nothing was left to finish\n");
    }
    return ExitCode::ok;
  }
  for (const std::string& sentence : finished) complain(sentence);
  const PackageReference reference = TRY(PackageReference::parse(command.reference));
  const VersionRecord version = TRY(PackageRegistry(store.packages(), store.journal()).find(reference));
  const PublishTargets targets = TRY(targets_in(command.to));
  std::vector<KnownRemote> remotes;
  if (targets.servers.empty() || !targets.remotes.empty()) remotes = TRY(named_remotes(store, targets.remotes));
  TRY(refuse_unapproved(version, remotes, store));
  const std::vector<MlflowTarget> servers = TRY(mlflow_targets(targets.servers, version, remotes, label, store));
  PublishWish wish;
  for (const KnownRemote& remote : remotes) {
    TRY(check_writable(remote));
    auto opened = TRY(open_remote(remote.address, rate));
    wish.targets.push_back({remote.name.text(), std::move(opened)});
  }
  wish.label = label;
  wish.data = command.data ? PublishWish::Data::included : PublishWish::Data::left_out;
  std::optional<ScratchCapsule> capsule;
  if (command.capsule) capsule.emplace(TRY(ScratchCapsule::write(version, store)));
  if (capsule) wish.capsule = capsule->file();
  TransferLine line("sent");
  wish.sending.progress = [&](const SendProgress& progress) { line.show(progress.done, progress.all, progress.sent); };
  wish.sending.cancelled = [] { return interrupts() > 0; };
  const std::string name = version.content.name.text() + "@" + version.version.text();
  const auto report =
      remotes.empty() ? Result<PublishReport>(PublishReport()) : publish_version(version, wish, store, publisher);
  line.clear();
  Json json = report_json(name, TRY(report));
  json["mlflow"] = Json::array();
  const bool as_text = invocation.output == Output::text;
  if (as_text && !remotes.empty()) print_report(name, *report);
  // What the remotes have is published whatever a server says.
  for (const MlflowTarget& target : servers) {
    const LoggedRun logged = TRY(log_to(target));
    json["mlflow"].push_back(logged_json(target, logged));
    if (as_text) print(logged_text(name, target, logged));
  }
  if (!as_text) print_json(json);
  return ExitCode::ok;
}

namespace {

// The newest version that the remote has of the same major.
Result<PackageReference> newest_minor(Remote& remote, const PackageReference& reference) {
  if (!reference.version)
    return fail(Errc::invalid,
                "--newest-minor goes with NAME@VERSION, and '" + reference.text() + "' names no version");
  PackageReference newest = reference;
  for (const PackageVersion& version : TRY(remote.versions(reference.name))) {
    if (version.major == reference.version->major) newest.version = std::max(*newest.version, version);
  }
  return newest;
}

}  // namespace

Result<ExitCode> perform(const command::Pull& command, const Invocation& invocation) {
  const auto rate = TRY(rate_in(command.rate));
  PackageReference reference = TRY(PackageReference::parse(command.reference));
  const Store store = TRY(open_store(invocation));
  const std::vector<std::string> names = command.from.empty() ? std::vector<std::string>() : std::vector{command.from};
  const KnownRemote remote = TRY(named_remotes(store, names)).front();
  auto opened = TRY(open_remote(remote.address, rate));
  const RemoteTarget from{remote.name.text(), std::move(opened)};
  count_interrupts();
  if (command.newest_minor) reference = TRY(newest_minor(*from.remote, reference));
  TransferLine line("received");
  PullWish wish;
  wish.data = command.data ? PublishWish::Data::included : PublishWish::Data::left_out;
  wish.keys = command.trust_keys ? PullWish::Keys::trusted : PullWish::Keys::only_told;
  wish.progress = [&](std::uint64_t done, std::uint64_t all) { line.show(done, all, done); };
  wish.cancelled = [] { return interrupts() > 0; };
  const auto pulled = pull_version(from, reference, wish, store, now);
  line.clear();
  const PullReport& report = TRY(pulled);
  const std::string name = report.package.text() + "@" + report.versions.back().version.text();
  if (invocation.output == Output::json) {
    Json versions = Json::array();
    for (const PulledVersion& version : report.versions) {
      const bool fresh = version.state == PulledVersion::State::pulled;
      versions.push_back({{"version", version.version.text()}, {"state", fresh ? "pulled" : "was_there"}});
    }
    print_json({{"package", report.package.text()},
                {"version", report.versions.back().version.text()},
                {"versions", std::move(versions)},
                {"manifest", report.manifest.hex()},
                {"bytes_received", report.received},
                {"unknown_keys", report.unknown_keys},
                {"missing", report.missing}});
    return ExitCode::ok;
  }
  std::string fresh;
  for (const PulledVersion& version : report.versions) {
    if (version.state == PulledVersion::State::pulled) fresh += (fresh.empty() ? "" : ", ") + version.version.text();
  }
  print(fresh.empty() ? name + " was here already\n"
                      : "pulled " + name + " from " + remote.name.text() + " (versions " + fresh + "; " +
                            size_text(report.received) + " received)\n");
  for (const std::string& sentence : report.missing) print("  missing: " + printable(sentence) + "\n");
  for (const std::string& key : report.unknown_keys)
    print("  signed by a key that this store does not know: " + key + "; --trust-keys makes it known\n");
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::Promote& command, const Invocation& invocation) {
  const PackageReference reference = TRY(PackageReference::parse(command.reference));
  const auto label = TRY(label_in(command.label));
  const Store store = TRY(open_store(invocation));
  const std::vector<KnownRemote> remotes = TRY(named_remotes(store, {command.from, command.to}));
  TRY(check_writable(remotes.back()));
  auto source = TRY(open_remote(remotes.front().address));
  const RemoteTarget from{command.from, std::move(source)};
  count_interrupts();
  auto target = TRY(open_remote(remotes.back().address));
  const RemoteTarget to{command.to, std::move(target)};
  TransferLine line("sent");
  SendOptions options;
  options.progress = [&](const SendProgress& progress) { line.show(progress.done, progress.all, progress.sent); };
  options.cancelled = [] { return interrupts() > 0; };
  const FoundPublication source_version = TRY(find_publication(*from.remote, reference));
  const PublishedVersion& found = source_version.publication;
  if (remotes.back().approval == KnownRemote::Approval::required) {
    const auto version = PackageRegistry(store.packages(), store.journal()).find({found.package, found.version});
    if (!version.ok())
      return fail(Errc::invalid, "'" + command.to +
                                     "' takes approved versions only, and this store cannot tell whether " +
                                     found.package.text() + "@" + found.version.text() + " is one (" +
                                     version.error().message + "); pull and approve it first");
    TRY(refuse_unapproved(*version, {remotes.back()}, store));
  }
  const auto report = promote_version(source_version, from, to, label, options, store, this_publisher());
  line.clear();
  const std::string name = found.package.text() + "@" + found.version.text();
  if (invocation.output == Output::json) {
    print_json(report_json(name, TRY(report)));
  } else {
    print_report(name, TRY(report));
  }
  return ExitCode::ok;
}

}  // namespace trainyard
