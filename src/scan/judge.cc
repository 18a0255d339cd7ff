#include "scan/judge.h"

#include <algorithm>
#include <optional>

#include "base/mutant.h"
#include "model/array.h"

namespace otolith::scan {

namespace {

using model::Criterion;

// How bounds lie to a range or set: apart, wholly in it, or neither.
enum class Overlap { apart, within, unknown };

template <typename T>
Overlap of_range(const T& min, const T& max, const T& low, const T& high) noexcept {
  if (max < low || min > high) return Overlap::apart;
  return min >= low && max <= high ? Overlap::within : Overlap::unknown;
}

template <typename T>
Overlap of_set(const T& min, const T& max, const std::vector<T>& set) noexcept {
  const auto first = std::ranges::lower_bound(set, min);
  if (first == set.end() || *first > max) return Overlap::apart;
  return min == max ? Overlap::within : Overlap::unknown;
}

Overlap of_texts(const segment::Zone& zone, const Criterion& test) noexcept {
  const auto view = [](const auto& bytes, std::size_t count) {
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), count);
  };
  const std::string_view min = view(zone.min, zone.min_bytes);
  const bool open = (zone.flags & segment::kZoneMaxOpen) != 0;
  const std::string_view max = view(zone.max, zone.max_bytes);
  if (test.kind == Criterion::Kind::set) {
    const auto first = std::ranges::lower_bound(test.text_set, min, std::less<>());
    return first == test.text_set.end() || (!open && *first > max) ? Overlap::apart
                                                                   : Overlap::unknown;
  }
  const model::TextBounds& asked = test.texts;
  const bool below =
      asked.low && !open && (asked.low_included ? max < *asked.low : max <= *asked.low);
  const bool above = asked.high && (asked.high_included ? min > *asked.high : min >= *asked.high);
  if (below || above) return Overlap::apart;
  const bool high_holds = !asked.high || (!open && asked.hold(max));
  return asked.hold(min) && high_holds ? Overlap::within : Overlap::unknown;
}

Overlap of_integers(Int128 min, Int128 max, const Criterion& test) noexcept {
  if (mutant("filter-zone-off-by-one")) ++min;
  return test.kind == Criterion::Kind::set
             ? of_set(min, max, test.integer_set)
             : of_range(min, max, test.integers.low, test.integers.high);
}

Overlap overlap_of(const segment::Zone& zone, const Criterion& test) noexcept {
  const TypeKind kind = test.type.kind;
  if (model::is_text(test.type)) return of_texts(zone, test);
  if (kind == TypeKind::float32 || kind == TypeKind::float64) {
    const auto min = zone.min_as<double>();
    const auto max = zone.max_as<double>();
    return test.kind == Criterion::Kind::set
               ? of_set(min, max, test.float_set)
               : of_range(min, max, test.floats.low, test.floats.high);
  }
  if (kind == TypeKind::decimal) return of_integers(zone.min_wide(), zone.max_wide(), test);
  const bool no_sign =
      kind == TypeKind::boolean || (kind >= TypeKind::uint8 && kind <= TypeKind::uint64);
  return no_sign ? of_integers(zone.min_as<std::uint64_t>(), zone.max_as<std::uint64_t>(), test)
                 : of_integers(zone.min_as<std::int64_t>(), zone.max_as<std::int64_t>(), test);
}

}  // namespace

Verdict judge(const segment::Zone& zone, const Criterion& test, std::uint64_t rows) noexcept {
  if (test.kind == Criterion::Kind::never || zone.null_count == rows) return Verdict::none;
  const Verdict all =
      zone.null_count == 0 || mutant("filter-nulls-pass-zones") ? Verdict::all : Verdict::some;
  if (test.kind == Criterion::Kind::always) return all;
  if (!zone.has_bounds()) return Verdict::some;
  const Overlap overlap = overlap_of(zone, test);
  // NaN lies in no range: it passes what is inverse, and fails what is not.
  const bool nan = (zone.flags & segment::kZoneHasNan) != 0 && !mutant("filter-zone-nan-ignored");
  if (overlap == Overlap::apart) return test.inverse ? all : Verdict::none;
  if (overlap == Overlap::unknown || nan) return Verdict::some;
  return test.inverse ? Verdict::none : all;
}

Verdict judge_null(const segment::Zone& zone, bool inverse, std::uint64_t rows) noexcept {
  if (zone.null_count != 0 && zone.null_count != rows) return Verdict::some;
  return (zone.null_count == rows) != inverse ? Verdict::all : Verdict::none;
}

}  // namespace otolith::scan
