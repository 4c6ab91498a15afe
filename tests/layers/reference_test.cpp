/// The library's reference: Doxygen makes it without a warning, and every public function in it says what it does and how it
/// fails.

#include <gtest/gtest.h>

#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace quarry::test {
namespace {

namespace tree = boost::property_tree;

/// All text below a node, in its order; attributes are none.
std::string text_of(const tree::ptree& node) {
  std::string text = node.data();
  for (const auto& [name, child] : node)
    if (name != "<xmlattr>") text += text_of(child) + ' ';
  return text;
}

std::string said_of(const tree::ptree& node) {
  std::string said;
  for (const char* part : {"briefdescription", "detaileddescription"})
    if (const auto found = node.get_child_optional(part)) said += text_of(*found);
  return said.find_first_not_of(" \n") == std::string::npos ? "" : said;
}

struct PublicFunction {
  std::string name;  ///< `quarry::jobs::find`
  std::string place;
  bool is_getter = false;  ///< `int port() const noexcept`: its name says it all
  bool cannot_throw = false;
  std::string said;
  std::string said_around;  ///< by its class and by the header's page
};

/// The reference, made once: what Doxygen said about it, and its functions.
class Reference {
 public:
  Reference() {
    made_ = run({.program = "sh",
                 .args = {"-c", "{ cat docs/Doxyfile; echo GENERATE_HTML=NO; echo OUTPUT_DIRECTORY=\"$0\"; } | doxygen -",
                          folder_.path().string()},
                 .directory = QUARRY_SOURCE_DIR},
                std::chrono::minutes(2));
    if (!made_.exit.ok()) return;
    std::vector<tree::ptree> documents;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "xml")) {
      if (entry.path().extension() != ".xml" || entry.path().filename() == "index.xml") continue;
      tree::read_xml(entry.path().string(), documents.emplace_back());
    }
    for (const auto& document : documents)
      if (const auto unit = document.get_child_optional("doxygen.compounddef"); unit && kind(*unit) == "file")
        pages_[unit->get<std::string>("location.<xmlattr>.file", "")] = said_of(*unit);
    for (const auto& document : documents)
      if (const auto unit = document.get_child_optional("doxygen.compounddef"); unit && kind(*unit) != "file")
        read_unit(*unit);
  }

  const Finished& made() const { return made_; }
  const std::map<std::string, PublicFunction>& functions() const { return functions_; }

 private:
  static std::string kind(const tree::ptree& node) { return node.get<std::string>("<xmlattr>.kind", ""); }

  void read_unit(const tree::ptree& unit) {
    const std::string name = unit.get<std::string>("compoundname", "");
    if (name.find("Codec<") != std::string::npos || name.starts_with("std::")) return;
    for (const auto& [section_name, section] : unit) {
      if (section_name != "sectiondef") continue;
      for (const auto& [member_name, member] : section)
        if (member_name == "memberdef" && kind(member) == "function") add(unit, name, member);
    }
  }

  void add(const tree::ptree& unit, const std::string& unit_name, const tree::ptree& member) {
    const std::string name = member.get<std::string>("name");
    const std::string arguments = member.get<std::string>("argsstring", "");
    const std::string type = text_of(member.get_child("type"));
    const bool is_constructor = type.find_first_not_of(" \n") == std::string::npos || type == "consteval";
    const bool is_special = is_constructor || name.starts_with("operator");
    if (is_special || member.get<std::string>("<xmlattr>.prot") != "public" ||
        arguments.find("=delete") != std::string::npos)
      return;
    if (member.get_child_optional("reimplements")) return;  // its base says it
    const std::string file = member.get<std::string>("location.<xmlattr>.file", "");
    PublicFunction function;
    function.name = unit_name + "::" + name;
    function.place = file + ":" + member.get<std::string>("location.<xmlattr>.line", "");
    function.cannot_throw = member.get<std::string>("<xmlattr>.noexcept", "") == "yes" ||
                            arguments.find("noexcept") != std::string::npos || type.starts_with("consteval");
    function.is_getter = function.cannot_throw && arguments.starts_with("()");
    function.said = said_of(member);
    function.said_around = said_of(unit) + pages_[file];
    functions_[member.get<std::string>("<xmlattr>.id")] = std::move(function);
  }

  TempDir folder_;
  Finished made_;
  std::map<std::string, std::string> pages_;
  std::map<std::string, PublicFunction> functions_;
};

const Reference& reference() {
  static const Reference made;
  return made;
}

TEST(Reference, IsMadeWithoutAWarning) {
  EXPECT_TRUE(reference().made().exit.ok()) << reference().made().err << "\n(doxygen is one of script/setup's packages)";
}

TEST(Reference, EveryPublicFunctionSaysWhatItDoes) {
  ASSERT_GT(reference().functions().size(), 300U);
  std::set<std::string> explained;  // overloads share their words
  for (const auto& [id, function] : reference().functions())
    if (!function.said.empty()) explained.insert(function.name);
  for (const auto& [id, function] : reference().functions())
    EXPECT_TRUE(function.is_getter || explained.contains(function.name))
        << "include/" << function.place << ": " << function.name << " has no words of its own above it";
}

TEST(Reference, EveryPublicFunctionSaysHowItFails) {
  static const std::regex about_errors(R"(\b([Ee]rrors?|[Tt]hrows?|[Nn]ever fails)\b)");
  for (const auto& [id, function] : reference().functions())
    EXPECT_TRUE(function.cannot_throw || std::regex_search(function.said + function.said_around, about_errors))
        << "include/" << function.place << ": neither " << function.name << " nor its header's page names its errors";
}

}  // namespace
}  // namespace quarry::test
