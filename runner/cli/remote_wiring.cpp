// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/remote_wiring.hpp"

#include "runner/cli/interrupts.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/processes/clock.hpp"
#include "storage/http/rate_limit.hpp"
#include "storage/http/retrying_http.hpp"
#include "storage/remotes/aws_credentials.hpp"
#include "storage/remotes/folder_keys.hpp"
#include "storage/remotes/keyed_remote.hpp"
#include "storage/remotes/oci_remote.hpp"
#include "storage/remotes/s3_keys.hpp"

namespace trainyard {

namespace {

// What remotes and key stores speak through, which outlives them.
template <class Port>
struct Wired {
  explicit Wired(std::optional<std::uint64_t> bytes_per_second)
      : rate(bytes_per_second), curl(curl_http(options())), http(retrying(*curl, {}, options())) {}

  static HttpOptions options() {
    // An interruption from before was meant for something else.
    return {[before = interrupts()] { return interrupts() > before; }};
  }

  RateLimit rate;
  std::unique_ptr<HttpClient> curl;
  std::unique_ptr<HttpClient> http;
  std::unique_ptr<Port> port;
};

template <class Port>
std::shared_ptr<Port> shared(std::shared_ptr<Wired<Port>> wired) {
  Port* const port = wired->port.get();
  return std::shared_ptr<Port>(std::move(wired), port);
}

template <class Port>
Result<std::unique_ptr<KeyStore>> s3_keys(const RemoteAddress& address, Wired<Port>& wired) {
  S3Settings settings = TRY(s3_settings(address, TRY(read_aws_sources())));
  return std::unique_ptr<KeyStore>(
      std::make_unique<S3Keys>(address, std::move(settings), *wired.http, &wired.rate, now));
}

}  // namespace

Result<std::shared_ptr<Remote>> open_remote(const RemoteAddress& address,
                                            std::optional<std::uint64_t> bytes_per_second) {
  auto wired = std::make_shared<Wired<Remote>>(bytes_per_second);
  switch (address.kind) {
    case RemoteAddress::Kind::folder:
      wired->port = std::make_unique<KeyedRemote>(std::make_unique<FolderKeys>(address.place, wired->rate), now);
      break;
    case RemoteAddress::Kind::s3:
      wired->port = std::make_unique<KeyedRemote>(TRY(s3_keys(address, *wired)), now);
      break;
    case RemoteAddress::Kind::oci:
      wired->port = std::make_unique<OciRemote>(address, *wired->http, process_environment(), now, &wired->rate);
      break;
  }
  return shared(std::move(wired));
}

Result<std::shared_ptr<KeyStore>> open_keys(const RemoteAddress& address) {
  auto wired = std::make_shared<Wired<KeyStore>>(std::nullopt);
  wired->port = TRY(s3_keys(address, *wired));
  return shared(std::move(wired));
}

Result<std::vector<KnownRemote>> named_remotes(const Store& store, const std::vector<std::string>& names) {
  const RemoteList list(store.remotes(), store.scratch());
  std::vector<KnownRemote> remotes;
  for (const std::string& name : names) {
    KnownRemote remote = TRY(list.find(name));
    for (const KnownRemote& other : remotes) {
      if (other.address == remote.address)
        return fail(Errc::invalid, "'" + other.name.text() + "' and '" + name + "' are the same place; name it once");
    }
    remotes.push_back(std::move(remote));
  }
  if (!names.empty()) return remotes;
  remotes = TRY(list.list());
  if (remotes.size() == 1) return remotes;
  if (remotes.empty())
    return fail(Errc::not_found, "this store knows no remote yet; 'trainyard remote add NAME URL' makes one known");
  std::string known;
  for (const KnownRemote& remote : remotes) known += (known.empty() ? "" : ", ") + remote.name.text();
  return fail(Errc::invalid, "say which remote is meant; there are " + known);
}

Result<void> check_writable(const KnownRemote& remote) {
  const std::string& name = remote.name.text();
  if (remote.use == KnownRemote::Use::publishing) return {};
  return fail(Errc::invalid,
              "'" + name + "' was added with --read-only, so nothing is written to it; 'trainyard remote remove " +
                  name + "' and 'trainyard remote add " + name + " URL' change that");
}

Publisher this_publisher() { return {user_name() + " on " + host_name(), now}; }

}  // namespace trainyard
