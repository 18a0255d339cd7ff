// `inspect` and the command line, on real directories, sound and damaged.
#include "otolith/inspect.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/hash.h"
#include "test/inspect/kept.h"

namespace otolith::test {

namespace {

const ColumnLayout& column(const SegmentLayout& segment, const std::string& name) {
  return *std::ranges::find(segment.columns, name, &ColumnLayout::name);
}

}  // namespace

TEST_CASE("inspect: a database shows its segments, columns, codecs and where the bytes are") {
  Kept kept;
  const Inspection found = inspect(kept.path);
  CHECK(found.is_database);
  CHECK_FALSE(found.verified);
  CHECK(found.problems.empty());
  CHECK(found.status->datasets.at("readings").rows == kRows);
  REQUIRE(found.segments.size() == 1);
  const SegmentLayout& segment = found.segments[0];
  CHECK(segment.dataset == "readings");
  CHECK(segment.rows == kRows);
  CHECK(segment.row_groups == 2);
  CHECK(segment.partitions == 1);
  CHECK(segment.bytes == segment.data_bytes + segment.index_bytes + segment.frame_bytes);
  std::uint64_t bytes = 0;
  for (const ColumnLayout& each : segment.columns) {
    std::uint64_t chunks = 0;
    std::uint64_t used = 0;
    for (const CodecUse& use : each.codecs) chunks += use.chunks, used += use.bytes;
    CHECK(chunks == 2);
    CHECK(used == each.validity_bytes + each.shared_bytes + each.values_bytes);
    CHECK(each.bits_per_value == doctest::Approx(double(used) * 8 / kRows));
    CHECK(each.zero_copy == ZeroCopy::none);
    bytes += used;
  }
  CHECK(bytes <= segment.data_bytes);
  CHECK(column(segment, "time").codecs.front().codec == "linear v1");
  CHECK(column(segment, "count").nulls == kRows / 10);
  CHECK(holds(found.text(), "linear v1"));
}

TEST_CASE("inspect: plain columns say what is zero-copy, in NumPy and in Arrow") {
  Kept kept("raw");
  const Inspection found = inspect(kept.path, {.verify = true});
  const SegmentLayout& segment = found.segments.at(0);
  CHECK(segment.verified);
  CHECK(column(segment, "time").zero_copy == ZeroCopy::numpy);
  CHECK(column(segment, "time").bits_per_value == 64);
  CHECK(column(segment, "count").zero_copy == ZeroCopy::arrow);   // nulls
  CHECK(column(segment, "sensor").zero_copy == ZeroCopy::arrow);  // text
}

TEST_CASE("inspect: one segment is named by path, name or id, or looked at as a file of its own") {
  Kept kept;
  const std::string name = kept.file.substr(kept.file.rfind('/') + 1);
  const std::string id = name.substr(0, name.find('.'));
  for (const std::string& word : {kept.file, name, id}) {
    CHECK(inspect(kept.path, {.file = word}).segments.size() == 1);
  }
  CHECK_THROWS_WITH_AS(inspect(kept.path, {.file = "nothing"}), doctest::Contains("has no file"),
                       Error);
  const Inspection alone = inspect(kept.path + "/" + kept.file, {.verify = true});
  CHECK_FALSE(alone.is_database);
  CHECK(alone.segments.at(0).verified);
  CHECK(alone.segments[0].columns[0].name.empty());
  CHECK(holds(alone.text(), "column 1"));
  CHECK_THROWS_AS(inspect(kept.path + "/" + kept.file, {.file = "x"}), Error);
}

TEST_CASE("inspect: what is no database and no file of one is refused by kind") {
  Kept kept;
  const auto code_of = [](const std::string& path) {
    try {
      inspect(path);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::limit;
  };
  CHECK(code_of(kept.folder.path("missing")) == ErrorCode::not_found);
  CHECK(code_of(kept.path + "/log/missing/deeper") == ErrorCode::not_found);
  CHECK(code_of("") == ErrorCode::invalid_argument);
  CHECK(code_of(kept.path + "/log") == ErrorCode::invalid_argument);
  kept.write("notes.txt", Bytes(100));
  CHECK(code_of(kept.path + "/notes.txt") == ErrorCode::invalid_argument);
  Bytes newer = kept.read(kept.file);
  newer[8] = std::byte{2};
  store_le(&newer[152], xxh3(BytesView(newer).first(152)));
  kept.write(kept.file, newer);
  CHECK(code_of(kept.path + "/" + kept.file) == ErrorCode::unsupported_format);
}

TEST_CASE("inspect: damage is told by file and byte, and the rest is shown") {
  Kept kept;
  kept.flip(kept.file, 500);  // in the data
  CHECK(inspect(kept.path).problems.empty());
  const Inspection page = inspect(kept.path, {.verify = true});
  REQUIRE(page.problems.size() == 1);
  CHECK(page.problems[0].where.file == kept.file);
  CHECK(page.problems[0].where.offset.has_value());
  CHECK(page.problems[0].where.commits == std::vector<std::uint64_t>{2});
  CHECK(page.segments.at(0).columns.size() == 4);
  CHECK_FALSE(page.segments[0].verified);
  CHECK(holds(page.text(), "verified, but for what is told above"));
  kept.flip(kept.file, kept.read(kept.file).size() - 40);  // in the footer
  const Inspection footer = inspect(kept.path);
  CHECK(footer.segments.empty());
  REQUIRE(footer.problems.size() == 1);
  CHECK(holds(footer.problems[0].what, "footer"));
  CHECK_FALSE(footer.problems[0].where.commits.empty());
}

TEST_CASE("inspect: names of files that are not ours cannot speak to the terminal") {
  Kept kept;
  kept.write("\x1b[2Jforeign\n", Bytes(1));
  const Inspection found = inspect(kept.path);
  CHECK(found.status->foreign.size() == 1);
  CHECK(holds(found.text(), "not ours: \\x1b[2Jforeign\\x0a\n"));
  CHECK(holds(found.json(), "\\u001b[2Jforeign\\n"));
  CHECK(std::ranges::count(found.json(), '\n') == 0);
}

TEST_CASE("inspect: a database whose log does not open still shows its segments") {
  Kept kept;
  kept.flip("OTOLITH", 30);
  const Inspection found = inspect(kept.path, {.verify = true});
  CHECK_FALSE(found.status.has_value());
  CHECK(found.problems.size() == 1);
  REQUIRE(found.segments.size() == 1);
  CHECK(found.segments[0].rows == kRows);
}

TEST_CASE("command line: inspect writes text or JSON, and its exit code says how it went") {
  Kept kept;
  const Ran text = command({"inspect", kept.path});
  CHECK(text.code == cli::kDone);
  CHECK(text.err.empty());
  CHECK(text.out == inspect(kept.path).text());
  CHECK(text.out.find('\x1b') == std::string::npos);
  const Ran json = command({"inspect", kept.path, kept.file, "--json", "--verify"});
  CHECK(json.code == cli::kDone);
  CHECK(holds(json.out, "\"dataset\": \"readings\""));
  CHECK(holds(json.out, "\"problems\": []"));
  CHECK(command({"inspect", kept.path + "/" + kept.file}).code == cli::kDone);
  kept.flip(kept.file, 500);
  const Ran damaged = command({"inspect", kept.path, "--verify"});
  CHECK(damaged.code == cli::kBad);
  CHECK(holds(damaged.out, "damage: page "));
  CHECK(holds(damaged.out, kept.file));
}

TEST_CASE("command line: wrong usage is 2, an error is 3 with its code in message and JSON") {
  Folder folder;
  CHECK(command({}).code == cli::kUsage);
  CHECK(holds(command({}).err, "otolith: give a verb; `otolith --help`"));
  CHECK(holds(command({"--csv"}).err, "\"--csv\"; `otolith --help`"));
  CHECK(command({"inspect"}).code == cli::kUsage);
  CHECK(command({"inspct", "x"}).code == cli::kUsage);
  CHECK(holds(command({"inspct", "x"}).err, "\"inspct\""));
  CHECK(command({"inspect", "x", "y", "z"}).code == cli::kUsage);
  for (const auto& words : {std::vector<std::string>{"inspect"},
                            {"inspect", "x", "--csv"},
                            {"inspect", "x", "y", "z"},
                            {"inspect", "x", "--csv\x1b[2J"}}) {
    const Ran ran = command(words);
    CHECK(ran.code == cli::kUsage);
    CHECK(ran.out.empty());
    CHECK(ran.err.starts_with("otolith inspect: "));
    CHECK(holds(ran.err, "`otolith inspect --help`"));
    CHECK(std::ranges::count(ran.err, '\n') == 1);
    CHECK_FALSE(holds(ran.err, "\x1b"));
  }
  const Ran help = command({"inspect", "--help"});
  CHECK(help.code == cli::kDone);
  CHECK(holds(help.out, "--verify"));
  CHECK(holds(command({"--help"}).out, "inspect"));
  CHECK(holds(command({"--version"}).out, "otolith "));
  const Ran missing = command({"inspect", folder.path("no\"ne\n"), "--json"});
  CHECK(missing.code == cli::kError);
  CHECK(missing.err.starts_with("otolith inspect: not_found: "));
  CHECK(holds(missing.err, R"(no\"ne\x0a")"));
  CHECK(holds(missing.out, R"({"error": {"code": "not_found")"));
  CHECK(std::ranges::count(missing.out, '\n') == 1);
}

TEST_CASE("inspect: segments that compact parted say of which side they are, as of which commit") {
  const Kept kept;
  CHECK(inspect(kept.path).segments.at(0).side.empty());
  CHECK(holds(inspect(kept.path).json(), R"("side": null, "base": null)"));
  {
    Database db = Database::open(kept.path);
    db.table("readings").remove({.stop = Timestamp{kRows / 2}});
    db.compact();
    CHECK(db.status().datasets.at("readings").segments == 2);
    CHECK(db.status().datasets.at("readings").past_segments == 1);
  }
  const Inspection found = inspect(kept.path);
  REQUIRE(found.segments.size() == 2);
  for (const SegmentLayout& segment : found.segments) {
    CHECK(segment.base == 3);
    CHECK(segment.side == (segment.time_min.ns == 0 ? "past" : "present"));
  }
  CHECK(holds(found.text(), "  present as of commit 3\n"));
  CHECK(holds(found.text(), "  past as of commit 3\n"));
  CHECK(holds(found.text(), "2 segments (1 past) of "));
  CHECK(holds(found.json(), R"("side": "past", "base": 3)"));
  CHECK(holds(found.json(), R"("segments": 2, "past_segments": 1)"));
  CHECK(holds(command({"status", kept.path, "--json"}).out, R"("past_segments": 1)"));
}

}  // namespace otolith::test
