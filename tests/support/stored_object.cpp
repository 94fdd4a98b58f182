// SPDX-License-Identifier: Apache-2.0
#include "tests/support/stored_object.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <stdexcept>

#include "storage/objects/object_census.hpp"

namespace trainyard {

std::optional<RecordPlace> place_of(const Path& store, const Digest& digest) {
  const auto objects = PackObjects::open(store / "objects", store / "tmp");
  if (!objects.ok()) throw std::runtime_error(objects.error().message);
  const auto census = ObjectCensus::take(**objects);
  if (!census.ok()) throw std::runtime_error(census.error().message);
  const auto number = census->find(digest);
  if (!number) return std::nullopt;
  const FoundObject found = census->at(*number);
  return RecordPlace{(*objects)->packs().path_of(found.pack), found.place.offset, found.place.record_bytes};
}

void damage_object(const Path& store, const Digest& digest) {
  const auto place = place_of(store, digest);
  if (!place) throw std::runtime_error("the store has no object " + digest.hex());
  if (::chmod(place->pack.c_str(), 0644) != 0) throw std::runtime_error("cannot make a pack writable");
  const auto fd = open_file(place->pack, O_RDWR);
  if (!fd.ok()) throw std::runtime_error(fd.error().message);
  const auto middle = static_cast<off_t>(place->offset + place->bytes / 2);
  char byte = 0;
  if (::pread(fd->get(), &byte, 1, middle) != 1) throw std::runtime_error("cannot read a pack");
  byte = static_cast<char>(byte ^ 1);
  if (::pwrite(fd->get(), &byte, 1, middle) != 1) throw std::runtime_error("cannot write a pack");
}

}  // namespace trainyard
