#include "history/lock_page.h"

#include "base/hash.h"
#include "base/mutant.h"

namespace otolith::history {

namespace {

constexpr std::size_t kBootAt = 32;
constexpr std::uint64_t kBootUnknown = 0;
constexpr std::size_t kDeviceAt = 48;
constexpr std::size_t kIdentityChecksumAt = 64;
constexpr auto kWordCount = static_cast<std::size_t>(LockWord::count);
using WordValues = std::array<std::uint64_t, kWordCount>;

static_assert(kIdentityChecksumAt + 8 == kLockIdentityBytes);
static_assert(kLockReadBytes <= kLockPageBytes);

WordValues values_of(const LockWords& words) noexcept {
  return {words.holder_pid,        words.holder_start,      words.epoch,  words.file,
          value_of(words.durable), value_of(words.visible), words.writing};
}

LockWords words_of(const WordValues& v) noexcept {
  return {v[0], v[1], v[2], v[3], RecordNumber{v[4]}, RecordNumber{v[5]}, v[6]};
}

std::uint64_t check_of(std::uint64_t value, std::size_t index, std::uint64_t seed) noexcept {
  std::array<std::byte, 8> raw;
  store_le(raw.data(), value);
  return xxh3(raw, seed + index);
}

void put_words(ByteWriter& out, const LockWords& words, std::uint64_t seed, std::size_t first,
               std::size_t last) {
  const WordValues values = values_of(words);
  for (std::size_t i = first; i <= last; ++i) {
    out.put(values[i]);
    out.put(check_of(values[i], i, seed));
  }
}

bool boot_known(BytesView identity) noexcept {
  return load_le<std::uint64_t>(identity.data() + kBootAt) != kBootUnknown;
}

// Of this directory and database, and of another boot for certain.
bool of_earlier_boot(BytesView page, BytesView expected) noexcept {
  constexpr std::size_t place_bytes = kIdentityChecksumAt - kDeviceAt;
  return boot_known(page) && boot_known(expected) &&
         std::ranges::equal(page.first(kBootAt), expected.first(kBootAt)) &&
         std::ranges::equal(page.subspan(kDeviceAt, place_bytes),
                            expected.subspan(kDeviceAt, place_bytes));
}

}  // namespace

LockIdentity::LockIdentity(const Id128& database, const std::string& boot_id,
                           const io::FileStat& log_directory, std::uint64_t handle) {
  const bool known = !boot_id.empty() || mutant("log-unknown-boot-trusted");
  ByteWriter out;
  out.put(kLockMagic);
  out.put(kLockVersion);
  out.put(std::uint32_t{0});
  out.put_bytes(database.bytes);
  OTO_INVARIANT(out.size() == kBootAt);
  out.put(known ? xxh3(as_bytes_view(boot_id), 0) : kBootUnknown);
  out.put(known ? xxh3(as_bytes_view(boot_id), 1) : handle);
  OTO_INVARIANT(out.size() == kDeviceAt);
  out.put(log_directory.device);
  out.put(log_directory.inode);
  out.put(xxh3(out.view()));
  std::ranges::copy(out.view(), bytes.begin());
}

std::uint64_t LockIdentity::seed() const noexcept {
  return load_le<std::uint64_t>(bytes.data() + kIdentityChecksumAt);
}

Bytes encode_lock_page(const LockIdentity& identity, const LockWords& words) {
  ByteWriter out;
  out.put_bytes(identity.bytes);
  out.put_zeros(kLockWordsAt - kLockIdentityBytes);
  put_words(out, words, identity.seed(), 0, kWordCount - 1);
  out.put_zeros(kLockPageBytes - out.size());
  return out.take();
}

Bytes encode_lock_words(const LockIdentity& identity, const LockWords& words, LockWord first,
                        LockWord last) {
  ByteWriter out;
  put_words(out, words, identity.seed(), static_cast<std::size_t>(first),
            static_cast<std::size_t>(last));
  return out.take();
}

LockPage decode_lock_page(BytesView page, const LockIdentity& expected, bool& torn) noexcept {
  torn = false;
  if (page.size() < kLockReadBytes) return {};
  const BytesView identity = page.first(kLockIdentityBytes);
  if (!std::ranges::equal(identity, expected.bytes)) {
    const auto checksum = load_le<std::uint64_t>(identity.data() + kIdentityChecksumAt);
    const bool whole = checksum == xxh3(identity.first(kIdentityChecksumAt));
    if (!mutant("log-page-of-another-place-trusted"))
      return {whole && of_earlier_boot(identity, expected.bytes) ? PageState::rebooted
                                                                 : PageState::absent,
              {}};
  }
  const auto seed = load_le<std::uint64_t>(identity.data() + kIdentityChecksumAt);
  WordValues values;
  for (std::size_t i = 0; i < kWordCount; ++i) {
    const std::byte* const word = page.data() + kLockWordsAt + i * kLockWordBytes;
    const auto check = load_le<std::uint64_t>(word + 8);
    values[i] = load_le<std::uint64_t>(word);
    torn = torn || check != check_of(values[i], i, seed);
  }
  if (torn) return {};
  return {PageState::valid, words_of(values)};
}

}  // namespace otolith::history
