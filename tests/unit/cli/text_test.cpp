#include "cli/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/table.hpp"
#include "quarry/core/error.hpp"

namespace quarry::cli {
namespace {

using namespace std::chrono_literals;

TEST(Printable, LeavesTextAlone) { EXPECT_EQ(printable("Käse — 漢字 🦊"), "Käse — 漢字 🦊"); }

TEST(Printable, MakesOneLine) { EXPECT_EQ(printable("  one\n\ttwo\r\n three  "), "one two three"); }

TEST(Printable, DisarmsTerminalsControls) {
  EXPECT_EQ(printable("a\x1b[31mred"), "a\xEF\xBF\xBD[31mred");
  EXPECT_EQ(printable("a\xC2\x9B"
                      "31m"),
            "a\xEF\xBF\xBD"
            "31m");  // CSI as one C1 control
  EXPECT_EQ(printable("a\xE2\x80\xAE"
                      "b"),
            "a\xEF\xBF\xBD"
            "b");                                                                // right-to-left override
  EXPECT_EQ(printable("\xff\xC3"), "\xEF\xBF\xBD\xEF\xBF\xBD");                  // no UTF-8
  EXPECT_EQ(printable("\xED\xA0\x80").find("\xED\xA0\x80"), std::string::npos);  // a surrogate
}

TEST(ValidUtf8, ReplacesWhatIsNone) {
  EXPECT_EQ(valid_utf8("Käse\n\x1b 漢字 🦊"), "Käse\n\x1b 漢字 🦊");
  EXPECT_EQ(valid_utf8("\"\xE2\x82\",\xFF\xED\xA0\x80"),
            "\"\xEF\xBF\xBD\",\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(valid_utf8(""), "");
}

TEST(DisplayWidth, CountsColumns) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("Käse"), 4U);
  EXPECT_EQ(display_width("漢字"), 4U);
  EXPECT_EQ(display_width("e\xCC\x81"), 1U);  // a combining accent
  EXPECT_EQ(display_width(""), 0U);
}

TEST(Fit, EndsInAnEllipsis) {
  EXPECT_EQ(fit("lithium", 7), "lithium");
  EXPECT_EQ(fit("lithium", 4), "lit…");
  EXPECT_EQ(fit("漢字漢字", 5), "漢字…");
  EXPECT_EQ(fit("漢字漢字", 4), "漢…");
  EXPECT_EQ(fit("x", 0), "");
}

TEST(Human, Bytes) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1'000), "1.0 kB");
  EXPECT_EQ(human_bytes(999'960), "1.0 MB");
  EXPECT_EQ(human_bytes(1'500'000), "1.5 MB");
  EXPECT_EQ(human_bytes(INT64_MAX), "9.2 EB");
}

TEST(Human, Counted) {
  EXPECT_EQ(counted(0, "task"), "0 tasks");
  EXPECT_EQ(counted(1, "task"), "1 task");
  EXPECT_EQ(counted(2, "entry", "entries"), "2 entries");
}

TEST(Human, Durations) {
  EXPECT_EQ(human_duration(850ms), "850 ms");
  EXPECT_EQ(human_duration(12'300ms), "12.3 s");
  EXPECT_EQ(human_duration(245s), "4 min 05 s");
  EXPECT_EQ(human_duration(200min), "3 h 20 min");
  EXPECT_EQ(human_duration(50h), "2 d 02 h");
}

TEST(Human, Times) { EXPECT_EQ(human_time(Instant{1'772'366'400'000'000}), "2026-03-01 12:00:00Z"); }

TEST(TableText, AlignsByWidthAndNotByBytes) {
  Table table({{"NAME"}, {"N", Align::right}});
  table.row({"Käse", "1"});
  table.row({"漢字", "1000"});
  EXPECT_EQ(table.to_text(std::nullopt),
            "NAME     N\n"
            "Käse     1\n"
            "漢字  1000\n");
}

TEST(TableText, TheWidestColumnGivesWayToTheTerminal) {
  Table table({{"ID"}, {"TITLE"}});
  table.row({"1", "a title that is much too long"});
  EXPECT_EQ(table.to_text(14), "ID  TITLE\n1   a title t…\n");
  EXPECT_NE(table.to_text(std::nullopt).find("too long"), std::string::npos);
  for (const auto width : {1U, 5U, 9U}) EXPECT_FALSE(table.to_text(width).empty());
}

TEST(TableText, IdsAndHashesAreNeverCut) {
  const std::string id = "01a1fe48-8fbe-7d70-b84d-d7b30d822b90";
  Table table({{"JOB"}, {"TITLE"}});
  table.row({id, "a title that is much too long"});
  table.row({"-", "short"});
  for (const auto width : {10U, 40U, 50U}) EXPECT_NE(table.to_text(width).find(id), std::string::npos) << width;
  EXPECT_EQ(table.to_text(50), "JOB                                   TITLE\n" + id + "  a title tha…\n" +
                                   "-                                     short\n");
  Table named({{"BACKUP", Align::left, Room::whole}});
  named.row({"20261121T132610.658069Z-0408d8a6"});
  EXPECT_NE(named.to_text(10).find("0408d8a6"), std::string::npos);
}

TEST(TableText, SentencesGoOnInTheNextLine) {
  Table table({{"CHECK"}, {"FOUND", Align::left, Room::wrapped}});
  table.row({"engine", "a checkpoint that overlaps a commit can corrupt the file -> use a newer one"});
  table.row({"pool", "idle"});
  EXPECT_EQ(table.to_text(44),
            "CHECK   FOUND\n"
            "engine  a checkpoint that overlaps a commit\n"
            "        can corrupt the file -> use a newer\n"
            "        one\n"
            "pool    idle\n");
  EXPECT_EQ(table.to_text(std::nullopt),
            "CHECK   FOUND\n"
            "engine  a checkpoint that overlaps a commit can corrupt the file -> use a newer one\n"
            "pool    idle\n");
}

TEST(Text, InLines) {
  EXPECT_THAT(in_lines("one two  three", 7), testing::ElementsAre("one two", "three"));
  EXPECT_THAT(in_lines("incomprehensible it is", 5), testing::ElementsAre("incomprehensible", "it is"));
  EXPECT_THAT(in_lines("", 5), testing::ElementsAre(""));
}

TEST(TableText, ARowOfAnotherLengthIsABug) {
  Table table({{"ONE"}});
  EXPECT_THROW(table.row({"1", "2"}), Error);
}

TEST(FieldsText, AlignsValues) {
  Fields fields;
  fields.add("a", "1");
  fields.add("long name", "2\n3");
  fields.add_if("none", std::nullopt);
  EXPECT_EQ(fields.to_text(), "a          1\nlong name  2 3\n");
}

}  // namespace
}  // namespace quarry::cli
