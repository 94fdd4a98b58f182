// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/remotes/remote.hpp"
#include "storage/values/sha256.hpp"
#include "tests/support/temp_folder.hpp"

// What every remote must keep, whatever is behind it. Each promise is a function over a place that was empty; an
// adapter's test says how its places are made:
//
//   TEST_CASE("a folder keeps the promises of a remote") {
//     remote_contract::keep_promises([] { return std::make_unique<FolderPlace>(); });
//   }
namespace trainyard::remote_contract {

// Whether `collect` can remove content itself, or the remote has a collector of its own.
enum class Frees { content_and_claims, claims };

// An empty place to publish to, and a clock for those who do. It lives for one promise.
class RemotePlace {
 public:
  RemotePlace() = default;
  RemotePlace(const RemotePlace&) = delete;
  RemotePlace& operator=(const RemotePlace&) = delete;
  virtual ~RemotePlace() = default;

  // As another process on another machine has it: nothing is shared with those opened before but the place and the
  // clock. Called from one thread; what it returns is used in others, and ends before the place.
  virtual std::unique_ptr<Remote> open() = 0;
  // Changes a stored byte of that blob or manifest behind everybody's back.
  virtual void damage(const PackageName& package, const Digest& content) = 0;
  // Moves the clock of every remote opened here, before or later, this much further ahead of the system's.
  virtual void pass(std::chrono::seconds time) = 0;
  [[nodiscard]] virtual Instant now() const = 0;
  [[nodiscard]] virtual Frees frees() const { return Frees::content_and_claims; }
};

template <class T>
T must(Result<T> result) {
  INFO((result.ok() ? "" : result.error().message));
  REQUIRE(result.ok());
  if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

template <class T>
Errc code_of(const Result<T>& result) {
  REQUIRE_FALSE(result.ok());
  CHECK_FALSE(result.error().message.empty());
  return result.error().code;
}

inline PackageName package_named(std::string_view name) { return must(PackageName::parse(name)); }
inline VersionLabel label_named(std::string_view name) { return must(VersionLabel::parse(name)); }

// A version's content: one layer, and the manifest that names it.
struct Content {
  std::string layer;
  std::string manifest;

  static OciDescriptor blob(std::string_view bytes) {
    return {"application/octet-stream", sha256(bytes), bytes.size()};
  }
  static OciDescriptor empty() { return oci_empty_config(); }
  static Content of(std::string layer_bytes) {
    const OciManifest manifest{"application/vnd.trainyard.test.v1", empty(), {blob(layer_bytes)}};
    return {std::move(layer_bytes), manifest.text()};
  }
  // Attached to another.
  static Content about(const OciDescriptor& subject, std::string layer_bytes) {
    OciManifest manifest{"application/vnd.trainyard.note.v1", empty(), {blob(layer_bytes)}, subject};
    manifest.annotations = {{"org.example.note", "kept"}};
    return {std::move(layer_bytes), manifest.text()};
  }
  [[nodiscard]] OciDescriptor descriptor() const {
    return OciManifest::descriptor(manifest, must(OciManifest::parse(manifest)).artifact_type);
  }
};

// These check nothing: they are for threads too, where Catch2 has no place.
inline Result<void> put_bytes(Remote& remote, const PackageName& package, std::string_view bytes) {
  const TempFolder folder;
  return remote.put(package, Content::blob(bytes), folder.write("blob", bytes), [](std::uint64_t) {});
}
inline Result<void> put_layers(Remote& remote, const PackageName& package, const Content& content) {
  TRY(put_bytes(remote, package, "{}"));
  return put_bytes(remote, package, content.layer);
}
inline Result<void> put_content(Remote& remote, const PackageName& package, const Content& content) {
  TRY(put_layers(remote, package, content));
  return remote.put_manifest(package, content.manifest);
}

inline PublicationClaim claim_of(unsigned number, Instant since) {
  const std::string digits = std::to_string(number);
  return {"01890000-0000-7000-8000-" + std::string(12 - digits.size(), '0') + digits, sha256(digits),
          "ada on host" + digits, since};
}

// Puts, claims, publishes, releases.
inline void publish_whole(RemotePlace& place, Remote& remote, const PackageName& package, PackageVersion version,
                          const Content& content, unsigned publisher) {
  const PublicationClaim claim = claim_of(publisher, place.now());
  must(put_content(remote, package, content));
  REQUIRE_FALSE(must(remote.claim(package, version, claim)));
  must(remote.publish(package, version, content.descriptor(), claim.publication));
  must(remote.release(package, version, claim.publication));
}

inline std::string got(Remote& remote, const PackageName& package, const OciDescriptor& blob) {
  std::string bytes;
  must(remote.get(package, blob, [&](std::string_view piece) -> Result<void> {
    bytes += piece;
    return {};
  }));
  return bytes;
}

// The digest of what is visible as that version.
inline std::optional<Digest> found(Remote& remote, const PackageName& package, PackageVersion version) {
  const auto descriptor = must(remote.find(package, version));
  if (!descriptor) return std::nullopt;
  return descriptor->digest;
}

struct Promise {
  const char* says;
  void (*keep)(RemotePlace& place);
};
std::vector<Promise> promises_about_publishing();

// All of them, each in a section and a place of its own.
void keep_promises(const std::function<std::unique_ptr<RemotePlace>()>& make_place);

// Of many who publish a version at once one wins, and readers see that one or nothing. Apart, because it takes time.
void keep_publishers_apart(RemotePlace& place, unsigned publishers, unsigned rounds);

}  // namespace trainyard::remote_contract
