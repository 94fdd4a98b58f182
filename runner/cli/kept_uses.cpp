// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/kept_uses.hpp"

#include <optional>

#include "runner/cli/wiring.hpp"
#include "runner/engine/use_refresh.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kFilesBetweenWords = 10'000;

class Question {
 public:
  Question(AskedFiles asked, const Store& store, StatusLine& line)
      : asked_(std::move(asked)), store_(store), line_(line) {}

  Result<FileUses> ask() {
    auto answer = ask_kept();
    if (!answer.ok() && answer.error().code == Errc::corrupt) answer = ask_kept_anew();
    if (answer.ok() || !is_of_the_index(answer.error())) return answer;
    line_.clear();
    complain("the files are indexed for this answer alone, because their index cannot be kept: " +
             answer.error().message);
    auto index = TRY(UseIndex::unkept());
    TRY(refresh(index));
    return answer_from(index);
  }

 private:
  // A question without an answer is not the index's fault.
  static bool is_of_the_index(const Error& error) {
    return error.code == Errc::corrupt || error.code == Errc::io || error.code == Errc::unavailable;
  }

  Result<void> lock() {
    if (lock_) return {};
    lock_ = TRY(FileLock::try_lock(store_.use_lock()));
    if (lock_) return {};
    line_.show("waiting for another command that indexes the files of this store");
    lock_ = TRY(FileLock::wait(store_.use_lock()));
    return {};
  }

  Result<void> refresh(UseIndex& index) {
    return refresh_uses(index, store_,
                        {[this](const std::string& words) { line_.show(words); },
                         [this](const std::string& sentence) {
                           line_.clear();
                           complain(sentence);
                         }});
  }

  Result<FileUses> answer_from(UseIndex& index) {
    if (asked_.what == AskedFiles::What::sha256) asked_.sha256 = TRY(find_digest(index, asked_.name));
    return find_uses(index, asked_, [this](std::size_t done) {
      if (done % kFilesBetweenWords == 0) line_.show("looked up " + plural(done, "file"));
    });
  }

  Result<FileUses> ask_kept() {
    if (!is_there(store_.use_index())) {
      TRY(lock());
      if (!is_there(store_.use_index())) TRY(UseIndex::make(store_.use_index(), store_.scratch()));
    }
    auto index = TRY(UseIndex::open(store_.use_index()));
    if (!TRY(uses_are_current(index, store_))) {
      TRY(lock());
      TRY(refresh(index));
    }
    return answer_from(index);
  }

  // Somebody else may have made it anew while this one waited.
  Result<FileUses> ask_kept_anew() {
    TRY(lock());
    auto answer = ask_kept();
    if (answer.ok() || answer.error().code != Errc::corrupt) return answer;
    TRY(UseIndex::make(store_.use_index(), store_.scratch()));
    return ask_kept();
  }

  AskedFiles asked_;
  const Store& store_;
  StatusLine& line_;
  std::optional<FileLock> lock_;
};

}  // namespace

Result<FileUses> ask_uses(AskedFiles asked, const Store& store, StatusLine& line) {
  return Question(std::move(asked), store, line).ask();
}

}  // namespace trainyard
