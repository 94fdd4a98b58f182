// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "runner/cli/arguments.hpp"
#include "tests/fuzz/properties.hpp"

using namespace trainyard;

// The words of a command line, each ended by a NUL byte as in /proc/self/cmdline.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string words(fuzz::text_of(data, size));
  std::vector<const char*> argv = {"trainyard"};
  for (std::size_t at = 0; at < words.size(); at = words.find('\0', at) + 1) {
    argv.push_back(words.c_str() + at);
    if (words.find('\0', at) == std::string::npos) break;
  }
  argv.push_back(nullptr);
  const auto parsed = parse_arguments(static_cast<int>(argv.size()) - 1, argv.data());
  if (const auto* const answer = std::get_if<Answer>(&parsed)) {
    fuzz::require(answer->code == ExitCode::ok || answer->code == ExitCode::usage, "an answer is a help or a refusal");
    fuzz::require(answer->text.ends_with('\n'), "an answer is a text of whole lines");
  } else {
    fuzz::require(argv.size() > 2, "nothing is done that nobody asked for");
  }
  return 0;
}
