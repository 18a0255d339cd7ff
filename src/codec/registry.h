// The codecs this process knows, by id, and the one a profile asks for.
//
// Role:    the writer asks which codec a chunk gets; the reader which codec a chunk needs.
// Errors:  unsupported_format naming codec, version and file for one that is not known here;
//          invalid_argument for an unknown profile or an id that is taken.
// Threads: thread-safe.
// Why:     one table, so that codecs of users are found like our own.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "codec/codec.h"
#include "otolith/codec.h"

namespace otolith::codec {

using otolith::kUserCodecFirst;

/// Ours, the fastest to read first; raw is the first of all.
std::span<const Codec* const> our_codecs() noexcept;

/// The codec a chunk needs; `file` and `offset` go into the error if it is not known, and the name
/// that the segment gives a user's codec.
const Codec& codec_for(CodecKey key, const std::string& file, std::uint64_t offset,
                       std::string_view name = {});

/// The user's codec that Column::codec names; nullptr if it is a profile. Throws unsupported_format
/// where it is not registered, invalid_argument where it does not take the type.
const Codec* codec_asked(std::string_view column_codec, Type type);

/// What a schema asks of the choice.
enum class Profile : std::uint8_t {
  hot,    // of those within 1.1 of the smallest the fastest to read, of its like the smallest; raw
          // where none saves 5 %
  small,  // the smallest
  raw,    // plain, so that reads are views of the file
};
Profile profile_of(std::string_view name);

/// The codec for a chunk under a profile, in pages of so many rows, by what a sample of it costs.
/// Depends on nothing else, so that the same rows make the same bytes.
const Codec& codec_choose(Profile profile, const Array& chunk,
                          std::uint32_t page_rows = kPageRowsMax);

/// Makes a user's codec known for the rest of the process.
void codec_register(std::unique_ptr<const Codec> codec);

}  // namespace otolith::codec
