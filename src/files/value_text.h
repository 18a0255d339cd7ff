// Values as text: what people read, and what CSV and JSON hold.
//
// Role:    under every writer of rows.
// Shapes:  integers and floats in as few digits as give the same value back; a float that is a
//          whole number ends in .0, so that its type is read back too; times as ISO 8601 in UTC;
//          binary in hexadecimal digits.
// Errors:  none.
// Threads: thread-safe.
// Why:     one place, so that a value looks the same at every door.
#pragma once

#include <cstdint>
#include <string>

#include "otolith/batch.h"

namespace otolith::files {

/// Appends the value at a row, which is not null.
void put_value(std::string& out, const Array& column, std::uint64_t row);

/// Whether the value at a row is a float that is no number: NaN or an infinity.
bool is_no_number(const Array& column, std::uint64_t row) noexcept;

}  // namespace otolith::files
