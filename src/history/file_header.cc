#include "history/file_header.h"

#include "base/error.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "history/log_layout.h"

namespace otolith::history {

namespace {

[[noreturn]] void refuse(const std::string& path, std::string why) {
  throw_error(ErrorCode::unsupported_format,
              fmt::format("{} {}; open this database with a newer Otolith", path, why),
              ErrorWhere{path, 0, {}});
}

Id128 get_id(ByteReader& in) {
  Id128 id;
  std::ranges::copy(in.get_bytes(id.bytes.size()), id.bytes.begin());
  return id;
}

// Magic and checksum come before the version: a flipped bit is damage, not a newer format.
void check_frame_of_header(BytesView bytes, const std::string& path) {
  if (bytes.size() < kLogHeaderBytes) {
    throw_corrupt(path, bytes.size(), "the log file ends within its header");
  }
  if (load_le<std::uint64_t>(bytes.data() + kHeaderMagicAt) != kLogMagic) {
    throw_corrupt(path, kHeaderMagicAt, "this is no log file: its first bytes are not TOLOG");
  }
  const auto checksum = load_le<std::uint64_t>(bytes.data() + kHeaderChecksumAt);
  if (checksum != xxh3(bytes.first(kHeaderChecksumAt))) {
    throw_corrupt(path, kHeaderChecksumAt, "the header of the log file fails its checksum");
  }
}

void check_features(const LogFileHeader& header, std::uint32_t version, const std::string& path) {
  if (version != kLogVersion) {
    refuse(path,
           fmt::format("has log format version {}, this build reads {}", version, kLogVersion));
  }
  if (const std::uint64_t unknown = header.required & ~kLogRequiredKnown; unknown != 0) {
    refuse(path, fmt::format("requires features {:#x} that this build does not have", unknown));
  }
}

}  // namespace

std::uint64_t LogFileHeader::seed() const noexcept {
  return mutant("log-salt-ignored") ? 0 : xxh3(salt.bytes);
}

bool LogFileHeader::stripped() const noexcept { return (optional & kLogStripped) != 0; }

Bytes encode_file_header(const LogFileHeader& header) {
  ByteWriter out;
  out.put(kLogMagic);
  out.put(kLogVersion);
  out.put(static_cast<std::uint32_t>(kLogHeaderBytes));
  out.put(header.required);
  out.put(header.optional);
  out.put_bytes(header.database.bytes);
  out.put_bytes(header.salt.bytes);
  out.put(header.file);
  out.put(header.first);
  out.put(header.durable);
  out.put(header.epoch);
  out.put(header.bytes);
  out.put_bytes(header.commit_hash.view());
  out.put_zeros(kHeaderChecksumAt - kHeaderReservedAt);
  OTO_INVARIANT(out.size() == kHeaderChecksumAt);
  out.put(xxh3(out.view()));
  return out.take();
}

LogFileHeader decode_file_header(BytesView bytes, const std::string& path) {
  check_frame_of_header(bytes, path);
  ByteReader in(bytes.first(kHeaderChecksumAt), path);
  (void)in.get<std::uint64_t>();  // magic
  const auto version = in.get<std::uint32_t>();
  const auto size = in.get<std::uint32_t>();
  LogFileHeader header;
  header.required = in.get<std::uint64_t>();
  header.optional = in.get<std::uint64_t>();
  check_features(header, version, path);
  header.database = get_id(in);
  header.salt = get_id(in);
  header.file = in.get<std::uint64_t>();
  header.first = in.get<RecordNumber>();
  header.durable = in.get<RecordNumber>();
  header.epoch = in.get<std::uint64_t>();
  header.bytes = in.get<std::uint64_t>();
  std::ranges::copy(in.get_bytes(header.commit_hash.bytes.size()),
                    header.commit_hash.bytes.begin());
  for (const std::byte reserved : in.get_bytes(in.left())) {
    if (reserved != std::byte{0}) {
      throw_corrupt(path, kHeaderReservedAt,
                    "reserved bytes of the log file's header are not zero");
    }
  }
  if (size != kLogHeaderBytes || header.first == RecordNumber{0} ||
      next(header.durable) < header.first) {
    throw_corrupt(path, kHeaderSizeAt, "the header of the log file contradicts itself");
  }
  return header;
}

LogFileHeader decode_file_header(BytesView bytes, const Id128& database, std::uint64_t file,
                                 const std::string& path) {
  const LogFileHeader header = decode_file_header(bytes, path);
  if (header.database != database) {
    throw_corrupt(
        path, kHeaderDatabaseAt,
        fmt::format("the log file belongs to database {}, not to {}; put back the file of "
                    "this database",
                    header.database.text(), database.text()));
  }
  if (header.file != file) {
    throw_corrupt(path, kHeaderFileAt,
                  fmt::format("the log file says that it is number {}; it was renamed or swapped",
                              header.file));
  }
  return header;
}

std::string log_file_path(std::uint64_t file) { return fmt::format("log/{:08}.log", file); }

std::uint64_t log_file_number(std::string_view name) noexcept {
  constexpr std::string_view ending = ".log";
  if (!name.ends_with(ending)) return 0;
  name.remove_suffix(ending.size());
  if (name.size() < kLogNameDigitsMin || name.size() > kLogNameDigitsMax) return 0;
  std::uint64_t number = 0;
  for (const char c : name) {
    if (c < '0' || c > '9') return 0;
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return name.size() > kLogNameDigitsMin && name.front() == '0' ? 0 : number;
}

}  // namespace otolith::history
