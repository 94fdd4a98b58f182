// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include <atomic>
#include <chrono>

#include "storage/http/retrying_http.hpp"
#include "storage/remotes/oci_remote.hpp"
#include "tests/contract/remote_contract.hpp"
#include "tests/support/registry_server.hpp"

namespace trainyard::remote_oci_test {

using namespace remote_contract;

namespace {

Instant system_now() {
  return {std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

RegistryServer& registry() {
  static RegistryServer server;
  return server;
}

// A publisher's way to the registry.
class OwnHttp {
 public:
  OwnHttp() : plain_(curl_http()), patient_(retrying(*plain_, {6, std::chrono::milliseconds(20)})) {}
  HttpClient& client() { return *patient_; }

 private:
  std::unique_ptr<HttpClient> plain_;
  std::unique_ptr<HttpClient> patient_;
};

class RegistryPlace final : public RemotePlace {
 public:
  RegistryPlace() {
    static std::atomic<int> number = 0;
    address_ = must(RemoteAddress::parse("oci+http://" + registry().host() + "/place" + std::to_string(++number)));
  }
  std::unique_ptr<Remote> open() override {
    https_.push_back(std::make_unique<OwnHttp>());
    return std::make_unique<OciRemote>(address_, https_.back()->client(), only_logins(), [this] { return now(); });
  }
  void damage(const PackageName&, const Digest& content) override {
    const Path path = registry().content(content.hex());
    std::string bytes = must(read_file(path, SIZE_MAX / 4));
    // Of a manifest: so that it is one still.
    const std::size_t type = bytes.find("vnd.trainyard");
    char& damaged = type == std::string::npos ? bytes.back() : bytes[type];
    damaged = damaged == 'x' ? 'y' : 'x';
    const UniqueFd file = must(open_file(path, O_WRONLY | O_TRUNC));
    must(write_all(file.get(), bytes, path));
  }
  void pass(std::chrono::seconds time) override { ahead_ += std::chrono::microseconds(time).count(); }
  [[nodiscard]] Instant now() const override { return {system_now().microseconds + ahead_}; }
  [[nodiscard]] Frees frees() const override { return Frees::claims; }

 private:
  RemoteAddress address_;
  std::atomic<std::int64_t> ahead_ = 0;
  std::vector<std::unique_ptr<OwnHttp>> https_;
};

}  // namespace

TEST_CASE("a registry keeps the promises of a remote") {
  keep_promises([] { return std::make_unique<RegistryPlace>(); });
}

TEST_CASE("of eight who publish a version to a registry at once one wins") {
  RegistryPlace place;
  keep_publishers_apart(place, 8, 20);
}

}  // namespace trainyard::remote_oci_test
