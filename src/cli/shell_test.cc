// The shell, by its script door and by a terminal of the test's making.
#include <doctest/doctest.h>

#include <deque>

#include "cli/shell_completion.h"
#include "cli/shell_words.h"
#include "otolith/error.h"
#include "test/door.h"

using namespace otolith;
using namespace otolith::cli;
using namespace otolith::test;

namespace {

using Texts = std::vector<std::string>;

Ran script(const World& world, const std::string& text) {
  return Door{.input = text}({"shell", world.db});
}

// A terminal at which these lines are typed.
Ran typed(const World& world, std::deque<Line> lines, const std::function<void()>& tick = {}) {
  Ran ran;
  const auto line = [&](const LineAsked& asked) {
    ran.out += asked.prompt;
    if (lines.empty()) return Line{};
    Line next = lines.front();
    lines.pop_front();
    return next;
  };
  ran.code = cli::run({"shell", world.db}, {.out = [&](std::string_view text) { ran.out += text; },
                                            .err = [&](std::string_view text) { ran.err += text; },
                                            .width = 80,
                                            .line = line,
                                            .tick = tick});
  return ran;
}

Line text(std::string line) { return {Line::Kind::text, std::move(line)}; }

}  // namespace

TEST_CASE("shell words: quotes and backslashes are those of a POSIX shell") {
  CHECK(*shell_words(R"(a 'b c' "d \"e\" \n" f\ g ''  # h)") ==
        Texts{"a", "b c", R"(d "e" \n)", "f g", ""});
  CHECK(*shell_words("a'b'\"c\"#d $x *|>") == Texts{"ab"
                                                    "c#d",
                                                    "$x", "*|>"});
  CHECK(*shell_words("a \\\n b\\\nc \"d\\\ne\" 'f\ng' # h\ni") ==
        Texts{"a", "bc", "de", "f\ng", "i"});
  CHECK(shell_words("")->empty());
  CHECK(shell_words("  # nothing")->empty());
  for (const char* open : {"'a", "\"a", "a\\", "'", "\"\\\""}) CHECK_FALSE(shell_words(open));
  for (const char* word : {"a", "", "a b", "it's", "\\", "#", "a\nb", "\""})
    CHECK(*shell_words(shell_quoted(word)) == Texts{word});
}

TEST_CASE("shell: a script runs verbs without the database, and stops at the first error") {
  const World world;
  world.fill();
  const Ran ran = script(world,
                         "# a comment, and an empty line\n\n"
                         "put notes '{\"_id\": \"a\", \"text\": \"it is\"}' \\\n  -m 'two words'\n"
                         "get notes a\n"
                         "query quotes --where 'symbol = '\\''MSFT'\\''' --csv");
  CHECK(ran.code == kDone);
  CHECK(ran.err.empty());
  CHECK(holds(ran.out, "notes: 1 document put in commit 4\n{\"_id\":\"a\",\"text\":\"it is\"}\n"));
  CHECK(holds(ran.out, "MSFT"));
  CHECK(holds(command({"log", world.db, "-n", "1"}).out, "two words"));

  const Ran wrong = script(world, "tag first\n\nget notes zz\ntag second\n");
  CHECK(wrong.code == kError);
  CHECK(holds(wrong.err, "otolith get: not_found"));
  CHECK(holds(wrong.err, "otolith shell: stopped at line 3, with exit code 3\n"));
  CHECK(holds(command({"tag", world.db}).out, "first"));
  CHECK_FALSE(holds(command({"tag", world.db}).out, "second"));
}

TEST_CASE("shell: what a script cannot mean is refused, and exit ends it") {
  const World world;
  world.fill();
  CHECK(script(world, "tag a\nexit\ntag b\n").code == kDone);
  CHECK_FALSE(holds(command({"tag", world.db}).out, "b "));
  CHECK(script(world, "hed quotes\n").code == kUsage);
  CHECK(holds(script(world, "hed quotes\n").err, "did you mean \"head\"?"));
  CHECK(script(world, "shell x.oto\n").code == kUsage);
  const Ran open = script(world, "log\nget notes 'a\n\n");
  CHECK(open.code == kUsage);
  CHECK(holds(open.err, "a quote is not closed\notolith shell: stopped at line 2"));
  CHECK(holds(script(world, "put notes\n").err, "standard input is the shell's own"));
  CHECK(script(world, "diff --exit-code\n").code == kBad);
  CHECK(holds(script(world, "help head\n").out, "The first rows of a table"));
  CHECK(script(world, "").code == kDone);
}

TEST_CASE("shell: at a terminal errors end nothing, Ctrl-C gives a line up, documents are pretty") {
  const World world;
  world.fill();
  const Ran ran = typed(world, {text("get notes zz"),
                                text("put notes '{\"_id\": \"a\","),
                                text("\"n\": 1}'"),
                                text("put notes '{\"_id\": "),
                                {Line::Kind::cancelled, ""},
                                text("get notes a")});
  CHECK(ran.code == kDone);
  CHECK(holds(ran.err, "not_found"));
  CHECK(holds(ran.out, "> notes: 1 document put in commit 4\n"));
  CHECK(holds(ran.out, "{\n  \"_id\": \"a\",\n  \"n\": 1\n}\n"));
  CHECK(holds(typed(world, {text("get notes a --json")}).out, "{\"_id\":\"a\",\"n\":1}"));
}

TEST_CASE("shell: Ctrl-C stops the command that runs, and the shell goes on") {
  const World world;
  world.fill();
  bool pressed = true;
  const auto tick = [&] {
    if (!std::exchange(pressed, false)) return;
    throw Error(ErrorCode::cancelled, "stopped by Ctrl-C");
  };
  const Ran ran = typed(world, {text("verify"), text("tag still-here")}, tick);
  CHECK(ran.code == kDone);
  CHECK(holds(ran.err, "cancelled: stopped by Ctrl-C"));
  CHECK(holds(command({"tag", world.db}).out, "still-here"));
}

TEST_CASE("shell: completes verbs, options, choices, datasets and commits") {
  const World world;
  world.fill();
  CHECK(command({"put", world.db, "my notes", "{}"}).code == kDone);
  CHECK(command({"tag", world.db, "v1"}).code == kDone);
  const auto found = [&](const char* line) { return shell_completions(world.db, line); };
  CHECK(found("he") == Texts{"head", "help"});
  CHECK(found("  ex") == Texts{"exit", "export"});
  CHECK(found("head ") == Texts{"'my notes'", "quotes"});
  CHECK(found("head q") == Texts{"quotes"});
  CHECK(found("head quotes ").empty());
  CHECK(found("head -n 3 q") == Texts{"quotes"});
  CHECK(found("head quotes --js") == Texts{"--json"});
  CHECK(found("head quotes --nan ") == Texts{"null", "text"});
  CHECK(found("head quotes --at ") == Texts{"HEAD", "HEAD~1", "v1"});
  CHECK(found("diff v") == Texts{"v1"});
  CHECK(found("diff v1 HEAD q") == Texts{"quotes"});
  CHECK(found("help pu") == Texts{"put"});
  CHECK(found("nothing ").empty());
  CHECK(found("get 'a ").empty());
  CHECK(shell_completions("no/such.oto", "head ").empty());
}
