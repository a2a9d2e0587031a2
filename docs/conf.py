"""Configuration of the documentation. Nothing here needs a network."""

import os
from pathlib import Path

from docutils import nodes
from sphinx.errors import ExtensionError

import skgex

# In quick mode the examples make do with few epochs: they are run, not shown.
os.environ.setdefault("SKGEX_QUICK", "0")

project = "skgex"
author = "The skgex developers"
project_copyright = f"2026, {author}"
version = release = skgex.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.extlinks",
    "sphinx.ext.mathjax",
    "numpydoc",
    "myst_parser",
    "matplotlib.sphinxext.plot_directive",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "**/GALLERY_HEADER.rst", "auto_examples/**/*.ipynb"]
default_role = "literal"

html_theme = "pydata_sphinx_theme"
html_theme_options = {
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    # Which version a page is of: _templates/version.html.
    "footer_start": ["version", "copyright"],
}
if os.environ["SKGEX_QUICK"] == "1":
    html_theme_options["announcement"] = (
        "Built in quick mode: the examples ran with a few epochs and few samples. "
        "Their figures and numbers are no results."
    )
# The default, with version and "documentation", lies over the navigation.
html_title = "skgex"
# Pages of the first level have no neighbours to list.
ALONE = ("changelog", "contributing", "install", "peers", "reproduction")
html_sidebars = {page: [] for page in ALONE}
html_static_path = ["_static"]
html_css_files = ["skgex.css"]
html_show_sourcelink = False

autosummary_generate = True
# The templates list members; numpydoc would list them again.
numpydoc_show_class_members = False
myst_heading_anchors = 3
extlinks = {
    "arxiv": ("https://arxiv.org/abs/%s", "arXiv:%s"),
    "doi": ("https://doi.org/%s", "doi:%s"),
}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    # Every example runs, whatever its name; benchmarks take minutes and data of their
    # own and are not part of the gallery.
    "filename_pattern": r"\.py$",
    "ignore_pattern": r"(__init__|/benchmarks/.*)\.py$",
    "abort_on_example_error": True,
    # An example is to be run again when the package changes, not only when it does.
    "run_stale_examples": True,
    "doc_module": ("skgex",),
    "backreferences_dir": "api/backreferences",
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "plot_gallery": True,
}

# Types stand in the docstrings; annotations, where there are any, are for editors.
autodoc_typehints = "none"

# Figures of the user guide are drawn by the code above them.
plot_include_source = True
plot_html_show_source_link = False
plot_html_show_formats = False
plot_formats = [("png", 120)]

# Methods that scikit-learn gives to estimators refer to its documentation. Its
# inventory would have to be downloaded, so the few targets are listed.
SKLEARN_TARGETS = {
    "accuracy_score": "modules/model_evaluation.html#accuracy-score",
    "df_output_transform": "modules/df_output_transform.html",
    "meta-estimator": "glossary.html#term-meta-estimator",
    "metadata_routing": "metadata_routing.html",
    "r2_score": "modules/model_evaluation.html#r2-score",
    "sphx_glr_auto_examples_miscellaneous_plot_set_output.py": (
        "auto_examples/miscellaneous/plot_set_output.html"
    ),
}


def resolve_sklearn_target(app, env, node, contnode):
    """Link labels and terms of scikit-learn's documentation."""
    page = SKLEARN_TARGETS.get(node.get("reftarget"))
    if page is None:
        return None
    uri = f"https://scikit-learn.org/stable/{page}"
    return nodes.reference("", "", contnode, refuri=uri, internal=False)


def check_version(app, exception):
    """Fail where a page does not say which version it is of."""
    if exception is not None or app.builder.format != "html":
        return
    said = f'<p class="version">skgex {release}</p>'
    for name in sorted(app.env.found_docs):
        page = Path(app.builder.get_outfilename(name))
        if said not in page.read_text(encoding="utf-8"):
            raise ExtensionError(f"{page} does not say the version")


def setup(app):
    """Register the handlers above."""
    app.connect("missing-reference", resolve_sklearn_target)
    app.connect("build-finished", check_version)
