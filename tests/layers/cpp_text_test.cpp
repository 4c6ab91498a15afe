/// The measuring tools, measured: a rule that cannot fail is none.

#include <gtest/gtest.h>

#include "layers/source_tree.hpp"

namespace quarry::test {
namespace {

TEST(CppText, BlanksCommentsStringsAndDirectivesAndKeepsTheRest) {
  EXPECT_EQ(code_only("int a; // {\nint b;"), "int a;     \nint b;");
  EXPECT_EQ(code_only("f(\"}\\\"{\", '{');"), "f(      ,    );");
  EXPECT_EQ(code_only("a /* { \n } */ b"), "a      \n      b");
  EXPECT_EQ(code_only("#define X { \\\n }\nint c;"), "             \n  \nint c;");
  EXPECT_EQ(code_only("auto s = R\"q(\"{)q\"; x"), "auto s =          ; x");
  EXPECT_EQ(code_only("n = 1'000'000; g('x');"), "n = 1'000'000; g(   );");
}

TEST(CppText, MeasuresFunctions) {
  const auto functions = functions_of(
      "namespace a {\n"
      "struct S : Base {\n"
      "  S(int x) : x_{x}, y_(2) {\n"
      "    call({1, 2});\n"
      "  }\n"
      "  int x_ = {3};\n"
      "};\n"
      "std::array<int, 2> table{1,\n 2};\n"
      "template <class T>\n"
      "void f(T t) {\n"
      "  if (t) {\n"
      "  }\n"
      "}\n"
      "TEST(A, B) {\n"
      "}\n"
      "}\n");
  ASSERT_EQ(functions.size(), 4u);  // the initialiser in braces counts as one of a single line
  EXPECT_EQ(functions[1].length(), 3);
  EXPECT_EQ(functions[2].first_line, 11);
  EXPECT_EQ(functions[2].length(), 4);
  EXPECT_EQ(functions[3].length(), 2);
}

TEST(CppText, DoesNotCountTheLinesOfATable) {
  const auto functions = functions_of("void f() {\n  const int table[] = {\n    1,\n    {2},\n  };\n  g();\n}\n");
  ASSERT_EQ(functions.size(), 1u);
  EXPECT_EQ(functions[0].length(), 4);
}

TEST(CppText, FindsIncludes) {
  const SourceFile file{"src/queue/claim.cpp", "#include \"quarry/core/id.hpp\"\n// #include <no>\n  #  include <vector>\n"};
  const auto includes = includes_of(file);
  ASSERT_EQ(includes.size(), 2u);
  EXPECT_EQ(includes[0].path, "quarry/core/id.hpp");
  EXPECT_TRUE(includes[0].quoted);
  EXPECT_EQ(includes[1].path, "vector");
  EXPECT_EQ(includes[1].line, 3);
  EXPECT_EQ(file.part(), "queue");
}

}  // namespace
}  // namespace quarry::test
