#include "line_editor.h"

#include <dlfcn.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cwchar>
#include <optional>
#include <vector>

namespace otolith::bin {

namespace {

volatile std::sig_atomic_t pressed = 0;

constexpr int kHistoryLines = 1000;
constexpr int kLookMs = 100;
constexpr std::size_t kWidth = 80;  // of lists of completions

// Of histedit.h, whose numbers are part of libedit.so.2.
constexpr int kPrompt = 0;
constexpr int kEditor = 2;
constexpr int kSignal = 3;
constexpr int kBind = 4;
constexpr int kAddFunction = 9;
constexpr int kHistory = 10;
constexpr int kGetCharacter = 13;
constexpr unsigned char kRefresh = 4;
constexpr unsigned char kBeep = 6;
constexpr unsigned char kRedisplay = 8;
constexpr int kSetSize = 1;
constexpr int kEnter = 10;
constexpr int kLoad = 17;
constexpr int kSave = 18;
constexpr int kSetUnique = 20;

struct LineInfo {
  const char* buffer;
  const char* cursor;
  const char* last;
};
struct Event {
  int number;
  const char* text;
};

// The byte at the terminal; 0 at its end, -1 where Ctrl-C was pressed: looked for now and then,
// since libedit's own handlers let a read go on behind a signal.
int read_byte(char& out) {
  for (;;) {
    pollfd terminal{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&terminal, 1, kLookMs);
    if (pressed != 0) return -1;
    if (ready <= 0) continue;
    const ssize_t got = ::read(STDIN_FILENO, &out, 1);
    if (got >= 0) return static_cast<int>(got);
    if (errno != EINTR) return 0;
  }
}

// For libedit, which reads on by itself after a signal.
int read_character(void* /*editor*/, wchar_t* out) {
  std::mbstate_t state{};
  for (;;) {
    char byte = 0;
    if (const int got = read_byte(byte); got <= 0) return got;
    const std::size_t used = std::mbrtowc(out, &byte, 1, &state);
    if (used <= 1) return 1;
    if (used == static_cast<std::size_t>(-1)) state = {};
  }
}

std::string common_start(const std::vector<std::string>& texts) {
  std::string out = texts.front();
  for (const std::string& text : texts) {
    const auto [differs, other] = std::ranges::mismatch(out, text);
    out.erase(differs, out.end());
  }
  return out;
}

void show_in_columns(const std::vector<std::string>& texts) {
  std::size_t widest = 0;
  for (const std::string& text : texts) widest = std::max(widest, text.size());
  const std::size_t columns = std::max<std::size_t>(1, kWidth / (widest + 2));
  std::fputc('\n', stdout);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const bool last = (i + 1) % columns == 0 || i + 1 == texts.size();
    std::fprintf(stdout, "%-*s%s", static_cast<int>(widest + 2), texts[i].c_str(),
                 last ? "\n" : "");
  }
  std::fflush(stdout);
}

}  // namespace

class LineEditor::Libedit {
 public:
  // nullptr where libedit is not there, or has another face.
  static std::unique_ptr<Libedit> load(const std::string& history) {
    void* const library = ::dlopen("libedit.so.2", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return nullptr;
    std::unique_ptr<Libedit> out(new Libedit(library, history));
    return out->editor_ == nullptr ? nullptr : std::move(out);
  }

  ~Libedit() {
    if (editor_ == nullptr) return;
    history_end_(past_);
    end_(editor_);
  }
  Libedit(const Libedit&) = delete;
  Libedit& operator=(const Libedit&) = delete;

  // nullopt at the end, and where Ctrl-C was pressed.
  std::optional<std::string> line(const cli::LineAsked& asked) {
    asked_ = &asked;
    int count = 0;
    const char* const text = gets_(editor_, &count);
    asked_ = nullptr;
    if (text == nullptr || count <= 0) return std::nullopt;
    std::string out(text, static_cast<std::size_t>(count));
    remember(out);
    if (out.ends_with('\n')) out.pop_back();
    return out;
  }

 private:
  Libedit(void* library, const std::string& file) : file_(file) {
    const bool all =
        find(library, "el_init", init_) && find(library, "el_end", end_) &&
        find(library, "el_set", set_) && find(library, "el_gets", gets_) &&
        find(library, "el_line", line_) && find(library, "el_insertstr", insert_) &&
        find(library, "el_deletestr", delete_) && find(library, "history_init", history_init_) &&
        find(library, "history_end", history_end_) && find(library, "history", history_);
    if (!all) return;
    std::setlocale(LC_CTYPE, "");
    editor_ = init_("otolith", stdin, stdout, stderr);
    if (editor_ != nullptr) set_up(library);
  }

  template <typename Called>
  static bool find(void* library, const char* name, Called& out) {
    out = reinterpret_cast<Called>(::dlsym(library, name));
    return out != nullptr;
  }

  void set_up(void* library) {
    past_ = history_init_();
    Event event{};
    history_(past_, &event, kSetSize, kHistoryLines);
    history_(past_, &event, kSetUnique, 1);
    if (!file_.empty()) history_(past_, &event, kLoad, file_.c_str());
    only_ = this;
    set_(editor_, kPrompt, &prompt);
    set_(editor_, kEditor, "emacs");
    set_(editor_, kSignal, 1);
    set_(editor_, kHistory, ::dlsym(library, "history"), past_);
    set_(editor_, kGetCharacter, &read_character);
    set_(editor_, kAddFunction, "otolith-complete", "completes a word", &complete);
    set_(editor_, kBind, "^I", "otolith-complete", nullptr);
    set_(editor_, kBind, "^R", "em-inc-search-prev", nullptr);
  }

  void remember(const std::string& line) {
    if (line.find_first_not_of(" \t\n") == std::string::npos) return;
    Event event{};
    history_(past_, &event, kEnter, line.c_str());
    if (!file_.empty()) history_(past_, &event, kSave, file_.c_str());
  }

  static const char* prompt(void* /*editor*/) { return only_->asked_->prompt.c_str(); }
  static unsigned char complete(void* /*editor*/, int /*key*/) { return only_->complete_word(); }

  unsigned char complete_word() {
    const LineInfo* const now = line_(editor_);
    const std::string before(now->buffer, now->cursor);
    const std::vector<std::string> found = asked_->completions(before);
    if (found.empty()) return kBeep;
    const std::size_t word = before.size() - (before.find_last_of(" \t") + 1);
    std::string start = common_start(found);
    if (found.size() == 1) start += ' ';
    if (start.size() > word) {
      delete_(editor_, static_cast<int>(word));
      insert_(editor_, start.c_str());
      return kRefresh;
    }
    show_in_columns(found);
    return kRedisplay;
  }

  static inline Libedit* only_ = nullptr;  // libedit calls functions of its own kind

  const std::string file_;
  const cli::LineAsked* asked_ = nullptr;
  void* editor_ = nullptr;
  void* past_ = nullptr;
  void* (*init_)(const char*, std::FILE*, std::FILE*, std::FILE*) = nullptr;
  void (*end_)(void*) = nullptr;
  int (*set_)(void*, int, ...) = nullptr;
  const char* (*gets_)(void*, int*) = nullptr;
  const LineInfo* (*line_)(void*) = nullptr;
  int (*insert_)(void*, const char*) = nullptr;
  void (*delete_)(void*, int) = nullptr;
  void* (*history_init_)() = nullptr;
  void (*history_end_)(void*) = nullptr;
  int (*history_)(void*, Event*, int, ...) = nullptr;
};

LineEditor::LineEditor(std::string history)
    : history_(std::move(history)), libedit_(Libedit::load(history_)) {}
LineEditor::~LineEditor() = default;

namespace {

// A line as the terminal gives it.
std::optional<std::string> plain_line(const std::string& prompt) {
  std::fputs(prompt.c_str(), stdout);
  std::fflush(stdout);
  std::string out;
  char byte = 0;
  while (read_byte(byte) == 1) {
    if (byte == '\n') return out;
    out += byte;
  }
  if (out.empty() || pressed != 0) return std::nullopt;
  return out;
}

}  // namespace

cli::Line LineEditor::line(const cli::LineAsked& asked) {
  std::fflush(stdout);
  interrupted();
  auto text = libedit_ ? libedit_->line(asked) : plain_line(asked.prompt);
  if (text) return {cli::Line::Kind::text, *std::move(text)};
  std::fputc('\n', stdout);
  return {interrupted() ? cli::Line::Kind::cancelled : cli::Line::Kind::end, {}};
}

void catch_interrupts() {
  struct sigaction action{};
  action.sa_handler = [](int) { pressed = 1; };
  ::sigaction(SIGINT, &action, nullptr);  // a read that waits ends by it
}

bool interrupted() {
  const bool out = pressed != 0;
  pressed = 0;
  return out;
}

}  // namespace otolith::bin
