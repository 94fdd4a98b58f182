// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/generation.hpp"

#include <charconv>

#include "storage/values/limits.hpp"

namespace trainyard {

Result<std::uint64_t> read_generation(const Path& objects) {
  const Path path = objects / "generation";
  const auto text = read_file(path, limits::kRecordBytes);
  if (!text.ok()) return text.error().code == Errc::not_found ? Result<std::uint64_t>(1) : text.error();
  std::uint64_t number = 0;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), number);
  if (read.ec != std::errc() || number == 0)
    return fail(Errc::corrupt, "the file '" + path.string() + "' holds no number");
  return number;
}

Result<void> next_generation(const Path& objects, const Path& scratch) {
  const std::uint64_t next = TRY(read_generation(objects)) + 1;
  return replace_file(scratch, objects / "generation", std::to_string(next) + "\n", 0444, Durable::yes);
}

}  // namespace trainyard
