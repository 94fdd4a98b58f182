// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "runner/processes/run_program.hpp"
#include "storage/remotes/oci_login.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard {

// A registry of this program's own, as tests/support/servers/registry starts it; ends with it. For tests: what fails throws.
class RegistryServer {
 public:
  // `login` is "user:password", empty: everybody is let in.
  explicit RegistryServer(const std::string& login = "") {
    std::map<std::string, std::string> environment{{"PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin"},
                                                   {"SERVER_OWNER", std::to_string(::getpid())}};
    if (!login.empty()) environment.emplace("REGISTRY_LOGIN", login);
    const auto up = run_program({TRAINYARD_REGISTRY_SERVER, "up", folder_.path().string()}, environment, "/", "",
                                std::chrono::seconds(30));
    if (!up.ok()) throw std::runtime_error(up.error().message);
    if (up->status.code != 0) throw std::runtime_error("no registry: " + up->err);
    host_ = up->out.substr(0, up->out.find('\n'));
  }
  ~RegistryServer() {
    static_cast<void>(run_program({TRAINYARD_REGISTRY_SERVER, "down", folder_.path().string()},
                                  {{"PATH", "/usr/bin:/bin"}}, "/", "", std::chrono::seconds(30)));
  }
  RegistryServer(const RegistryServer&) = delete;
  RegistryServer& operator=(const RegistryServer&) = delete;

  // "127.0.0.1:43210"
  [[nodiscard]] const std::string& host() const { return host_; }
  // Where the bytes of a digest lie.
  [[nodiscard]] Path content(const std::string& hex) const {
    return folder_.path() / "data/docker/registry/v2/blobs/sha256" / hex.substr(0, 2) / hex / "data";
  }

 private:
  TempFolder folder_;
  std::string host_;
};

// Of a file of logins and nothing else; empty: nobody is logged in.
inline Environment only_logins(const std::string& file = "") {
  return [file](const char* name) -> std::optional<std::string> {
    if (std::string_view(name) != "REGISTRY_AUTH_FILE") return std::nullopt;
    return file.empty() ? "/nobody/is/logged/in.json" : file;
  };
}

}  // namespace trainyard
