"""Launch Chromium on its own profile, and live exactly as long as it does."""
