// Every maximum of Otolith, by name, with its unit and why it is what it is.
//
// Role:    the one page to read before asking "how big may it be?"; errors name these limits.
// Errors:  none.
// Threads: immutable.
#pragma once

#include <cstddef>
#include <cstdint>

namespace otolith {

// Names and texts.
inline constexpr std::size_t kNameBytesMax = 255;          // dataset, column and tag names
inline constexpr std::size_t kAuthorBytesMax = 1024;       // commit author
inline constexpr std::size_t kMessageBytesMax = 1 << 20;   // commit message
inline constexpr std::size_t kExtraBytesMax = 1 << 20;     // structured extra (JSON) of a commit
inline constexpr std::size_t kMetadataBytesMax = 1 << 20;  // all metadata of one dataset
inline constexpr std::size_t kMessageNameBytesMax = 64;  // of a name shown inside an error message
inline constexpr std::size_t kCodecNameBytesMax = 64;    // of a user's codec
inline constexpr std::size_t kColumnsMax = 4096;         // of one schema
inline constexpr std::size_t kDatasetsMax = 1 << 20;     // of one database, dropped ones included
inline constexpr std::size_t kDifferencesMax = 100;      // listed by one conflict; more are cut off
inline constexpr std::size_t kNamesShownMax = 20;  // columns named by one message; more are counted
inline constexpr std::size_t kPathEntryBytesMax = 255;  // NAME_MAX of every file system we meet
inline constexpr std::size_t kMarkerBytesMax = 4096;    // the file OTOLITH

// Data.
inline constexpr std::uint32_t kBlockRows = 1024;    // unit of decoding
inline constexpr std::uint32_t kLeafRows = 4096;     // rows of one Merkle leaf (docs/history.md 7)
inline constexpr std::uint32_t kPageRowsMax = 8192;  // whole blocks; 64 KiB of 8-byte values
inline constexpr std::uint32_t kRowGroupRowsMax =
    65536;                                             // whole leaves; a multiple of kPageRowsMax
inline constexpr std::uint8_t kDecimalDigitsMax = 38;  // precision: 128 bits hold them
inline constexpr std::uint64_t kDictionaryTextBytesMax = 4096;     // one entry: a page of any bytes
                                                                   // decodes to 32 MiB at most
inline constexpr std::uint64_t kDictionaryBytesMax = 16ull << 20;  // text of one dictionary
inline constexpr std::uint64_t kPageTextBytesMax =
    32ull << 20;  // that one compressed page decodes to; what is longer is stored plain
inline constexpr std::uint64_t kStringBytesMax = 1 << 28;     // one string value, 256 MiB
inline constexpr std::uint64_t kSegmentRowsMax = 1ull << 40;  // rows of one segment
inline constexpr std::size_t kSegmentColumnsMax =
    1 << 16;  // of one segment: a sealed one has columns that were dropped, too
inline constexpr std::uint64_t kRunRowsMax = 1ull
                                             << 31;  // rows sorted at once: permutations are 32-bit

// Conditions (otolith/expression.h).
inline constexpr std::size_t kExpressionDepthMax = 100;         // nodes above one another
inline constexpr std::size_t kExpressionNodesMax = 100'000;     // columns and conditions
inline constexpr std::size_t kExpressionValuesMax = 1'000'000;  // constants
inline constexpr std::uint32_t kMatchStepsMax = 1'000'000;      // of a regular expression, a place
inline constexpr std::size_t kConditionBytesMax = 16 << 20;     // as text

// Documents (docs/format/document.md).
inline constexpr std::size_t kDocumentBytesMax = 16 << 20;  // as msgpack, with its id
inline constexpr std::size_t kDocumentDepthMax = 128;       // maps and arrays within one another
inline constexpr std::size_t kDocumentIdBytesMax = 1024;
inline constexpr std::size_t kJsonTextBytesMax = 128 << 20;  // of one document: blanks, escapes

// Log and tail (docs/history.md 1, 2, 3, 6).
inline constexpr std::uint64_t kFrameBytesMax = 1ull << 28;  // one frame, 256 MiB
inline constexpr std::size_t kDamagedStretchesMax = 64;      // of one log file that are told
inline constexpr std::uint64_t kInlineBytesMax = 1 << 20;    // rows or marks kept in a frame
inline constexpr std::uint64_t kLogFileBytes = 64ull << 20;  // rotation
inline constexpr std::size_t kLogNameDigitsMin = 8;  // of a log file's name: zeros fill them up
inline constexpr std::size_t kLogNameDigitsMax = 15;
inline constexpr std::uint64_t kLogPreallocateBytes = 4ull << 20;  // step of preallocation
inline constexpr std::uint64_t kReserveBytes = 4ull << 20;  // kept for rollback on a full disk
inline constexpr std::uint64_t kTailBytesMax = 8ull << 20;  // then the tail is sealed
inline constexpr std::uint64_t kTailCommitsMax = 4096;      // then the tail is sealed
inline constexpr std::uint64_t kCheckpointBytesMax = 1ull << 32;
inline constexpr std::uint64_t kCheckpointCommits = 4096;      // lineage saved as runs this often
inline constexpr std::uint64_t kIndexRunCommitsMax = 1 << 18;  // of one file of the index
inline constexpr std::uint64_t kLockWaitNs = 10'000'000'000;   // default lock_wait
inline constexpr std::uint64_t kLockPollMinNs = 50'000;
inline constexpr std::uint64_t kLockPollMaxNs = 5'000'000;
inline constexpr std::uint64_t kWaitPollMinNs = 50'000;  // looks of who waits for a commit
inline constexpr std::uint64_t kWaitPollMaxNs = 4'000'000;
inline constexpr std::uint64_t kWaitTellNs = 50'000'000;  // so often its caller may stop it
inline constexpr std::uint64_t kLockPageCheckNs =
    10'000'000;  // how long a replaced lock file may go unseen
inline constexpr std::uint64_t kRelaxedSyncNs =
    1'000'000'000;                                           // relaxed commits are durable by then
inline constexpr std::size_t kBatchCommitsMax = 1024;        // commits that share one fsync
inline constexpr std::uint64_t kBatchBytesMax = 8ull << 20;  // payloads that share one fsync
inline constexpr std::size_t kSweepOwnersMax = 64;           // owner locks that one sweep holds
inline constexpr std::uint64_t kSweepAfterNs =
    600'000'000'000;  // how long the file of a joined segment stays for those who read it
inline constexpr std::uint64_t kSweepEveryNs = 3'600'000'000'000;  // at most, behind commits

// Joins of segments (docs/history.md 6).
inline constexpr std::uint64_t kJoinRowsMax = 4ull << 20;      // a segment of as many is left alone
inline constexpr std::uint64_t kJoinBytesMax = 256ull << 20;   // and so is a file of as many
inline constexpr std::uint64_t kSegmentBytesMin = 1ull << 20;  // that a schema may ask for
inline constexpr std::uint64_t kSegmentBytesMax = 64ull << 30;
inline constexpr std::uint32_t kSpreadMax = 128;       // files of one join
inline constexpr std::uint64_t kSpreadRowsMin = 8192;  // fewer rows are no file of their own
inline constexpr std::uint64_t kPastShare = 8;  // hidden, one row of so many: parted from the rest
inline constexpr std::size_t kJoinSegmentsMax = 256;  // joined at once: each takes a descriptor

// References to commits (docs/history.md 5).
inline constexpr std::size_t kHashDigitsMin = 6;  // of a commit's hash, to name it
inline constexpr std::size_t kHashDigitsMax = 64;
inline constexpr std::size_t kLostRunsMax = 100;  // of relaxed records, that `status` remembers
inline constexpr std::size_t kCandidatesShownMax = 5;  // of an ambiguous hash, in the message

// Memory and threads: options of open().
inline constexpr std::uint64_t kMemoryBytesDefault = 1ull << 30;
inline constexpr std::uint64_t kMemoryBytesMin = 1 << 20;
inline constexpr std::uint64_t kKeptMemoryBytesMax =
    1ull << 30;  // of freed columns, for the next read; the kernel may take them back (adr/0044)
inline constexpr unsigned kThreadsMax = 256;

}  // namespace otolith
