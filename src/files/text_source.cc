#include "files/text_source.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "files/new_file.h"
#include "io/posix.h"

namespace otolith::files {

namespace {

std::unique_ptr<io::File> open_file(const std::string& path) {
  const SplitPath split = split_path(path);
  if (split.name.empty() || split.name == "." || split.name == "..")
    throw_error(ErrorCode::invalid_argument, "{} is a folder; give a file", quoted(path));
  return io::posix_vfs(split.folder, {.read_only = true})->open(split.name, io::OpenMode::read);
}

}  // namespace

TextSource::TextSource(const std::string& path) : name_(path), file_(open_file(path)) {
  size_ = file_->stat().size;
}

TextSource::TextSource(std::string name, ReadOn read)
    : name_(std::move(name)), stream_(std::move(read)) {}

TextSource::~TextSource() = default;
TextSource::TextSource(TextSource&&) noexcept = default;

std::size_t TextSource::read(std::span<char> out) {
  if (!file_) return stream_ ? stream_(out) : 0;
  const std::size_t got = file_->read_at(offset_, std::as_writable_bytes(out));
  offset_ += got;
  return got;
}

void TextSource::fill(std::size_t bytes) {
  if (ended_ || end_ - begin_ >= bytes) return;
  if (bytes > kWindowBytesMax) {
    throw_error(ErrorCode::limit,
                "{}:{}: a record is longer than {} MiB; is a quote left open there?", name_, line_,
                kWindowBytesMax >> 20);
  }
  if (begin_ != 0) std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  if (buffer_.size() < bytes + 1) buffer_.resize(bytes + 1);  // and a line feed
  while (end_ < bytes && !ended_) {
    const std::size_t got = read(std::span(buffer_).subspan(end_, bytes - end_));
    end_ += got;
    ended_ = got == 0;
  }
  if (!std::exchange(begun_, true)) look_at_encoding();
  if (ended_ && end_ != begin_ && buffer_[end_ - 1] != '\n') buffer_[end_++] = '\n';
}

void TextSource::look_at_encoding() {
  const std::string_view text = window();
  if (text.starts_with("\xef\xbb\xbf")) begin_ += 3;
  const bool wide = text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff") ||
                    (text.size() >= 4 && text[1] == '\0' && text[3] == '\0' && text[0] != '\0');
  if (wide) {
    throw_error(ErrorCode::invalid_argument,
                "{} is UTF-16 or UTF-32, not UTF-8; convert it: iconv -f UTF-16 -t UTF-8", name_);
  }
  if (window().empty()) {
    throw_error(ErrorCode::invalid_argument, "{} is empty; there is nothing to import", name_);
  }
}

void TextSource::consume(std::size_t bytes) {
  const auto from = buffer_.begin() + std::ptrdiff_t(begin_);
  line_ += static_cast<std::uint64_t>(std::count(from, from + std::ptrdiff_t(bytes), '\n'));
  begin_ += bytes;
  done_ += bytes;
}

}  // namespace otolith::files
