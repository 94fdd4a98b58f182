// SPDX-License-Identifier: Apache-2.0
#include "storage/trees/verify.hpp"

#include <algorithm>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>

#include "storage/trees/tree_objects.hpp"

namespace trainyard {

namespace {

// Spread evenly over all numbers: a digest is as good as chance, and the seed makes it another one (the mixing step of
// SplitMix64).
std::uint64_t lot(const Digest& digest, std::uint64_t seed) {
  std::uint64_t number = seed * 0x9E3779B97F4A7C15U;
  for (std::size_t i = 0; i < sizeof(number); ++i) number ^= std::uint64_t{digest.bytes()[i]} << (8 * i);
  number = (number ^ (number >> 30U)) * 0xBF58476D1CE4E5B9U;
  number = (number ^ (number >> 27U)) * 0x94D049BB133111EBU;
  return number ^ (number >> 31U);
}

std::function<bool(const Digest&)> chosen(const Tree& tree, const VerifySample& sample) {
  if (sample.share >= 1) return [](const Digest&) { return true; };
  // 2^64, which no integer holds
  const auto most = static_cast<std::uint64_t>(std::max(sample.share, 0.0) * 18446744073709551616.0);
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  for (std::size_t i = 0; i < tree.size(); ++i) {
    if (const Digest* const digest = tree.view(i).digest) least = std::min(least, lot(*digest, sample.seed));
  }
  return [most, least, seed = sample.seed](const Digest& digest) {
    const std::uint64_t number = lot(digest, seed);
    return number < most || number == least;
  };
}

std::uint64_t files_in(const Tree& tree, const std::function<bool(const Digest&)>& wanted) {
  std::uint64_t files = 0;
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const Digest* const digest = tree.view(i).digest;
    if (digest != nullptr && wanted(*digest)) ++files;
  }
  return files;
}

class Verifier final : public TreeReceiver {
 public:
  // `files` are to be verified.
  Verifier(const Tree& tree, std::uint64_t files, const TreeProgress& progress)
      : tree_(tree), files_(files), progress_(progress) {}

  void expect(const TreeObjects& wanted) override {
    wanted_ = &wanted;
    sizes_.assign(wanted.digests().size(), 0);
  }

  Result<void> piece(std::size_t which, std::string_view bytes) override {
    sizes_[which] += bytes.size();
    return {};
  }

  Result<void> end(std::size_t which, const Result<void>& verdict) override {
    const std::lock_guard lock(mutex_);
    for (const std::uint32_t file : wanted_->files_of(which)) {
      if (!verdict.ok()) {
        problems_.emplace_back(file, verdict.error().message);
      } else if (sizes_[which] != tree_.view(file).size) {
        problems_.emplace_back(file, "its object has another size than the tree says");
      }
      if (progress_) progress_(++done_, files_);
    }
    return {};
  }

  std::vector<std::string> problems() && {
    std::sort(problems_.begin(), problems_.end());
    std::vector<std::string> sentences;
    for (const auto& [file, problem] : problems_) sentences.push_back(tree_.entry(file).path.text() + ": " + problem);
    return sentences;
  }

 private:
  const Tree& tree_;
  const std::uint64_t files_;
  const TreeProgress& progress_;
  const TreeObjects* wanted_ = nullptr;
  std::vector<std::uint64_t> sizes_;  // each counted by the thread that has the object
  std::mutex mutex_;
  std::vector<std::pair<std::uint32_t, std::string>> problems_;  // guarded by mutex_, as is done_
  std::uint64_t done_ = 0;
};

}  // namespace

Result<std::vector<std::string>> verify(const Tree& tree, ObjectStore& objects, const TreeProgress& progress,
                                        const VerifySample& sample) {
  const auto wanted = chosen(tree, sample);
  Verifier verifier(tree, files_in(tree, wanted), progress);
  TRY(stream_files(tree, wanted, objects, verifier));
  return std::move(verifier).problems();
}

}  // namespace trainyard
