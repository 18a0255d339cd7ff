#include "io/bulk_writer.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/error.h"

namespace otolith::io {

namespace {

// Blocks are reserved this many chunks ahead: direct writes into reserved blocks need not wait for
// each other to grow the file.
constexpr std::uint64_t kChunksAhead = 16;

}  // namespace

WriteQueue::WriteQueue(File& file, WriteQueueOptions options) : file_(file), options_(options) {
  OTO_INVARIANT(options_.chunk_bytes % kBufferAlignment == 0 && options_.chunk_bytes != 0);
  OTO_INVARIANT(options_.chunks != 0);
}

WriteQueue::~WriteQueue() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  writers_.clear();  // joins
}

void WriteQueue::throw_failure() const {
  if (failure_) std::rethrow_exception(failure_);
}

AlignedBuffer WriteQueue::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return failure_ || !free_.empty() || chunks_made_ < options_.chunks; });
  throw_failure();
  if (free_.empty()) {
    chunks_made_++;
    return AlignedBuffer(options_.chunk_bytes);
  }
  AlignedBuffer chunk = std::move(free_.back());
  free_.pop_back();
  return chunk;
}

void WriteQueue::submit(std::uint64_t offset, AlignedBuffer chunk, std::size_t bytes) {
  OTO_INVARIANT(bytes <= chunk.size());
  {
    const std::scoped_lock lock(mutex_);
    throw_failure();
    start_writers();
    if (!writers_.empty()) {
      jobs_.push_back({offset, std::move(chunk), bytes});
      changed_.notify_all();
      return;
    }
  }
  file_.write_direct(offset, chunk.view().first(bytes));
  const std::scoped_lock lock(mutex_);
  free_.push_back(std::move(chunk));
  changed_.notify_all();
}

// Not before there is a whole chunk to write: most files are small and need no thread.
void WriteQueue::start_writers() {
  if (!writers_.empty() || !file_.syncs_in_parallel()) return;
  try {
    while (writers_.size() < options_.threads) {
      writers_.emplace_back([this] { write_jobs(); });
    }
  } catch (const std::system_error&) {
    // No more threads to be had: those we have do the work, or the caller does it.
  }
}

void WriteQueue::write_jobs() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    Job job = std::move(jobs_.front());
    jobs_.erase(jobs_.begin());
    const bool given_up = failure_ != nullptr;
    writing_++;
    lock.unlock();
    std::exception_ptr failure;
    try {
      if (!given_up) file_.write_direct(job.offset, job.chunk.view().first(job.bytes));
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    writing_--;
    if (failure && !failure_) failure_ = failure;
    free_.push_back(std::move(job.chunk));
    changed_.notify_all();
  }
}

void WriteQueue::drain() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return jobs_.empty() && writing_ == 0; });
  throw_failure();
}

BulkWriter::BulkWriter(File& file, std::uint64_t bytes_expected, WriteQueueOptions options)
    : file_(file), queue_(file, options), bytes_expected_(bytes_expected) {}

void BulkWriter::append(BytesView bytes) {
  while (!bytes.empty()) {
    const std::span<std::byte> to = room();
    const std::size_t step = std::min(to.size(), bytes.size());
    std::memcpy(to.data(), bytes.data(), step);
    advance(step);
    bytes = bytes.subspan(step);
  }
}

std::span<std::byte> BulkWriter::room() {
  if (filled_ == chunk_.size() && filled_ != 0) submit();
  if (chunk_.size() == 0) chunk_ = queue_.take();
  return chunk_.span().subspan(filled_);
}

void BulkWriter::advance(std::size_t bytes) {
  OTO_INVARIANT(bytes <= chunk_.size() - filled_);
  filled_ += bytes;
}

void BulkWriter::submit() {
  preallocate_to(position());
  queue_.submit(chunk_offset_, std::exchange(chunk_, {}), filled_);
  chunk_offset_ += std::exchange(filled_, 0);
}

void BulkWriter::preallocate_to(std::uint64_t size) {
  if (size <= preallocated_) return;
  const std::uint64_t ahead = size + kChunksAhead * queue_.options().chunk_bytes;
  preallocated_ = std::max(size, bytes_expected_ >= size ? bytes_expected_ : ahead);
  file_.preallocate(preallocated_);
}

void BulkWriter::finish() {
  const std::uint64_t size = position();
  if (chunk_offset_ == 0) {
    if (filled_ != 0)
      file_.write_at(0, chunk_.view().first(filled_));  // small: no thread, no waste
    filled_ = 0;
  } else if (filled_ != 0) {
    submit();
  }
  queue_.drain();
  chunk_offset_ = size;
  if (preallocated_ > size) file_.truncate(size);
}

}  // namespace otolith::io
