// `⌘1`, `⌘2`: the places in their order.
import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { chordKey } from "../components/keys";

const PLACES: Record<string, "/inbox" | "/timeline"> = { Digit1: "/inbox", Digit2: "/timeline" };

export function usePlaceKeys(): void {
  const navigate = useNavigate();
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const to = PLACES[event.code];
      if (!to || !chordKey(event) || event.shiftKey) return;
      event.preventDefault();
      void navigate({ to });
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [navigate]);
}
