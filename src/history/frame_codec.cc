#include "history/frame_codec.h"

#include <algorithm>

#include "base/mutant.h"
#include "history/log_layout.h"

namespace otolith::history {

namespace {

// Both checks begin with the length: a length that lies would move the end of what they cover.
std::size_t covered_from() noexcept {
  return mutant("log-length-unchecked") ? kFrameTypeAt : kFrameLengthAt;
}

std::uint32_t header_check(const std::byte* header, std::uint64_t seed) noexcept {
  const BytesView covered(header + covered_from(), kFrameHeaderCheckAt - covered_from());
  return static_cast<std::uint32_t>(xxh3(covered, seed));
}

std::uint64_t checksum_of(BytesView frame, std::uint64_t seed) noexcept {
  return xxh3(frame.subspan(covered_from()), seed);
}

bool all_zero(BytesView bytes) noexcept {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

FrameVerdict bad(const char* why) noexcept { return {Soundness::bad, why, {}, {}, 0, 0}; }

// What the checksum vouches for can still ask for more than this build has.
const char* unsupported_part(const std::byte* header) noexcept {
  const auto required = load_le<std::uint8_t>(header + kFrameRequiredAt);
  if (load_le<std::uint32_t>(header + kFrameKeyAt) != 0) return "is encrypted";
  if ((required & ~kFrameRequiredKnown) != 0)
    return "requires a feature that this build does not have";
  if ((required & kFrameTypeMatters) != 0 &&
      !frame_type_known(load_le<std::uint8_t>(header + kFrameTypeAt))) {
    return "is of a type that this build does not know";
  }
  return nullptr;
}

const char* contradiction(BytesView frame, std::uint64_t payload_bytes) noexcept {
  if ((load_le<std::uint8_t>(frame.data() + kFrameFlagsAt) & ~kFrameFlagsKnown) != 0 ||
      !all_zero(frame.subspan(kFrameNonceAt, kFrameKeyAt - kFrameNonceAt))) {
    return "reserved bits of its header are set";
  }
  if (!all_zero(frame.subspan(kFrameHeaderBytes + payload_bytes))) return "its padding is not zero";
  return nullptr;
}

}  // namespace

std::uint64_t encode_frame(Bytes& out, const FrameFields& fields, BytesView payload,
                           std::uint64_t seed) {
  OTO_INVARIANT(payload.size() <= kFrameBytesMax);
  const std::size_t at = out.size();
  out.resize(at + frame_bytes(payload.size()));
  std::byte* const frame = out.data() + at;
  store_le(frame + kFrameLengthAt, static_cast<std::uint32_t>(payload.size()));
  store_le(frame + kFrameTypeAt, fields.type);
  store_le(frame + kFrameFlagsAt, fields.relaxed ? kFrameRelaxed : std::uint8_t{0});
  store_le(frame + kFrameRequiredAt, kFrameTypeMatters);
  store_le(frame + kFrameOptionalAt, fields.optional);
  store_le(frame + kFrameNumberAt, fields.number);
  store_le(frame + kFrameSyncedToAt, fields.synced_to);
  store_le(frame + kFrameChainAt, fields.chain);
  store_le(frame + kFrameHeaderCheckAt, header_check(frame, seed));
  std::ranges::copy(payload, frame + kFrameHeaderBytes);
  const std::uint64_t checksum = checksum_of(BytesView(out).subspan(at), seed);
  store_le(frame + kFrameChecksumAt, checksum);
  return checksum;
}

FrameVerdict judge_frame(BytesView bytes, std::uint64_t seed) noexcept {
  if (bytes.size() < kFrameHeaderBytes) return {Soundness::cut, "", {}, {}, kFrameHeaderBytes, 0};
  const std::byte* const header = bytes.data();
  if (all_zero(bytes.first(kFrameHeaderBytes))) return {Soundness::zero, "", {}, {}, 0, 0};
  if (!frame_header_sound(header, seed)) return bad("its header fails its check");
  const std::uint64_t payload_bytes = frame_payload_bytes(header);
  if (payload_bytes > kFrameBytesMax) return bad("it is longer than a frame can be");
  const std::uint64_t whole = frame_bytes(payload_bytes);
  if (bytes.size() < whole) return {Soundness::cut, "", frame_fields(header), {}, whole, 0};
  const BytesView frame = bytes.first(whole);
  const auto checksum = load_le<std::uint64_t>(header + kFrameChecksumAt);
  if (checksum != checksum_of(frame, seed) && !mutant("log-frame-unchecked"))
    return bad("it fails its checksum");
  FrameVerdict verdict{Soundness::sound, "", frame_fields(header), {}, whole, checksum};
  if (const char* part = unsupported_part(header)) {
    verdict.soundness = Soundness::unsupported;
    verdict.why = part;
    return verdict;
  }
  if (const char* why = contradiction(frame, payload_bytes)) return bad(why);
  verdict.payload = frame.subspan(kFrameHeaderBytes, payload_bytes);
  return verdict;
}

bool frame_header_sound(const std::byte* header, std::uint64_t seed) noexcept {
  return load_le<std::uint32_t>(header + kFrameHeaderCheckAt) == header_check(header, seed);
}

FrameFields frame_fields(const std::byte* header) noexcept {
  const auto flags = load_le<std::uint8_t>(header + kFrameFlagsAt);
  return {load_le<RecordNumber>(header + kFrameNumberAt),
          load_le<std::uint8_t>(header + kFrameTypeAt),
          (flags & kFrameRelaxed) != 0,
          load_le<RecordNumber>(header + kFrameSyncedToAt),
          load_le<std::uint64_t>(header + kFrameChainAt),
          load_le<std::uint8_t>(header + kFrameOptionalAt)};
}

std::uint64_t frame_payload_bytes(const std::byte* header) noexcept {
  return load_le<std::uint32_t>(header + kFrameLengthAt);
}

bool frame_type_known(std::uint8_t type) noexcept {
  return type >= static_cast<std::uint8_t>(FrameType::commit) &&
         type <= static_cast<std::uint8_t>(FrameType::lost);
}

}  // namespace otolith::history
