// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "runner/cli/terminal.hpp"
#include "runner/core/sweep_board.hpp"
#include "runner/engine/sweeping.hpp"

namespace trainyard {

// Shows a sweep to the person who waits for it: on a terminal one line of how far it is, in a pipe nothing but what goes
// wrong. Ctrl-C asks its runs to stop; a second one ends them at once.
class SweepDisplay final : public SweepObserver {
 public:
  explicit SweepDisplay(const Sweep& sweep) : sweep_(sweep) {}

  void progressed(const SweepProgress& progress) override;
  void noticed(const std::string& sentence) override;
  StopWish stop_wish() override;
  void clear() { line_.clear(); }

 private:
  const Sweep& sweep_;
  StatusLine line_;
  int told_ = 0;  // how many interrupts the person has been answered
};

// One row for each trial, the best first.
std::string trials_table(const SweepBoard& board);
// How the runs stand, which is the best, and the command that compares the best of them.
std::string summary_of(const SweepBoard& board);
// One row for each point.
std::string points_table(const SweepBoard& board);

}  // namespace trainyard
