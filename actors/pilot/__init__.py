"""Everything active in the browser: open the page, probe its health, reload it. Over pychrome."""
