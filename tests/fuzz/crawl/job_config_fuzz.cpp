/// A job's config.
#include "crawl/web/url_pattern.hpp"
#include "fuzz/crawl/fuzz.hpp"
#include "quarry/crawl/extract.hpp"
#include "quarry/crawl/job_config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace quarry::crawl;
  using quarry::fuzz::demand;
  quarry::fuzz::only_invalid([&] {
    const auto config = parse_job_config(quarry::fuzz::view(data, size));
    const auto written = to_json(config);
    // Written out with all its defaults, a config near the bound may exceed it.
    if (written.size() <= limits::config_bytes_max)
      demand(parse_job_config(written) == config, "what is written reads back the same");
    const auto page = Url::parse("http://example.org/a/b");
    const Extractor extractor(config, page);
    const auto document = html::Parser().parse("<p class=a>x<a href=c>y</a></p>");
    (void)extractor.items(document, page);
    (void)extractor.links(document, page);
  });
  return 0;
}
