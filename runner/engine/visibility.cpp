// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/visibility.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <thread>

#include "runner/engine/side_by_side.hpp"
#include "storage/remotes/pending_publications.hpp"

namespace trainyard {

namespace {

// How long somebody who is about to publish the same is waited for.
constexpr std::chrono::minutes kWaitForOthers = kClaimHolds + std::chrono::minutes{2};
// The same of a remote that garbage is removed from, or that does not answer.
constexpr std::chrono::minutes kWaitForRemote{1};
constexpr std::chrono::milliseconds kPause{150};
constexpr int kMostRounds = 3;
constexpr std::size_t kLooksAtOnce = 8;

std::string new_publication_id(Instant now) {
  std::array<std::uint8_t, 10> random{};
  fill_random(random);
  return RunId::from(now, random).text();
}

std::string list_of(const std::vector<PendingPublication::Target>& targets) {
  std::string text;
  for (const PendingPublication::Target& target : targets) text += (text.empty() ? "" : ", ") + target.name;
  return text;
}

std::string text_of(const PendingPublication& pending) { return pending.package.text() + "@" + pending.version.text(); }

// The claims of one publication, given back at the end.
class Claims {
 public:
  Claims(PackageName package, PackageVersion version, PublicationClaim claim)
      : package_(std::move(package)), version_(version), claim_(std::move(claim)) {}
  ~Claims() { release(); }
  Claims(const Claims&) = delete;
  Claims& operator=(const Claims&) = delete;

  Result<std::optional<PublicationClaim>> take(const RemoteTarget& target) {
    auto other = TRY(target.remote->claim(package_, version_, claim_));
    if (!other) targets_.push_back(target);
    return other;
  }
  void give_back(const RemoteTarget& target) {
    static_cast<void>(target.remote->release(package_, version_, claim_.publication));
    std::erase_if(targets_, [&](const RemoteTarget& each) { return each.remote == target.remote; });
  }
  void release() {
    while (!targets_.empty()) give_back(RemoteTarget(targets_.back()));
  }
  [[nodiscard]] const std::vector<RemoteTarget>& targets() const { return targets_; }
  [[nodiscard]] const PublicationClaim& claim() const { return claim_; }

 private:
  PackageName package_;
  PackageVersion version_;
  PublicationClaim claim_;
  std::vector<RemoteTarget> targets_;
};

// Waits for whoever is about to make the same visible. None when the right is this publisher's now; else what somebody
// has made visible.
Result<std::optional<OciDescriptor>> claim_on(const RemoteTarget& target, const ReadyPublication& ready, Claims& claims,
                                              const std::function<bool()>& cancelled) {
  const auto begin = std::chrono::steady_clock::now();
  for (;;) {
    const auto other = claims.take(target);
    const auto waited = std::chrono::steady_clock::now() - begin;
    if (!other.ok() && (other.error().code != Errc::unavailable || waited > kWaitForRemote)) return other.error();
    if (auto shown = TRY(shown_on(target, ready.package, ready.version, ready.record))) {
      claims.give_back(target);
      return shown;
    }
    if (other.ok() && !*other) return std::optional<OciDescriptor>();
    if (other.ok() && (*other)->record != ready.record)
      return fail(Errc::exists, (*other)->publisher + " is publishing another " + ready.package.text() + "@" +
                                    ready.version.text() + " on '" + target.name +
                                    "' right now; compare the two, and publish yours as a new version");
    if (cancelled()) return fail(Errc::cancelled, "publishing was given up; nothing of it can be seen anywhere");
    if (other.ok() && waited > kWaitForOthers)
      return fail(Errc::unavailable, (*other)->publisher + " has been publishing " + ready.package.text() + "@" +
                                         ready.version.text() + " on '" + target.name + "' for too long; try again");
    std::this_thread::sleep_for(kPause);
  }
}

Result<void> look_whole(const ReadyPublication& ready, Remote& remote) {
  return side_by_side(ready.blobs.size(), kLooksAtOnce, [&](std::size_t which) -> Result<void> {
    if (TRY(remote.has(ready.package, ready.blobs[which]))) return {};
    return fail(Errc::unavailable, "the blob sha256:" + ready.blobs[which].digest.hex() + " vanished from '" +
                                       remote.text() + "' while the version was published; publish it again");
  });
}

std::vector<PendingPublication::Target> pending_targets(const std::vector<RemoteTarget>& targets) {
  std::vector<PendingPublication::Target> pending;
  for (const RemoteTarget& target : targets) pending.push_back({target.name, target.remote->text()});
  return pending;
}

// REQUIRES: the claims are this publication's.
Result<void> show(const PendingPublication& pending, const std::vector<RemoteTarget>& targets) {
  for (const RemoteTarget& target : targets)
    TRY(target.remote->publish(pending.package, pending.version, pending.manifest, pending.publication));
  return {};
}

Result<void> withdraw(const PendingPublication& pending, const std::vector<RemoteTarget>& targets) {
  std::optional<Error> error;
  for (const RemoteTarget& target : targets) {
    auto done = target.remote->withdraw(pending.package, pending.version, pending.manifest, pending.publication);
    if (!done.ok() && !error) error = std::move(done).error();
  }
  if (error) return *error;
  return {};
}

// Until the claims are given back, the store knows of them, so that those of a dead process do not keep others waiting.
class Claiming {
 public:
  static Result<Claiming> begin(const PendingPublication& pending, const Store& store) {
    auto hold = TRY(PendingPublications(store.publications(), store.scratch()).begin(pending.publication));
    TRY(hold.write(pending));
    return Claiming(std::move(hold));
  }
  Claiming(Claiming&& other) noexcept : hold_(std::exchange(other.hold_, std::nullopt)) {}
  Claiming& operator=(Claiming&&) = delete;
  ~Claiming() {
    if (hold_) static_cast<void>(hold_->finish());
  }
  // Somebody else ends it from now on.
  PendingPublications::Hold take() {
    PendingPublications::Hold hold = std::move(*hold_);
    hold_.reset();
    return hold;
  }

 private:
  explicit Claiming(PendingPublications::Hold hold) : hold_(std::move(hold)) {}
  std::optional<PendingPublications::Hold> hold_;
};

// All or none. After an error that leaves something undone, the pending publication stays.
Result<void> commit(PendingPublication pending, const PendingPublications::Hold& hold,
                    const std::vector<RemoteTarget>& targets) {
  pending.targets = pending_targets(targets);
  pending.state = PendingPublication::State::committing;
  TRY(hold.write(pending));
  const auto shown = show(pending, targets);
  if (shown.ok()) return hold.finish();
  pending.state = PendingPublication::State::withdrawing;
  TRY(hold.write(pending));
  const auto withdrawn = withdraw(pending, targets);
  if (!withdrawn.ok()) {
    return fail(shown.error().code, shown.error().message + "; and it could not be taken back everywhere (" +
                                        withdrawn.error().message + "): 'trainyard publish --resume' does it");
  }
  TRY(hold.finish());
  return shown.error();
}

}  // namespace

Result<std::optional<OciDescriptor>> shown_on(const RemoteTarget& target, const PackageName& package,
                                              const PackageVersion& version, const Digest& record) {
  const auto shown = TRY(target.remote->find(package, version));
  if (!shown) return std::optional<OciDescriptor>();
  const auto manifest = OciManifest::parse(TRY(target.remote->manifest(package, shown->digest)));
  const std::string name = package.text() + "@" + version.text();
  if (manifest.ok() && manifest->config.digest == record) return std::optional(*shown);
  return fail(Errc::exists, "'" + target.name + "' has another " + name +
                                " already (manifest sha256:" + shown->digest.hex() +
                                "), and what is published never changes; publish yours as a new version");
}

Result<std::vector<PublishedAt>> make_visible(const ReadyPublication& ready, const std::vector<RemoteTarget>& targets,
                                              const std::function<bool()>& cancelled, const Store& store,
                                              const Publisher& publisher) {
  // One order for all, so that two who want the same do not wait for each other.
  std::vector<RemoteTarget> left = targets;
  std::sort(left.begin(), left.end(),
            [](const RemoteTarget& a, const RemoteTarget& b) { return a.remote->text() < b.remote->text(); });
  std::map<std::string, OciDescriptor> shown_by_others;  // by the targets' names
  for (int round = 0; round < kMostRounds && !left.empty(); ++round) {
    const Instant since = publisher.now();
    const std::string id = new_publication_id(since);
    const PendingPublication pending{id,
                                     ready.package,
                                     ready.version,
                                     ready.record,
                                     ready.manifest,
                                     pending_targets(left),
                                     PendingPublication::State::claiming,
                                     publisher.name,
                                     since};
    Claiming claiming = TRY(Claiming::begin(pending, store));
    Claims claims(ready.package, ready.version, {id, ready.record, publisher.name, since});
    for (const RemoteTarget& target : left) {
      if (auto shown = TRY(claim_on(target, ready, claims, cancelled)))
        shown_by_others.emplace(target.name, std::move(*shown));
    }
    left = claims.targets();
    if (left.empty()) break;
    TRY(side_by_side(left.size(), left.size(),
                     [&](std::size_t which) { return look_whole(ready, *left[which].remote); }));
    // Who had to wait long for others claims anew.
    if (publisher.now().microseconds - since.microseconds > std::chrono::microseconds(kClaimHolds).count() / 2)
      continue;
    TRY(commit(pending, claiming.take(), left));
    left.clear();
  }
  if (!left.empty())
    return fail(Errc::unavailable, "others kept publishing " + ready.package.text() + "@" + ready.version.text() +
                                       " from being decided; try again");
  std::vector<PublishedAt> places;
  for (const RemoteTarget& target : targets) {
    const auto other = shown_by_others.find(target.name);
    const bool was_there = other != shown_by_others.end();
    places.push_back({target.name, target.remote->text(),
                      was_there ? PublishedAt::State::was_there : PublishedAt::State::published,
                      was_there ? other->second : ready.manifest});
  }
  return places;
}

Result<std::vector<std::string>> finish_publications(const Store& store, const Publisher& publisher,
                                                     const OpenRemote& open) {
  std::vector<std::string> told;
  for (auto& [pending, hold] : TRY(PendingPublications(store.publications(), store.scratch()).left_behind())) {
    std::vector<RemoteTarget> targets;
    for (const PendingPublication::Target& target : pending.targets) {
      auto remote = TRY(open(target.address));
      targets.push_back({target.name, std::move(remote)});
    }
    // The claims of the dead process may have outlived their time.
    Claims claims(pending.package, pending.version,
                  {pending.publication, pending.record, pending.publisher, publisher.now()});
    if (pending.state == PendingPublication::State::claiming) {
      for (const RemoteTarget& target : targets)
        TRY(target.remote->release(pending.package, pending.version, pending.publication));
      TRY(hold.finish());
      told.push_back("a process that ended too early was about to publish " + text_of(pending) + " on " +
                     list_of(pending.targets) + "; nothing of it can be seen there");
      continue;
    }
    bool conflict = false;
    for (const RemoteTarget& target : targets) {
      TRY(target.remote->release(pending.package, pending.version, pending.publication));
      const auto other = TRY(claims.take(target));
      const auto shown = shown_on(target, pending.package, pending.version, pending.record);
      if (!shown.ok() && shown.error().code != Errc::exists) return shown.error();
      conflict = conflict || !shown.ok();
      if (other && shown.ok() && !*shown)
        return fail(Errc::unavailable, other->publisher + " is publishing " + text_of(pending) + " on '" + target.name +
                                           "' right now; try again");
    }
    if (pending.state == PendingPublication::State::committing && !conflict) {
      const auto shown = show(pending, claims.targets());
      if (shown.ok()) {
        TRY(hold.finish());
        told.push_back(text_of(pending) + " is published on " + list_of(pending.targets) +
                       " now, as a process that ended too early had begun");
        continue;
      }
      if (shown.error().code == Errc::unavailable) return shown.error();
    }
    pending.state = PendingPublication::State::withdrawing;
    TRY(hold.write(pending));
    TRY(withdraw(pending, claims.targets()));
    TRY(hold.finish());
    told.push_back(
        text_of(pending) + " was taken back from " + list_of(pending.targets) +
        ": a process that ended too early had begun to publish it, and it could not be published everywhere");
  }
  return told;
}

}  // namespace trainyard
