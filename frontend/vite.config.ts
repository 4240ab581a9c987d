import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { alias: { "@": `${import.meta.dirname}/src` } },
  build: {
    outDir: "out",
    manifest: true,
    // What is inlined, or put into the page as it runs, its policy would have to name.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // Base UI marks its modules for servers that render, of which there is none here.
      onwarn: (warning, warn) => warning.code !== "MODULE_LEVEL_DIRECTIVE" && warn(warning),
      // A page loads few files at once rather than many small ones after each other.
      output: { codeSplitting: { groups: [{ name: "shared", minShareCount: 2 }] } },
    },
  },
  test: { include: ["src/**/*.test.ts"] },
});
