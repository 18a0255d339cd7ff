// One frame of the log: record -> bytes, and bytes -> verdict.
//
// Role:    the only code that knows how a frame is laid out (log_layout.h) and what makes it sound.
// Shapes:  payloads up to kFrameBytesMax; whole frames, header first, padded with zeros to 8 bytes.
// Errors:  none: a verdict says what is wrong; the reader knows the place and throws.
// Threads: immutable.
// Why:     a hostile length never reserves or hashes anything before the header's own salted check
//          holds.
#pragma once

#include "history/log.h"

namespace otolith::history {

/// What stands in a frame's header.
struct FrameFields {
  RecordNumber number{0};
  std::uint8_t type = 0;  // a FrameType, or one of a later version
  bool relaxed = false;
  RecordNumber synced_to{
      0};  // every record up to this one was on the disk when the frame was written
  std::uint64_t chain = 0;    // checksum of the frame before it; of the first: the seed
  std::uint8_t optional = 0;  // features that may be ignored, and are kept where it is copied
};

enum class Soundness : std::uint8_t {
  sound,
  zero,         // its header is all zeros: the end, if no frame follows
  cut,          // more bytes are needed to tell: `bytes` says how many from its start
  bad,          // it fails a check
  unsupported,  // sound, but asks for what this build does not have
};

struct FrameVerdict {
  Soundness soundness = Soundness::bad;
  const char* why = "";        // of bad and unsupported, for messages
  FrameFields fields;          // of sound and unsupported
  BytesView payload;           // of sound; valid until the bytes judged go
  std::uint64_t bytes = 0;     // whole frame, or what `cut` needs
  std::uint64_t checksum = 0;  // of sound and unsupported: the next frame's chain
};

/// Appends the frame to `out` and returns its checksum.
std::uint64_t encode_frame(Bytes& out, const FrameFields& fields, BytesView payload,
                           std::uint64_t seed);

/// Judges the frame at the start of `bytes` by its own checks; its number and chain are the
/// reader's.
FrameVerdict judge_frame(BytesView bytes, std::uint64_t seed) noexcept;

/// Whether the header's own salted check holds: the payload may still be damaged. Needs
/// kFrameHeaderBytes bytes.
bool frame_header_sound(const std::byte* header, std::uint64_t seed) noexcept;

/// Fields of a header that is sound.
FrameFields frame_fields(const std::byte* header) noexcept;
std::uint64_t frame_payload_bytes(const std::byte* header) noexcept;

/// Whether readers of this version know the type.
bool frame_type_known(std::uint8_t type) noexcept;

}  // namespace otolith::history
