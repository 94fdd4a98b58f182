// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runner/cli/command.hpp"
#include "runner/core/run_request.hpp"
#include "runner/core/secrets.hpp"

namespace trainyard {

// "NAME=FILE" each, or "NAME", whose value is asked for on the terminal without showing it. Their names become part of the
// request. One line break at the end of a file is not part of the value. Errors never tell what was given for a file,
// which may be the value itself.
Result<Secrets> take_secrets(RunRequest& request, const std::vector<std::string>& given);

enum class PasswordUse { choose, unlock };

// The password of a private key, from the file or the terminal that was named; none where neither was. One that is chosen on
// the terminal is asked for twice.
Result<std::optional<std::string>> take_password(const command::PasswordWords& given, PasswordUse use);

}  // namespace trainyard
