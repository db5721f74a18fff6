"""How the documentation is built: Sphinx with MyST, nothing is fetched, warnings are errors (tox environment docs)."""

import sys
from pathlib import Path

from neomind_core import __version__

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "NeoMind"
author = "The NeoMind authors"
copyright = "the NeoMind authors"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "contract_pages", "hook_pages"]
exclude_patterns = ["_build", "_ext"]
myst_enable_extensions = ["deflist", "colon_fence"]
myst_heading_anchors = 3
highlight_language = "none"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "undoc-members": True}

html_theme = "alabaster"
html_theme_options = {
    "description": "An edge platform: plugins all the way down",
    "fixed_sidebar": True,
    "page_width": "1100px",
    "sidebar_width": "240px",
}
html_show_sourcelink = False
html_copy_source = False
