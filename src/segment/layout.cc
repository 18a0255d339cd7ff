#include "segment/layout.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "model/array.h"
#include "model/utf8.h"
#include "otolith/codec.h"
#include "otolith/timestamp.h"

namespace otolith::segment {

namespace {

// Runs a parser; its errors gain the file and the offset of the bytes it reads.
template <typename Parse>
auto located(const std::string& file, std::uint64_t base, Parse parse) {
  try {
    return parse();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt || !error.where().file.empty()) throw;
    throw_corrupt(file, base, error.message());
  }
}

void put_id(ByteWriter& out, const Id128& id) { out.put_bytes(id.bytes); }

Id128 get_id(ByteReader& in) {
  Id128 id;
  std::ranges::copy(in.get_bytes(id.bytes.size()), id.bytes.begin());
  return id;
}

bool same(BytesView bytes, const std::array<unsigned char, 8>& magic) {
  return std::ranges::equal(bytes, std::as_bytes(std::span(magic)));
}

[[noreturn]] void refuse(const std::string& file, std::uint64_t offset, std::string message) {
  throw_error(ErrorCode::unsupported_format, std::move(message), ErrorWhere{file, offset, {}});
}

// -------------------------------------------------------------------------------------- footer

void put_column(ByteWriter& out, const ColumnEntry& column) {
  out.put(value_of(column.id));
  out.put(column.type.kind);
  out.put(column.type.precision);
  out.put(column.type.scale);
  out.put_zeros(1);
  out.put(column.null_count);
  out.put(column.index_offset);
  out.put(column.index_bytes);
  out.put(column.index_hash);
}

ColumnEntry get_column(ByteReader& in, const std::string& file, std::uint64_t base) {
  ColumnEntry out;
  out.id = ColumnId{in.get<std::uint32_t>()};
  out.type.kind = in.get<TypeKind>();
  out.type.precision = in.get<std::uint8_t>();
  out.type.scale = in.get<std::uint8_t>();
  in.skip_zeros(1);
  out.null_count = in.get<std::uint64_t>();
  out.index_offset = in.get<std::uint64_t>();
  out.index_bytes = in.get<std::uint64_t>();
  out.index_hash = in.get<std::uint64_t>();
  if (!type_supported(out.type)) {
    // A type that is known, of digits that it cannot have, is no newer writer's.
    const bool known = type_width(out.type) != 0 || model::is_text(out.type);
    if (known && !mutant("segment-digits-unsupported"))
      in.fail("a column's type has an impossible precision or scale");
    refuse(file, base + in.offset(),
           fmt::format("column {} has type {}, which this build cannot read; use a newer Otolith",
                       value_of(out.id), static_cast<unsigned>(out.type.kind)));
  }
  return out;
}

void put_row_group(ByteWriter& out, const RowGroup& group) {
  out.put(group.run);
  out.put(group.rows);
  out.put(group.partition);
  out.put(group.first_ordinal);
  out.put(group.time_min);
  out.put(group.time_max);
}

RowGroup get_row_group(ByteReader& in) {
  RowGroup out;
  out.run = in.get<std::uint32_t>();
  out.rows = in.get<std::uint32_t>();
  out.partition = in.get<std::int64_t>();
  out.first_ordinal = in.get<std::uint64_t>();
  out.time_min = in.get<std::int64_t>();
  out.time_max = in.get<std::int64_t>();
  return out;
}

// Row groups come in the order (run, partition, row), are whole leaves but for the last of a
// partition, and number the rows of the commit upwards.
void check_row_group(ByteReader& in, const Footer& footer, std::size_t index) {
  const RowGroup& group = footer.row_groups[index];
  if (group.rows == 0 || group.rows > kRowGroupRowsMax)
    in.fail("a row group has 0 or too many rows");
  if (group.time_min < kTimestampMin.ns || group.time_min > group.time_max) {
    in.fail("the times of a row group contradict each other");
  }
  if (footer.many && group.first_ordinal != 0)
    in.fail("a row group has an ordinal beside the column");
  if (group.first_ordinal > kSegmentRowsMax) in.fail("an ordinal is too large");
  if (index == 0) {
    if (group.run != 0) in.fail("the first run is not 0");
    return;
  }
  const RowGroup& before = footer.row_groups[index - 1];
  const bool next_run = group.run == before.run + 1;
  if (!next_run && (group.run != before.run || group.partition < before.partition)) {
    in.fail("row groups are out of order");
  }
  if (!next_run && group.partition == before.partition && before.rows % kLeafRows != 0) {
    in.fail("a row group does not hold whole leaves");
  }
  if (!footer.many && group.first_ordinal < before.first_ordinal + before.rows) {
    in.fail("ordinals are out of order");
  }
}

void check_sums(ByteReader& in, const Footer& footer) {
  if (footer.row_groups.empty() || footer.runs != footer.row_groups.back().run + 1) {
    in.fail("the number of runs is wrong");
  }
  std::uint64_t rows = 0;
  std::int64_t time_min = kTimestampMax.ns;
  std::int64_t time_max = kTimestampMin.ns;
  for (const RowGroup& group : footer.row_groups) {
    rows += group.rows;
    time_min = std::min(time_min, group.time_min);
    time_max = std::max(time_max, group.time_max);
  }
  if (rows != footer.rows || rows > kSegmentRowsMax)
    in.fail("row groups do not add up to the rows");
  if (time_min != footer.time_min || time_max != footer.time_max) in.fail("times do not add up");
}

void check_columns(ByteReader& in, const Footer& footer) {
  std::map<ColumnId, const ColumnEntry*> by_id;
  for (const ColumnEntry& column : footer.columns) by_id.emplace(column.id, &column);
  if (by_id.size() != footer.columns.size() || by_id.contains(ColumnId{0})) {
    in.fail("column ids are zero or come twice");
  }
  const auto find = [&](ColumnId id) {
    const auto found = by_id.find(id);
    return found == by_id.end() ? nullptr : found->second;
  };
  const ColumnEntry* time = find(footer.time);
  if (time == nullptr || time->type.kind != TypeKind::timestamp || time->null_count != 0) {
    in.fail("there is no time column");
  }
  const std::set<ColumnId> keys(footer.keys.begin(), footer.keys.end());
  if (!mutant("segment-keys-twice") &&
      (keys.size() != footer.keys.size() || keys.contains(footer.time))) {
    in.fail("a key column comes twice, or is the time column");
  }
  for (const ColumnId key : footer.keys) {
    const ColumnEntry* column = find(key);
    if (column == nullptr || column->null_count != 0)
      in.fail("a key column is missing or has nulls");
  }
  for (const ColumnId id : {kBeginColumn, kOrdinalColumn}) {
    const ColumnEntry* column = find(id);
    if ((column != nullptr) != footer.many) in.fail("begin and ordinal do not fit the flags");
    if (column != nullptr && (column->type.kind != TypeKind::uint64 || column->null_count != 0)) {
      in.fail("begin or ordinal is of a wrong type");
    }
  }
}

// Each shredded column has its path, and each path its column, of a kind that documents have.
void check_shredded(ByteReader& in, const Footer& footer) {
  std::map<ColumnId, TypeKind> columns;
  for (const ColumnEntry& column : footer.columns) {
    if (is_shredded(column.id)) columns.emplace(column.id, column.type.kind);
  }
  constexpr std::array kKinds{TypeKind::boolean, TypeKind::int64, TypeKind::float64,
                              TypeKind::string, TypeKind::timestamp};
  std::set<std::string_view> paths;
  auto column = columns.begin();
  for (const ShreddedPath& path : footer.shredded) {
    if (column == columns.end() || column->first != path.column)
      in.fail("shredded paths do not fit the columns");
    if (std::ranges::find(kKinds, column->second) == kKinds.end())
      in.fail("a shredded column is of a type that documents do not have");
    if (!paths.insert(path.path).second) in.fail("two shredded columns have one path");
    ++column;
  }
  if (column != columns.end()) in.fail("a shredded column has no path");
}

struct FooterCounts {
  std::uint32_t row_groups = 0;
  std::uint32_t columns = 0;
  std::uint32_t keys = 0;
  std::uint32_t user_codecs = 0;
  bool shredded = false;
};

FooterCounts get_footer_head(ByteReader& in, Footer& out) {
  FooterCounts counts;
  out.header_hash = in.get<std::uint64_t>();
  out.rows = in.get<std::uint64_t>();
  counts.row_groups = in.get<std::uint32_t>();
  counts.columns = in.get<std::uint32_t>();
  out.runs = in.get<std::uint32_t>();
  out.page_rows = in.get<std::uint32_t>();
  const auto flags = in.get<std::uint32_t>();
  out.unique = (flags & kFlagUnique) != 0;
  out.many = (flags & kFlagMany) != 0;
  out.time = ColumnId{in.get<std::uint32_t>()};
  counts.keys = in.get<std::uint32_t>();
  counts.user_codecs = in.get<std::uint32_t>();
  out.time_min = in.get<std::int64_t>();
  out.time_max = in.get<std::int64_t>();
  counts.shredded = (flags & kFlagShredded) != 0;
  if ((flags & ~(kFlagUnique | kFlagMany | kFlagShredded)) != 0)
    in.fail("the footer has unknown flags");
  if (out.page_rows == 0 || out.page_rows % kBlockRows != 0 || out.page_rows > kPageRowsMax) {
    in.fail("pages are not whole blocks");
  }
  const std::uint64_t bytes = align_up(std::uint64_t{counts.keys} * 4, 8) +
                              std::uint64_t{counts.columns} * kColumnEntryBytes +
                              std::uint64_t{counts.row_groups} * kRowGroupEntryBytes;
  const bool nothing_behind = counts.user_codecs == 0 && !counts.shredded;
  if (bytes > in.left() || (nothing_behind && bytes != in.left()))
    in.fail("the footer's counts do not fit its length");
  // What follows looks each column up and keeps a few hundred bytes of it.
  if (counts.columns > kSegmentColumnsMax && !mutant("segment-columns-unlimited"))
    in.fail("there are more columns than a segment can have");
  if (counts.keys > counts.columns) in.fail("there are more keys than columns");
  return counts;
}

void get_user_codecs(ByteReader& in, std::uint32_t count, Footer& out) {
  std::uint16_t before = 0;
  std::set<std::string> names;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto id = in.get<std::uint16_t>();
    const auto bytes = in.get<std::uint16_t>();
    in.skip_zeros(4);
    if (id < kUserCodecFirst || id <= before) in.fail("users' codecs are out of order");
    if (bytes == 0 || bytes > kCodecNameBytesMax) in.fail("a codec's name is too long, or empty");
    std::string& name = out.user_codecs[codec::CodecId{id}];
    name = as_text(in.get_bytes(bytes));
    if (!names.insert(name).second) in.fail("two users' codecs have one name");
    in.skip_zeros(align_up(bytes, 8) - bytes);
    before = id;
  }
}

void get_shredded(ByteReader& in, Footer& out) {
  const auto count = in.get<std::uint32_t>();
  in.skip_zeros(4);
  if (count == 0 || count > kShreddedColumnsMax)
    in.fail("there are no shredded paths, or too many");
  for (std::uint32_t i = 0; i < count; ++i) {
    ShreddedPath& path = out.shredded.emplace_back();
    path.column = ColumnId{in.get<std::uint32_t>()};
    const auto flags = in.get<std::uint32_t>();
    const auto bytes = in.get<std::uint32_t>();
    in.skip_zeros(4);
    if ((flags & ~kFlagStrays) != 0) in.fail("a shredded path has unknown flags");
    if (bytes == 0 || bytes > kShreddedPathBytesMax)
      in.fail("a shredded path is too long, or empty");
    path.strays = (flags & kFlagStrays) != 0;
    path.path = as_text(in.get_bytes(bytes));
    if (!model::utf8_valid(path.path)) in.fail("a shredded path is not UTF-8");
    in.skip_zeros(align_up(std::uint64_t{bytes}, 8) - bytes);
  }
}

Footer get_footer(ByteReader& in, const std::string& file, std::uint64_t base) {
  Footer out;
  const FooterCounts counts = get_footer_head(in, out);
  for (std::uint32_t i = 0; i < counts.keys; ++i)
    out.keys.push_back(ColumnId{in.get<std::uint32_t>()});
  in.skip_zeros(counts.keys % 2 * 4);
  out.columns.reserve(counts.columns);
  for (std::uint32_t i = 0; i < counts.columns; ++i)
    out.columns.push_back(get_column(in, file, base));
  out.row_groups.reserve(counts.row_groups);
  std::uint64_t row = 0;
  for (std::uint32_t i = 0; i < counts.row_groups; ++i) {
    out.row_groups.push_back(get_row_group(in));
    out.row_groups.back().first_row = row;
    row += out.row_groups.back().rows;
    check_row_group(in, out, i);
  }
  get_user_codecs(in, counts.user_codecs, out);
  if (counts.shredded) get_shredded(in, out);
  in.expect_end();
  check_sums(in, out);
  check_columns(in, out);
  if (counts.shredded) check_shredded(in, out);
  return out;
}

void put_shredded(ByteWriter& out, const std::vector<ShreddedPath>& shredded) {
  out.put(static_cast<std::uint32_t>(shredded.size()));
  out.put_zeros(4);
  for (const ShreddedPath& path : shredded) {
    out.put(value_of(path.column));
    out.put(path.strays ? kFlagStrays : 0u);
    out.put(static_cast<std::uint32_t>(path.path.size()));
    out.put_zeros(4);
    out.put_bytes(as_bytes_view(path.path));
    out.align(8);
  }
}

}  // namespace

// ------------------------------------------------------------------------------------------ header

Bytes header_write(const Header& header) {
  ByteWriter out;
  out.put_bytes(std::as_bytes(std::span(kHeaderMagic)));
  out.put(kFormatVersion);
  out.put(static_cast<std::uint16_t>(kHeaderBytes));
  out.put_zeros(4);
  out.put(header.required_features);
  out.put(header.optional_features);
  put_id(out, header.segment);
  put_id(out, header.recorder);
  put_id(out, header.database);
  out.put(header.dataset.created);
  out.put(header.dataset.index);
  out.put_zeros(4);
  out.put_zeros(16 + 24 + 16);  // key id, nonce, room
  out.put(xxh3(out.view()));
  OTO_INVARIANT(out.size() == kHeaderBytes);
  return out.take();
}

Header header_parse(BytesView bytes, const std::string& file) {
  return located(file, 0, [&] {
    ByteReader in(bytes, "segment header");
    if (bytes.size() != kHeaderBytes || !same(in.get_bytes(8), kHeaderMagic)) {
      throw_corrupt(file, 0, "this is no segment: it does not begin with a segment's mark");
    }
    const auto version = in.get<std::uint16_t>();
    const bool sound =
        load_le<std::uint64_t>(&bytes[kHeaderBytes - 8]) == xxh3(bytes.first(kHeaderBytes - 8));
    if (!sound) throw_corrupt(file, 0, "the segment's header fails its checksum");
    if (version != kFormatVersion) {
      refuse(file, 8,
             fmt::format("segment format version {}; this build reads version {}: use a newer "
                         "Otolith",
                         version, kFormatVersion));
    }
    if (in.get<std::uint16_t>() != kHeaderBytes) in.fail("wrong length");
    in.skip_zeros(4);
    const auto required = in.get<std::uint64_t>();
    if ((required & ~kRequiredFeatures) != 0) {
      refuse(file, 16,
             fmt::format("the segment needs features {:#x}, which this build does not have; "
                         "use a newer Otolith",
                         required & ~kRequiredFeatures));
    }
    Header out;
    out.required_features = required;
    out.optional_features = in.get<std::uint64_t>();
    out.segment = get_id(in);
    out.recorder = get_id(in);
    out.database = get_id(in);
    out.dataset.created = in.get<CommitNumber>();
    out.dataset.index = in.get<std::uint32_t>();
    in.skip_zeros(4 + 16 + 24 + 16);
    return out;
  });
}

Bytes footer_write(const Footer& footer) {
  ByteWriter out;
  out.put(footer.header_hash);
  out.put(footer.rows);
  out.put(static_cast<std::uint32_t>(footer.row_groups.size()));
  out.put(static_cast<std::uint32_t>(footer.columns.size()));
  out.put(footer.runs);
  out.put(footer.page_rows);
  out.put((footer.unique ? kFlagUnique : 0u) | (footer.many ? kFlagMany : 0u) |
          (footer.shredded.empty() ? 0u : kFlagShredded));
  out.put(value_of(footer.time));
  out.put(static_cast<std::uint32_t>(footer.keys.size()));
  out.put(static_cast<std::uint32_t>(footer.user_codecs.size()));
  out.put(footer.time_min);
  out.put(footer.time_max);
  OTO_INVARIANT(out.size() == kFooterHeadBytes);
  for (const ColumnId key : footer.keys) out.put(value_of(key));
  out.align(8);
  for (const ColumnEntry& column : footer.columns) put_column(out, column);
  for (const RowGroup& group : footer.row_groups) put_row_group(out, group);
  for (const auto& [id, name] : footer.user_codecs) {
    out.put(id);
    out.put(static_cast<std::uint16_t>(name.size()));
    out.put_zeros(4);
    out.put_bytes(as_bytes_view(name));
    out.align(8);
  }
  if (!footer.shredded.empty()) put_shredded(out, footer.shredded);
  return out.take();
}

Footer footer_parse(BytesView bytes, const std::string& file, std::uint64_t base) {
  return located(file, base, [&] {
    ByteReader in(bytes, "segment footer");
    return get_footer(in, file, base);
  });
}

// ----------------------------------------------------------------------------------------- trailer

Bytes trailer_write(const Trailer& trailer) {
  ByteWriter out;
  out.put(trailer.footer_bytes);
  out.put(trailer.footer_hash);
  out.put(trailer.file_bytes);
  out.put_bytes(std::as_bytes(std::span(kTrailerMagic)));
  OTO_INVARIANT(out.size() == kTrailerBytes);
  return out.take();
}

Trailer trailer_parse(BytesView bytes, const std::string& file, std::uint64_t file_bytes) {
  const std::uint64_t base = file_bytes - kTrailerBytes;
  return located(file, base, [&] {
    ByteReader in(bytes, "segment trailer");
    Trailer out;
    out.footer_bytes = in.get<std::uint64_t>();
    out.footer_hash = in.get<std::uint64_t>();
    out.file_bytes = in.get<std::uint64_t>();
    if (!same(in.get_bytes(8), kTrailerMagic)) {
      in.fail("the file does not end with a segment's mark: it was cut or overwritten");
    }
    if (out.file_bytes != file_bytes)
      in.fail("the file has another length than it was written with");
    if (out.footer_bytes < kFooterHeadBytes || out.footer_bytes > base - kHeaderBytes) {
      in.fail("the footer's length is impossible");
    }
    return out;
  });
}

}  // namespace otolith::segment
