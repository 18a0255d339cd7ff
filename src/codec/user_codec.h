// A user's codec (otolith/codec.h) as one of ours.
//
// Role:    between the registry and what a program registered.
// Shapes:  a page, a multiple of 8 bytes:
//
//   bytes of text u64 | bytes of the codec u64 | those | zero to a multiple of 8
//
// Errors:  as codec.h. Whatever a user's codec throws becomes an Error that names it; of a decode
//          one of code corrupt is a flaw. bad_alloc is limit, never damage.
// Threads: immutable.
// Why:     what it decodes to is measured before a byte of it is used. ADR 0038.
#pragma once

#include <memory>

#include "codec/codec.h"
#include "otolith/codec.h"

namespace otolith::codec {

std::unique_ptr<const Codec> user_codec(std::unique_ptr<const UserCodec> codec);

}  // namespace otolith::codec
