"""Sphinx's settings for the site that docs/make_site.py makes. Nothing in it is fetched from anywhere, search included."""

import pdmigrate

project, author, release = "pdmigrate", "pdmigrate authors", pdmigrate.__version__
extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
myst_url_schemes = {"http": None, "https": None, "mailto": None, "example": "reports/example/{{path}}"}
html_theme = "furo"  # system fonts, no CDN
html_title = f"pdmigrate {release}"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_show_search_summary = False  # summaries are fetched, which no browser does from file://
add_module_names = False
