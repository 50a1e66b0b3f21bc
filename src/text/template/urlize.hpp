// Links made of the URLs and e-mail addresses in a text, as the filter urlize gives them.
#pragma once

#include <string>
#include <vector>

#include "text/template/runtime.hpp"

namespace brisk::text::tmpl {

struct LinkStyle {
  Value limit;                       ///< characters of a URL that are shown; none: all
  std::string attributes;            ///< of links to URLs: ' rel="noopener"'
  std::vector<std::string> schemes;  ///< further ones to make links of, such as "ftp://"
};

/// `text` is HTML already.
Result<std::string> with_links(Runtime& rt, std::string_view text, const LinkStyle& style);
/// Whether the text is the start of a URL: "ftp://", "tel:".
bool is_url_scheme(std::string_view text);

}  // namespace brisk::text::tmpl
