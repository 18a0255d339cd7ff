// Picks rows out of an Array into a new one.
//
// Role:    the end of a sort and of a merge, and of pieces of which scattered rows are wanted.
// Shapes:  the result has one row per row number, in their order.
// Errors:  none.
// Threads: thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "otolith/batch.h"

namespace otolith::model {

/// Memory for values, or for offsets of text and then its bytes: as buffer_allocate.
using Allocate = std::function<Buffer(std::size_t bytes, std::byte** data)>;

/// Copies values of `width` bytes: out[i] = values[rows[i] - first].
void values_gather(const std::byte* values, std::uint32_t width,
                   std::span<const std::uint32_t> rows, std::uint64_t first,
                   std::byte* out) noexcept;

Array gather(const Array& array, std::span<const std::uint32_t> rows,
             const Allocate& allocate = &buffer_allocate);
Batch gather(const Batch& batch, std::span<const std::uint32_t> rows);

}  // namespace otolith::model
