// Picks rows out of an Array into a new one.
//
// Role:    the end of a sort and of a merge, and of pieces of which scattered rows are wanted.
// Shapes:  the result has one row per row number, in their order.
// Errors:  none.
// Threads: thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "otolith/batch.h"

namespace otolith::model {

/// Memory for values, or for offsets of text and then its bytes: as buffer_allocate.
using Allocate = std::function<Buffer(std::size_t bytes, std::byte** data)>;

Array gather(const Array& array, std::span<const std::uint32_t> rows,
             const Allocate& allocate = &buffer_allocate);
Batch gather(const Batch& batch, std::span<const std::uint32_t> rows);

}  // namespace otolith::model
