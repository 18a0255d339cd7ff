"""docs/api.md says what the docstrings say."""

import api_page
import otolith


def test_the_page_of_the_api_is_current():
    page = api_page.page()
    assert f"Otolith {otolith.__version__}" in page and "`oto.uint8`" in page
    written = api_page.PAGE.read_text("utf-8")
    assert written == page, "run .venv/bin/python test/api_page.py"
