// The log over a Vfs: reading without a lock, appending under it.
//
// Role:    the one implementation of log.h; its parts are the other files of this folder.
//
//   disk_log.cc         open, create, status, verify
//   disk_log_read.cc    refresh: pages of hints, files in turn, records in order
//   disk_log_lock.cc    the turn in this process, the lock between processes, what its holder calls
//   disk_log_recover.cc catch up: find the end of the log, adopt what was interrupted
//   disk_log_append.cc  append: room, announce, write, fsync, raise
//   disk_log_strip.cc   strip: files that are no longer appended to, rewritten
//
// Shapes:  as log.h.
// Errors:  as log.h.
// Threads: thread-safe, but for what is used under the append lock, which says so.
// Why:     no mutex is held during an fsync, so readers of the same process never wait for one.
#pragma once

#include <atomic>
#include <map>
#include <optional>

#include "base/mutex.h"
#include "history/appender.h"
#include "history/lock_file.h"
#include "history/lock_page_reader.h"
#include "history/recovery.h"
#include "history/reserve.h"

namespace otolith::history {

class DiskLog final : public Log {
 public:
  DiskLog(std::shared_ptr<io::Vfs> vfs, std::shared_ptr<io::Environment> environment,
          const Id128& database, LogOptions options);

  void seek(RecordNumber behind) override;
  void vouch(RecordNumber durable) override;
  void refresh(const FrameSink& sink, const Fallback& fallback) override;
  bool behind() override;
  std::unique_ptr<LogLock> lock(LockPurpose purpose, std::uint64_t waited_ns) override;
  void sync() override;
  void tend() override;
  bool strip_due(std::size_t followers) override;
  StripReport strip(RecordNumber until, std::size_t followers, const Rewrite& rewrite) override;
  void close(const std::function<void(LogLock&)>& before) override;
  RecordNumber last() const override;
  RecordNumber durable() const override;
  LogStatus status() override;
  void verify(const std::function<void(const Error&)>& problem) override;

 private:
  friend class DiskLogLock;

  // Reading.
  void deliver(const FrameSink& sink, const Fallback& fallback) OTO_REQUIRES(mutex_);
  void follow(const LockPage& page, const Fallback& fallback) OTO_REQUIRES(mutex_);
  bool read_on(const LockPage& page, const FrameSink& sink) OTO_REQUIRES(mutex_);
  void place_reader() OTO_REQUIRES(mutex_);
  void check_commit(const LogFileInfo& info) const;
  bool stopped(const LockPage& page, const FrameVerdict& verdict) OTO_REQUIRES(mutex_);
  bool ends_here(const FrameVerdict& verdict) OTO_REQUIRES(mutex_);
  void hand_over(const FrameVerdict& verdict, const FrameSink& sink) OTO_REQUIRES(mutex_);

  // Under the append lock.
  std::unique_ptr<LogLock> try_lock();
  void take_turn(std::uint64_t wait_ns);
  void give_turn_back() noexcept;
  void give_turn() noexcept;
  void catch_up(const FrameSink& sink, const Fallback& fallback);
  bool appended_last();
  void settle(const std::function<void()>& read);
  bool attach_appender();
  void place_appender();
  void recover();
  void adopt(const RecoveryPlan& plan);
  void go_on_in_place(RecoveryPlan& plan);
  OpenLogFile begin_file(NewLogFile wanted);
  void append(const std::vector<Record>& records, std::vector<RecordNumber>& numbers);
  void append_once(const std::vector<Record>& records, std::uint64_t epoch);
  void find_room(std::uint64_t bytes);
  void rotate();
  void write_frames();
  void sync_frames();
  void announce();
  void require_lock() const;
  void confirm() const;
  void stage(RecordNumber behind);
  void withdraw() noexcept;
  void show_words() noexcept;
  bool show_words_once();
  void raise(RecordNumber durable, RecordNumber visible,
             std::optional<RecordNumber> own_behind = std::nullopt);  // records of this handle
  void make_durable();
  bool relaxed_unvouched() const;
  bool room_is_low() const noexcept;
  void prepare_ahead();
  void require_writer() const;
  void with_relief(const std::function<void()>& work);

  const std::shared_ptr<io::Vfs> vfs_;
  const std::shared_ptr<io::Environment> environment_;
  const Id128 database_;
  const LogOptions options_;
  const LockIdentity identity_;
  const std::uint64_t forks_;  // fork generation that opened it

  mutable Mutex mutex_;  // the reading side
  LogDirectory directory_ OTO_GUARDED_BY(mutex_);
  LockPageReader page_reader_ OTO_GUARDED_BY(mutex_);
  std::unique_ptr<FrameReader> reader_ OTO_GUARDED_BY(mutex_) OTO_PT_GUARDED_BY(mutex_);
  RecordNumber last_ OTO_GUARDED_BY(mutex_){0};
  // Known to be on the disk, whatever the page says.
  RecordNumber durable_ OTO_GUARDED_BY(mutex_){0};
  RecordNumber shown_durable_ OTO_GUARDED_BY(mutex_){0};
  std::uint64_t epoch_ OTO_GUARDED_BY(mutex_) = 0;
  // Without a page: where the log was last found to end.
  std::uint64_t judged_file_ OTO_GUARDED_BY(mutex_) = 0;
  std::uint64_t judged_at_ OTO_GUARDED_BY(mutex_) = 0;
  // While this handle appends: the last record that is not in flight. Without a page that says
  // `visible`, frames on their way to the disk look like any others.
  std::optional<RecordNumber> in_flight_behind_ OTO_GUARDED_BY(mutex_);

  Mutex turn_mutex_;
  Condition turn_given_;
  bool turn_taken_ OTO_GUARDED_BY(turn_mutex_) = false;

  // Owned by whoever has the turn and the append lock.
  LockFile lock_file_;
  LockWords words_;
  LockPurpose purpose_ = LockPurpose::commit;
  Appender appender_;
  Reserve reserve_;
  std::atomic<bool> appended_{false};  // since the last sync mark of this handle
  std::atomic<bool> relaxed_{false};   // and not durable yet
  std::atomic<bool> tend_due_{false};
  std::atomic<std::uint64_t> stripped_to_{0};  // number of a file: all up to it are stripped
};

/// The append lock of a DiskLog, held.
class DiskLogLock final : public LogLock {
 public:
  explicit DiskLogLock(DiskLog& log) : log_(log) {}
  ~DiskLogLock() override;

  void catch_up(const FrameSink& sink, const Log::Fallback& fallback) override;
  std::vector<RecordNumber> append(std::vector<Record> records) override;
  void sync() override;
  bool relaxed_pending() const override;

 private:
  DiskLog& log_;
  bool caught_up_ = false;
};

}  // namespace otolith::history
