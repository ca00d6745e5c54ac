"""The same crawl as Scrapy's users write it: `spider.py URL OUTPUT CONNECTIONS`; prints seconds and CPU seconds."""

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

from parsel import Selector


def parse_parsel(page: str) -> dict[str, str]:
    """What scrapers of this site read, by CSS selectors over lxml."""
    left = Selector(page).css(".petitionsView_left")
    facts = [" ".join(item.css("::text").getall()) for item in left.css(".petitionsView_info_list li")]
    return {
        "title": "".join(left.css(".petitionsView_title::text").getall()).strip(),
        "progress": "".join(left.css(".petitionsView_progress ::text").getall()).strip(),
        "count": left.css(".petitionsView_count .counter::text").get(""),
        "facts": "\n".join(facts),
        "body": "\n".join(text.strip() for text in left.css(".View_write")[-1].css("::text").getall()),
    }


def main() -> None:
    import scrapy
    from scrapy.crawler import CrawlerProcess

    url, output, connections = sys.argv[1:]

    class Petitions(scrapy.Spider):
        """Both lists, page by page, and every petition on them."""

        name = "petitions"

        async def start(self) -> Any:
            for only in ("1", "2"):
                yield self.ask(only, 1)

        def ask(self, only: str, page: int) -> scrapy.FormRequest:
            form = {"c": "0", "only": only, "page": str(page), "order": "1"}
            return scrapy.FormRequest(
                f"{url}/api/petitions/list", formdata=form, headers={"X-Requested-With": "XMLHttpRequest"},
                callback=self.read_list, cb_kwargs={"only": only, "page": page},
            )  # fmt: skip

        def read_list(self, response: Any, only: str, page: int) -> Iterator[Any]:
            items = response.json()["item"]
            if items:
                yield self.ask(only, page + 1)
            for item in items:
                yield scrapy.Request(f"{url}/petitions/{item['id']}", self.read_page, cb_kwargs={"number": item["id"]})

        def read_page(self, response: Any, number: str) -> Iterator[dict[str, str]]:
            yield {"id": number, **parse_parsel(response.text)}

    process = CrawlerProcess(
        {
            "FEEDS": {output: {"format": "jsonlines", "encoding": "utf-8"}},
            "CONCURRENT_REQUESTS": int(connections),
            "CONCURRENT_REQUESTS_PER_DOMAIN": int(connections),
            "DOWNLOAD_DELAY": 0,
            "ROBOTSTXT_OBEY": False,
            "AUTOTHROTTLE_ENABLED": False,
            "TELNETCONSOLE_ENABLED": False,
            "LOG_LEVEL": "ERROR",
        }
    )
    process.crawl(Petitions)
    began, cpu = time.perf_counter(), time.process_time()
    process.start()
    print(json.dumps({"seconds": time.perf_counter() - began, "cpu_s": time.process_time() - cpu}))


if __name__ == "__main__":
    main()
