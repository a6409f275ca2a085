// The real engine, through the shell: one command per noun, and one subscription.
import { Channel, invoke, isTauri } from "@tauri-apps/api/core";
import type { StreamMessage } from "./bindings/StreamMessage";
import { type Answer, type Call, type Engine, EngineError } from "./client";

export function inShell(): boolean {
  return isTauri();
}

/** The size of everything in the web view, in percent. */
export function zoomTo(percent: number): void {
  // A web view that cannot zoom stays as it is; nothing depends on it.
  invoke("zoom", { percent }).catch(() => {});
}

export const tauriEngine: Engine = {
  call: async <C extends Call>(call: C): Promise<Answer<C>> => {
    const noun = call.call.slice(0, call.call.indexOf("."));
    try {
      return await invoke<Answer<C>>(noun, { request: call });
    } catch (error) {
      throw EngineError.from(error);
    }
  },

  leave: (really) => {
    // Where the window cannot end by itself, the system's own way is left.
    invoke("quit", { really }).catch(() => {});
  },

  login: async (on) => {
    try {
      return await invoke<boolean>("login", { on });
    } catch (error) {
      throw EngineError.from(error);
    }
  },

  subscribe: (listener) => {
    const channel = new Channel<StreamMessage>();
    channel.onmessage = listener;
    invoke("subscribe", { channel }).catch((error: unknown) => {
      const { code, message, hint } = EngineError.from(error);
      listener({ kind: "lost", error: { code, message, hint } });
    });
    return () => {
      channel.onmessage = () => {};
    };
  },
};
