#include "codec/exceptions.h"

#include <algorithm>
#include <cstring>

#include "base/mutant.h"

namespace otolith::codec {

std::byte* exceptions_put(const std::uint64_t* values, std::span<const std::uint16_t> places,
                          std::uint32_t width, std::byte* out) noexcept {
  std::byte* const end = out + exceptions_bytes(places.size(), width);
  for (const std::uint16_t place : places) {
    std::memcpy(out, values + place, width);
    out += width;
  }
  for (const std::uint16_t place : places) {
    store_le(out, place);
    out += sizeof(place);
  }
  std::fill(out, end, std::byte{0});
  return end;
}

void exceptions_level(std::uint64_t* integers, std::uint64_t count,
                      std::span<const std::uint16_t> places) noexcept {
  std::uint64_t first_sound = 0;
  while (first_sound < places.size() && places[first_sound] == first_sound) ++first_sound;
  for (const std::uint16_t place : places) {
    integers[place] = place >= first_sound && place != 0 ? integers[place - 1u]
                      : first_sound < count              ? integers[first_sound]
                                                         : 0;
  }
}

std::string_view exceptions_flaw(BytesView bytes, std::uint64_t exceptions, std::uint32_t width,
                                 std::uint64_t count, std::uint64_t* taken) noexcept {
  *taken = exceptions_bytes(exceptions, width);
  if (bytes.size() < *taken) return "a block is cut short";
  const BytesView places = bytes.first(*taken).subspan(exceptions * width);
  std::uint64_t next = 0;
  for (std::uint64_t i = 0; i < exceptions; ++i) {
    const auto place = load_le<std::uint16_t>(&places[i * sizeof(std::uint16_t)]);
    if (place < next || (place >= count && !mutant("place-unchecked")))
      return "an exception is out of place";
    next = std::uint64_t{place} + 1;
  }
  return all_zero(places.subspan(exceptions * sizeof(std::uint16_t)))
             ? ""
             : "a reserved byte is not zero";
}

std::uint64_t exceptions_restore(const std::byte* from, std::uint64_t exceptions,
                                 std::uint32_t width, std::byte* values) noexcept {
  const std::byte* places = from + exceptions * width;
  for (std::uint64_t i = 0; i < exceptions; ++i)
    std::memcpy(values + load_le<std::uint16_t>(places + i * 2) * width, from + i * width, width);
  return exceptions_bytes(exceptions, width);
}

}  // namespace otolith::codec
