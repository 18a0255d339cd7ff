// What a zone map says of a test, without its rows.
//
// Role:    prune of the flow, for conditions: a page that no row of can pass is never read.
// Shapes:  one zone and the rows it is of.
// Errors:  none.
// Threads: thread-safe.
// Why:     `all` needs more than `none`: no row may be null, and where NaN would fail no row NaN.
#pragma once

#include "model/criterion.h"
#include "segment/zone.h"

namespace otolith::scan {

/// Of the rows of a page: none pass, all do, or the rows have to be looked at.
enum class Verdict : std::uint8_t { none, some, all };

Verdict judge(const segment::Zone& zone, const model::Criterion& test, std::uint64_t rows) noexcept;

/// Of the test for null, or with `inverse` for a value.
Verdict judge_null(const segment::Zone& zone, bool inverse, std::uint64_t rows) noexcept;

}  // namespace otolith::scan
