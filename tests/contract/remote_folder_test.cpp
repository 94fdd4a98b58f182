// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <boost/filesystem/operations.hpp>

#include "storage/remotes/folder_keys.hpp"
#include "storage/remotes/keyed_remote.hpp"
#include "tests/contract/key_store_contract.hpp"
#include "tests/contract/remote_contract.hpp"

namespace trainyard::remote_folder_test {
namespace {

class FolderPlace final : public remote_contract::RemotePlace {
 public:
  FolderPlace() { remote_contract::must(FolderKeys(root_, limit_).probe()); }

  std::unique_ptr<Remote> open() override {
    return std::make_unique<KeyedRemote>(std::make_unique<FolderKeys>(root_, limit_), [this] { return now(); });
  }
  void damage(const PackageName& package, const Digest& content) override {
    const Path path = root_ / package.folded() / "blobs" / "sha256" / content.hex();
    std::string bytes = remote_contract::must(read_file(path, SIZE_MAX / 4));
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    boost::filesystem::remove(path);
    remote_contract::must(publish_file(temporary_.path(), path, bytes, 0444, Durable::no));
  }
  void pass(std::chrono::seconds time) override { ahead_ += std::chrono::microseconds(time).count(); }
  [[nodiscard]] Instant now() const override {
    return {std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
                .count() +
            ahead_.load()};
  }

 private:
  TempFolder temporary_;
  Path root_ = temporary_.path() / "remote";
  RateLimit limit_;
  std::atomic<std::int64_t> ahead_ = 0;
};

}  // namespace

TEST_CASE("a folder keeps the promises of a key store") {
  const auto promise = GENERATE(from_range(key_store_contract::promises()));
  DYNAMIC_SECTION(promise.name) {
    const TempFolder folder;
    RateLimit limit;
    const Path root = folder.path() / "keys";
    REQUIRE(FolderKeys(root, limit).probe().ok());
    promise.keep([&] { return std::make_unique<FolderKeys>(root, limit); });
  }
}

TEST_CASE("a folder keeps the promises of a remote") {
  remote_contract::keep_promises([] { return std::make_unique<FolderPlace>(); });
}

TEST_CASE("a folder keeps publishers apart") {
  FolderPlace place;
  remote_contract::keep_publishers_apart(place, 8, 20);
}

}  // namespace trainyard::remote_folder_test
