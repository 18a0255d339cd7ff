#include "history/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <new>

#include "base/limits.h"
#include "base/log.h"
#include "base/mutant.h"
#include "history/field.h"
#include "history/replace_file.h"

namespace otolith::history {

namespace {

constexpr std::uint32_t kMagic = 0x3150434f;  // "OCP1"
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kKept = 2;
constexpr std::size_t kStartBytes = 24;  // magic, version, database
constexpr std::string_view kFolder = "index";
constexpr std::string_view kSuffix = ".checkpoint";

std::string path_of(RecordNumber record) {
  return fmt::format("{}/{:016}{}", kFolder, value_of(record), kSuffix);
}

void head_write(ByteWriter& out, const HeadState& head) {
  out.put(value_of(head.record));
  out.put(value_of(head.commit));
  out.put(value_of(head.commit_record));
  hash_write(out, head.hash);
  time_write(out, head.time);
}

HeadState head_read(ByteReader& in) {
  HeadState head;
  head.record = RecordNumber{in.get<std::uint64_t>()};
  head.commit = CommitNumber{in.get<std::uint64_t>()};
  head.commit_record = RecordNumber{in.get<std::uint64_t>()};
  head.hash = hash_read(in);
  head.time = time_read(in);
  if (head.commit_record > head.record) in.fail("commit behind the checkpoint");
  return head;
}

void tags_write(ByteWriter& out, const Tags& tags) {
  out.put_varint(tags.size());
  for (const auto& [name, commit] : tags) {
    out.put_text(name);
    number_write(out, commit);
  }
}

Tags tags_read(ByteReader& in) {
  Tags tags;
  const std::uint64_t count = in.get_count(2);
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string name(in.get_text(kNameBytesMax));
    tags.insert_or_assign(std::move(name), commit_number_read(in));
  }
  return tags;
}

void replaced_write(ByteWriter& out, const std::vector<ReplacedFile>& replaced) {
  out.put_varint(replaced.size());
  for (const ReplacedFile& file : replaced) {
    id_write(out, file.id);
    time_write(out, file.time);
  }
}

std::vector<ReplacedFile> replaced_read(ByteReader& in) {
  std::vector<ReplacedFile> replaced(in.get_count(sizeof(Id128) + sizeof(Timestamp)));
  for (ReplacedFile& file : replaced) {
    file.id = id_read(in);
    file.time = time_read(in);
  }
  return replaced;
}

// What every checkpoint of this database begins with.
void start_write(ByteWriter& out, const Id128& database) {
  out.put(kMagic);
  out.put(kVersion);
  id_write(out, database);
}

Id128 start_read(ByteReader& in) {
  if (in.get<std::uint32_t>() != kMagic) in.fail("not a checkpoint");
  if (in.get<std::uint32_t>() != kVersion) in.fail("another version");
  return id_read(in);
}

void start_check(ByteReader& in, const Id128& database) {
  if (start_read(in) != database && !mutant("checkpoint-database-ignored"))
    in.fail("of another database");
}

Bytes start_bytes(io::File& file) {
  Bytes bytes(kStartBytes);
  bytes.resize(file.read_at(0, bytes));
  return bytes;
}

}  // namespace

RecordNumber Checkpoint::replay_from() const noexcept {
  if (mutant("checkpoint-tail-not-replayed")) return head.commit_record;
  return std::min(tail_first.value_or(head.commit_record), head.commit_record);
}

Bytes checkpoint_write(const Id128& database, const Checkpoint& checkpoint) {
  ByteWriter out;
  start_write(out, database);
  head_write(out, checkpoint.head);
  flag_write(out, checkpoint.tail_first.has_value());
  number_write(out, checkpoint.tail_first.value_or(RecordNumber{0}));
  checkpoint.range.save(out);
  tags_write(out, checkpoint.tags);
  lost_records_write(out, checkpoint.lost);
  replaced_write(out, checkpoint.replaced);
  checkpoint.catalog.save(out, checkpoint.head.commit);
  checkpoint.lineage->save(out, checkpoint.head.commit);
  out.put(xxh3(out.view()));
  return out.take();
}

// Its beginning decides whether the rest is worth the memory: a file may claim any size.
Bytes checkpoint_bytes(io::Vfs& vfs, const Id128& database, const std::string& path) {
  const auto file = vfs.open(path, io::OpenMode::read);
  const std::uint64_t size = file->stat().size;
  if (size > kCheckpointBytesMax && !mutant("checkpoint-of-any-size")) {
    throw_corrupt(path, 0,
                  fmt::format("a checkpoint has at most {} bytes (kCheckpointBytesMax), not {}",
                              kCheckpointBytesMax, size));
  }
  const Bytes first = start_bytes(*file);
  ByteReader start(first, "checkpoint");
  if (!mutant("checkpoint-of-any-size")) start_check(start, database);
  Bytes bytes(size);
  bytes.resize(file->read_at(0, bytes));
  return bytes;
}

Id128 checkpoint_database(io::Vfs& vfs, const std::string& path) {
  const Bytes first = start_bytes(*vfs.open(path, io::OpenMode::read));
  ByteReader start(first, "checkpoint");
  return start_read(start);
}

std::optional<RecordNumber> checkpoint_of_name(const std::string& name) {
  std::uint64_t record = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), record);
  const bool ours =
      error == std::errc() && fmt::format("{}/{}", kFolder, name) == path_of(RecordNumber{record});
  return ours ? std::optional(RecordNumber{record}) : std::nullopt;
}

Checkpoint checkpoint_read(const Id128& database, BytesView bytes) {
  constexpr std::size_t kCheckBytes = sizeof(std::uint64_t);
  ByteReader in(bytes.first(bytes.size() - std::min(bytes.size(), kCheckBytes)), "checkpoint");
  const bool sound =
      bytes.size() >= kCheckBytes &&
      load_le<std::uint64_t>(bytes.data() + in.left()) == xxh3(bytes.first(in.left()));
  if (!sound && !mutant("checkpoint-checksum-ignored")) in.fail("checksum fails");
  start_check(in, database);
  Checkpoint checkpoint;
  checkpoint.head = head_read(in);
  const bool has_tail = flag_read(in);
  const RecordNumber tail_first = record_number_read(in);
  if (has_tail) checkpoint.tail_first = tail_first;
  checkpoint.range = MountainRange::load(in);
  if (checkpoint.range.size() != value_of(checkpoint.head.commit))
    in.fail("range of other commits");
  checkpoint.tags = tags_read(in);
  checkpoint.lost = lost_records_read(in);
  checkpoint.replaced = replaced_read(in);
  checkpoint.catalog = Catalog::load(in, checkpoint.head.commit);
  checkpoint.lineage = Lineage::load(in);
  if (checkpoint.lineage->last() != checkpoint.head.commit) in.fail("lineage of other commits");
  in.expect_end();
  return checkpoint;
}

void checkpoint_store(io::Vfs& vfs, RecordNumber record, BytesView bytes) {
  if (bytes.size() > kCheckpointBytesMax) {
    throw_error(ErrorCode::limit, "a checkpoint has at most {} bytes (kCheckpointBytesMax), not {}",
                kCheckpointBytesMax, bytes.size());
  }
  replace_file(vfs, path_of(record), bytes);
  vfs.sync_dir(std::string(kFolder));
  const std::vector<RecordNumber> all = checkpoint_list(vfs);
  for (std::size_t i = kKept; i < all.size(); ++i) checkpoint_remove(vfs, all[i]);
}

std::vector<RecordNumber> checkpoint_list(io::Vfs& vfs) {
  std::vector<RecordNumber> records;
  for (const std::string& name : derived_names(vfs, std::string(kFolder))) {
    if (const auto record = checkpoint_of_name(name)) records.push_back(*record);
  }
  std::ranges::sort(records, std::greater{});
  return records;
}

std::optional<Checkpoint> checkpoint_load(io::Vfs& vfs, const Id128& database, RecordNumber record,
                                          bool remove) {
  try {
    return checkpoint_read(database, checkpoint_bytes(vfs, database, path_of(record)));
  } catch (const std::bad_alloc&) {  // derived: without it opening takes longer
    log_line(LogLevel::warning, fmt::format("{} passed over: out of memory", path_of(record)));
    return std::nullopt;
  } catch (const Error& error) {
    log_line(LogLevel::warning, fmt::format("{} passed over: {}", path_of(record), error.what()));
    // Not one that the OS refused to give: it may be sound.
    const bool damaged = error.code() == ErrorCode::corrupt || mutant("checkpoint-removed-unread");
    if (remove && damaged) checkpoint_remove(vfs, record);
    return std::nullopt;
  }
}

void checkpoint_remove(io::Vfs& vfs, RecordNumber record) { vfs.remove(path_of(record)); }

}  // namespace otolith::history
