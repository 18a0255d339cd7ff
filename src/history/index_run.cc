#include "history/index_run.h"

#include <algorithm>
#include <charconv>

#include "base/int128.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "history/field.h"
#include "history/replace_file.h"

namespace otolith::history {

namespace {

// The data of a run:
//   header      magic, version, database, first, count, heap bytes, hash before; zeros to
//   kHeaderBytes entries     count * kMetaEntryBytes, by number
//   by hash     count * kKeyBytes: first 8 bytes of the hash, most significant first; place in
//   entries by change   count * kKeyBytes: XXH3 of the change id; place in entries
//   heap        texts
constexpr std::uint32_t kMagic = 0x3149434f;  // "OCI1"
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 128;
constexpr std::size_t kKeyBytes = 12;
constexpr std::string_view kFolder = "index/";
constexpr std::string_view kSuffix = ".commits";

// The first 8 bytes of a hash as a number that sorts as its digits do.
std::uint64_t hash_key(const Hash256& hash) {
  return __builtin_bswap64(load_le<std::uint64_t>(hash.bytes.data()));
}
std::uint64_t change_key(const Id128& change) { return xxh3(change.bytes); }

template <typename KeyOf>
void table_write(ByteWriter& out, const std::vector<MetaEntry>& entries, KeyOf key_of) {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> keys;
  keys.reserve(entries.size());
  for (std::uint32_t i = 0; i < entries.size(); ++i) keys.emplace_back(key_of(entries[i]), i);
  std::ranges::sort(keys);
  for (const auto& [key, index] : keys) {
    out.put(key);
    out.put(index);
  }
}

Bytes run_data(const Id128& database, const RunContent& content) {
  ByteWriter out;
  out.put(kMagic);
  out.put(kVersion);
  id_write(out, database);
  out.put(value_of(content.first));
  out.put<std::uint64_t>(content.entries.size());
  out.put<std::uint64_t>(content.heap.size());
  hash_write(out, content.hash_before);
  out.put_zeros(kHeaderBytes - out.size());
  std::array<std::byte, kMetaEntryBytes> raw;
  for (const MetaEntry& entry : content.entries) {
    meta_entry_write(raw.data(), entry);
    out.put_bytes(raw);
  }
  table_write(out, content.entries, [](const MetaEntry& e) { return hash_key(e.hash); });
  table_write(out, content.entries, [](const MetaEntry& e) { return change_key(e.change_id); });
  out.put_bytes(content.heap);
  return out.take();
}

bool number_parse(std::string_view text, std::uint64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string IndexRun::name_of(CommitNumber first, CommitNumber last) {
  return fmt::format("{:012}-{:012}{}", value_of(first), value_of(last), kSuffix);
}

std::optional<std::pair<CommitNumber, CommitNumber>> IndexRun::range_of(const std::string& name) {
  const std::size_t dash = name.find('-');
  if (!name.ends_with(kSuffix) || dash == std::string::npos) return std::nullopt;
  const std::string_view text = std::string_view(name).substr(0, name.size() - kSuffix.size());
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  if (!number_parse(text.substr(0, dash), first) || !number_parse(text.substr(dash + 1), last)) {
    return std::nullopt;
  }
  const std::pair range{CommitNumber{first}, CommitNumber{last}};
  if (first == 0 || last < first || name_of(range.first, range.second) != name) return std::nullopt;
  return range;
}

std::string IndexRun::write(io::Vfs& vfs, const Id128& database, const RunContent& content) {
  OTO_INVARIANT(!content.entries.empty());
  std::string name = name_of(content.first, content.last());
  const std::string path = std::string(kFolder) + name;
  replace_file(vfs, path, pages_of(run_data(database, content), path));
  return name;
}

IndexRun::IndexRun(io::Vfs& vfs, const Id128& database, const std::string& name)
    : IndexRun(vfs.open(std::string(kFolder) + name, io::OpenMode::read), name) {
  if (database_ != database) refuse();
}

IndexRun::IndexRun(std::unique_ptr<io::File> file, const std::string& name)
    : name_(name), pages_(std::move(file), std::string(kFolder) + name) {
  std::array<std::byte, kHeaderBytes> header;
  pages_.read(0, header);
  ByteReader in(header, "index");
  const bool known = in.get<std::uint32_t>() == kMagic && in.get<std::uint32_t>() == kVersion;
  database_ = id_read(in);
  first_ = CommitNumber{in.get<std::uint64_t>()};
  count_ = in.get<std::uint64_t>();
  heap_bytes_ = in.get<std::uint64_t>();
  hash_before_ = hash_read(in);
  const auto range = range_of(name);
  const std::uint64_t fixed = kHeaderBytes + count_ * (kMetaEntryBytes + 2 * kKeyBytes);
  if (!known || !range || count_ == 0 || count_ > kIndexRunCommitsMax || range->first != first_ ||
      range->second != last() || fixed > pages_.size() || heap_bytes_ > pages_.size() - fixed) {
    refuse();
  }
}

void IndexRun::refuse(const char* why) const {
  throw_corrupt(std::string(kFolder) + name_, 0, why);
}

MetaEntry IndexRun::entry(CommitNumber number) const {
  OTO_INVARIANT(number >= first_ && number <= last());
  std::array<std::byte, kMetaEntryBytes> raw;
  const std::uint64_t index = value_of(number) - value_of(first_);
  pages_.read(kHeaderBytes + index * kMetaEntryBytes, raw);
  return meta_entry_read(raw);
}

Bytes IndexRun::text(const MetaEntry& entry) const {
  if (entry.heap_offset > heap_bytes_ || entry.heap_bytes > heap_bytes_ - entry.heap_offset) {
    refuse("an entry of the index points beyond its run");
  }
  Bytes out(entry.heap_bytes);
  pages_.read(kHeaderBytes + count_ * (kMetaEntryBytes + 2 * kKeyBytes) + entry.heap_offset, out);
  return out;
}

IndexRun::Key IndexRun::key_at(std::uint64_t table, std::uint64_t i) const {
  std::array<std::byte, kKeyBytes> raw;
  pages_.read(kHeaderBytes + count_ * (kMetaEntryBytes + table * kKeyBytes) + i * kKeyBytes, raw);
  return {load_le<std::uint64_t>(raw.data()), load_le<std::uint32_t>(raw.data() + 8)};
}

// Keys are hashes, so a key's value tells its place to within the square root of their number.
std::uint64_t IndexRun::lower_bound(std::uint64_t table, std::uint64_t key) const {
  const auto guess = static_cast<std::uint64_t>((static_cast<Uint128>(key) * count_) >> 64);
  std::uint64_t first = 0;
  std::uint64_t last = count_;
  for (std::uint64_t step = 64, at = guess; at < last; step *= 4) {
    if (key_at(table, at).key >= key) {
      last = at;
      if (at < step) break;
      at -= step;
    } else {
      first = at + 1;
      break;
    }
  }
  for (std::uint64_t step = 64, at = first + step; at < last; step *= 4, at = first + step) {
    if (key_at(table, at).key >= key) {
      last = at;
      break;
    }
    first = at + 1;
  }
  while (first < last) {
    const std::uint64_t middle = first + (last - first) / 2;
    if (key_at(table, middle).key < key) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return first;
}

void IndexRun::find_hash(std::string_view prefix, std::size_t most,
                         std::vector<CommitNumber>& found) const {
  const std::string_view digits = prefix.substr(0, 16);
  std::uint64_t from = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), from, 16);
  const std::uint64_t span = digits.size() == 16 ? 0 : ~0ull >> (4 * digits.size());
  from = digits.size() == 16 ? from : from << (64 - 4 * digits.size());
  for (std::uint64_t i = lower_bound(0, from); i < count_ && found.size() < most; ++i) {
    const Key key = key_at(0, i);
    if (key.key - from > span) break;
    const CommitNumber number{value_of(first_) + key.index};
    if (key.index < count_ && hex(entry(number).hash.view()).starts_with(prefix)) {
      found.push_back(number);
    }
  }
}

std::optional<CommitNumber> IndexRun::find_change(const Id128& change) const {
  const std::uint64_t wanted = change_key(change);
  for (std::uint64_t i = lower_bound(1, wanted); i < count_; ++i) {
    const Key key = key_at(1, i);
    if (key.key != wanted || key.index >= count_) break;
    const CommitNumber number{value_of(first_) + key.index};
    if (entry(number).change_id == change) return number;
  }
  return std::nullopt;
}

RunContent IndexRun::content() const {
  RunContent content{first_, hash_before_, {}, Bytes(heap_bytes_)};
  content.entries.reserve(count_);
  for (std::uint64_t i = 0; i < count_; ++i) {
    content.entries.push_back(entry(CommitNumber{value_of(first_) + i}));
  }
  pages_.read(kHeaderBytes + count_ * (kMetaEntryBytes + 2 * kKeyBytes), content.heap);
  return content;
}

void IndexRun::check() const {
  const RunContent all = content();
  std::uint64_t text_bytes = 0;
  for (const MetaEntry& entry : all.entries) {
    text_bytes += entry.heap_bytes;
    const bool within = entry.heap_offset <= all.heap.size() &&
                        entry.heap_bytes <= all.heap.size() - entry.heap_offset;
    if (!within || text_bytes > all.heap.size())
      refuse("an entry of the index points beyond its run");
    (void)meta_text_read(BytesView(all.heap).subspan(entry.heap_offset, entry.heap_bytes));
  }
  check_table(0, all.entries, [](const MetaEntry& e) { return hash_key(e.hash); });
  check_table(1, all.entries, [](const MetaEntry& e) { return change_key(e.change_id); });
}

template <typename KeyOf>
void IndexRun::check_table(std::uint64_t table, const std::vector<MetaEntry>& entries,
                           KeyOf key_of) const {
  std::vector<bool> found(entries.size());
  std::uint64_t before = 0;
  for (std::uint64_t i = 0; i < count_; ++i) {
    const Key key = key_at(table, i);
    const bool sound = key.key >= before && key.index < count_ && !found[key.index] &&
                       key.key == key_of(entries[key.index]);
    if (!sound && !mutant("index-table-unchecked"))
      refuse("a table of the index does not lead to its commits");
    if (sound) found[key.index] = true;
    before = key.key;
  }
}

}  // namespace otolith::history
