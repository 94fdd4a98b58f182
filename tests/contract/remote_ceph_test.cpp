// SPDX-License-Identifier: Apache-2.0
#include <atomic>

#include "storage/remotes/keyed_remote.hpp"
#include "tests/contract/remote_contract.hpp"
#include "tests/support/ceph_bucket.hpp"

namespace trainyard::remote_ceph_test {

namespace {

class BucketPlace final : public remote_contract::RemotePlace {
 public:
  std::unique_ptr<Remote> open() override {
    return std::make_unique<KeyedRemote>(bucket_.open(), [this] { return now(); });
  }
  void damage(const PackageName& package, const Digest& content) override {
    const std::string key = package.folded() + "/blobs/sha256/" + content.hex();
    const auto keys = bucket_.open();
    std::string bytes = remote_contract::must(keys->read(key, std::size_t{1} << 20U));
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    remote_contract::must(keys->replace(key, bytes));
  }
  void pass(std::chrono::seconds time) override { ahead_ += std::chrono::microseconds(time).count(); }
  [[nodiscard]] Instant now() const override { return {CephBucket::now().microseconds + ahead_}; }

 private:
  CephBucket bucket_;
  std::atomic<std::int64_t> ahead_ = 0;
};

}  // namespace

TEST_CASE("a bucket of Ceph keeps the promises of a remote", "[ceph]") {
  remote_contract::keep_promises([] { return std::make_unique<BucketPlace>(); });
}

TEST_CASE("of eight who publish a version to a bucket of Ceph at once one wins", "[ceph]") {
  BucketPlace place;
  remote_contract::keep_publishers_apart(place, 8, 20);
}

}  // namespace trainyard::remote_ceph_test
