// A picture of every screen in both themes, written to `artifacts/ui`.
import { expect, test } from "@playwright/test";
import { cards } from "../../ui/src/testing/recorded/approvals";
import { open } from "./open";

const SCREENS = [
  ["inbox", "/inbox?fake=story"],
  ["timeline", "/timeline?fake=story"],
  ["timeline-empty", "/timeline?fake=empty"],
  ["sessions", "/timeline?fake=story&view=sessions"],
  ["flow", "/timeline?fake=story&view=flow&session=ses_2"],
  ["event", "/timeline?fake=story&op=48182"],
  ["agents", "/agents?fake=story"],
  ["agent", "/agents/claude-code?fake=story"],
  ["agent-rules", "/agents/claude-code?tab=rules&fake=story"],
  ["agent-credentials", "/agents/claude-code?tab=credentials&fake=story"],
  ["agent-changes", "/agents/claude-code?tab=changes&fake=story"],
  ["agent-servers", "/agents/claude-code?tab=servers&fake=story"],
  ["servers", "/servers?fake=story"],
  ["server-new", "/servers/weather?fake=story"],
  ["server-tool-changed", "/servers/office?tool=export_report&fake=story"],
  ["servers-empty", "/servers?fake=empty"],
  ["budgets", "/budgets/monthly?fake=story"],
  ["budgets-empty", "/budgets?fake=empty"],
  ["credentials", "/credentials/github?fake=story"],
  ["credentials-empty", "/credentials?fake=empty"],
  ["settings", "/settings/general?fake=story"],
  ["protection", "/settings/protection?fake=story"],
  ["doctor", "/settings/doctor?fake=story"],
  ["data", "/settings/data?fake=story"],
  ["shortcuts", "/settings/shortcuts?fake=story"],
  ["notifications", "/settings/notifications?fake=story"],
  ["policies", "/policies/github-read?fake=story"],
  ["policies-cases", "/policies?fake=story&tab=cases"],
  ["policies-files", "/policies/file/tools.yaml?fake=story"],
  ["policies-history", "/policies?fake=story&tab=history"],
  ["policy-new", "/policies/new?fake=story"],
  ["record", "/record/op_00000000000000000000048205?fake=story"],
  ["about", "/settings/about?fake=story"],
  ["decided", "/inbox?tab=decided&fake=story"],
  ["expired", "/inbox?tab=expired&fake=story"],
  ["suggestions", "/inbox?tab=suggestions&fake=story"],
  ["inbox-empty", "/inbox?fake=empty"],
  ["inbox-hostile", "/inbox?fake=hostile"],
] as const;

/** Those that are also drawn at the smallest window. */
const NARROW: ReadonlySet<string> = new Set(["inbox", "inbox-empty", "inbox-hostile", "timeline", "timeline-empty"]);

for (const theme of ["light", "dark"] as const) {
  for (const [width, height] of [[1280, 800], [960, 600]] as const) {
    for (const [name, address] of SCREENS.filter(([name]) => width === 1280 || NARROW.has(name))) {
      test(`${name} ${width} ${theme}`, async ({ page }) => {
        await page.setViewportSize({ width, height });
        await page.emulateMedia({ colorScheme: theme });
        await open(page, address);
        if (name === "timeline") await page.getByRole("row", { name: /812\/merge/ }).click();
        // The editor is loaded when it is first needed.
        if (name === "policies" || name === "policies-files" || name === "policies-cases" || name === "policy-new") await expect(page.getByRole("textbox", { name: "Source" })).toBeVisible();
        if (name === "inbox") await expect(page.locator("#card")).toHaveAttribute("data-armed", "true");
        const suffix = width === 960 ? "-960" : "";
        const file = `../../artifacts/ui/${name}${suffix}-${theme}.png`;
        expect((await page.screenshot({ path: file, animations: "disabled" })).length).toBeGreaterThan(5_000);
      });
    }
  }
}

/** A tool call whose effect was counted before it was asked about, as the engine recorded it. */
const previewed = cards.find((one) => one.resolved === null && one.summary === "office.update_customer_records")?.id ?? "";

/** The cards, and the ways that a click away from them shows. */
const CARDS = [
  ["card-call", "apr_2", null],
  ["card-mcp", "apr_3", null],
  ["card-previewed", previewed, null],
  ["card-http", "apr_4", null],
  ["card-always", "apr_4", "proposed"],
  ["card-always-edit", "apr_4", "edited"],
] as const;

for (const theme of ["light", "dark"] as const) {
  for (const [name, id, rule] of CARDS) {
    test(`${name} ${theme}`, async ({ page }) => {
      await page.emulateMedia({ colorScheme: theme });
      await open(page, `/inbox/${id}?fake=${id === previewed ? "recorded" : "story"}`);
      await expect(page.locator("#card")).toHaveAttribute("data-armed", "true");
      if (id === previewed) await expect(page.getByText("What the preview answered")).toBeVisible();
      if (rule !== null) {
        await page.getByRole("button", { name: "Allow for longer" }).click();
        await page.getByRole("menuitem", { name: /Always allow/ }).click();
        await expect(page.getByText("Last 7 days:")).toBeVisible();
      }
      if (rule === "edited") {
        await page.getByRole("radio", { name: "edit…" }).check();
        await expect(page.getByText("weighed, would be written")).toBeVisible();
      }
      expect((await page.screenshot({ path: `../../artifacts/ui/${name}-${theme}.png`, animations: "disabled" })).length).toBeGreaterThan(5_000);
    });
  }

  test(`timeline-compact ${theme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: theme });
    await open(page, "/timeline?fake=story");
    await page.getByRole("button", { name: "One line per action" }).click();
    await expect(page.getByRole("button", { name: "Cost", exact: true })).toBeVisible();
    expect((await page.screenshot({ path: `../../artifacts/ui/timeline-compact-${theme}.png`, animations: "disabled" })).length).toBeGreaterThan(5_000);
  });
}
