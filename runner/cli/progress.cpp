// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/progress.hpp"

#include <array>
#include <charconv>

#include "runner/cli/wiring.hpp"
#include "storage/files/files.hpp"
#include "storage/values/number.hpp"

namespace trainyard {

namespace {

// Few enough digits to be typed again.
std::uint64_t new_seed() {
  std::array<std::uint8_t, 3> bytes{};
  fill_random(bytes);
  return (std::uint64_t{bytes[0]} << 16U) | (std::uint64_t{bytes[1]} << 8U) | bytes[2];
}

Result<double> parse_share(const std::string& text) {
  double percent = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, percent, std::chars_format::fixed);
  const bool whole = read.ec == std::errc() && end - read.ptr == 1 && *read.ptr == '%';
  // The negation refuses what is not a number, too.
  if (!whole || !(percent > 0 && percent <= 100)) {
    return fail(Errc::invalid,
                "the sample '" + text + "' is no share; give a percentage above 0% up to 100%, such as 5%");
  }
  return percent / 100;
}

Result<std::uint64_t> parse_seed(const std::string& text) {
  const auto seed = number_in<std::uint64_t>(text);
  if (!seed) return fail(Errc::invalid, "the seed '" + text + "' is no whole number from 0 to 18446744073709551615");
  return *seed;
}

}  // namespace

TreeProgress progress_on(StatusLine& line, const std::string& verb, const std::string& noun) {
  return [&line, verb, noun](std::uint64_t done, std::uint64_t all) {
    const double fraction = all == 0 ? 0 : static_cast<double>(done) / static_cast<double>(all);
    line.show(bar(fraction) + "  " + verb + " " + std::to_string(done) + " of " + plural(all, noun));
  };
}

WaitForWriters waiting_for_writers(bool no_wait) {
  return {no_wait ? WriteHold::Wait::no : WriteHold::Wait::yes,
          [] { complain("waiting for another command to be done with writing to the store"); }};
}

std::string content_text(const TreeSummary& tree) { return plural(tree.files, "file") + ", " + size_text(tree.bytes); }

Result<VerifySample> parse_sample(const std::string& share, const std::string& seed) {
  if (share.empty() && !seed.empty()) return fail(Errc::invalid, "--seed chooses a sample; give --sample too");
  VerifySample sample;
  if (share.empty()) return sample;
  sample.share = TRY(parse_share(share));
  sample.seed = seed.empty() ? new_seed() : TRY(parse_seed(seed));
  return sample;
}

bool takes_all(const VerifySample& sample) { return sample.share >= 1; }

std::string sample_text(const VerifySample& sample) {
  if (takes_all(sample)) return {};
  return ", a sample of " + number_text(sample.share * 100) + "% with --seed " + std::to_string(sample.seed);
}

Json sample_json(const VerifySample& sample) {
  if (takes_all(sample)) return nullptr;
  return {{"share", sample.share}, {"seed", sample.seed}};
}

}  // namespace trainyard
