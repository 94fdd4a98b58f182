// SPDX-License-Identifier: Apache-2.0
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstdlib>
#include <random>
#include <thread>

#include "tests/unit/keyed_place.hpp"

namespace trainyard::keyed_fault_test {
namespace {

using namespace std::chrono_literals;

// All that a version needs, read and compared.
Result<void> read_whole(KeyedRemote& remote, const OciDescriptor& manifest) {
  const OciManifest parsed = TRY(OciManifest::parse(TRY(remote.manifest(kDigits, manifest.digest))));
  const auto nothing = [](std::string_view) -> Result<void> { return {}; };
  TRY(remote.get(kDigits, parsed.config, nothing));
  for (const OciDescriptor& layer : parsed.layers) TRY(remote.get(kDigits, layer, nothing));
  return {};
}

Result<unsigned> read_all(KeyedRemote& remote) {
  unsigned count = 0;
  for (const PackageVersion& version : TRY(remote.versions(kDigits))) {
    const auto manifest = TRY(remote.find(kDigits, version));
    if (!manifest) return fail(Errc::corrupt, version.text() + " was visible and is gone");
    if (const auto whole = read_whole(remote, *manifest); !whole.ok()) return within(version.text(), whole.error());
    ++count;
  }
  return count;
}

}  // namespace

// Contents repeat, so that what one publisher relies on is another's garbage until one of them is done.
TEST_CASE("no version is ever visible without its content, whoever collects meanwhile", "[remotes][threads]") {
  KeyedPlace place;
  constexpr unsigned kPublishers = 4;
  constexpr unsigned kEach = 15;
  std::atomic<bool> over = false;
  std::atomic<unsigned> published = 0;
  std::atomic<unsigned> collected = 0;
  std::atomic<unsigned> removed = 0;
  std::mutex mutex;
  std::vector<std::string> complaints;
  const auto complain = [&](const std::string& text) {
    const std::lock_guard lock(mutex);
    complaints.push_back(text);
  };
  std::vector<std::thread> publishers;
  for (unsigned i = 0; i < kPublishers; ++i) {
    publishers.emplace_back([&, i] {
      const auto remote = place.open();
      for (unsigned n = 0; n < kEach; ++n) {
        const TestVersion version("content " + std::to_string(n / 2));
        const std::string name = std::to_string(i) + "-" + std::to_string(n);
        for (int tries = 0; tries < 2000; ++tries) {
          const auto done = place.publish(*remote, {1, i * kEach + n}, version, name);
          if (done.ok() && *done) {
            ++published;
            break;
          }
          if (!done.ok() && done.error().code != Errc::unavailable) {
            complain("publisher: " + done.error().message);
            break;
          }
          // A step that failed leaves the claim, as a publisher that lost its connection does.
          static_cast<void>(remote->release(kDigits, {1, i * kEach + n}, name));
          std::this_thread::sleep_for(std::chrono::milliseconds(1 + (i + n) % 5));
        }
      }
    });
  }
  std::vector<std::thread> others;
  for (int i = 0; i < 2; ++i) {
    others.emplace_back([&] {
      const auto remote = place.open();
      while (!over) {
        const auto garbage = place.collect(*remote, Garbage::remove);
        if (garbage.ok()) {
          ++collected;
          removed += static_cast<unsigned>(garbage->blobs);
        }
        if (!garbage.ok() && garbage.error().code != Errc::unavailable)
          complain("collector: " + garbage.error().message);
        std::this_thread::sleep_for(2ms);
      }
    });
  }
  others.emplace_back([&] {
    const auto remote = place.open();
    while (!over) {
      const auto count = read_all(*remote);
      if (!count.ok()) complain("reader: " + count.error().message);
    }
  });
  for (std::thread& thread : publishers) thread.join();
  over = true;
  for (std::thread& thread : others) thread.join();
  if (!complaints.empty()) FAIL(complaints.front());
  CHECK(published == kPublishers * kEach);
  CHECK(collected > 0);
  CHECK(removed > 0);
  const auto remote = place.open();
  CHECK(read_all(*remote).value() == kPublishers * kEach);
}

TEST_CASE("a publisher that is killed at any moment leaves nothing half, and a repeat completes", "[remotes]") {
  KeyedPlace place;
  std::mt19937 chance(20260101);
  // The longest wait. It follows what the machine takes, so that about a third of the publishers finish.
  std::chrono::duration<double, std::micro> longest = std::chrono::milliseconds(3);
  unsigned killed = 0;
  unsigned visible = 0;
  // TRAINYARD_KILL_ROUNDS makes it more.
  const char* const wish = std::getenv("TRAINYARD_KILL_ROUNDS");
  const unsigned times = wish == nullptr ? 60 : static_cast<unsigned>(std::atoi(wish));
  for (unsigned n = 0; n < times; ++n) {
    const TestVersion version("content " + std::to_string(n));
    const PackageVersion number{1, n};
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      const auto remote = place.open();
      static_cast<void>(place.publish(*remote, number, version, std::to_string(n)));
      ::_exit(0);
    }
    std::this_thread::sleep_for(std::uniform_real_distribution(0.0, 1.0)(chance) * longest);
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status)) ++killed;
    longest *= WIFSIGNALED(status) ? 1.1 : 0.8;
    const auto remote = place.open();
    const auto found = remote->find(kDigits, number);
    REQUIRE(found.ok());
    if (*found) ++visible;
    if (*found) REQUIRE(read_whole(*remote, **found).ok());
    if (n % 4 == 3) continue;
    // The same publication goes on at once; another one when the claim has grown stale.
    const bool same = n % 2 == 0;
    if (!same) place.pass(kClaimHolds + kClockSkew);
    const auto again = place.publish(*remote, number, version, same ? std::to_string(n) : "again");
    if (!again.ok()) FAIL(again.error().message);
    REQUIRE(*again);
  }
  CAPTURE(killed, visible);
  CHECK(killed > times / 4);
  CHECK(visible > 0);
  place.pass(1h);
  const auto remote = place.open();
  const auto garbage = place.collect(*remote, Garbage::remove);
  if (!garbage.ok()) FAIL(garbage.error().message);
  std::set<std::string> needed;
  const auto versions = remote->versions(kDigits).value();
  for (const PackageVersion& number : versions) {
    const TestVersion version("content " + std::to_string(number.minor));
    needed.insert("versions/" + number.text() + ".json");
    for (const Digest& digest : {version.manifest.digest, sha256("{}"), sha256(version.layer)})
      needed.insert("blobs/sha256/" + digest.hex());
  }
  CHECK(needed.size() >= 3 * times / 4);
  CHECK(place.listed("digits/") == needed);
  CHECK(read_all(*remote).ok());
  CHECK(list_folder(place.root / "tmp").value().empty());
}

}  // namespace trainyard::keyed_fault_test
