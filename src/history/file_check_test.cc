#include "history/file_check.h"

#include <doctest/doctest.h>

#include "base/limits.h"
#include "io/sim_disk.h"

namespace otolith::history {

namespace {

constexpr std::uint64_t kFrames = 400;

// A log file in which every second frame is damaged, though each was durable before the next.
struct Riddled {
  std::shared_ptr<io::Vfs> vfs = io::memory_vfs();
  std::shared_ptr<const LogFileInfo> info;
  std::shared_ptr<io::File> file;

  Riddled() {
    vfs->make_dir("log");
    LogFileHeader header;
    Bytes bytes = encode_file_header(header);
    std::uint64_t chain = header.seed();
    for (std::uint64_t i = 1; i <= kFrames; ++i) {
      const std::size_t at = bytes.size();
      FrameFields fields{RecordNumber{i}, static_cast<std::uint8_t>(FrameType::sync_mark)};
      fields.synced_to = RecordNumber{i - 1};
      fields.chain = chain;
      chain = encode_frame(bytes, fields, {}, header.seed());
      if (i % 2 == 0) bytes[at] ^= std::byte{1};
    }
    file = vfs->open(log_file_path(1), io::OpenMode::create);
    file->write_at(0, bytes);
    info = std::make_shared<const LogFileInfo>(LogFileInfo{header, log_file_path(1)});
  }
};

}  // namespace

TEST_CASE("file check: a file that is damaged everywhere is given up after some stretches") {
  const Riddled riddled;
  std::size_t problems = 0;
  std::size_t sound = 0;
  FileCheck check(
      FrameReader(riddled.file, riddled.info), {RecordNumber{~0ull}, RecordNumber{0}},
      [&](const Error& error) {
        CHECK(error.code() == ErrorCode::corrupt);
        CHECK(error.where().file == riddled.info->path);
        ++problems;
      },
      [&](const FrameVerdict& frame, std::uint64_t) {
        CHECK(value_of(frame.fields.number) % 2 == 1);
        ++sound;
      });
  check.run();
  CHECK(problems == kDamagedStretchesMax + 1);
  CHECK(sound == kDamagedStretchesMax);
  CHECK_FALSE(check.tail().has_value());
}

}  // namespace otolith::history
