// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/commands.hpp"
#include "runner/cli/known_runs.hpp"
#include "runner/cli/lineage_text.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/core/documents/croissant.hpp"
#include "runner/core/documents/cyclonedx_bom.hpp"
#include "runner/core/documents/lineage_dot.hpp"
#include "runner/core/documents/lineage_json.hpp"
#include "runner/core/documents/lineage_svg.hpp"
#include "runner/core/documents/openlineage_events.hpp"
#include "runner/core/documents/prov_json.hpp"
#include "runner/core/documents/slsa_statements.hpp"
#include "runner/engine/lineage_reading.hpp"
#include "storage/values/named_enum.hpp"

namespace trainyard {

namespace {

enum class Format { text, json, dot, svg, openlineage, prov, cyclonedx, croissant, slsa };
constexpr std::string_view kFormats[] = {"text", "json",      "dot",       "svg", "openlineage",
                                         "prov", "cyclonedx", "croissant", "slsa"};

Result<Format> format_of(const command::Trace& command, Output output) {
  const auto format = enum_named<Format>(kFormats, command.format);
  if (!format) {
    const std::vector<std::string> known(std::begin(kFormats), std::end(kFormats));
    return fail(Errc::invalid,
                "--format is '" + command.format +
                    "' but must be text, json, dot, svg, openlineage, prov, cyclonedx, croissant or slsa" +
                    did_you_mean(command.format, known));
  }
  if (output == Output::text || *format == Format::json) return *format;
  if (*format == Format::text) return Format::json;
  return fail(Errc::invalid, "--json and --format " + command.format + " ask for two things; give one of them");
}

std::string document_of(const Lineage& lineage, Format format, Strokes strokes, const Store& store) {
  switch (format) {
    case Format::text: break;
    case Format::json: return readable(lineage_json(lineage));
    case Format::dot: return lineage_dot(lineage);
    case Format::svg: return lineage_svg(lineage);
    case Format::openlineage: return openlineage_lines(lineage);
    case Format::prov: return readable(prov_json(lineage));
    case Format::cyclonedx: return readable(cyclonedx_bom(lineage));
    case Format::croissant: return readable(croissant(lineage, listed_trees(lineage, store.objects())));
    case Format::slsa: return slsa_lines(lineage);
  }
  return lineage_text(lineage, strokes);
}

}  // namespace

Result<ExitCode> perform(const command::Trace& command, const Invocation& invocation) {
  const Format format = TRY(format_of(command, invocation.output));
  const PackageReference reference = TRY(PackageReference::parse(command.reference));
  const Store store = TRY(open_store(invocation));
  const Lineage lineage = TRY(read_lineage(store, reference, evaluations_in(store)));
  const bool to_stdout = command.file.empty() || command.file == "-";
  const Strokes strokes = to_stdout && draws_unicode() ? Strokes::unicode : Strokes::ascii;
  const std::string document = document_of(lineage, format, strokes, store);
  if (to_stdout) {
    print(document);
    return ExitCode::ok;
  }
  const Path file = TRY(absolute_path(command.file));
  TRY(publish_file(file.parent_path(), file, document, 0644, Durable::no));
  return ExitCode::ok;
}

}  // namespace trainyard
