// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/commands.hpp"
#include "runner/cli/interrupts.hpp"
#include "runner/cli/known_runs.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/engine/capsule.hpp"
#include "storage/packages/registry.hpp"

namespace trainyard {

Result<ExitCode> perform(const command::Capsule& command, const Invocation& invocation) {
  const PackageReference reference = TRY(PackageReference::parse(command.reference));
  const Path file = TRY(absolute_path(command.file));
  const Store store = TRY(open_store(invocation));
  const VersionRecord version = TRY(PackageRegistry(store.packages(), store.journal()).find(reference));
  const Lineage lineage = TRY(read_lineage(store, {version.content.name, version.version}, evaluations_in(store)));
  StatusLine line;
  CapsuleOptions options;
  options.data = command.data ? CapsuleFiles::with_data : CapsuleFiles::lists_only;
  options.progress = [&](const std::string& what, std::uint64_t done, std::uint64_t all) {
    if (all == 0) return line.show(what);
    line.show(bar(static_cast<double>(done) / static_cast<double>(all)) + "  " + what);
  };
  count_interrupts();
  options.cancelled = [] { return interrupts() > 0; };
  const auto written = write_capsule(version, lineage, store, file, options);
  line.clear();
  const WrittenCapsule& capsule = TRY(written);
  if (invocation.output == Output::json) {
    print_json({{"file", file.string()},
                {"bytes", capsule.zip.bytes},
                {"digest", capsule.zip.digest.hex()},
                {"capsule", to_json(capsule.manifest)}});
    return ExitCode::ok;
  }
  print("wrote " + file.string() + " (" + size_text(capsule.zip.bytes) + "); VERIFY.md in it tells how to check it\n");
  for (const std::string& sentence : capsule.manifest.missing) print("  missing: " + sentence + "\n");
  return ExitCode::ok;
}

}  // namespace trainyard
