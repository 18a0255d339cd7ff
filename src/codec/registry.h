// The codecs this process knows, by id, and the one a profile asks for.
//
// Role:    the writer asks which codec a chunk gets; the reader which codec a chunk needs.
// Errors:  unsupported_format naming codec, version and file for one that is not known here;
//          invalid_argument for an unknown profile or an id that is taken.
// Threads: thread-safe.
// Why:     one table, so that codecs of users are found like our own.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "codec/codec.h"

namespace otolith::codec {

/// Ids from here on belong to users' codecs.
inline constexpr std::uint16_t kUserCodecFirst = 0x8000;

/// The codec a chunk needs; `file` and `offset` go into the error if it is not known.
const Codec& codec_for(CodecKey key, const std::string& file, std::uint64_t offset);

/// The codec for a chunk of such values under a profile ("hot", "small", "raw").
const Codec& codec_choose(std::string_view profile, const Array& sample);

/// Makes a user's codec known for the rest of the process.
void codec_register(std::unique_ptr<const Codec> codec);

}  // namespace otolith::codec
