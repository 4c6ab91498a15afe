#pragma once
/// Applies a job's config to a page: items by its fields, and the links to follow.
///
///     const Extractor extractor(config);                       // once per job
///     const auto items = extractor.items(document, page_url);
///     for (const Url& url : extractor.links(document, page_url)) ...
///
/// **Items.** One object for each element that the container selector finds, or one for the whole page if there is no
/// container selector; none if there are no fields. The keys are the fields in their order. A field takes the first match
/// inside its container (all matches, as an array, if `multiple`); without a selector it takes the container itself. A
/// value is missing if nothing matches, if a text is empty, if the attribute is not there, or if a link is no URL that
/// can be fetched. What is missing becomes the field's default, else `null` (`[]` if `multiple`); if the field is
/// `required`, the whole item is left out and counted.
///
/// **Links.** What the follow selector finds, resolved against the page's base, each once, in order; without links marked
/// `rel=nofollow`, without any if the page says `nofollow` (both only if the job obeys robots), and only those that the
/// scope and the patterns admit. Depth and number of pages are the caller's to count.
///
/// Bounds: `items_max` items and `bytes_max` bytes of JSON a page; `truncated` says that there was more. `links_max` links.
/// `steps_max` bounds the time for containers inside containers.
///
/// Thread safety: an `Extractor` is immutable and may be shared. Errors: `invalid` from the constructor (it compiles the
/// selectors and patterns), and from `links` and `admits` if a pattern proves too costly.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quarry/crawl/html.hpp"
#include "quarry/crawl/job_config.hpp"
#include "quarry/crawl/url.hpp"

namespace quarry::crawl {

struct ExtractLimits {
  std::size_t items_max = 10'000;
  std::size_t bytes_max = std::size_t{8} << 20;
  std::size_t links_max = 20'000;
  std::size_t steps_max = 100'000'000;  ///< nodes looked at for items, over all containers and fields
};

struct Extraction {
  std::string json = "[]";     ///< an array of objects
  std::size_t items = 0;       ///< its length
  std::size_t incomplete = 0;  ///< items left out because a required field was missing
  bool truncated = false;
};

class Extractor {
 public:
  /// `target` is where the crawl began; it gives the scopes `host` and `prefix` their meaning. If it is absent, the
  /// config's own counts. Throws `invalid` if the config follows links and there is neither.
  explicit Extractor(const JobConfig& config, std::optional<Url> target = std::nullopt, const ExtractLimits& limits = {});
  Extractor(Extractor&&) noexcept;
  Extractor& operator=(Extractor&&) noexcept;
  ~Extractor();

  /// Whether `items` may find anything.
  bool has_fields() const noexcept;
  /// Whether `links` may find anything.
  bool follows() const noexcept;

  /// The items of one document that was fetched from `page`, within `ExtractLimits`.
  Extraction items(const html::Document& document, const Url& page) const;
  /// The pages that the config's rules follow from here, each once, in the order of the document.
  std::vector<Url> links(const html::Document& document, const Url& page) const;
  /// Whether scope and patterns let the crawl go there: ask it for the target of a redirect too.
  bool admits(const Url& url) const;

 private:
  struct Rules;
  std::unique_ptr<const Rules> rules_;
};

}  // namespace quarry::crawl
