"""Makes the pictures of the README: the demonstration's report and two pages of the site. Run by `make pictures`."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from reeve.site.serve import serving

HERE = Path(__file__).parent
FIRST = "ce/ca/aws/iam/user-has-more-than-one-active-access-key/"
CIS = "frameworks/cis-aws-v5.0.0/"


def main() -> None:
    """Scan the demonstration, build the site, and take the pictures."""
    with tempfile.TemporaryDirectory() as directory:
        scan, site = Path(directory) / "scan", Path(directory) / "site"
        reeve = [sys.executable, "-m", "reeve"]
        subprocess.run([*reeve, "scan", "--demo", "--out", scan, "--framework", "cis-aws-v5.0.0", "--quiet"], check=False)
        subprocess.run([*reeve, "site", "build", "--out", site, "--results", scan, "--quiet"], check=True)
        with serving(site, 0) as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            tab = browser.new_page(viewport={"width": 1100, "height": 900})
            for name, address in (
                ("report", (scan / "report.html").as_uri()),
                ("site-policy", server.address + FIRST),
                ("site-framework", server.address + CIS),
            ):
                tab.goto(address)
                tab.screenshot(path=HERE / f"{name}.png")
            browser.close()


if __name__ == "__main__":
    main()
