// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "runner/cli/terminal.hpp"
#include "runner/engine/run_ports.hpp"

namespace trainyard {

// Shows a run to the person who waits for it: on a terminal a progress bar with the package's log and metrics flowing
// above it, in a pipe nothing. Ctrl-C asks the run to stop; a second one ends it at once.
class RunDisplay final : public RunObserver {
 public:
  void entered(const RunState& state) override;
  void awaiting(const std::string& reason) override;
  void noticed(const std::string& sentence) override;
  void reading_data(const CaptureProgress& progress) override;
  void reported(const WorkerEvent& event) override;
  StopWish stop_wish() override;
  void clear() { line_.clear(); }

 private:
  void draw(const std::string& what, double fraction, const std::string& note);

  StatusLine line_;
  std::string verb_ = "starting";
  int told_ = 0;  // how many interrupts the person has been answered
};

}  // namespace trainyard
