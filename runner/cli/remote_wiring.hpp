// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runner/engine/publishing.hpp"
#include "storage/remotes/key_store.hpp"
#include "storage/remotes/remote_list.hpp"

namespace trainyard {

// The adapter for an address, with the credentials that the environment has for it. A command that is interrupted ends its
// requests.
Result<std::shared_ptr<Remote>> open_remote(const RemoteAddress& address,
                                            std::optional<std::uint64_t> bytes_per_second = std::nullopt);

// What is below the address of a bucket, in the same way.
Result<std::shared_ptr<KeyStore>> open_keys(const RemoteAddress& address);

// Those of the store that are named; the only one there is, when none is named.
Result<std::vector<KnownRemote>> named_remotes(const Store& store, const std::vector<std::string>& names);

// `invalid` where the remote was made known for reading alone.
Result<void> check_writable(const KnownRemote& remote);

// "ada on host7".
Publisher this_publisher();

}  // namespace trainyard
