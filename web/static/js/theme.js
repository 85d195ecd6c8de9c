// Sets the theme before the first paint. Kept in localStorage: "dark", "light", or nothing for the system's choice.
// The only script that is no module: modules run after the page was painted once.
(() => {
  const kept = () => {
    try {
      return localStorage.getItem("vectra-theme");
    } catch {
      return null; // storage switched off: the system's choice
    }
  };
  const theme = kept();
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
})();
