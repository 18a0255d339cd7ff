// Writes large files fast: whole aligned chunks, past the page cache, by threads in the background.
//
// Role:    segments; the caller encodes the next chunk while the last ones are on their way to the
//          disk, so that the sync at the end has little left to do.
//
//            caller: fill chunk -> submit -> fill chunk -> submit ...  finish -> File::sync
//            writers:              write_direct ...
//
// Shapes:  chunks of 4 MiB; offsets in bytes. At most `chunks` of them are in memory.
// Errors:  as File::write_at; an error of a background write is thrown by the next call. After an
//          error the file is to be given up.
// Threads: WriteQueue is thread-safe; BulkWriter is thread-compatible.
// Why:     400 MB through the page cache cost 130 to 1,000 ms of processor time, much of it the
//          kernel's for fresh pages, and the writer is throttled once many are dirty; direct writes
//          cost 30 ms and leave both cores to encoding and hashing (ADR 0010). On simulated disks
//          everything is written at once by the caller, so that runs repeat.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "io/aligned_buffer.h"
#include "io/vfs.h"

namespace otolith::io {

struct WriteQueueOptions {
  std::size_t chunk_bytes = std::size_t{4} << 20;  // a multiple of kBufferAlignment
  std::size_t chunks = 4;                          // buffers, being filled or written
  std::size_t threads = 2;                         // two keep a disk busy; begun at the first chunk
};

/// Chunks of one file on their way to the disk, from any number of threads that fill them. The file
/// must outlive the queue.
class WriteQueue {
 public:
  explicit WriteQueue(File& file, WriteQueueOptions options = {});
  ~WriteQueue();  // waits for what is under way; drops errors: call drain() first
  WriteQueue(const WriteQueue&) = delete;
  WriteQueue& operator=(const WriteQueue&) = delete;

  /// An empty chunk to fill; waits until one is free. A thread must not hold more than its share of
  /// `chunks`.
  AlignedBuffer take();
  /// Writes the first `bytes` of a chunk from take(). Offsets that are multiples of
  /// kBufferAlignment go past the page cache.
  void submit(std::uint64_t offset, AlignedBuffer chunk, std::size_t bytes);
  /// Returns once all that was submitted is written (not synced).
  void drain();

  const WriteQueueOptions& options() const noexcept { return options_; }

 private:
  struct Job {
    std::uint64_t offset = 0;
    AlignedBuffer chunk;
    std::size_t bytes = 0;
  };

  void start_writers();
  void write_jobs();
  void throw_failure() const;

  File& file_;
  const WriteQueueOptions options_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  std::vector<AlignedBuffer> free_;
  std::vector<Job> jobs_;  // oldest first
  std::size_t chunks_made_ = 0;
  std::size_t writing_ = 0;
  bool stopping_ = false;
  std::exception_ptr failure_;
  std::vector<std::jthread> writers_;  // empty until the first submit, and on simulated disks
};

/// One file written from front to back. It is preallocated ahead and cut to its length by finish().
class BulkWriter {
 public:
  /// `bytes_expected`: the final size if it is known, else 0.
  explicit BulkWriter(File& file, std::uint64_t bytes_expected = 0, WriteQueueOptions options = {});

  void append(BytesView bytes);
  /// The rest of the current chunk, never empty, to be filled in place from its front; then
  /// advance.
  std::span<std::byte> room();
  void advance(std::size_t bytes);
  /// Bytes appended so far: the offset of what comes next.
  std::uint64_t position() const noexcept { return chunk_offset_ + filled_; }
  /// Everything is written and the file is position() long; sync is left to the caller.
  void finish();

 private:
  void submit();
  void preallocate_to(std::uint64_t size);

  File& file_;
  WriteQueue queue_;
  AlignedBuffer chunk_;
  std::size_t filled_ = 0;
  std::uint64_t chunk_offset_ = 0;
  std::uint64_t preallocated_ = 0;
  const std::uint64_t bytes_expected_;
};

}  // namespace otolith::io
