#include "scan/fold.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "model/array.h"
#include "model/double_sum.h"

namespace otolith::scan {

namespace {

using segment::Zone;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Of a page's sum, in units of 2^-106 of its absolute values: each of 8 lanes adds up 1,024 losses,
// of 1,024 roundings each. Of an addition of sums: 3, twice over.
constexpr double kPageError = 0x1p21;
constexpr double kAdditionError = 6;

bool whole(TypeKind kind) noexcept {
  return (kind >= TypeKind::int8 && kind <= TypeKind::uint64) || kind == TypeKind::timestamp;
}

bool floating(TypeKind kind) noexcept {
  return kind == TypeKind::float32 || kind == TypeKind::float64;
}

bool is_unsigned(TypeKind kind) noexcept {
  return kind == TypeKind::boolean || (kind >= TypeKind::uint8 && kind <= TypeKind::uint64);
}

// Sums and bounds of a stored type that say the same of the wider type it is read as: kept in the
// same form, since a value that fits both has the same bits in int64 and uint64.
bool kept_alike(Type stored, Type read) noexcept {
  return stored == read || (whole(stored.kind) && whole(read.kind)) ||
         (floating(stored.kind) && floating(read.kind));
}

}  // namespace

bool Fold::is_float() const noexcept { return floating(type_.kind); }

bool Fold::answers(const Zone& zone, Type stored) const noexcept {
  if (!kept_alike(stored, type_)) return false;
  if (!model::is_text(type_)) return true;
  return (zone.flags & (segment::kZoneMinCut | segment::kZoneMaxCut | segment::kZoneMaxOpen)) == 0;
}

void Fold::take(const Zone& zone, std::uint64_t rows) noexcept {
  values_ += rows - zone.null_count;
  nulls_ += zone.null_count;
  if (is_float() && zone.has_bounds()) {
    const double largest =
        std::max(std::abs(zone.min_as<double>()), std::abs(zone.max_as<double>()));
    magnitude_ += largest * static_cast<double>(rows - zone.null_count);
    const std::uint64_t pages = rows / kPageRowsMax + 2;
    additions_ += static_cast<double>(pages);
  }
  zone_merge(zone_, zone, type_);
}

void Fold::take(const Array& values) {
  if (model::is_text(type_)) return take_text(values);
  for (std::uint64_t row = 0; row < values.length; row += kPageRowsMax) {
    const std::uint64_t rows = std::min<std::uint64_t>(kPageRowsMax, values.length - row);
    take(segment::zone_of(model::array_slice(values, row, rows)), rows);
  }
}

void Fold::take_text(const Array& values) {
  values_ += values.length - values.null_count;
  nulls_ += values.null_count;
  for (std::uint64_t row = 0; row < values.length; ++row) {
    if (values.is_null(row)) continue;
    const std::string_view text = values.text(row);
    if (!least_ || text < *least_) least_ = text;
    if (!greatest_ || text > *greatest_) greatest_ = text;
  }
}

// NaN, infinities, or the sum where its rounding is proved.
std::optional<double> Fold::float_sum() const noexcept {
  if ((zone_.flags & segment::kZoneHasNan) != 0) return std::numeric_limits<double>::quiet_NaN();
  if (!zone_.has_bounds()) return 0.0;
  const bool minus = zone_.min_as<double>() == -kInfinity;
  const bool plus = zone_.max_as<double>() == kInfinity;
  if (minus && plus) return std::numeric_limits<double>::quiet_NaN();
  if (minus || plus) return plus ? kInfinity : -kInfinity;
  if (!zone_.has_sum()) return std::nullopt;
  if (mutant("totals-rounding-unproved")) return zone_.sum_float().high;
  const double error = magnitude_ * (kPageError + kAdditionError * additions_) * 0x1p-106;
  return model::sum_rounded(zone_.sum_float(), error);
}

bool Fold::proved() const noexcept { return !is_float() || float_sum().has_value(); }

void Fold::take_exactly(const Array& values) noexcept {
  if (!exact_) exact_.emplace();
  for (std::uint64_t row = 0; row < values.length; ++row) {
    if (values.is_null(row)) continue;
    exact_->add(type_.kind == TypeKind::float32 ? static_cast<double>(values.value<float>(row))
                                                : values.value<double>(row));
  }
}

void Fold::put_bounds(ColumnTotals& out) const {
  if (model::is_text(type_)) {
    const auto bytes = [](const auto& value, std::uint8_t count) {
      return std::string(reinterpret_cast<const char*>(value.data()), count);
    };
    std::optional<std::string> least = least_;
    std::optional<std::string> greatest = greatest_;
    if (zone_.has_bounds()) {
      const std::string min = bytes(zone_.min, zone_.min_bytes);
      const std::string max = bytes(zone_.max, zone_.max_bytes);
      if (!least || min < *least) least = min;
      if (!greatest || max > *greatest) greatest = max;
    }
    if (least) out.min = *least;
    if (greatest) out.max = *greatest;
    return;
  }
  if (!zone_.has_bounds()) return;
  if (is_float()) {
    out.min = zone_.min_as<double>();
    out.max = zone_.max_as<double>();
  } else if (type_.kind == TypeKind::decimal) {
    out.min = zone_.min_wide();
    out.max = zone_.max_wide();
  } else if (is_unsigned(type_.kind)) {
    out.min = zone_.min_as<std::uint64_t>();
    out.max = zone_.max_as<std::uint64_t>();
  } else {
    out.min = zone_.min_as<std::int64_t>();
    out.max = zone_.max_as<std::int64_t>();
  }
}

ColumnTotals Fold::result() const {
  ColumnTotals out{
      .type = type_, .values = values_, .nulls = nulls_, .min = {}, .max = {}, .sum = {}};
  put_bounds(out);
  if (model::is_text(type_)) return out;
  if (is_float()) {
    out.sum = exact_ ? exact_->rounded() : float_sum().value();
    return out;
  }
  if (!zone_.has_sum()) {
    throw_error(ErrorCode::limit,
                "the sum of column {} may pass 128 bits; sum it over shorter ranges",
                quoted(name_));
  }
  out.sum = zone_.sum_integer();
  return out;
}

}  // namespace otolith::scan
