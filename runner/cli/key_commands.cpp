// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/commands.hpp"
#include "runner/cli/secret_input.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/wiring.hpp"
#include "storage/keys/key_ring.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kMostBytes = std::size_t{64} << 10U;

KeyRing ring_of(const Store& store) { return {store.keys(), store.scratch()}; }

Json to_json(const StoredKey& key) {
  return {{"name", key.name.text()},
          {"type", name_of(key.key.type())},
          {"id", key.key.id()},
          {"private", key.private_half == PrivateHalf::present},
          {"pem", key.key.pem()}};
}

void tell(const StoredKey& key, const std::string& done, const Invocation& invocation) {
  if (invocation.output == Output::json) {
    print_json(to_json(key));
  } else {
    print(done + " the key '" + key.name.text() + "' (" + std::string(name_of(key.key.type())) + ", id " +
          key.key.id() + ")\n");
  }
}

}  // namespace

Result<ExitCode> perform(const command::KeysGenerate& command, const Invocation& invocation) {
  const KeyName name = TRY(KeyName::parse(command.name));
  const KeyType type = TRY(parse_key_type(command.type));
  const Store store = TRY(open_store(invocation));
  const auto password = TRY(take_password(command.password, PasswordUse::choose));
  tell(TRY(ring_of(store).generate(name, type, password)), "made", invocation);
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::KeysList& /*command*/, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows = {{"KEY", "TYPE", "ID", "SIGNS HERE"}};
  for (const StoredKey& key : TRY(ring_of(store).list())) {
    list.push_back(to_json(key));
    rows.push_back({key.name.text(), std::string(name_of(key.key.type())), key.key.id().substr(0, 16),
                    key.private_half == PrivateHalf::present ? "yes" : "no"});
  }
  if (invocation.output == Output::json) {
    print_json(list);
  } else {
    print(rows.size() == 1 ? "no keys yet; the store makes its own when it first signs something\n" : table(rows));
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::KeysExport& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const StoredKey key = TRY(ring_of(store).find(command.name));
  if (!command.file.empty()) {
    const Path file = TRY(absolute_path(command.file));
    TRY(publish_file(file.parent_path(), file, key.key.pem(), 0644, Durable::yes));
    tell(key, "exported", invocation);
  } else if (invocation.output == Output::json) {
    print_json(to_json(key));
  } else {
    print(key.key.pem());
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::KeysImport& command, const Invocation& invocation) {
  std::string given = command.name;
  if (given.empty()) {
    given = Path(command.file).filename().string();
    given = given.substr(0, given.find('.'));
  }
  const KeyName name = TRY(KeyName::parse(given));
  const auto key = PublicKey::from_pem(TRY(read_file(command.file, kMostBytes)));
  if (!key.ok()) return within("'" + command.file + "'", key.error());
  const Store store = TRY(open_store(invocation));
  tell(TRY(ring_of(store).import(name, *key)), "imported", invocation);
  return ExitCode::ok;
}

}  // namespace trainyard
