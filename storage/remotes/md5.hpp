// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace trainyard {

// The MD5 (RFC 1321) in lowercase hexadecimal digits: what S3 servers call most parts of an upload by. Nothing rests on
// it, because whatever it makes believe is checked by SHA-256 later.
std::string md5_hex(std::string_view bytes);

}  // namespace trainyard
