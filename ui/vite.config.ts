// How the console is built and unit-tested. Everything it needs is in the bundle: nothing is fetched from elsewhere.
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: { target: "es2022", chunkSizeWarningLimit: 600 },
  server: { port: 5173, strictPort: true },
  test: {
    environment: "happy-dom",
    setupFiles: ["src/testing/setup.ts"],
    restoreMocks: true,
    // A gate runs beside compilers.
    testTimeout: 20_000,
  },
});
