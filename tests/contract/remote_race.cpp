// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <latch>
#include <mutex>
#include <thread>

#include "tests/contract/remote_contract.hpp"

namespace trainyard::remote_contract {

namespace {

using namespace std::chrono_literals;

// What threads have to say: the first complaint, for Catch2 in the main thread.
class Complaints {
 public:
  void add(const std::string& complaint) {
    const std::lock_guard lock(mutex_);
    if (first_.empty()) first_ = complaint;
  }
  [[nodiscard]] std::string first() const {
    const std::lock_guard lock(mutex_);
    return first_;
  }

 private:
  mutable std::mutex mutex_;
  std::string first_;
};

// Tries until the version is visible, by this publication or by another one. True when it is this one's.
Result<bool> publish_or_see(Remote& remote, const PackageName& package, PackageVersion version, const Content& content,
                            const PublicationClaim& claim) {
  TRY(put_content(remote, package, content));
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (std::chrono::steady_clock::now() < deadline) {
    auto holder = remote.claim(package, version, claim);
    if (holder.ok() && !*holder) {
      const auto published = remote.publish(package, version, content.descriptor(), claim.publication);
      TRY(remote.release(package, version, claim.publication));
      if (published.ok()) return true;
      if (published.error().code == Errc::exists) return false;
      if (published.error().code != Errc::unavailable) return published.error();
    }
    if (!holder.ok() && holder.error().code != Errc::unavailable) return holder.error();
    const auto seen = remote.find(package, version);
    if (seen.ok() && *seen) return false;
    std::this_thread::sleep_for(5ms);
  }
  return fail(Errc::timed_out, "nobody won within a minute");
}

// Looks at one version over and over: nothing, then one manifest with all that it names, the same for ever.
void read_until(const std::atomic<bool>& over, Remote& remote, const PackageName& package, PackageVersion version,
                Complaints& complaints) {
  std::optional<Digest> seen;
  for (bool last = false; !last;) {
    last = over.load();
    const auto found = remote.find(package, version);
    if (!found.ok()) {
      if (found.error().code != Errc::unavailable) complaints.add("a reader got: " + found.error().message);
      continue;
    }
    if (!*found) {
      if (seen) complaints.add("a version that was visible is gone");
      std::this_thread::sleep_for(1ms);
      continue;
    }
    if (seen && *seen != (*found)->digest) complaints.add("a visible version changed");
    if (seen) {
      std::this_thread::sleep_for(5ms);
      continue;
    }
    seen = (*found)->digest;
    const auto text = remote.manifest(package, *seen);
    const auto manifest = text.ok() ? OciManifest::parse(*text) : Result<OciManifest>(text.error());
    if (!manifest.ok()) {
      complaints.add("a visible version has no manifest: " + manifest.error().message);
      continue;
    }
    const auto layer = remote.get(package, manifest->layers.front(), [](std::string_view) { return Result<void>(); });
    if (!layer.ok()) complaints.add("a visible version lacks a layer: " + layer.error().message);
  }
  if (!seen) complaints.add("nobody made the version visible");
}

}  // namespace

void keep_publishers_apart(RemotePlace& place, unsigned publishers, unsigned rounds) {
  const PackageName package = package_named("digits");
  std::vector<std::unique_ptr<Remote>> remotes;
  for (unsigned i = 0; i <= publishers; ++i) remotes.push_back(place.open());
  for (unsigned round = 0; round < rounds; ++round) {
    const PackageVersion version{1, round};
    Complaints complaints;
    std::atomic<unsigned> winners = 0;
    std::atomic<unsigned> winner = 0;
    std::atomic<bool> over = false;
    std::latch start(publishers);
    std::thread reader([&] { read_until(over, *remotes.back(), package, version, complaints); });
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < publishers; ++i) {
      threads.emplace_back([&, i] {
        const Content content = Content::of(version.text() + " of " + std::to_string(i));
        start.arrive_and_wait();
        const auto won =
            publish_or_see(*remotes[i], package, version, content, claim_of(round * publishers + i, place.now()));
        if (!won.ok()) complaints.add("a publisher got: " + won.error().message);
        if (won.ok() && *won) {
          ++winners;
          winner = i;
        }
      });
    }
    for (std::thread& each : threads) each.join();
    over = true;
    reader.join();
    INFO("round " << round);
    INFO(complaints.first());
    REQUIRE(complaints.first().empty());
    REQUIRE(winners == 1);
    const Content content = Content::of(version.text() + " of " + std::to_string(winner.load()));
    CHECK(found(*remotes.back(), package, version) == content.descriptor().digest);
    CHECK_FALSE(must(remotes.back()->claimed(package, version)));
  }
  CHECK(must(remotes.back()->versions(package)).size() == rounds);
}

}  // namespace trainyard::remote_contract
