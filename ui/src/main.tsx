// Starts the console: on the real engine inside Reeve's window, on a recorded state in a browser.
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { AppWindow } from "lucide-react";
import { createRoot } from "react-dom/client";
import { useTranslation } from "react-i18next";
import { loadAhead } from "./app/ahead";
import "./app/i18n";
import { Providers } from "./app/providers";
import { destination } from "./app/links";
import { createAppRouter } from "./app/router";
import { Empty } from "./components/empty";
import type { Engine } from "./engine/client";
import { createQueryClient } from "./engine/query";
import { inShell, tauriEngine, zoomTo } from "./engine/tauri";
import { followView } from "./lib/view";
import "./styles/index.css";

async function engineOf(address: string): Promise<Engine | null> {
  // Inside the window nothing in an address can put a made-up state on the screen.
  if (inShell()) return tauriEngine;
  const name = new URL(address).searchParams.get("fake");
  if (name === null) return null;
  const pseudo = new URL(address).searchParams.get("pseudo");
  if (pseudo !== null) {
    const { speakPseudo } = await import("./testing/pseudo");
    speakPseudo(pseudo);
  }
  const { FakeEngine, isState } = await import("./engine/fake");
  const engine = new FakeEngine(isState(name) ? name : "story");
  Object.assign(window, { fakeEngine: engine });
  return engine;
}

function Outside() {
  const { t } = useTranslation();
  return (
    <Empty icon={AppWindow} title={t("error.outside")}>
      {t("error.outsideMore")}
    </Empty>
  );
}

const router = createAppRouter();
// The tray and links of the system ask for a place to look at; what they name is judged here.
window.addEventListener("reeve:inbox", () => void router.navigate({ to: "/inbox" }));
window.addEventListener("reeve:navigate", (event) => void router.navigate(destination(event instanceof CustomEvent ? event.detail : null)));

if (inShell()) followView(({ text }) => zoomTo(Number(text)));

const container = document.getElementById("root");
const engine = await engineOf(window.location.href);
if (container) {
  createRoot(container).render(
    <StrictMode>
      {engine ? (
        <Providers engine={engine} client={createQueryClient()}>
          <RouterProvider router={router} />
        </Providers>
      ) : (
        <Outside />
      )}
    </StrictMode>,
  );
}
if (engine) {
  const first = router.subscribe("onRendered", () => {
    first();
    loadAhead();
  });
}
