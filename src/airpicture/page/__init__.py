"""One self-contained web page that shows recorded pictures; see `page.write_page`."""

from airpicture.page.page import View, render_page, write_page

__all__ = ["View", "render_page", "write_page"]
