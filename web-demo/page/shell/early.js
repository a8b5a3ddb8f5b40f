// Runs before the page is first drawn: the night theme must not begin with a flash of light.
{
  let choice = null;
  try {
    choice = localStorage.getItem("clu-ws.theme");
  } catch { /* nothing may be kept here */ }
  const system = matchMedia("(prefers-color-scheme: light)").matches ? "day" : "dark";
  document.documentElement.dataset.theme = ["day", "dark", "night"].includes(choice) ? choice : system;
}
