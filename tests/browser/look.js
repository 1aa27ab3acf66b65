// Opens a page at two widths in light and dark, and prints as JSON what a reader would complain of.
//   node look.js CHROMIUM FILE
"use strict";
const axe = require("axe-core");
const puppeteer = require("puppeteer-core");

const [browserPath, file] = process.argv.slice(2);

(async () => {
  const browser = await puppeteer.launch({ executablePath: browserPath, args: ["--no-sandbox"], headless: true });
  const seen = [];
  for (const width of [1280, 360]) {
    for (const scheme of ["light", "dark"]) {
      const page = await browser.newPage();
      const complaints = [];
      const requests = [];
      page.on("console", (message) => complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(String(error)));
      page.on("request", (request) => requests.push(request.url()));
      await page.setViewport({ width, height: 900 });
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      const started = Date.now();
      await page.goto("file://" + file);
      const milliseconds = Date.now() - started;
      // Leafing and filtering, as a reader does.
      const used = await page.evaluate(async () => {
        const shown = () => document.querySelectorAll("#list li").length;
        const first = shown();
        const next = document.getElementById("after");
        const begun = performance.now();
        if (next && !next.disabled) next.click();
        const state = document.getElementById("f-state");
        if (state) { state.value = "undecided"; state.dispatchEvent(new Event("input", { bubbles: true })); }
        const took = performance.now() - begun;
        const undecided = shown();
        document.getElementById("filter")?.reset();
        await new Promise((done) => setTimeout(done, 50));
        return { first, undecided, took, again: shown() };
      });
      await page.evaluate(() => { for (const each of document.querySelectorAll("details")) each.open = true; });
      const tooWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      const own = requests.filter((url) => !url.startsWith("file://" + file));
      await page.evaluate(axe.source);
      const result = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
      seen.push({
        width, scheme, milliseconds, used, tooWide, complaints, requests: own,
        violations: result.violations.map((each) => `${each.id}: ${each.nodes[0].html.slice(0, 200)}`),
      });
      await page.close();
    }
  }
  await browser.close();
  console.log(JSON.stringify(seen));
})().catch((error) => { console.error(error); process.exit(1); });
