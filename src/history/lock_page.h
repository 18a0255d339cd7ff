// The lock page: hints that processes of one machine give each other, valid for its uptime.
//
//   0       8         12     16         32     40       48      64          72 … 128
//   | magic | version | zero | database | boot (16)| device | inode | checksum | zero …
//   128 + 16 i: word i: value (8) | check (8)          kLockPageBytes in all; the rest is zero
//
// Role:    how readers learn what is visible, and the next holder what an interrupted one left
//          (docs/history.md 1). The exact offsets stand below and in docs/format/log.md.
// Shapes:  identity of log/ (machine boot, device, inode) under a checksum; words with a check
//          each.
// Errors:  none from decoding: a page that is not understood counts as absent.
// Threads: immutable; see lock_page_reader.h and lock_file.h for access.
// Why:     a check per word, seeded by the identity: no sequence lock that a killed writer leaves
//          odd, and words of an older identity never pass for words of this one.
#pragma once

#include <array>
#include <string>

#include "base/ids.h"
#include "io/vfs.h"

namespace otolith::history {

inline constexpr const char* kLockPath = "lock";
inline constexpr std::size_t kLockPageBytes = 4096;
inline constexpr std::uint64_t kLockMagic = 0x0a1a0d4b434f4c54;  // "TLOCK\r\x1a\n"
inline constexpr std::uint32_t kLockVersion = 1;
inline constexpr std::size_t kLockIdentityBytes = 72;  // magic to checksum
inline constexpr std::size_t kLockWordsAt = 128;
inline constexpr std::size_t kLockWordBytes = 16;
inline constexpr std::uint64_t kAppendLockByte = 0;
inline constexpr std::uint64_t kOwnersLockByte = 1;  // held shared by every owner of files
inline constexpr std::uint64_t kOwnerLockBytesAt =
    kLockPageBytes;  // owner locks: bytes from here on

/// The words, in the order in which they stand and are written. A reader may meet some of them old
/// and some new: it looks again before it calls a record that it cannot read damaged.
enum class LockWord : std::size_t {
  holder_pid,
  holder_start,
  epoch,    // goes up when relaxed records were lost
  file,     // number of the log file that is appended to
  durable,  // last record known to be on the disk
  visible,  // last record that others may see
  writing,  // not 0: an append or fsync is under way, or was interrupted
  count,
};

struct LockWords {
  std::uint64_t holder_pid = 0;
  std::uint64_t holder_start = 0;
  std::uint64_t epoch = 0;
  std::uint64_t file = 0;
  RecordNumber durable{0};
  RecordNumber visible{0};
  std::uint64_t writing = 0;
};

/// What the page is about: one directory during one uptime of one machine; as it stands on the
/// page.
struct LockIdentity {
  std::array<std::byte, kLockIdentityBytes> bytes{};

  /// Where the boot id is unknown (empty) the page is this handle's alone, by its random number.
  LockIdentity(const Id128& database, const std::string& boot_id, const io::FileStat& log_directory,
               std::uint64_t handle = 0);
  std::uint64_t seed() const noexcept;  // of the words' checks
};

enum class PageState : std::uint8_t {
  valid,     // words hold
  rebooted,  // of this directory, but of an earlier uptime: all that can be read is on the disk
  absent,    // missing, damaged, copied or foreign: nothing is known
};

struct LockPage {
  PageState state = PageState::absent;
  LockWords words;  // of a valid page
  bool valid() const noexcept { return state == PageState::valid; }
};

/// The whole page.
Bytes encode_lock_page(const LockIdentity& identity, const LockWords& words);
/// Words first..last with their checks, to be written at lock_word_at(first).
Bytes encode_lock_words(const LockIdentity& identity, const LockWords& words, LockWord first,
                        LockWord last);
constexpr std::size_t lock_word_at(LockWord word) noexcept {
  return kLockWordsAt + static_cast<std::size_t>(word) * kLockWordBytes;
}

/// The part of the page that holds anything.
inline constexpr std::size_t kLockReadBytes =
    kLockWordsAt + static_cast<std::size_t>(LockWord::count) * kLockWordBytes;

/// Judges the first kLockReadBytes of a page; `torn` says that a word fails its check, as when it
/// is being written.
LockPage decode_lock_page(BytesView page, const LockIdentity& expected, bool& torn) noexcept;

}  // namespace otolith::history
