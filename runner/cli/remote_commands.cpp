// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/commands.hpp"
#include "runner/cli/interrupts.hpp"
#include "runner/cli/quantities.hpp"
#include "runner/cli/remote_wiring.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/engine/found_publication.hpp"
#include "runner/processes/clock.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::chrono::seconds kOlderThan = std::chrono::hours{24};

Result<KnownRemote> known(const Store& store, const std::string& name) {
  return RemoteList(store.remotes(), store.scratch()).find(name);
}

std::string text_of(KnownRemote::Approval approval) {
  return approval == KnownRemote::Approval::required ? "required" : "not required";
}

// One package as a remote shows it.
struct ShownPackage {
  PackageName name;
  std::vector<std::pair<PackageVersion, OciDescriptor>> versions;
  std::map<VersionLabel, OciDescriptor> labels;

  [[nodiscard]] std::vector<std::string> labels_of(const OciDescriptor& manifest) const {
    std::vector<std::string> texts;
    for (const auto& [label, named] : labels) {
      if (named.digest == manifest.digest) texts.push_back(label.text());
    }
    return texts;
  }
  // Those of something else than a version: "run-…" of what a run left.
  [[nodiscard]] std::vector<std::pair<std::string, OciDescriptor>> other_labels() const {
    std::vector<std::pair<std::string, OciDescriptor>> others;
    for (const auto& [label, named] : labels) {
      const bool version = std::any_of(versions.begin(), versions.end(), [&, &manifest = named](const auto& each) {
        return each.second.digest == manifest.digest;
      });
      if (!version) others.emplace_back(label.text(), named);
    }
    return others;
  }
};

Result<ShownPackage> shown_package(Remote& remote, const PackageName& name) {
  auto labels = TRY(remote.labels(name));
  ShownPackage shown{name, {}, std::move(labels)};
  for (const PackageVersion& version : TRY(remote.versions(name))) {
    auto manifest = TRY(remote.find(name, version));
    if (manifest) shown.versions.emplace_back(version, std::move(*manifest));
  }
  return shown;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

Result<void> show_packages(Remote& remote, const std::vector<PackageName>& names, const Invocation& invocation) {
  Json packages = Json::array();
  std::vector<std::vector<std::string>> rows = {{"VERSION", "LABELS", "MANIFEST"}};
  for (const PackageName& name : names) {
    const ShownPackage shown = TRY(shown_package(remote, name));
    Json versions = Json::array();
    for (const auto& [version, manifest] : shown.versions) {
      const std::vector<std::string> labels = shown.labels_of(manifest);
      versions.push_back({{"version", version.text()}, {"labels", labels}, {"manifest", manifest.digest.hex()}});
      rows.push_back({name.text() + "@" + version.text(), joined(labels), "sha256:" + manifest.digest.hex()});
    }
    Json others = Json::array();
    for (const auto& [label, manifest] : shown.other_labels()) {
      others.push_back({{"label", label}, {"manifest", manifest.digest.hex()}});
      rows.push_back({name.text() + "@" + label, "-", "sha256:" + manifest.digest.hex()});
    }
    packages.push_back(
        {{"package", name.text()}, {"versions", std::move(versions)}, {"other_labels", std::move(others)}});
  }
  if (invocation.output == Output::json) {
    print_json(packages);
  } else {
    print(rows.size() == 1 ? "nothing is published there\n" : table(rows));
  }
  return {};
}

// What a label names that is no version; none where there is no such thing.
Result<std::optional<OciManifest>> other_manifest(Remote& remote, const PackageReference& reference) {
  if (!reference.label) return std::optional<OciManifest>();
  const auto labels = TRY(remote.labels(reference.name));
  const auto named = labels.find(*reference.label);
  if (named == labels.end()) return std::optional<OciManifest>();
  OciManifest manifest = TRY(OciManifest::parse(TRY(remote.manifest(reference.name, named->second.digest))));
  if (manifest.artifact_type == media_type::kPublication) return std::optional<OciManifest>();
  return std::optional(std::move(manifest));
}

void show_manifest(const PackageReference& reference, const OciManifest& manifest, const Invocation& invocation) {
  const std::string digest = OciManifest::descriptor(manifest.text(), manifest.artifact_type).digest.hex();
  Json layers = Json::array();
  std::vector<std::vector<std::string>> rows = {{"LAYER", "SIZE", "DIGEST"}};
  std::vector<OciDescriptor> parts = manifest.layers;
  if (parts.front().digest != manifest.config.digest) parts.insert(parts.begin(), manifest.config);
  for (const OciDescriptor& layer : parts) {
    layers.push_back(to_json(layer));
    rows.push_back({printable(name_of(layer)), size_text(layer.bytes), "sha256:" + layer.digest.hex()});
  }
  if (invocation.output == Output::json)
    return print_json({{"name", reference.text()},
                       {"manifest", digest},
                       {"artifact_type", manifest.artifact_type},
                       {"annotations", manifest.annotations},
                       {"layers", std::move(layers)}});
  print(reference.text() + "  sha256:" + digest + "\n" + printable(manifest.artifact_type) + "\n" + table(rows));
}

Result<void> show_version(Remote& remote, const PackageReference& reference, const Invocation& invocation) {
  if (const auto other = TRY(other_manifest(remote, reference))) {
    show_manifest(reference, *other, invocation);
    return {};
  }
  const FoundPublication found = TRY(find_publication(remote, reference));
  const std::vector<OciDescriptor> attached = TRY(remote.attached(found.publication.package, found.manifest.digest));
  Json layers = Json::array();
  std::vector<std::vector<std::string>> rows = {{"LAYER", "SIZE", "DIGEST"}};
  std::uint64_t bytes = 0;
  for (const PublishedStep& step : found.publication.steps) {
    for (const OciDescriptor& layer : step.layers) {
      bytes += layer.bytes;
      layers.push_back(to_json(layer));
      rows.push_back({printable(name_of(layer)), size_text(layer.bytes), "sha256:" + layer.digest.hex()});
    }
  }
  Json extras = Json::array();
  for (const OciDescriptor& each : attached) {
    extras.push_back(to_json(each));
    rows.push_back(
        {"attached: " + printable(each.artifact_type), size_text(each.bytes), "sha256:" + each.digest.hex()});
  }
  const std::string name = found.publication.package.text() + "@" + found.publication.version.text();
  if (invocation.output == Output::json) {
    print_json({{"version", name},
                {"manifest", found.manifest.digest.hex()},
                {"record", found.publication.record.digest.hex()},
                {"bytes", bytes},
                {"layers", std::move(layers)},
                {"attached", std::move(extras)}});
    return {};
  }
  print(name + "  sha256:" + found.manifest.digest.hex() + "\nrecord sha256:" + found.publication.record.digest.hex() +
        ", " + size_text(bytes) + " in all\n" + table(rows));
  return {};
}

}  // namespace

Result<ExitCode> perform(const command::RemoteAdd& command, const Invocation& invocation) {
  RemoteName name = TRY(RemoteName::parse(command.name));
  RemoteAddress address = TRY(RemoteAddress::parse(command.address));
  const Store store = TRY(open_store(invocation));
  const RemoteList list(store.remotes(), store.scratch());
  const auto there = list.find(name.text());
  if (there.ok())
    return fail(Errc::exists, "there is a remote '" + name.text() + "' already, at " + there->address.text() +
                                  "; 'trainyard remote remove " + name.text() + "' forgets it");
  count_interrupts();
  const auto opened = TRY(open_remote(address));
  const auto use = command.read_only ? KnownRemote::Use::reading : KnownRemote::Use::publishing;
  if (use == KnownRemote::Use::publishing) {
    TRY(opened->probe());
  } else if (const auto listed = opened->packages(); !listed.ok() && listed.error().code != Errc::incompatible) {
    return listed.error();
  }
  const auto approval =
      command.require_approval ? KnownRemote::Approval::required : KnownRemote::Approval::not_required;
  const KnownRemote remote{std::move(name), std::move(address), approval, now(), use};
  TRY(list.add(remote));
  if (invocation.output == Output::json) {
    print_json(to_json(remote));
  } else {
    print("added " + remote.name.text() + ": " + remote.address.text() +
          (use == KnownRemote::Use::reading
               ? "; versions are pulled from it, and none is published to it\n"
               : "; it can be written, and of many who publish the same version at once one wins\n"));
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::RemoteRemove& command, const Invocation& invocation) {
  const RemoteName name = TRY(RemoteName::parse(command.name));
  const Store store = TRY(open_store(invocation));
  TRY(RemoteList(store.remotes(), store.scratch()).remove(name));
  if (invocation.output == Output::json) {
    print_json({{"removed", name.text()}});
  } else {
    print("forgot " + name.text() + "; what is published there stays\n");
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::RemoteLists& /*command*/, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows = {{"NAME", "ADDRESS", "APPROVAL", "USE", "ADDED"}};
  for (const KnownRemote& remote : TRY(RemoteList(store.remotes(), store.scratch()).list())) {
    list.push_back(to_json(remote));
    rows.push_back({remote.name.text(), remote.address.text(), text_of(remote.approval),
                    std::string(name_of(remote.use)), remote.added_at.short_text()});
  }
  if (invocation.output == Output::json) {
    print_json(list);
  } else {
    print(rows.size() == 1 ? "this store knows no remote; 'trainyard remote add NAME URL' makes one known\n"
                           : table(rows));
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::RemoteShow& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const KnownRemote remote = TRY(known(store, command.name));
  count_interrupts();
  const auto opened = TRY(open_remote(remote.address));
  if (command.reference.empty()) {
    TRY(show_packages(*opened, TRY(opened->packages()), invocation));
    return ExitCode::ok;
  }
  const PackageReference reference = TRY(PackageReference::parse(command.reference));
  if (reference.version || reference.label) {
    TRY(show_version(*opened, reference, invocation));
  } else {
    TRY(show_packages(*opened, {reference.name}, invocation));
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::RemoteVerify& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const KnownRemote remote = TRY(known(store, command.name));
  count_interrupts();
  const auto opened = TRY(open_remote(remote.address));
  std::vector<PackageReference> references;
  if (!command.reference.empty()) {
    const PackageReference reference = TRY(PackageReference::parse(command.reference));
    if (reference.version || reference.label) references.push_back(reference);
    if (references.empty()) {
      for (const PackageVersion& version : TRY(opened->versions(reference.name)))
        references.push_back({reference.name, version});
    }
  } else {
    for (const PackageName& name : TRY(opened->packages())) {
      for (const PackageVersion& version : TRY(opened->versions(name))) references.push_back({name, version});
    }
  }
  Json list = Json::array();
  std::size_t broken = 0;
  for (const PackageReference& reference : references) {
    const auto bytes = verify_publication(*opened, reference, {});
    const bool damaged = !bytes.ok() && (bytes.error().code == Errc::corrupt || bytes.error().code == Errc::not_found ||
                                         bytes.error().code == Errc::invalid);
    if (!bytes.ok() && !damaged) return bytes.error();
    if (damaged) ++broken;
    list.push_back({{"version", reference.text()},
                    {"verdict", damaged ? "BROKEN" : "verified"},
                    {"bytes", bytes.ok() ? Json(*bytes) : Json(nullptr)},
                    {"message", damaged ? Json(utf8_cleaned(bytes.error().message)) : Json(nullptr)}});
    if (invocation.output == Output::json) continue;
    print(damaged ? "BROKEN    " + reference.text() + ": " + printable(bytes.error().message) + "\n"
                  : "verified  " + reference.text() + "  " + size_text(*bytes) + "\n");
  }
  if (invocation.output == Output::json) print_json(list);
  if (references.empty() && invocation.output == Output::text) print("nothing is published there\n");
  return broken == 0 ? ExitCode::ok : ExitCode::run_failed;
}

Result<ExitCode> perform(const command::RemoteCollect& command, const Invocation& invocation) {
  const auto older_than = command.older_than.empty()
                              ? kOlderThan
                              : std::chrono::duration_cast<std::chrono::seconds>(
                                    std::chrono::milliseconds(TRY(parse_duration("--older-than", command.older_than))));
  const Store store = TRY(open_store(invocation));
  const KnownRemote remote = TRY(known(store, command.name));
  count_interrupts();
  if (command.apply) TRY(check_writable(remote));
  const auto opened = TRY(open_remote(remote.address));
  const Garbage what = command.apply ? Garbage::remove : Garbage::list;
  Json list = Json::array();
  RemoteGarbage all;
  for (const PackageName& name : TRY(opened->packages())) {
    const RemoteGarbage garbage = TRY(opened->collect(name, older_than, what, now()));
    list.push_back({{"package", name.text()},
                    {"blobs", garbage.blobs},
                    {"bytes", garbage.bytes},
                    {"claims", garbage.claims},
                    {"uploads", garbage.uploads},
                    {"left", garbage.left}});
    all.blobs += garbage.blobs;
    all.bytes += garbage.bytes;
    all.claims += garbage.claims;
    all.uploads += garbage.uploads;
    for (const std::string& sentence : garbage.left) {
      if (std::find(all.left.begin(), all.left.end(), sentence) == all.left.end()) all.left.push_back(sentence);
    }
  }
  if (invocation.output == Output::json) {
    print_json({{"applied", command.apply}, {"packages", std::move(list)}});
    return ExitCode::ok;
  }
  print(std::string(command.apply ? "removed " : "would remove ") + plural(all.blobs, "blob") + " (" +
        size_text(all.bytes) + "), " + plural(all.claims, "claim") + ", " + plural(all.uploads, "unfinished upload") +
        (command.apply ? "\n" : "; --apply does it\n"));
  for (const std::string& sentence : all.left) print("  " + printable(sentence) + "\n");
  return ExitCode::ok;
}

}  // namespace trainyard
