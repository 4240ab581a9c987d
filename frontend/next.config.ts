import type { NextConfig } from "next";

const config: NextConfig = {
  output: "export",
  trailingSlash: true,
  reactStrictMode: true,
  poweredByHeader: false,
  // `npm run check` does it.
  typescript: { ignoreBuildErrors: true },
  images: { unoptimized: true },
};

export default config;
