// The console in the system's own Chromium, on recorded states. Nothing is downloaded.
import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

/** A server that runs already, instead of one on the last build. */
const served = process.env["REEVE_UI_URL"];
const chromium = [process.env["REEVE_BROWSER"], "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => path !== undefined && existsSync(path));

export default defineConfig({
  testDir: ".",
  fullyParallel: true,
  workers: "100%",
  forbidOnly: true,
  // A gate runs beside compilers: waiting is for what comes, however slow the machine is.
  timeout: 90_000,
  expect: { timeout: 20_000 },
  // A second try tells a slow machine from a fault; the report names every test that needed it.
  retries: process.env["CI"] ? 2 : 0,
  reporter: process.env["CI"] ? "dot" : "list",
  use: {
    baseURL: served ?? "http://localhost:4173",
    viewport: { width: 1280, height: 800 },
    timezoneId: "Europe/Berlin",
    locale: "en-GB",
    launchOptions: { ...(chromium === undefined ? {} : { executablePath: chromium }), args: ["--no-sandbox"] },
  },
  projects: [
    // `screens.spec.ts` looks at every page in both themes.
    // A worker keeps its page from test to test, with storage, cache, clock, emulation and added scripts put back: a new one
    // costs a test more than what it looks at. What is measured starts from nothing.
    { name: "light", testMatch: /.*\.spec\.ts/, testIgnore: /shots\.spec\.ts/, use: { colorScheme: "light", reuseContext: true } },
    { name: "shots", testMatch: /shots\.spec\.ts/ },
    { name: "bench", testMatch: /.*\.bench\.ts/ },
  ],
  ...(served === undefined ? { webServer: { command: "npm --prefix ../../ui run preview -- --port 4173 --strictPort", url: "http://localhost:4173", reuseExistingServer: true } } : {}),
});
